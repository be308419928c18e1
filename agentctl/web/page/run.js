// One run: what it was asked, its events as they happen, what it changed, its files and figures.

import { LIVE, NEEDS, NONE, ago, badge, clock, count, duration, empty, figures, h, money, offered, renew, size, some,
  took, when, who } from "./base.js";
import { afresh, button, fleet, follow, get, post, say } from "./api.js";
import { actions, cell, table } from "./fleet.js";

const MOST = 1500;
const AT_FIRST = 120000;
const SIGNS = {
  message: "says", thinking: "thinks", tool_call: "calls", tool_result: "gets", file_read: "reads", file_write: "writes",
  denied: "denied", usage: "used", limit: "limit", retry: "retries", error: "error", report: "reports", news: "news",
  session: "session", queued: "queued", started: "started", note: "note", exited: "exited", verified: "checked",
  step: "step", other: "printed",
};
const QUIET = ["usage", "thinking", "other"];

export async function runView(view, id, tab = "events") {
  view.replaceChildren(empty("looking …"));
  let known = await get("/api/runs/" + id);
  const head = h("div", { class: "head" }), body = h("div", { class: "body" });
  const tabs = { events: "Events", diff: "Changes", files: "Files", facts: "Facts" };
  const links = Object.entries(tabs).map(([name, words]) => h("a", { href: `#/run/${id}/${name}`, text: words, "aria-current": name === tab ? "page" : false }));
  const again = h("div");
  view.replaceChildren(head, h("nav", { class: "tabs", "aria-label": "of this run" }, ...links), again, body);
  const paint = () => renew(head, summary(known));
  paint();
  if (tab === "again") again.replaceChildren(followUp(known));
  const stop = await { diff: diffTab, files: filesTab, facts: factsTab }[tab]?.(body, known) || (["events", "again"].includes(tab) ? await eventsTab(body, known) : null);
  let seen = JSON.stringify(fleet.rows.get(id)), asking = false;
  const changed = async () => {
    const now = JSON.stringify(fleet.rows.get(id));
    if (now === seen || asking || !now) return;
    seen = now;
    asking = true;
    try { known = await get("/api/runs/" + id); paint(); } catch { /* it is gone; the page stays as it was */ }
    asking = false;
  };
  fleet.listeners.add(changed);
  return () => { fleet.listeners.delete(changed); stop?.(); };
}

function summary(known) {
  const live = LIVE.includes(known.status), row = known.row || known;
  const acts = actions(known);
  if (!live && known.session_id) acts.push(h("a", { class: "button strong", href: `#/run/${known.run_id}/again`, text: "Go on from here" }));
  const axes = [badge(known.status),
    known.goal_met === null || known.goal_met === undefined ? null : badge(known.goal_met ? "finished" : "not_met", known.goal_met ? "goal met" : "goal not met"),
    known.verified && known.verified !== "none" ? badge(known.verified === "passed" ? "finished" : "failed", "check " + known.verified) : null,
    row.needs && !["not_met", "check_failed", known.status].includes(row.needs) ? h("span", { class: "need", text: NEEDS[row.needs] || row.needs }) : null];
  const said = live ? known.doing : known.error || known.summary;
  const chain = [];
  if (known.parent) chain.push(h("a", { href: "#/run/" + known.parent, text: "goes on from " + known.parent }));
  if (known.escalated_to) chain.push(h("a", { href: "#/run/" + known.escalated_to, text: "escalated to " + known.escalated_to }));
  if (known.goal) chain.push(h("a", { href: "#/goal/" + known.goal, text: "works for goal " + known.goal }));
  return [h("h1", { text: known.title || known.run_id }), h("div", { class: "axes" }, ...axes, offered(acts)),
    h("div", { class: "who" }, who(known), " · ", h("code", { text: known.run_id })),
    said ? h("p", { class: "doing", text: said }) : null,
    h("p", { class: "figures" }, ...[live ? "began " + when(known.started_at || known.created_at) : "took " + duration(took(known)), figures(row)]
      .filter(Boolean).map((words) => h("span", { text: words }))),
    chain.length ? h("p", { class: "chain" }, ...chain) : null].filter(Boolean);
}

function followUp(known) {
  const prompt = h("textarea", { rows: 4, required: true, placeholder: "What is to be done next?", "aria-label": "prompt",
    value: known.followup_prompt || "" });
  const send = button("Start", async () => {
    const { runs } = await post(`/api/runs/${known.run_id}/continue`, { prompt: prompt.value });
    say("Started.", "", "done");
    location.hash = "#/run/" + runs[0].run_id;
  }, { class: "strong" });
  setTimeout(() => prompt.focus());
  return h("section", { class: "panel" }, h("h2", { text: "Go on in this conversation" }), prompt, h("div", { class: "bar" }, send));
}

// -- events

async function eventsTab(body, known) {
  const list = h("ol", { class: "events" }), earlier = button("Earlier", () => back());
  const words = h("input", { type: "search", placeholder: "filter events", "aria-label": "filter events" });
  const all = h("input", { type: "checkbox" });
  const end = h("p", { class: "told" });
  body.replaceChildren(h("div", { class: "bar" }, words, h("label", { class: "check" }, all, " figures, thoughts and output too")), earlier, list, end);
  let begin = 0, shown = 0, held = null;
  const wanted = (node) => {
    const q = words.value.toLowerCase();
    node.hidden = (QUIET.includes(node.dataset.kind) && !all.checked && known.backend !== "shell") || (q && !node.textContent.toLowerCase().includes(q));
    return node;
  };
  const add = (events, first) => {
    const nodes = events.map((event) => wanted(eventNode(event)));
    const low = innerHeight + scrollY >= document.documentElement.scrollHeight - 60;
    if (first) list.prepend(...nodes); else list.append(...nodes);
    shown += nodes.length;
    while (shown > MOST && !first) { begin = Number(list.children[1].dataset.offset); list.firstChild.remove(); shown -= 1; }
    earlier.hidden = begin <= 0;
    if (low && !first && held !== null) scrollTo(0, document.documentElement.scrollHeight);
    end.textContent = shown ? "" : "No event yet.";
  };
  const back = async () => {
    const from = Math.max(begin - AT_FIRST, 0), before = begin;
    const piece = await get(`/api/runs/${known.run_id}/events?from=${from}&bytes=${before - from}`);
    begin = piece.from;
    add(piece.events.filter((event) => event.offset < before), true);
  };
  const piece = await get(`/api/runs/${known.run_id}/events?from=-${AT_FIRST}`);
  begin = piece.from;
  add(piece.events);
  held = piece.next;
  [words, all].forEach((node) => node.addEventListener("input", () => [...list.children].forEach(wanted)));
  if (LIVE.includes(known.status) || piece.next < piece.bytes) follow(known.run_id, piece.next, (more) => add(more.events));
  return () => follow();
}

function eventNode(event) {
  const data = event.data || {}, kind = event.kind;
  const node = h("li", { "data-kind": kind, "data-offset": event.offset },
    h("time", { text: clock(event.at) }), h("span", { class: "kind", text: SIGNS[kind] || kind }));
  const name = data.name || "", about = data.path || data.command || "";
  const long = event.text.length > 240 || event.text.includes("\n");
  if (name) node.append(h("b", { text: name }));
  if (kind.startsWith("file_")) node.append(h("code", { text: about || event.text }), data.op ? h("small", { text: data.op }) : "");
  else if (about && kind === "tool_call") node.append(h("code", { text: about }));
  else if (long && kind !== "message" && kind !== "report") {
    node.append(h("details", {}, h("summary", { text: event.text.slice(0, 160).split("\n")[0] + " …" }), h("pre", { text: event.text })));
  } else if (event.text && event.text !== name) node.append(h("span", { class: "text", text: event.text }));
  else if (data.session_id) node.append(h("code", { text: [data.model, data.session_id].filter(Boolean).join(" ") }));
  if (kind === "tool_result" && data.ok === false) node.dataset.bad = "yes";
  if (kind === "usage") node.append(h("small", { text: usageWords(data) }));
  return node;
}

function usageWords(data) {
  return ["input", "cached", "output"].filter((n) => data[n] !== undefined && data[n] !== null)
    .map((n) => `${count(data[n])} ${n}`).join(", ");
}

// -- what it changed

async function diffTab(body, known) {
  if (LIVE.includes(known.status)) { body.replaceChildren(empty("What a run changed is taken when it has ended.")); return; }
  const box = h("div", { class: "diff" }), names = h("ul", { class: "index" });
  const more = button("More", () => load());
  let at = 0, state = { lines: null, in: false, old: 0, now: 0 };
  const load = async () => {
    const piece = await get(`/api/runs/${known.run_id}/diff?from=${at}`);
    at = piece.next;
    state = paintDiff(box, names, piece.diff, state);
    more.hidden = at >= piece.bytes || !piece.diff;
    more.textContent = `More (${size(piece.bytes - at)})`;
    if (!piece.bytes) box.replaceChildren(empty("It changed nothing that git saw."));
  };
  body.replaceChildren(names, box, more);
  await load();
}

function paintDiff(box, names, text, state) {
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  for (const line of lines) {
    if (line.startsWith("diff --git ") || !state.lines) {
      const path = line.startsWith("diff --git ") ? line.slice(11).replace(/^"?a\/(.*) "?b\/.*$/, "$1") : line;
      const part = h("details", { open: true, class: "file" }, h("summary", {}, h("code", { text: path })));
      state.lines = h("div", { class: "lines" });
      part.append(state.lines);
      box.append(part);
      state.in = false;
      names.append(h("li", {}, button(path, async () => { part.open = true; part.scrollIntoView({ block: "start" }); }, { class: "plain" })));
      if (line.startsWith("diff --git ")) continue;
    }
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line);
    if (hunk) { state.old = Number(hunk[1]); state.now = Number(hunk[2]); state.in = true; } else if (/^(index |--- |\+\+\+ |new file|deleted file|similarity|rename |old mode|new mode)/.test(line) && !state.in) {
      if (!line.startsWith("index") && !/^(---|\+\+\+)/.test(line)) state.lines.append(h("div", { class: "row", "data-is": "head" }, h("i"), h("i"), h("span", { text: line })));
      continue;
    }
    const is = hunk ? "hunk" : !state.in ? "head" : line[0] === "+" ? "added" : line[0] === "-" ? "removed" : line[0] === "\\" ? "head" : "same";
    const left = is === "same" || is === "removed" ? state.old++ : "", right = is === "same" || is === "added" ? state.now++ : "";
    state.lines.append(h("div", { class: "row", "data-is": is }, h("i", { text: String(left) }), h("i", { text: String(right) }), h("span", { text: line || " " })));
  }
  return state;
}

// -- files and facts

async function filesTab(body, known) {
  const part = (words, files) => [h("h2", { text: `${words} (${files.length})` }),
    files.length ? h("ul", { class: "files" }, ...files.map((path) => h("li", {}, h("code", { text: path })))) : empty("None that is known of.")];
  body.replaceChildren(...part("Changed, as git saw it", known.git_files || []),
    ...part("Written, by its own account", known.files_written || []), ...part("Read, by its own account", known.files_read || []),
    ...((known.artifacts || []).length ? part("Kept beside it", known.artifacts) : []));
}

async function factsTab(body, known) {
  const used = known.usage || {}, asked = known.asked || {};
  const facts = [["began", when(known.started_at)], ["ended", when(known.finished_at)], ["took", duration(took(known))],
    ["exit code", known.exit_code], ["directory", known.cwd], ["branch", known.branch], ["worktree", known.worktree],
    ["session", known.session_id], ["permissions", asked.permissions], ["effort", asked.effort], ["check", asked.verify],
    ["limits", Object.entries(asked.limits || {}).map(([n, v]) => `${n} ${v}`).join(", ")], ["after", (asked.after || []).join(", ")],
    ["turns", count(used.turns)], ["tool calls", count(used.tool_calls)], ["input", count(used.input)], ["cached", count(used.cached)],
    ["output", count(used.output)], ["billed", money(used.cost_usd)], ["virtual", money(used.virtual_usd)],
    ["context", known.context_tokens ? `${count(known.context_tokens)} of ${count(known.context_window)}` : NONE],
    ["denied", (known.denied || []).join(", ")], ["retries", known.retries]];
  const rows = facts.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== NONE)
    .map(([name, value]) => h("div", {}, h("dt", { text: name }), h("dd", { text: String(value) })));
  const words = [["Asked", known.prompt || (asked.command || []).join(" ")], ["Its report", known.summary], ["Its notes", known.notes], ["It proposes next", known.followup_prompt],
    ["Remarks of ours", (known.warnings || []).join("\n")], ["Error", known.error]];
  body.replaceChildren(h("dl", { class: "facts" }, ...rows),
    ...words.filter(([, text]) => text).flatMap(([name, text]) => [h("h2", { text: name }), h("pre", { class: "words", text })]));
}

// -- a goal

export async function goalView(view, id) {
  view.replaceChildren(empty("looking …"));
  let seen = "";
  const paint = async () => {
    const goal = await get("/api/goals/" + id);
    const now = JSON.stringify(goal);
    if (now === seen) return;
    seen = now;
    renew(view, goalNodes(goal));
  };
  await paint();
  return afresh(paint, 500);
}

function goalNodes(goal) {
  const live = LIVE.includes(goal.status);
  const acts = live ? actions({ ...goal, run_id: goal.run }) : [];
  const cost = goal.usage?.cost_usd ?? goal.usage?.virtual_usd;
  return [h("div", { class: "head" }, h("h1", { text: goal.title || goal.goal }),
    h("div", { class: "axes" }, badge(goal.outcome || goal.status), offered(acts)),
    h("div", { class: "who", text: [goal.orchestrator, goal.project, goal.branch].filter(Boolean).join(" · ") }),
    goal.why || goal.doing ? h("p", { class: "doing", text: goal.why || goal.doing }) : null,
    h("p", { class: "figures" }, h("span", { text: `cycle ${goal.cycle} of ${goal.max_cycles}` }), h("span", { text: money(cost) }), h("a", { href: "#/run/" + goal.run, text: "its run" }))),
  h("details", { class: "panel" }, h("summary", { text: "What is wanted" }), h("pre", { class: "words", text: goal.text })),
  h("ol", { class: "timeline" }, ...goal.cycles.map(cycleNode)),
  h("h2", { text: "Who worked for it" }),
  goal.members.length ? table(["status", "member", "did", "cost"], goal.members.map((one) => h("tr", { "data-run": one.run },
    cell("status", badge(one.status)), cell("member", h("a", { href: "#/run/" + one.run, text: one.name || one.step || one.run }), h("small", { text: [one.role, one.backend, one.model].filter(Boolean).join(" · ") })),
    cell("did", h("span", { text: one.summary || one.error || one.title || "" })), cell("cost", h("span", { text: money(one.usage?.cost_usd ?? one.usage?.virtual_usd) }))))) : empty("Nobody yet.")];
}

function cycleNode(cycle) {
  const verdict = cycle.accepted === true ? "accepted" : cycle.accepted === false ? "rejected" : "at work";
  return h("li", { "data-verdict": verdict },
    h("h3", {}, `Cycle ${cycle.cycle}`, badge(verdict === "accepted" ? "finished" : verdict === "rejected" ? "failed" : "running", verdict)),
    cycle.orchestrator.length ? h("p", { class: "chain" }, ...cycle.orchestrator.map((id) => h("a", { href: "#/run/" + id, text: "directed by " + id }))) : null,
    cycle.claim ? h("p", {}, h("b", { text: cycle.claim === "done" ? "Claims to be done: " : "Gives up: " }), cycle.summary) : null,
    cycle.checkpoint ? h("p", { class: "told", text: `checkpoint ${cycle.checkpoint.slice(0, 12)}, ${some(cycle.files ?? NONE, "file")} changed` }) : null,
    ...cycle.checks.map((one) => judged(one.passed, one.passed ? "check passed" : "check failed",
      `${one.command || ""}${one.of === "guarded" ? " (with its own files as they were)" : ""}`, [one.why, one.tail])),
    ...cycle.verdicts.map((one) => judged(one.accept, one.accept ? "accepts" : "rejects", one.who, [...(one.reasons || []), ...[one.evidence || []].flat()], one.run)),
    cycle.reasons.length ? h("ul", { class: "reasons" }, ...cycle.reasons.map((reason) => h("li", { text: typeof reason === "string" ? reason : JSON.stringify(reason) }))) : null);
}

function judged(good, verdict, who, words, run) {
  const said = words.filter(Boolean).map((one) => (typeof one === "string" ? one : JSON.stringify(one))).join("\n");
  return h("details", { class: "judged" }, h("summary", {}, badge(good ? "finished" : "failed", verdict), h("code", { text: who || "" })),
    run ? h("a", { href: "#/run/" + run, text: run }) : null, said ? h("pre", { class: "words", text: said }) : null);
}
