"""agentctl agent"""

from __future__ import annotations

import os
import sys

from .. import agents
from .. import api
from .. import fleet
from .. import projects
from .. import text
from .. import ui
from ..errors import usage_error
from ..model import FORMAT
from ..settings import Agent
from . import _asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from collections.abc import Callable
    from typing import Any

    from ..store import Home

EXAMPLES = """  agentctl agent create ada --role reviewer --project shop
  agentctl agent send ada --wait < question.md
  RUN=$(agentctl agent send ada --title "the cart" < question.md); agentctl wait $RUN
  agentctl agent list
  agentctl agent set ada --max-context-tokens 120000
  agentctl agent delete ada --stop

An agent keeps its conversation from one prompt to the next, across processes and restarts.
Prompts sent while it works wait in the order they came. A fresh conversation begins with
--new-conversation, after `reset`, and when more context is used than --max-context-tokens
(else 80% of the model's window): in that last case it is told its last report.
With --wait the exit codes are those of `agentctl wait`."""

_OF_RECORD = ("role", "profile", "backend", "model", "project", "prompt_file", "max_context_tokens", "max_turns")
_OF_SEND = (
    *("wait", "new_conversation", "title", "timeout", "max_turns", "max_cost", "max_tokens", "schema", "verify"),
    *("no_pane", "prompt_file"),
)
_TAKES: dict[str, tuple[str, ...]] = {
    "create": (*_OF_RECORD, "ephemeral", "json"),
    "list": ("json",),
    "show": ("json",),
    "send": _OF_SEND,
    "set": (*_OF_RECORD, "ephemeral", "json"),
    "reset": (),
    "delete": ("stop",),
}
_HEAD = ("AGENT", "STATUS", "QUEUED", "ROLE", "PROFILE", "PROJECT", "CONTEXT", "LAST RUN")


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("what", metavar="WHAT", choices=tuple(_TAKES), help="one of: %s" % ", ".join(_TAKES))
    add("name", metavar="AGENT", nargs="?", default="", help="the agent's name")
    add("--role", metavar="R", default=None, help="create, set: what it is asked to be: see `agentctl roles`")
    add("--project", metavar="NAME", default=None, help="create, set: where it works (default: that of this directory)")
    add("--profile", metavar="P", default=None, help="create, set: default: the role's, else the project's")
    add("--backend", metavar="B", default=None, help="create, set: default: the profile's first that is installed")
    add("--model", metavar="M", default=None, help="create, set: instead of the profile's")
    add(
        "--max-context-tokens",
        metavar="N",
        type=int,
        default=None,
        help="create, set: how much context a conversation may use before a fresh one begins (set: 0 is none)",
    )
    add(
        "--ephemeral",
        action="store_const",
        const=True,
        default=None,
        help="create, set: it deletes itself after its first answer",
    )
    _asking.add_prompt_file(parser, "send: the prompt, instead of stdin; create, set: its own instructions")
    add("--wait", action="store_true", help="send: wait for the answer and print it")
    add("--new-conversation", action="store_true", help="send: begin a fresh conversation, which is told nothing")
    _asking.add_terms(parser)
    add("--stop", action="store_true", help="delete: stop its runs first")
    add("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    _check(args)
    home = ui.open_home(args)
    return _VERBS[args.what](home, args)


def _check(args: Namespace) -> None:
    """Each option where it belongs. Raises AgentctlError."""
    takes = _TAKES[args.what]
    for option, value in vars(args).items():
        known = option in takes or option in ("what", "name", "home")
        if not known and value not in (None, False, ""):
            raise usage_error(
                "`agent %s` takes no --%s" % (args.what, option.replace("_", "-")), "see `agentctl agent --help`"
            )
    if args.what == "list" and args.name:
        raise usage_error("`agent list` takes no name", "show one: `agentctl agent show %s`" % args.name)
    if args.what != "list" and not args.name:
        raise usage_error("`agent %s` wants a name" % args.what, "see them with `agentctl agent list`")


def _fields(args: Namespace) -> dict[str, Any]:
    """What the options say of a record, without those that were not given."""
    names = ("role", "profile", "backend", "model", "project", "max_context_tokens", "max_turns", "ephemeral")
    said = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if args.prompt_file:
        said["instructions"] = ui.prompt_text(args.prompt_file)
    return said


def _create(home: Home, args: Namespace) -> int:
    said = _fields(args)
    said.setdefault("project", projects.at(home, os.getcwd()).name if args.project is None else "")
    made = agents.create(home, Agent(name=args.name, **said))
    return _tell(home, args, made, "made: have it work with `agentctl agent send %s < prompt.md`" % made.name)


def _set(home: Home, args: Namespace) -> int:
    said = {name: None if type(value) is int and not value else value for name, value in _fields(args).items()}
    if not said:
        raise usage_error("nothing to change is given", "see `agentctl agent --help`")
    return _tell(home, args, agents.change(home, args.name, **said), "changed: it holds from its next run on")


def _tell(home: Home, args: Namespace, agent: Agent, words: str) -> int:
    if args.json:
        ui.data({"format": FORMAT, **_public(agents.short(home, agent))})
    else:
        ui.say(words)
    return 0


def _list(home: Home, args: Namespace) -> int:
    rows = [agents.short(home, agent) for agent in agents.every(home).values()]
    problems = [str(problem) for problem in (fleet.damage(home, name) for name in fleet.names(home)) if problem]
    if args.json:
        ui.data({"format": FORMAT, "agents": [_public(row) for row in rows], "problems": problems})
    elif rows:
        ui.table(_HEAD, [_cells(row) for row in rows])
    else:
        ui.say("no agent yet: make one with `agentctl agent create NAME`")
    for problem in problems if not args.json else ():
        print("agentctl: %s" % text.one_line(problem), file=sys.stderr)  # to programs too: an agent is missing
    return 0


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    used, window = text.count(row["context_tokens"]), text.count(row["context_window"])
    context = used if row["context_window"] is None else "%s of %s" % (used, window)
    told = [row[name] or "-" for name in ("role", "profile", "project")]
    return (row["name"], row["status"], str(row["queued"]), *told, context, row["last_run"] or "-")


def _public(known: dict[str, Any]) -> dict[str, Any]:
    return text.public(known)


def _show(home: Home, args: Namespace) -> int:
    known = agents.known(home, agents.named(home, args.name))
    ui.data({**_public(known), "runs": [text.public(row) for row in known["runs"]]})
    return 0


def _send(home: Home, args: Namespace) -> int:
    ui.demand_config(home)
    agents.named(home, args.name)
    if args.wait and fleet.works_for(home, args.name, os.environ):
        raise usage_error("agent `%s` would wait for itself" % args.name, "send without --wait")
    asked = _asking.terms(args).replace(prompt=ui.prompt_text(args.prompt_file))
    run_id = agents.send(home, args.name, asked, new_conversation=args.new_conversation)
    if not args.wait:
        ui.answer(run_id, "the run was started: %s" % run_id)
        ui.say("sent; see it with `agentctl follow %s`" % run_id)
        return 0
    from . import wait

    ui.say("sent: run %s" % run_id)
    return wait.run(type(args)(home=args.home, ids=[run_id], any=False, timeout="", quiet=False))


def _reset(home: Home, args: Namespace) -> int:
    agents.reset(home, args.name)
    ui.say("its next prompt begins a fresh conversation")
    return 0


def _delete(home: Home, args: Namespace) -> int:
    if args.stop:
        api.stop(home, agents.live_runs(home, agents.named(home, args.name)))
    agents.delete(home, args.name)
    ui.say("deleted; its runs stay: see `agentctl list`")
    return 0


_VERBS: dict[str, Callable[[Home, Namespace], int]] = {
    "create": _create,
    "list": _list,
    "show": _show,
    "send": _send,
    "set": _set,
    "reset": _reset,
    "delete": _delete,
}
