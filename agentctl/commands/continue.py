"""agentctl continue"""

from __future__ import annotations

import os

from .. import pausing
from .. import ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = """  agentctl continue 20260215-143022-ab12
  agentctl continue $A $B

Where slots are limited it waits for one. A run that was lost (a restart of the
machine) or stopped while it was paused is gone on with by a new run, in its
session; that run's id is printed."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="+", help="a paused run: its id, a unique prefix, or @last")


def run(args: Namespace) -> int:
    for outcome in pausing.go_on(ui.open_home(args), args.ids, os.environ):
        if outcome.followed_by:
            ui.answer(outcome.followed_by, "the run was started: %s" % outcome.followed_by)
            ui.say("%s: %s; goes on as %s" % (outcome.run_id, outcome.status, outcome.followed_by))
        else:
            ui.say("%s: %s" % (outcome.run_id, ", ".join(w for w in (outcome.status, outcome.doing) if w)))
    return 0
