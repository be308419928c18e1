"""agentctl remove-project"""

from __future__ import annotations

from .. import projects
from .. import ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = "  agentctl remove-project shop"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a name from `agentctl projects`")


def run(args: Namespace) -> int:
    gone = projects.remove(ui.open_home(args), args.name)
    ui.say("forgot %s; %s and its runs stay" % (gone.name, gone.path))
    return 0
