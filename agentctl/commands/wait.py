"""agentctl wait"""

from __future__ import annotations

import os
import sys

from .. import api
from .. import finding
from .. import judge
from .. import receipts
from .. import ui
from . import _asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = """  agentctl wait 20260215-143022-ab12
  agentctl wait $A $B $C               each result as one JSON line, in order of ending
  agentctl wait --any --timeout 10m $A $B

exit codes: 0 goal met; 3 not met, or the check failed; 4 not finished; 124 time is over"""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="+", help="a run id, a unique prefix, @last, or a workflow's id")
    parser.add_argument("--any", action="store_true", help="return when the first of them has ended")
    parser.add_argument(
        "--timeout", metavar="TIME", default="", help="give up after this time (exit code 124); the runs go on"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing; the exit code tells")


def run(args: Namespace) -> int:
    home = ui.open_home(args)
    ids = finding.expand(home, args.ids)
    wanted, results = 1 if args.any else len(ids), []
    shown: list[str] = []  # acknowledged at the end: only then Claude Code looks at what a background command printed
    reader = receipts.Reader(home, os.environ)
    reader.promise(ids)
    try:
        for result in api.wait(home, ids, 0.0 if args.timeout == "0" else _asking.seconds(args.timeout)):
            results.append(result)
            shown += [] if args.quiet else [result.run_id]
            if not args.quiet:
                ui.data(result.to_json())
                sys.stdout.flush()
            if len(results) == wanted:
                reader.seen(shown)
                return judge.exit_code(results)
    except KeyboardInterrupt:
        ui.say("still running; stop it with `agentctl stop %s`" % args.ids[0])
        return 130
    reader.seen(shown)
    ui.say("time is over; the runs go on")
    return 124
