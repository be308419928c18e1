"""agentctl remove-project"""

from __future__ import annotations

from .. import config
from .. import ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = "  agentctl remove-project shop"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a name from `agentctl projects`")


def run(args: Namespace) -> int:
    gone = config.remove_project(ui.open_home(args), args.name)
    ui.say("forgot %s; %s and its runs stay" % (gone.name, gone.path))
    return 0
