"""agentctl replay"""

from __future__ import annotations

from .. import finding
from .. import replaying
from .. import ui
from .. import view
from ..model import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..model import Event

EXAMPLES = """  agentctl replay 20260215-143022-ab12
  agentctl replay @last --json

exit codes: 0 the same session, usage and report as recorded; 1 another"""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the id of an ended run, a unique prefix, or @last")
    parser.add_argument("--json", action="store_true", help="only the verdict, as one JSON object")


def run(args: Namespace) -> int:
    home = ui.open_home(args)
    run = home.run(finding.resolve(home, args.id))
    result, spec = replaying.recorded(run), run.spec()
    folded = replaying.replay(run, spec, _ignore if args.json else _show)
    found = replaying.differences(run, spec, result, folded)
    if args.json:
        ui.data(
            {
                "format": FORMAT,
                "run_id": run.id,
                "agrees": not found,
                "events": dict(folded.counts),
                "differences": [d.to_json() for d in found],
            }
        )
    elif not found:
        ui.line("agrees with the recorded result", "green")
    for d in found if not args.json else ():
        ui.line("differs in %s: recorded %s, now %s" % (d.field, d.recorded, d.replayed), "red")
    return 1 if found else 0


def _show(event: Event) -> None:
    """Without the clock: raw.jsonl does not say when a line came."""
    line = view.event_line(event)
    if line:
        ui.line(line[0].partition(" ")[2], line[1])


def _ignore(_event: Event) -> None:
    """For programs the counts are enough."""
