"""agentctl tail"""

from __future__ import annotations

import json
import sys

from .. import following
from .. import ui
from ..errors import usage_error
from ..model import CHECK_FAILED
from ..model import FINISHED
from ..model import PASSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Any

EXAMPLES = """  agentctl tail
  agentctl tail -n 3 --follow
  agentctl tail --json"""

_GOAL = {True: "goal met", False: "goal not met"}
_CHECK = {PASSED: "check passed", CHECK_FAILED: "check failed"}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("-n", metavar="N", type=int, default=10, help="so many of the newest (default: 10)")
    parser.add_argument("--follow", action="store_true", help="go on with each run that ends, until ^C")
    parser.add_argument("--json", action="store_true", help="the lines as they are: a JSON object each")


def run(args: Namespace) -> int:
    if args.n < 0:
        raise usage_error("-n wants a number, 0 or more")
    home, show = ui.open_home(args), _show_json if args.json else _show
    entries, end = following.newest_ends(home, args.n)
    for entry in entries:
        show(entry)
    sys.stdout.flush()
    if not args.follow:
        if not entries and args.n:
            ui.say("no run has ended yet")
        return 0
    for entry in following.further_ends(home, end):
        show(entry)
        sys.stdout.flush()
    return 0


def _show_json(entry: dict[str, Any]) -> None:
    print(json.dumps(entry))


def _show(entry: dict[str, Any]) -> None:
    """`time  id  status, goal, check`"""
    status, goal = str(entry.get("status")), entry.get("goal_met")
    claim = _GOAL[goal] if isinstance(goal, bool) and status == FINISHED else ""
    said = ", ".join(w for w in (status, claim, _CHECK.get(str(entry.get("verified")))) if w)
    ui.line("%s  %s  %s" % (entry.get("at"), entry.get("run_id"), said))
