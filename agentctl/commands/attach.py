"""agentctl attach"""

from __future__ import annotations

import os
import sys

from .. import finding
from .. import panes
from .. import ui
from ..errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = """  agentctl attach 20260215-143022-ab12
  agentctl attach @last

Leave it with tmux's own key: C-b d outside tmux, C-b L within."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a run id, a unique prefix, or @last")


def run(args: Namespace) -> int:
    home = ui.open_home(args)
    run = home.run(finding.resolve(home, args.id))
    server, pane = panes.place_of(run)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise AgentctlError("attach needs a terminal", "read along with `agentctl follow %s`" % run.id)
    argv, env = panes.way_to(server, pane, os.environ)
    sys.stdout.flush()
    os.execve(argv[0], argv, env)
