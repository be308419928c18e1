"""agentctl explain"""

from __future__ import annotations

import time

from .. import text
from .. import ui
from ..explaining import gathering
from ..explaining import places
from ..explaining import reasons
from ..model import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..explaining.situation import Reason
    from ..explaining.situation import Situation

EXAMPLES = """  agentctl explain 20260215-143022-ab12     why it waits, works, or ended as it did
  agentctl explain @last --json

Each line is a fact, with the file that it is from: one of the run's folder, or of the home.
No model is asked. What helps comes last."""

_TAIL_LINES = 12


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a run id, a unique prefix, or @last")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    home = ui.open_home(args)
    seen = gathering.situation(gathering.named(home, args.id), time.time())
    if args.json:
        ui.data(_as_json(seen))
    else:
        _show(seen)
    return 0


def _as_json(seen: Situation) -> dict[str, object]:
    return {
        "format": FORMAT,
        "run_id": seen.spec.id,
        "status": seen.result.status,
        "reasons": [reason.to_json() for reason in reasons.reasons(seen)],
        "commands": [each.to_json() for each in places.commands(seen)],
    }


def _show(seen: Situation) -> None:
    words = (seen.spec.id, reasons.headline(seen), seen.spec.title)
    ui.line("  ".join(word for word in words if word), "bold")
    for reason in reasons.reasons(seen):
        _line(reason)
    for each in places.commands(seen):
        ui.line("%s  # %s" % (each.command, each.words), "cyan")


def _line(reason: Reason) -> None:
    """Data of a worker is on one line; the end of an output on a few, each of them marked."""
    said = text.one_line("%s %s" % (reason.words, reason.said), 400)
    print("  %s  (%s)" % (said, text.one_line(reason.source, 120)))
    tail = text.printable(reason.tail).strip("\n").splitlines()
    for line in tail[-_TAIL_LINES:]:
        print("    | %s" % text.one_line(line, 160))
