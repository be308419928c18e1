// Views of many: the fleet, all runs, goals, sessions, worktrees.

import { LIVE, NEEDS, NONE, ago, badge, become, change, context, count, duration, empty, field, figures, h, money,
  offered, place, renew, seconds, size, some, took, when, who } from "./base.js";
import { afresh, button, fleet, get, post, say } from "./api.js";

export function actions(row, done = () => {}) {
  const act = (verb, words) => async () => {
    await post(`/api/agents/${row.run_id}/${verb}`);
    say(words, "", "done");
    done();
  };
  const made = [];
  if (row.status === "running" || row.status === "queued") made.push(button("Pause", act("pause", "It stands still.")));
  if (row.status === "paused") made.push(button("Continue", act("resume", "It goes on.")));
  if (LIVE.includes(row.status)) made.push(button("Stop", act("stop", "It has stopped."), { class: "danger", sure: "Really stop?" }));
  return made;
}

function meter(row) {
  const share = context(row);
  if (share === null) return null;
  const filled = Math.min(share, 100).toFixed(0);
  return h("meter", { min: 0, max: 100, high: 80, value: filled, title: `${filled}% of its context is used` });
}

function card(row) {
  const live = LIVE.includes(row.status);
  const said = row.why || (live ? row.doing : row.error || row.summary);
  return h("article", { class: "run", "data-run": row.run_id, "data-status": row.status, "data-needs": row.needs || false },
    h("div", { class: "top" },
      badge(row.status),
      h("a", { class: "title", href: place(row), text: row.title || row.run_id, title: row.title }),
      row.needs ? h("span", { class: "need", text: NEEDS[row.needs] || row.needs }) : null),
    h("div", { class: "who", text: who(row) }),
    said ? h("div", { class: "doing", text: said, title: said }) : null,
    h("div", { class: "foot" },
      h("span", { class: "figures" }, live && row.told_at ? ago(row.told_at) : row.finished_at ? ago(row.finished_at) : "",
        ...[took(row) !== null ? "took " + duration(took(row)) : "", figures(row)].filter(Boolean).map((w) => h("span", { text: w }))),
      meter(row),
      offered(actions(row))));
}

// Rows become cards by their ids; what no longer belongs goes first, so that no card that stays is moved.
function fill(box, rows, words) {
  if (!rows.length) { box.replaceChildren(empty(words)); return; }
  const held = new Map([...box.children].map((node) => [node.dataset.run, node]));
  const wanted = rows.map((row) => renewed(held.get(row.run_id), row)), kept = new Set(wanted);
  [...box.children].filter((node) => !kept.has(node)).forEach((node) => node.remove());
  wanted.forEach((node, n) => { if (box.children[n] !== node) box.insertBefore(node, box.children[n] || null); });
}

function renewed(old, row) {
  const said = JSON.stringify(row);
  if (old && old.said === said) return old;
  const fresh = card(row);
  if (old) become(old, fresh);
  return Object.assign(old || fresh, { said });
}

const born = (row) => seconds(row.created_at) || 0;
const ended = (row) => seconds(row.finished_at) || 0;

export function fleetView(view) {
  const tiles = h("section", { class: "tiles", "aria-label": "counts" });
  const box = { needs: h("div", { class: "cards" }), live: h("div", { class: "cards" }), ended: h("div", { class: "cards" }) };
  const heads = { needs: h("h2"), live: h("h2"), ended: h("h2") };
  view.replaceChildren(h("h1", { class: "hidden", text: "Fleet" }), tiles,
    h("section", { class: "first" }, heads.needs, box.needs), h("section", {}, heads.live, box.live),
    h("section", {}, heads.ended, box.ended));
  const paint = () => {
    if (!fleet.first) { tiles.replaceChildren(empty("looking …")); return; }
    const rows = [...fleet.rows.values()];
    const needing = rows.filter((row) => row.needs).sort((a, b) => LIVE.includes(b.status) - LIVE.includes(a.status) || ended(b) - ended(a));
    const live = rows.filter((row) => LIVE.includes(row.status) && !row.needs)
      .sort((a, b) => LIVE.indexOf(a.status) - LIVE.indexOf(b.status) || born(b) - born(a) || (a.run_id < b.run_id ? 1 : -1));
    const over = rows.filter((row) => !LIVE.includes(row.status) && !row.needs)
      .sort((a, b) => ended(b) - ended(a) || (a.run_id < b.run_id ? 1 : -1));
    const of = (status) => rows.filter((row) => row.status === status).length;
    const slots = fleet.first.slots ? ` of ${fleet.first.slots} at a time` : "";
    tiles.replaceChildren(
      tile("need you", needing.length, "needs"), tile("running" + slots, of("running"), "running"),
      tile("queued", of("queued"), "queued"), tile("paused", of("paused"), "paused"));
    heads.needs.textContent = needing.length ? "Needs you" : "Nobody needs you";
    heads.live.textContent = "At work";
    heads.ended.textContent = "Ended lately";
    box.needs.hidden = !needing.length;
    fill(box.needs, needing, "");
    fill(box.live, live, "Nothing is at work. Start something: New run.");
    fill(box.ended, over.slice(0, 40), "Nothing has ended yet.");
    document.title = needing.length ? `(${needing.length}) agentctl` : "agentctl";
  };
  fleet.listeners.add(paint);
  paint();
  return () => fleet.listeners.delete(paint);
}

export function tile(words, n, kind = "") {
  return h("div", { class: "tile", "data-kind": kind, "data-zero": n === 0 || n === "0" },
    h("b", { text: String(n) }), h("span", { text: words }));
}

export function table(heads, rows) {
  return h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, ...heads.map((words) => h("th", { text: words })))),
    h("tbody", {}, ...rows)));
}

export function cell(label, ...content) {
  const none = content.every((one) => !one || one.textContent === NONE || one.textContent === "");
  return h("td", { "data-label": label, "data-none": none }, ...content);
}

function runRow(row) {
  return h("tr", { "data-run": row.run_id },
    cell("status", badge(row.status), row.needs && row.needs !== row.status ? h("span", { class: "need", text: NEEDS[row.needs] || row.needs }) : null),
    cell("title", h("a", { href: place(row), text: row.title || row.run_id }), h("small", { text: who(row) })),
    cell("began", h("span", { text: when(row.created_at) })),
    cell("took", h("span", { text: duration(took(row)) })),
    cell("cost", h("span", { text: money(row.usage?.cost_usd ?? row.usage?.virtual_usd) })),
    cell("change", h("span", { text: row.diff ? change(row.diff) : NONE })));
}

const PAGE = 100;
const MOST = 500;

export async function runsView(view, choices) {
  const project = select(["", ...choices.projects], "every project");
  const status = select(["", "queued", "running", "paused", "finished", "failed", "stopped", "timed_out", "skipped", "lost"], "every status");
  const words = h("input", { type: "search", placeholder: "filter by words", "aria-label": "filter by words" });
  const body = h("tbody"), more = button("More", () => load(false)), told = h("p", { class: "told" });
  let before = "", rows = [], last = Promise.resolve();
  const paint = () => {
    const wanted = words.value.toLowerCase();
    const shown = rows.filter((row) => !wanted || [row.title, row.run_id, who(row), row.summary, row.error].join(" ").toLowerCase().includes(wanted));
    renew(body, shown.map(runRow));
    more.hidden = !before;
    told.textContent = `${shown.length} shown` + (before ? ", there are more" : "");
  };
  // One after the other: each begins with what the one before it has left.
  const inTurn = (what) => (last = last.then(what, what));
  const take = async (held, from, limit) => {
    const answer = await get("/api/runs?" + new URLSearchParams({ limit, project: project.value, status: status.value, before: from }));
    rows = held.concat(answer.runs);
    before = answer.before || "";
  };
  const load = (fresh) => inTurn(async () => {
    await take(fresh ? [] : rows, fresh ? "" : before, PAGE);
    paint();
  });
  const reload = () => inTurn(async () => {
    const wanted = Math.max(rows.length, PAGE);
    await take([], "", Math.min(wanted, MOST));
    while (before && rows.length < wanted) await take(rows, before, Math.min(wanted - rows.length, MOST));
    paint();
  });
  const anew = () => load(true).catch((e) => say(e.message, e.hint));
  [project, status].forEach((node) => node.addEventListener("change", anew));
  words.addEventListener("input", paint);
  const shown = table(["status", "title", "began", "took", "cost", "change"], []);
  shown.querySelector("tbody").replaceWith(body);
  view.replaceChildren(h("h1", { text: "Runs" }), h("div", { class: "bar" }, project, status, words), told, shown, more);
  await anew();
  return afresh(reload);
}

export function select(values, plain = "", chosen = "") {
  return h("select", { "aria-label": plain || null }, ...values.map((value) =>
    h("option", { value, text: value ? value.replace("_", " ") : plain, selected: value === chosen })));
}

export async function goalsView(view) {
  view.replaceChildren(h("h1", { text: "Goals" }), empty("looking …"));
  const load = async () => {
    const { goals } = await get("/api/goals");
    renew(view, [h("h1", { text: "Goals" }), goals.length
      ? table(["status", "goal", "cycle", "project", "began"], goals.map(goalRow))
      : empty("No goal was set yet. In a terminal: agentctl goal GOAL.md")]);
  };
  await load();
  return afresh(load);
}

function goalRow(goal) {
  return h("tr", { "data-run": goal.goal },
    cell("status", badge(goal.outcome || goal.status)),
    cell("goal", h("a", { href: "#/goal/" + goal.goal, text: goal.title || goal.goal }), h("small", { text: goal.why || goal.doing })),
    cell("cycle", h("span", { text: `${goal.cycle} of ${goal.max_cycles}` })),
    cell("project", h("span", { text: goal.project })),
    cell("began", h("span", { text: when(goal.created_at) })));
}

export async function sessionsView(view) {
  view.replaceChildren(h("h1", { text: "Sessions" }), empty("looking …"));
  const { sessions } = await get("/api/sessions");
  const rows = sessions.map((one) => h("tr", {},
    cell("state", badge(one.live ? "running" : "finished", one.live ? "live" : "at rest")),
    cell("conversation", one.run_id ? h("a", { href: "#/run/" + one.run_id, text: one.title || one.session_id }) : h("span", { text: one.title || one.session_id }),
      h("small", { text: [(one.agent || "").replace(/^\d{8}-\d{6}-[0-9a-f]{4}-/, ""), one.backend, one.model, one.project || one.cwd].filter(Boolean).join(" · ") })),
    cell("context", h("span", { text: one.context_tokens ? count(one.context_tokens) + " tokens" : NONE })),
    cell("last", one.last_at ? ago(one.last_at) : h("span", { text: NONE })),
    cell("", one.live ? "" : one.run_id ? h("a", { class: "button", href: `#/run/${one.run_id}/again`, text: "Resume" }) : adopt(one))));
  view.replaceChildren(h("h1", { text: "Sessions" }), h("p", { class: "told", text: "Conversations that can be gone on with." }),
    rows.length ? table(["state", "conversation", "context", "last", ""], rows) : empty("No conversation yet."));
}

function adopt(one) {
  const prompt = h("textarea", { rows: 3, "aria-label": "what is to be done next" });
  const go = button("Go on", async () => {
    const { runs } = await post(`/api/sessions/${one.session_id}/resume`, { prompt: prompt.value, backend: one.backend });
    location.hash = "#/run/" + runs[0].run_id;
  }, { class: "strong" });
  return h("details", {}, h("summary", { text: "Resume" }), prompt, h("div", { class: "bar" }, go));
}

export async function treesView(view) {
  view.replaceChildren(h("h1", { text: "Worktrees" }), empty("looking …"));
  const { worktrees } = await get("/api/worktrees");
  const rows = worktrees.map((one) => h("tr", {},
    cell("state", badge(one.state === "live" ? "running" : "finished", one.state)),
    cell("branch", h("a", { href: "#/run/" + one.run_id, text: one.branch }), h("small", { text: one.title || one.path })),
    cell("commits", h("span", { text: one.ahead === null ? NONE : `${one.ahead} ahead, ${one.behind} behind` })),
    cell("holds", h("span", { text: [one.dirty ? "uncommitted work" : "", one.merged ? "merged" : ""].filter(Boolean).join(", ") || NONE })),
    cell("size", h("span", { text: size(one.size) }))));
  const which = select(["merged", "all"], "", "merged");
  const plan = h("div", { class: "plan" });
  const look = button("What would a cleanup do?", async () => {
    const body = { [which.value]: true };
    const { runs } = await post("/api/cleanup", body);
    const will = runs.filter((run) => run.worktree || run.pane);
    plan.replaceChildren(...(runs.length ? runs.map((run) => h("p", { text: planned(run) })) : [empty("Nothing to remove.")]),
      will.length ? button(`Save and remove ${will.length}`, async () => {
        await post("/api/cleanup", { ids: will.map((run) => run.run_id), dry_run: false });
        say("Done. `agentctl undo ID` brings one back.", "", "done");
        await treesView(view);
      }, { class: "danger", sure: "Really remove?" }) : "");
  });
  view.replaceChildren(h("h1", { text: "Worktrees" }), rows.length
    ? table(["state", "branch", "commits", "holds", "size"], rows) : empty("No run has a worktree of its own."),
    h("div", { class: "bar" }, field("of the runs", which), look), plan);
}

function planned(run) {
  const saves = run.saves ? `saves ${some(run.saves.files, "file")} and ${some(run.saves.commits, "commit")}, ` : "";
  const gone = [run.worktree && "its worktree " + run.worktree, run.pane && "its pane"].filter(Boolean).join(" and ");
  const kept = run.keeps.length ? " keeps " + run.keeps.join("; ") : "";
  return `${run.title || run.run_id}: ${gone ? saves + "removes " + gone : ""}${kept}`;
}
