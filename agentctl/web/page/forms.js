// Costs, and the form that starts runs.

import { NONE, count, duration, empty, field, h, money } from "./base.js";
import { button, get, post, say } from "./api.js";
import { cell, select, table, tile } from "./fleet.js";
import { byName, legend, overTime, priced } from "./plots.js";

const BY = { agent: "agent", role: "role", model: "model", project: "project" };

export async function costsView(view, choices) {
  const days = h("select", { "aria-label": "time" }, ...[["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["3650", "all"]]
    .map(([value, text]) => h("option", { value, text, selected: value === "30" })));
  const project = select(["", ...choices.projects], "every project");
  const by = h("select", { "aria-label": "by" }, ...Object.keys(BY).map((value) => h("option", { value, text: "by " + value })));
  const tiles = h("section", { class: "tiles" }), time = h("figure"), names = h("figure"), rows = h("div");
  let stats = null;
  const paint = () => {
    const all = stats.totals, money3 = [["billed", all.billed_usd], ["virtual", all.virtual_usd], ["unknown", all.unknown_usd]];
    tiles.replaceChildren(tile("runs", all.runs), ...money3.map(([words, usd]) => tile(words, money(usd), "money")),
      tile("tokens in", count(all.input)), tile("cached", count(all.cached)), tile("tokens out", count(all.output)));
    time.replaceChildren(h("figcaption", { text: "By day" }), legend(), stats.by_day.length ? overTime(stats.by_day, Math.max(time.clientWidth - 34, 280)) : empty("No run in this time."));
    const groups = stats["by_" + by.value];
    names.replaceChildren(h("figcaption", { text: "By " + by.value }), legend(), byName(groups));
    rows.replaceChildren(table([by.value, "runs", "cost", "tokens", "worked", "unpriced"], groups.map((one) => h("tr", {},
      cell(by.value, h("span", { text: one.key || "no name" })), cell("runs", h("span", { text: String(one.runs) })),
      cell("cost", h("span", { text: money(priced(one)) })), cell("tokens", h("span", { text: [one.input, one.cached, one.output].map(count).join(" / ") })),
      cell("worked", h("span", { text: duration(one.working_s) })), cell("unpriced", h("span", { text: one.unpriced ? String(one.unpriced) : NONE }))))));
  };
  const load = async () => {
    stats = await get("/api/stats?" + new URLSearchParams({ days: days.value, project: project.value }));
    paint();
  };
  const anew = () => load().catch((e) => say(e.message, e.hint));
  [days, project].forEach((node) => node.addEventListener("change", anew));
  by.addEventListener("change", paint);
  view.replaceChildren(h("h1", { text: "Costs" }), h("div", { class: "bar" }, days, project, by), tiles, time, names, rows,
    h("p", { class: "told", text: "Billed was paid by the token, virtual a subscription covered, of the third nobody said which. What is unknown is not counted." }));
  await load();
}

export async function newView(view, choices) {
  const project = select(choices.projects.length ? choices.projects : [""], "no project is registered");
  const profile = select(["", ...choices.profiles], "the role's, or the default");
  const role = h("select", {}, h("option", { value: "", text: "none" }), ...choices.roles.map((one) => h("option", { value: one.name, text: one.name })));
  const about = h("small", {}), title = h("input", { maxlength: 200 }), verify = h("input", { placeholder: "make test" });
  const prompt = h("textarea", { rows: 8, required: true, placeholder: "What is to be done, where, and how one sees that it is.\n\nA line of three dashes begins the prompt of another run." });
  const backend = h("input", { placeholder: "claude, codex, cursor, shell" }), model = h("input"), timeout = h("input", { placeholder: "30m" });
  const cost = h("input", { type: "number", min: "0", step: "0.01" });
  const worktree = h("input", { type: "checkbox" }), told = h("p", { class: "told" });
  const prompts = () => prompt.value.split(/^---+[ \t]*$/m).map((one) => one.trim()).filter(Boolean);
  prompt.addEventListener("input", () => { const n = prompts().length; told.textContent = n > 1 ? `${n} runs` : ""; });
  role.addEventListener("change", () => { about.textContent = choices.roles.find((one) => one.name === role.value)?.description || ""; });
  const start = button("Start", async () => {
    const given = { project: project.value, profile: profile.value, role: role.value, title: title.value, verify: verify.value,
      backend: backend.value, model: model.value, timeout: timeout.value };
    const body = Object.fromEntries(Object.entries(given).filter(([, value]) => value));
    if (worktree.checked) body.worktree = true;
    if (cost.value) body.max_cost = Number(cost.value);
    const { runs, error } = await post("/api/spawn", { ...body, prompts: prompts() });
    say(error || (runs.length > 1 ? `${runs.length} runs were started.` : "It was started."), "", error ? "error" : "done");
    location.hash = runs.length > 1 ? "#/fleet" : "#/run/" + runs[0];
  }, { class: "strong" });
  view.replaceChildren(h("h1", { text: "New run" }), choices.problem ? h("p", { class: "need", text: choices.problem }) : "",
    h("form", { class: "form" }, field("What is to be done", prompt), told,
      h("div", { class: "pair" }, field("Project", project), field("Profile", profile), h("label", { class: "field" }, h("span", { text: "Role" }), role, about)),
      h("div", { class: "pair" }, field("Title", title, "a few words for lists"), field("Check", verify, "a shell command that must pass when it has ended")),
      h("label", { class: "check" }, worktree, " in a git worktree and on a branch of its own"),
      h("details", {}, h("summary", { text: "More" }), h("div", { class: "pair" }, field("Backend", backend), field("Model", model), field("Time limit", timeout), field("At most, in USD", cost))),
      h("div", { class: "bar" }, start)));
  view.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  prompt.focus();
}
