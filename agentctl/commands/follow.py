"""agentctl follow"""

from __future__ import annotations

import sys

from .. import finding
from .. import following
from .. import ui
from .. import view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..model import Event

EXAMPLES = """  agentctl follow 20260215-143022-ab12
  agentctl follow @last

From the run's start to its end; ^C stops looking, not the run."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a run id, a unique prefix, or @last")


def run(args: Namespace) -> int:
    home = ui.open_home(args)
    run_id = finding.resolve(home, args.id)
    try:
        for words, style in view.header(home.run(run_id).spec()):
            ui.line(words, style)
        result = following.follow(home, run_id, _show)
    except KeyboardInterrupt:
        if home.run(run_id).result() is None:
            ui.say("\nstill running; stop it with `agentctl stop %s`" % run_id)
        return 130
    for words, style in view.footer(result):
        ui.line(words, style)
    return 0


def _show(events: list[Event]) -> None:
    for event in events:
        line = view.event_line(event)
        if line:
            ui.line(*line)
    sys.stdout.flush()
