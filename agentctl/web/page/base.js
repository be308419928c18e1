// Nodes, words and figures. Everything that an agent wrote becomes a text node and nothing else:
// the page's policy has the browser refuse any other way.

// What turns a line around, hides in it or drives a terminal is shown for what it is. A reader of
// a diff must see it; nobody else is harmed by it.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

export function plain(words) {
  return String(words).replace(HIDDEN, (c) => "‹U+" + c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0") + "›");
}

export function h(tag, given = {}, ...children) {
  const node = tag === "svg" || given.svg
    ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false || name === "svg") continue;
    if (name === "on") for (const [kind, what] of Object.entries(value)) node.addEventListener(kind, what);
    else if (name === "text") node.textContent = plain(value);
    else if (name === "value") node.value = value;
    else if (name === "href" && !String(value).startsWith("#")) throw new Error("links lead within the page");
    else node.setAttribute(name, value === true ? "" : plain(value));
  }
  const there = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  node.append(...there.map((child) => (child instanceof Node ? child : plain(child))));
  return node;
}

// The buttons of a run, marked by what they offer: they stay as long as that is the same, whatever one says now.
export function offered(buttons) {
  return h("span", { class: "acts", "data-of": buttons.map((node) => node.textContent).join(" ") }, ...buttons);
}

// A box comes to say what the new nodes say, and each node that is still in its place stays the node it is:
// with the focus, with a press that is not yet over, armed, or opened.
export function renew(box, nodes) {
  let at = box.firstChild;
  for (const fresh of nodes) {
    let old = at;
    while (old && !alike(old, fresh)) old = old.nextSibling;
    if (!old) { box.insertBefore(fresh, at); continue; }
    while (at !== old) at = dropped(at);
    at = old.nextSibling;
    become(old, fresh);
  }
  while (at) at = dropped(at);
}

function alike(old, fresh) {
  const [mine, its] = [old, fresh].map((node) => [node.nodeName, node.className, node.dataset?.of, node.dataset?.run].join());
  return mine === its;
}

function dropped(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

export function become(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) { if (old.data !== fresh.data) old.data = fresh.data; return; }
  if (old.matches(".acts")) return;
  for (const { name } of [...old.attributes]) if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  renew(old, [...fresh.childNodes]);
}

export const NONE = "–";

export function count(n) {
  if (n === null || n === undefined) return NONE;
  if (n >= 1e6) return (n / 1e6).toFixed(1) + "M";
  if (n >= 1e3) return (n / 1e3).toFixed(1) + "k";
  return String(n);
}

export function money(usd) {
  if (usd === null || usd === undefined) return NONE;
  return "$" + (usd >= 0.01 || !usd ? usd.toFixed(2) : usd.toFixed(4));
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined || !(Math.abs(seconds) < 1e12)) return NONE;
  const s = Math.max(0, Math.floor(seconds)), two = (n) => String(n).padStart(2, "0");
  if (s < 60) return s + "s";
  if (s < 3600) return Math.floor(s / 60) + "m" + two(s % 60) + "s";
  if (s < 172800) return Math.floor(s / 3600) + "h" + two(Math.floor((s % 3600) / 60)) + "m";
  return Math.floor(s / 86400) + "d";
}

export function size(bytes) {
  if (bytes === null || bytes === undefined) return NONE;
  if (bytes >= 1 << 20) return (bytes / (1 << 20)).toFixed(1) + " MB";
  return bytes >= 1024 ? (bytes / 1024).toFixed(0) + " kB" : bytes + " B";
}

export function seconds(iso) {
  return iso ? Date.parse(iso) / 1000 : null;
}

export function clock(at) {
  return at ? new Date(at * 1000).toLocaleTimeString([], { hour12: false }) : "";
}

export function when(iso) {
  return iso ? new Date(iso).toLocaleString([], { dateStyle: "medium", timeStyle: "short", hour12: false }) : NONE;
}

// A time that grows older while it is looked at: `words` says the rest around it.
export function ago(iso, words = "ago") {
  const node = h("time", { class: "ago", "data-at": seconds(iso), "data-words": words, title: when(iso) });
  age(node);
  return node;
}

function age(node) {
  node.textContent = (duration(Date.now() / 1000 - Number(node.dataset.at)) + " " + node.dataset.words).trim();
}

setInterval(() => document.querySelectorAll("time.ago").forEach(age), 1000);

export const NEEDS = {
  denied: "a permission was denied", limit: "a limit was reached", blocked: "it gets no answer", idle: "quiet for long", failed: "failed",
  timed_out: "over its time", lost: "lost: its runner vanished", not_met: "goal not met", rejected: "rejected",
  check_failed: "its check failed", budget: "its budget is nearly used",
};
export const LIVE = ["running", "queued", "paused"];

export function badge(status, words) {
  return h("span", { class: "badge", "data-status": status, text: (words || status || "").replace("_", " ") });
}

// The figures of a row in words; what is unknown is left out.
export function figures(row) {
  const used = row.usage || {}, said = [];
  if (used.turns !== null && used.turns !== undefined) said.push(some(used.turns, "turn"));
  const share = context(row);
  if (share !== null) said.push(share.toFixed(0) + "% context");
  if (used.cost_usd !== null && used.cost_usd !== undefined) said.push(money(used.cost_usd));
  else if (used.virtual_usd !== null && used.virtual_usd !== undefined) said.push(money(used.virtual_usd) + " virtual");
  if (row.diff) said.push(change(row.diff));
  return said.join(" · ");
}

export function context(row) {
  return row.context_tokens && row.context_window ? (100 * row.context_tokens) / row.context_window : null;
}

export function change(diff) {
  return `${some(diff.files, "file")} +${diff.added} −${diff.removed}`;
}

export function who(row) {
  const worker = [row.backend, row.model].filter(Boolean).join(" ");
  const agent = (row.agent || "").replace(/^\d{8}-\d{6}-[0-9a-f]{4}-/, "");
  return [agent, row.role, row.profile, worker, row.project, row.workflow && "step " + row.step]
    .filter(Boolean).join(" · ");
}

export function some(n, what) {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

// A run that is a goal has a timeline of its own.
export function place(row) {
  return (row.backend === "goal" ? "#/goal/" : "#/run/") + row.run_id;
}

export function took(row) {
  const from = seconds(row.started_at), to = seconds(row.finished_at);
  return from && to ? to - from : null;
}

export function empty(words) {
  return h("p", { class: "empty", text: words });
}

export function field(label, control, hint) {
  return h("label", { class: "field" }, h("span", { text: label }), control, hint ? h("small", { text: hint }) : null);
}
