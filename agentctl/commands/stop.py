"""agentctl stop"""

from __future__ import annotations

from .. import api
from .. import judge
from .. import ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = "  agentctl stop 20260215-143022-ab12\n  agentctl stop $A $B"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="+", help="a run id, a unique prefix, @last, or a workflow's id")


def run(args: Namespace) -> int:
    for result in api.stop(ui.open_home(args), args.ids):
        ui.say("%s: %s" % (result.run_id, judge.headline(result)))
    return 0
