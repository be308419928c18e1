// What the page asks the server, and the one stream by which it is told what changes.
// The token comes in the part of the address that is sent nowhere, and stays in this tab.

import { h } from "./base.js";

const KEY = "agentctl.token";
let token = sessionStorage.getItem(KEY) || "";

export function takeToken() {
  const found = /^#([0-9a-f]{48})$/.exec(location.hash);
  if (!found) return Boolean(token);
  token = found[1];
  sessionStorage.setItem(KEY, token);
  history.replaceState(null, "", "#/fleet");
  return true;
}

export function forget() {
  token = "";
  sessionStorage.removeItem(KEY);
}

async function ask(path, more = {}) {
  const answer = await fetch(path, { ...more, headers: { ...more.headers, Authorization: "Bearer " + token } });
  if (answer.ok) return answer;
  let said = {};
  try { said = await answer.json(); } catch { /* cut off on the way: the status says enough */ }
  const error = new Error(said.error || "the server answered with " + answer.status);
  throw Object.assign(error, { status: answer.status, hint: said.hint || "" });
}

export async function get(path) {
  return (await ask(path)).json();
}

export async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  return (await ask(path, { method: "POST", body: JSON.stringify(body), headers })).json();
}

let hiding = 0;

export function say(words, hint = "", kind = "error") {
  const box = document.getElementById("said");
  box.replaceChildren(h("b", { text: words }), hint ? h("span", { text: hint }) : "");
  box.dataset.kind = kind;
  box.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { box.hidden = true; }, kind === "error" ? 9000 : 4000);
}

// A button that does something, once at a time; what must not happen by accident is asked for twice.
export function button(words, act, given = {}) {
  let armed = 0;
  const node = h("button", { type: "button", class: given.class || "", text: words });
  node.addEventListener("click", async (event) => {
    event.preventDefault();
    if (given.sure && !armed) {
      node.textContent = given.sure;
      node.classList.add("armed");
      armed = setTimeout(() => { armed = 0; node.textContent = words; node.classList.remove("armed"); }, 4000);
      return;
    }
    node.disabled = true;
    try { await act(); } catch (e) { say(e.message, e.hint); } finally {
      clearTimeout(armed);
      armed = 0;
      node.disabled = false;
      node.textContent = words;
      node.classList.remove("armed");
    }
  });
  return node;
}

// The fleet as it is now, and whoever wants to hear when it changes.
export const fleet = { rows: new Map(), first: null, listeners: new Set(), onEvents: null };

// Loads a view again some time after something changed: at the first change and not the last, since
// there may be no last one, and never twice at once. Answers with what ends it.
export function afresh(load, pause = 1000) {
  let due = 0, more = false;
  const changed = () => { more = true; due = due || setTimeout(again, pause); };
  const again = async () => {
    more = false;
    try { await load(); } catch { /* the view stays as it was, and the next change tries again */ }
    due = more && fleet.listeners.has(changed) ? setTimeout(again, pause) : 0;
  };
  fleet.listeners.add(changed);
  return () => { clearTimeout(due); fleet.listeners.delete(changed); };
}

let stopping = null;
let followed = { run: "", from: 0 };

export function follow(run = "", from = 0, onEvents = null) {
  fleet.onEvents = onEvents;
  if (run === followed.run && stopping && !run) return;
  followed = { run, from };
  if (stopping) stopping.abort();
  listen(stopping = new AbortController());
}

async function listen(stop) {
  let pause = 500;
  while (!stop.signal.aborted) {
    const heard = new AbortController();
    const end = () => heard.abort();
    stop.signal.addEventListener("abort", end, { once: true });
    try {
      const query = followed.run ? `?run=${followed.run}&from=${followed.from}` : "";
      await read(await ask("/api/live" + query, { signal: heard.signal }), heard, () => { pause = 500; });
    } catch (e) {
      if (stop.signal.aborted) return;
      if (e.status === 401) { stopping = null; state("off", "no token"); fleet.onRefused?.(); return; }
      state("lost", e.status === 503 ? "too many pages are open" : "connection lost, trying again");
    } finally {
      stop.signal.removeEventListener("abort", end);
    }
    await new Promise((done) => setTimeout(done, pause));
    pause = Math.min(pause * 2, 8000);
  }
}

async function read(answer, heard, alive) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "", watch = 0;
  const expect = () => { clearTimeout(watch); watch = setTimeout(() => heard.abort(), 30000); };
  try {
    for (;;) {
      expect();
      const { value, done } = await reader.read();
      if (done) return;
      alive();
      const parts = (held + value).split("\n\n");
      held = parts.pop();
      parts.forEach(take);
    }
  } finally {
    clearTimeout(watch);
  }
}

function take(part) {
  const found = /^event: (\w+)\ndata: (.*)$/.exec(part);
  if (!found) return;
  const [kind, value] = [found[1], JSON.parse(found[2])];
  if (kind === "events") {
    followed.from = value.next;
    fleet.onEvents?.(value);
    return;
  }
  if (kind === "status") {
    fleet.rows.clear();
    fleet.first = value;
    state("on", "live");
  }
  for (const row of value.runs) fleet.rows.set(row.run_id, row);
  for (const gone of value.gone || []) fleet.rows.delete(gone);
  fleet.listeners.forEach((listener) => listener());
}

function state(kind, words) {
  const node = document.getElementById("live");
  node.dataset.state = kind;
  node.textContent = words;
}

document.addEventListener("visibilitychange", () => {
  const lost = document.getElementById("live").dataset.state !== "on";
  if (!document.hidden && stopping && lost && token) follow(followed.run, followed.from, fleet.onEvents);
});
