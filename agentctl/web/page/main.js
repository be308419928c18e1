// Which view is shown: what stands behind # in the address.

import { empty, h } from "./base.js";
import { fleet, follow, forget, get, say, takeToken } from "./api.js";
import { fleetView, goalsView, runsView, sessionsView, treesView } from "./fleet.js";
import { costsView, newView } from "./forms.js";
import { goalView, runView } from "./run.js";

const RUN = /^\d{8}-\d{6}-[0-9a-f]{4}$/;
const view = document.getElementById("view");
let leave = null, choices = null, turn = 0;

async function chosen() {
  return choices || (choices = await get("/api/choices"));
}

const VIEWS = {
  fleet: async (box) => fleetView(box),
  runs: async (box) => runsView(box, await chosen()),
  goals: goalsView,
  costs: async (box) => costsView(box, await chosen()),
  sessions: sessionsView,
  trees: treesView,
  new: async (box) => { choices = null; return newView(box, await chosen()); },
  run: async (box, id, tab) => (RUN.test(id) ? runView(box, id, tab) : box.replaceChildren(empty("No such run."))),
  goal: async (box, id) => (RUN.test(id) ? goalView(box, id) : box.replaceChildren(empty("No such goal."))),
};

async function show() {
  if (/^#[0-9a-f]{48}$/.test(location.hash)) { takeToken(); follow(); }
  const [name, ...words] = location.hash.replace(/^#\/?/, "").split("/");
  const mine = ++turn;
  if (leave) leave();
  leave = null;
  const part = VIEWS[name] ? name : "fleet", box = h("div", { class: "view", "data-view": part });
  document.querySelectorAll("header nav a").forEach((link) => {
    if (link.hash === "#/" + ({ run: "runs", goal: "goals" }[part] || part)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  view.replaceChildren(box);
  scrollTo(0, 0);
  document.title = "agentctl";
  try {
    const end = await VIEWS[part](box, ...words);
    if (mine !== turn) end?.(); else leave = typeof end === "function" ? end : null;
  } catch (e) {
    if (mine !== turn) return;
    if (e.status === 401) ask();
    else { box.replaceChildren(empty(e.message), h("p", { class: "told", text: e.hint || "" })); if (!e.status) say(e.message); }
  }
}

function ask() {
  forget();
  const word = h("input", { autocomplete: "off", spellcheck: "false", "aria-label": "token", placeholder: "48 letters and digits" });
  const form = h("form", { class: "form narrow" }, h("h1", { text: "Who are you?" }),
    h("p", { text: "Open the address that `agentctl web` printed, or paste the part of it that stands behind #." }), word, h("button", { class: "strong", text: "Enter" }));
  form.addEventListener("submit", (event) => { event.preventDefault(); location.hash = "#" + word.value.trim().replace(/^.*#/, ""); });
  view.replaceChildren(form);
}

fleet.onRefused = ask;
addEventListener("hashchange", show);
if (takeToken()) { follow(); show(); } else ask();
