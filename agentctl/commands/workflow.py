"""agentctl workflow"""

from __future__ import annotations

import os
import time

from .. import flows
from .. import text
from .. import ui
from ..errors import AgentctlError
from ..errors import usage_error
from ..model import FORMAT
from ..model import FULL
from ..workflows import definition
from ..workflows import graph
from ..workflows import resuming
from ..workflows import showing
from ..workflows import starting
from . import _drawing
from . import _flowing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Any

    from ..planning import Plan
    from ..store import Home
    from ..workflows.definition import Definition
    from ..workflows.staging import Staging

EXAMPLES = """  agentctl workflow run bug_fix "the cart forgets its items" --project shop --worktree --wait
  agentctl workflow run custom --roles planner,builder,reviewer "add a search"
  agentctl workflow run mine.json --set lang=German < prompt.md
  agentctl workflow plan feature_implementation "add a search"
  agentctl workflow show @last; agentctl workflow resume @last --wait

`run auto` has a cheap model choose. `wait`, `stop`, `pause` and `continue` take the id
of a workflow, too. A file of your own: workflows/NAME.json in the home, or any path."""

_VERBS = ("run", "list", "show", "plan", "resume")
_HEAD = ("WORKFLOW", "STEPS", "DESCRIPTION")
_STARTED_HEAD = ("WORKFLOW", "NAME", "STATUS", "STEPS", "PROJECT", "STARTED", "PROMPT")
_MOST = 30


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=_VERBS, help="start one, list or show them, print one, go on with one")
    parser.add_argument(
        "words",
        metavar="WORKFLOW",
        nargs="*",
        help="run, plan: NAME or FILE, and the PROMPT; show, resume: an ID or @last",
    )
    parser.add_argument("--started", action="store_true", help="list: those that were started, newest first")
    _flowing.add_arguments(parser)
    _flowing.in_any_order(parser)


def run(args: Namespace) -> int:
    verb = {"run": _run, "list": _list, "show": _show, "plan": _plan, "resume": _resume}[args.what]
    return verb(args)


def _words(args: Namespace, least: int, most: int, what: str) -> list[str]:
    words: list[str] = args.words
    if not least <= len(words) <= most:
        raise usage_error("`workflow %s` wants %s" % (args.what, what), "see `agentctl workflow --help`")
    return words


def _run(args: Namespace) -> int:
    words = _words(args, 1, 2, "a NAME or FILE and a PROMPT")
    return _flowing.start(args, words[0], words[1] if len(words) > 1 else None)


def _list(args: Namespace) -> int:
    _words(args, 0, 0, "nothing more")
    home = ui.open_home(args)
    return _list_started(home, args) if args.started else _list_definitions(home, args)


def _list_definitions(home: Home, args: Namespace) -> int:
    known, problems = definition.every(home)
    if args.json:
        ui.data(
            {"format": FORMAT, "workflows": [_described(one) for one in known], "problems": [str(e) for e in problems]}
        )
    else:
        ui.table(_HEAD, [(one.name, str(len(one.steps)), one.description) for one in known])
        for problem in problems:
            _flowing.tell(str(problem))
    return 0


def _described(one: Definition) -> dict[str, Any]:
    return {"name": one.name, "description": one.description, "source": one.source, "steps": [s.id for s in one.steps]}


def _list_started(home: Home, args: Namespace) -> int:
    rows = []
    for workflow_id in list(flows.newest(home))[:_MOST]:
        try:
            rows.append(showing.public(home, flows.load(home, workflow_id), time.time()))
        except AgentctlError as e:
            _flowing.tell(str(e))  # a damaged record does not hide the others
    if args.json:
        ui.data({"format": FORMAT, "workflows": [text.public({**row, "steps": len(row["steps"])}) for row in rows]})
    elif rows:
        ui.table(_STARTED_HEAD, [_cells(row) for row in rows])
    else:
        ui.say("no workflow was started yet: see `agentctl workflow --help`")
    return 0


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    done = sum(1 for step in row["steps"] if step["status"] != showing.MISSING and step["finished_at"])
    return (
        row["workflow"],
        row["name"],
        row["status"],
        "%d/%d" % (done, len(row["steps"])),
        row["project"],
        text.iso(row["created_at"]) or "-",
        text.one_line(row["prompt"], 80),
    )


def _show(args: Namespace) -> int:
    word = _words(args, 1, 1, "one ID or NAME")[0]
    home = ui.open_home(args)
    if word.startswith(flows.PREFIX) or word == "@last":
        _flowing.show(home, args, flows.resolve(home, word))
        return 0
    known = definition.named(home, word)
    graph.check(known)
    if args.json:
        ui.data({"format": FORMAT, **_described(known), "steps": [step.to_json() for step in known.steps]})
        return 0
    ui.line("%s  %s" % (known.name, known.description), "bold")
    rows = graph.drawn(graph.edges(known))
    _drawing.tree([(prefix + step, known.step(step).worker() or "-", _after(others)) for prefix, step, others in rows])
    return 0


def _after(others: tuple[str, ...]) -> str:
    return "also after %s" % ", ".join(others) if others else ""


def _plan(args: Namespace) -> int:
    words = _words(args, 1, 2, "a NAME or FILE, and a PROMPT")
    given = words[1] if len(words) > 1 else None
    prompt = _flowing.prompt_of(args, given) if given or args.prompt_file else "[the prompt]"
    wanted = _flowing.asked(args, prompt)
    home = ui.open_home(args)
    if words[0] == definition.AUTO:
        raise usage_error(
            "`auto` is chosen by a model, when it is run", "name a workflow: see `agentctl workflow list`"
        )
    known, _ = _flowing.found(home, args, words[0], wanted)
    staging = starting.planned(home, known, wanted, os.environ)
    steps = [_planned_step(staging, step_id, plan) for step_id, plan in staging.plans().items()]
    if args.json:
        ui.data({"format": FORMAT, "name": known.name, "description": known.description, "steps": steps})
    else:
        _print_plan(known, staging, steps)
    return 0


def _planned_step(staging: Staging, step_id: str, plan: Plan) -> dict[str, Any]:
    step, house = staging.definition.step(step_id), staging.housed[step_id]
    spec = plan.spec
    return {
        "step": step_id,
        **{name: getattr(spec, name) for name in ("title", "role", "agent", "profile", "backend", "model", "effort")},
        "permissions": spec.permissions if not step.command else FULL,
        "after": list(staging.after[step_id]),
        "continue_on": list(step.continue_on),
        "worktree": house or None,
        "verify": step.verify,
        "command": step.command,
        "prompt": plan.texts["prompt.md"].decode("utf-8", "replace"),
    }


def _print_plan(known: Definition, staging: Staging, steps: list[dict[str, Any]]) -> None:
    ui.line("%s  %s" % (known.name, known.description), "bold")
    by_id = {step["step"]: step for step in steps}
    rows = []
    for prefix, step_id, others in graph.drawn(staging.after):
        step = by_id[step_id]
        who = " · ".join(
            w for w in (step["role"] or step["agent"], step["profile"], step["backend"], step["model"]) if w
        )
        rows.append((prefix + step_id, who or "shell", step["permissions"], " · ".join(_extras(step, others))))
    _drawing.tree(rows)
    for step in steps:
        print()
        ui.line("── %s" % step["step"], "bold")
        print(text.printable(step["command"] or step["prompt"]))


def _extras(step: dict[str, Any], others: tuple[str, ...]) -> list[str]:
    """What else there is to know of a planned step."""
    made = {None: "", step["step"]: "makes a worktree"}.get(
        step["worktree"], "in the worktree of %s" % step["worktree"]
    )
    on = "goes on after: %s" % ", ".join(step["continue_on"]) if step["continue_on"] else ""
    check = "verified by: %s" % step["verify"] if step["verify"] else ""
    return [words for words in (_after(others), made, on, check) if words]


def _resume(args: Namespace) -> int:
    word = _words(args, 1, 1, "one ID")[0]
    home = ui.open_home(args)
    ui.demand_config(home)
    workflow_id = flows.resolve(home, word)
    made = resuming.resume(home, workflow_id, os.environ)
    if not made:
        _flowing.tell("nothing to resume: every step of %s has ended well, or lives" % workflow_id)
    if args.json and not args.wait:
        ui.data({"format": FORMAT, "workflow": workflow_id, "runs": [step.to_json() for step in made]})
    for step in made if not args.json else ():
        how = "goes on for %s" % step.instead_of if step.goes_on else "begins anew"
        ui.answer("%s %s %s" % (step.run_id, step.step, how), "see `agentctl workflow show %s`" % workflow_id)
    return _flowing.waited(home, args, workflow_id) if args.wait else 0
