"""agentctl wait"""

from __future__ import annotations

import os
import time

from .. import api
from .. import finding
from .. import judge
from .. import receipts
from .. import ui
from . import _asking
from . import _progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from collections.abc import Iterator
    from typing import Optional

    from ..model import Result
    from ..store import Home

EXAMPLES = """  agentctl wait 20260215-143022-ab12
  agentctl wait $A $B $C               each result as one JSON line, in order of ending
  agentctl wait --any --timeout 10m $A $B

exit codes: 0 goal met; 3 not met, or the check failed; 4 not finished; 124 time is over.
A workflow's id stands for all its steps; an end that its step tolerates (continue_on) counts as 0."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="+", help="a run id, a unique prefix, @last, or a workflow's id")
    parser.add_argument("--any", action="store_true", help="return when the first of them has ended")
    parser.add_argument(
        "--timeout", metavar="TIME", default="", help="give up after this time (exit code 124); the runs go on"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing; the exit code tells")


def run(args: Namespace) -> int:
    home = ui.open_home(args)
    timeout = 0.0 if args.timeout == "0" else _asking.seconds(args.timeout)
    deadline = None if timeout is None else time.monotonic() + timeout
    ids, results = finding.expand(home, args.ids), []
    reader = receipts.Reader(home, os.environ)
    over = False
    try:
        while ids and not over:
            reader.promise(ids)
            ended = list(_told(home, args, ids, deadline))
            results += ended
            over = len(ended) < (1 if args.any else len(ids))
            ids = [] if args.any else _gone_on(home, args.ids, results)
    except KeyboardInterrupt:
        ui.say("still running; stop it with `agentctl stop %s`" % args.ids[0])
        return 130
    # At the end: only then Claude Code looks at what a background command printed.
    reader.seen([] if args.quiet else [result.run_id for result in results])
    if over:
        ui.say("time is over; the runs go on")
    return 124 if over else _verdict(home, args.ids, results)


def _told(home: Home, args: Namespace, ids: list[str], deadline: Optional[float]) -> Iterator[Result]:
    """The results as they come, each printed at once; with --any the first alone."""
    left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
    with _progress.Line(home, () if args.quiet else ids) as line:
        for result in api.wait(home, ids, left, line.wanted):
            if not args.quiet:
                line.aside(lambda result=result: ui.data(result.to_json()))  # type: ignore[misc]
            yield result
            if args.any:
                return


def _gone_on(home: Home, words: list[str], results: list[Result]) -> list[str]:
    """The runs that have gone on meanwhile for steps of the workflows that are waited for."""
    flows = [word for word in words if finding.names_workflow(word)]
    known = {result.run_id for result in results}
    return [run_id for run_id in finding.expand(home, flows) if run_id not in known] if flows else []


def _verdict(home: Home, words: list[str], results: list[Result]) -> int:
    """By the worst; of a workflow by the last run of each step, unless its end is one that is tolerated."""
    flows = [word for word in words if finding.names_workflow(word)]
    if not flows:
        return judge.exit_code(results)
    named = finding.expand(home, [word for word in words if word not in flows])
    last = finding.expand(home, flows)
    return judge.exit_code(
        [
            result
            for result in results
            if result.run_id in named or result.run_id in last and not _tolerated(home, result)
        ]
    )


def _tolerated(home: Home, result: Result) -> bool:
    return judge.shortfall(result) in home.run(result.run_id).spec().continue_on
