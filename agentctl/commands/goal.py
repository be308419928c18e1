"""agentctl goal"""

from __future__ import annotations

import os

from .. import text
from .. import ui
from ..errors import usage_error
from ..goals import kin
from ..goals import showing
from ..goals import starting
from ..goals.asked import MODES
from ..goals.asked import GoalAsked
from ..model import FORMAT
from . import _goals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Any

EXAMPLES = """  agentctl goal GOAL.md --verify "make test" --worktree --until 07:00 --yes
  agentctl goal GOAL.md ~/src/shop --orchestrator codex --max-cycles 3 --max-cost 20
  agentctl goal - --mode mission < GOAL.md
  agentctl goal                            asks for what is not given, at a terminal
  agentctl goal list; agentctl goal show @last; agentctl wait @last
  agentctl goal stop @last; agentctl goal resume @last --max-cycles 8

An orchestrator directs a team; nothing is accepted until the check passes and those who did
not do the work agree. `agentctl help goals` says how, and what a team file holds."""

_VERBS = ("list", "show", "stop", "resume")
_HEAD = ("GOAL", "STATUS", "OUTCOME", "CYCLE", "PROJECT", "STARTED", "TITLE")
_MOST = 30


def add_arguments(parser: ArgumentParser) -> None:
    what = "a file with the goal (- is stdin) and where; or %s" % ", ".join(_VERBS)
    parser.add_argument("words", metavar="GOAL.md [DIR]", nargs="*", help=what)
    _add_who(parser)
    _add_checks(parser)
    _add_limits(parser)
    add = parser.add_argument
    add("--worktree", dest="place", action="store_const", const=starting.BESIDE, default="", help="work in a worktree")
    commit = "commit what is uncommitted first"
    add("--commit", dest="place", action="store_const", const=starting.COMMIT, default="", help=commit)
    add("--no-pane", action="store_true", help="run it without tmux; nothing else changes")
    add("--wait", action="store_true", help="wait for the end; the exit code is that of `wait`")
    add("--yes", action="store_true", help="do not ask before it begins")
    add("--json", action="store_true", help="list, show: one JSON object")


def _add_who(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--project", metavar="NAME", default="", help="a registered project (default: the one that contains DIR)")
    add("--title", metavar="T", default="", help="a few words for lists and the pane (default: the goal's first line)")
    add("--orchestrator", metavar="B", default="", help="who directs: %s" % ", ".join(starting.ORCHESTRATORS))
    add("--model", metavar="M", default="", help="of the orchestrator")
    add("--effort", metavar="E", default="", help="of the orchestrator")
    add("--team", metavar="FILE", default="", help="who works and verifies (default: team.json of the home, or ours)")


def _add_checks(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--verify", metavar="CMD", default="", help="a shell command that must pass, run by us in a fresh checkout")
    add("--protect", metavar="GLOB", action="append", default=[], help="more files that the check runs as they were")
    add("--may-change", metavar="GLOB", action="append", default=[], help="tests or settings that the work may change")
    add("--mode", choices=MODES, default="", help="saga: until accepted or a limit is reached; mission: one cycle")


def _add_limits(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--max-cycles", metavar="N", type=int, default=None, help="cycles at most (default: 5)")
    add("--max-cost", metavar="USD", type=float, default=None, help="stop when all of it has cost more")
    add("--max-tokens", metavar="N", type=int, default=None, help="stop when all of it has used more tokens")
    add("--max-turns", metavar="N", type=int, default=None, help="stop when all of it has taken more turns")
    add("--max-time", metavar="TIME", default="", help="stop after this time: 90m, 8h")
    add("--until", metavar="HH:MM", default="", help="stop at this time of the day")


def run(args: Namespace) -> int:
    verb = args.words[0] if args.words and args.words[0] in _VERBS else ""
    if verb:
        one = {"list": _list, "show": _show, "stop": _stop, "resume": _resume}[verb]
        return one(args, args.words[1:])
    return _set(args)


def _word(words: list[str], verb: str) -> str:
    if len(words) > 1:
        raise usage_error("`goal %s` wants one ID" % verb, "see `agentctl goal --help`")
    return words[0] if words else "@last"


def _set(args: Namespace) -> int:
    home = ui.open_home(args)
    ui.demand_config(home)
    if not args.words and not args.json:
        from . import _wizard  # which a goal in a file never needs

        if _wizard.may_ask():
            _wizard.fill(args, home)
    wish = _goals.wish(args)
    plan = starting.planned(home, wish, os.environ)
    if not _goals.agreed(args, home, plan):
        return 1
    run_id = starting.start(home, plan, os.environ)
    ui.answer(run_id, "see it work: `agentctl goal show %s`, `agentctl follow %s`" % (run_id, run_id))
    return _goals.waited(home, run_id) if args.wait else 0


def _list(args: Namespace, words: list[str]) -> int:
    if words:
        raise usage_error("`goal list` wants nothing more", "see `agentctl goal --help`")
    home = ui.open_home(args)
    rows = [showing.summary(home, root) for root in kin.every(home)[:_MOST]]
    if args.json:
        ui.data({"format": FORMAT, "goals": [text.public(row.to_json()) for row in rows]})
    elif rows:
        ui.table(_HEAD, [_cells(row) for row in rows])
    else:
        ui.say("no goal was set yet: see `agentctl goal --help`")
    return 0


def _cells(row: showing.Summary) -> tuple[str, ...]:
    return (
        row.goal,
        row.status,
        row.outcome or "-",
        "%d/%d" % (row.cycle, row.max_cycles),
        row.project or "-",
        text.iso(row.created_at) or "-",
        text.one_line(row.title, 60),
    )


def _show(args: Namespace, words: list[str]) -> int:
    home = ui.open_home(args)
    known = showing.whole(home, _word(words, "show"))
    if args.json:
        ui.data(text.public(known))
    else:
        _goals.show(known)
    return 0


def _stop(args: Namespace, words: list[str]) -> int:
    home = ui.open_home(args)
    stopped = starting.stop(home, _word(words, "stop"), os.environ)
    for run_id in stopped:
        ui.answer("%s stopped" % run_id, "go on with `agentctl goal resume`")
    if not stopped:
        ui.say("nothing of it was at work")
    return 0


def _resume(args: Namespace, words: list[str]) -> int:
    home = ui.open_home(args)
    ui.demand_config(home)
    word = _word(words, "resume")
    run_id = starting.resume(home, word, _changes(args), os.environ)
    ui.answer(run_id, "see it work: `agentctl goal show %s`" % run_id)
    return _goals.waited(home, run_id) if args.wait else 0


def _changes(args: Namespace) -> dict[str, Any]:
    """What a resumed goal is given anew: of the options, those that were given."""
    given, plain = _goals.asked(args).to_json(), GoalAsked().to_json()
    changed = {name: value for name, value in given.items() if value != plain[name]}
    said = {"mode": args.mode or None, "max_cycles": args.max_cycles}
    return {**changed, **{name: value for name, value in said.items() if value is not None}}
