"""What `workflow run` and `execute` share: the options, and starting, planning, waiting by them."""

from __future__ import annotations

import os
import sys
import time

from .. import finding
from .. import flows
from .. import receipts
from .. import text
from .. import ui
from ..errors import usage_error
from ..flows import Asked
from ..model import FORMAT
from ..model import Limits
from ..workflows import composing
from ..workflows import definition
from ..workflows import showing
from ..workflows import starting
from . import _asking
from . import _drawing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Optional

    from ..store import Home
    from ..workflows.choosing import Choice
    from ..workflows.definition import Definition

_MODES = ("sequential", "parallel")


def add_arguments(parser: ArgumentParser) -> None:
    """What is asked of a workflow."""
    add = parser.add_argument
    add("--project", metavar="NAME", default="", help="a registered project (default: that of the current directory)")
    add("--prompt-file", metavar="F", default="", help="read the prompt from a file; - is stdin")
    add(
        "--set", metavar="KEY=VALUE", action="append", default=[], help="the value of {{set.KEY}} in the steps' prompts"
    )
    add("--roles", metavar="ROLES", default="", help="custom: the roles of its steps, as planner,builder,reviewer")
    add("--parallel", action="store_true", help="custom: side by side instead of one after the other")
    add("--mode", choices=_MODES, default="parallel", help="sequential: one step at a time (default: parallel)")
    add("--profile", metavar="P", default="", help="of the steps that name none")
    add("--backend", metavar="B", default="", help="of the steps that name none")
    add("--model", metavar="M", default="", help="of the steps that name none")
    add("--effort", metavar="E", default="", help="of the steps that name none")
    add("--timeout", metavar="TIME", default="", help="stop a step after this time: 90s, 30m, 8h")
    add("--max-turns", metavar="N", type=int, default=None, help="stop a step after this many model turns")
    add("--max-cost", metavar="USD", type=float, default=None, help="stop a step when it has cost more")
    add(
        "--worktree",
        action="store_const",
        const=True,
        default=None,
        help="give the whole one git worktree and branch of its own (default: as the project says)",
    )
    add("--no-worktree", dest="worktree", action="store_const", const=False, default=None, help="work in the project")
    add("--no-pane", action="store_true", help="run it without tmux; nothing else changes")
    add("--wait", action="store_true", help="wait for the end and print the graph; the exit code is that of `wait`")
    add("--json", action="store_true", help="one JSON object")


def in_any_order(parser: ArgumentParser) -> None:
    """Let a prompt stand behind options, which argparse does not do by itself."""
    intermixed = getattr(parser, "parse_intermixed_args", None)
    if intermixed:
        parser.parse_args = intermixed  # type: ignore[method-assign]


def asked(args: Namespace, prompt: str) -> Asked:
    """What the options say. Raises AgentctlError (2) for a value that makes no sense."""
    for name, value in (("--max-turns", args.max_turns), ("--max-cost", args.max_cost)):
        if value is not None and not 0 < value < 1e9:
            raise usage_error("%s wants a number above 0" % name)
    limits = Limits(timeout_s=_asking.seconds(args.timeout), max_turns=args.max_turns, max_cost_usd=args.max_cost)
    return Asked(
        prompt=prompt,
        project=args.project,
        cwd=os.getcwd(),
        sets=dict(_pair(words) for words in args.set),
        profile=args.profile,
        backend=args.backend,
        model=args.model,
        effort=args.effort,
        limits=limits,
        worktree=args.worktree,
        sequential=args.mode == _MODES[0],
        pane=not args.no_pane,
    )


def _pair(words: str) -> tuple[str, str]:
    key, equals, value = words.partition("=")
    if not key or not equals:
        raise usage_error("--set wants KEY=VALUE, not `%s`" % words, "for example `--set language=German`")
    return key, value


def prompt_of(args: Namespace, given: Optional[str]) -> str:
    """From the command line, a file or stdin. Raises AgentctlError."""
    if given is not None and args.prompt_file:
        raise usage_error("the prompt is given twice: as a word, and by --prompt-file")
    if given is None:
        return ui.prompt_text(args.prompt_file)
    if not given.strip():
        raise usage_error("the prompt is empty", "write what is to be done")
    return given


def found(home: Home, args: Namespace, name: str, wanted: Asked) -> tuple[Definition, Optional[Choice]]:
    """The definition that is meant, and why where a model chose it. Raises AgentctlError."""
    if name != definition.CUSTOM and (args.roles or args.parallel):
        raise usage_error("--roles and --parallel are of the workflow `custom`", "name it: `custom`")
    if name == definition.CUSTOM:
        roles = [role.strip() for role in args.roles.split(",") if role.strip()]
        return composing.of_roles(roles, args.parallel, bool(wanted.worktree)), None
    if name != definition.AUTO:
        return definition.named(home, name), None
    from ..workflows import choosing

    choice = choosing.choose(home, wanted, os.environ)
    receipts.Reader(home, os.environ).seen([choice.run_id])
    tell("%s: %s" % (choice.name, choice.why))
    return definition.named(home, choice.name), choice


def tell(words: str) -> None:
    """Said to programs too."""
    print("agentctl: %s" % text.one_line(words), file=sys.stderr)


def start(args: Namespace, name: str, given: Optional[str]) -> int:
    """Start a workflow as the command line says; print its id, and with --wait what became of it."""
    wanted = asked(args, prompt_of(args, given))
    home = ui.open_home(args)
    ui.demand_config(home)
    meant, choice = found(home, args, name, wanted)
    workflow_id = starting.start(home, meant, wanted, os.environ, choice)
    if not args.json:
        ui.answer(workflow_id, "the workflow was started: %s" % workflow_id)
        ui.say("started; see it with `agentctl workflow show %s`" % workflow_id)
    elif not args.wait:
        started = flows.load(home, workflow_id)
        runs = {step: started.of_step(step)[-1] for step in started.runs}
        ui.data({"format": FORMAT, "workflow": workflow_id, "name": meant.name, "why": started.why, "runs": runs})
    return waited(home, args, workflow_id) if args.wait else 0


def waited(home: Home, args: Namespace, workflow_id: str) -> int:
    """Wait for the end, print the graph; the exit code by its worst step. Who was shown it need not be told again."""
    reader = receipts.Reader(home, os.environ)
    reader.promise(finding.of_workflow(home, workflow_id))
    try:
        showing.until_ended(home, workflow_id)
    except KeyboardInterrupt:
        ui.say("still running; stop it with `agentctl stop %s`" % workflow_id)
        return 130
    code = show(home, args, workflow_id)
    started = flows.load(home, workflow_id)
    reader.seen(run_id for step in started.runs for run_id in started.of_step(step))
    reader.seen(finding.of_workflow(home, workflow_id))
    return code


def show(home: Home, args: Namespace, workflow_id: str) -> int:
    """Print what has become of a workflow; the exit code by its worst step."""
    started = flows.load(home, workflow_id)
    known = showing.public(home, started, time.time())
    if args.json:
        ui.data({"format": FORMAT, **known, "steps": [text.public(step) for step in known["steps"]]})
    else:
        _drawing.show(known, showing.after_of(started))
    return int(known["exit_code"])
