"""agentctl merge"""

from __future__ import annotations

import sys

from .. import text
from .. import ui
from ..errors import AgentctlError
from ..errors import usage_error
from ..merging import fates
from ..merging import mergequeue
from ..merging.fates import ALREADY
from ..merging.fates import CONFLICT
from ..merging.fates import CULPRIT
from ..merging.fates import LANDED
from . import _asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..merging.fates import Fate
    from ..merging.fates import Report
    from ..merging.pulling import Pull
    from ..store import Home

EXAMPLES = """  agentctl merge $A $B $C --verify "make test"
  agentctl merge @last --into develop --strategy squash
  agentctl merge $A $B --pr"""

_TAIL_LINES = 12


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("ids", metavar="ID", nargs="+", help="ended runs with a worktree: an id, a unique prefix, or @last")
    add("--into", metavar="BRANCH", default="", help="the branch to land on (default: the project's checkout's)")
    add(
        "--verify",
        metavar="CMD",
        default="",
        help="a shell command run on the merged state before anything lands (default: the runs' own)",
    )
    add("--strategy", metavar="S", default="merge", help="merge, squash or rebase (default: merge)")
    add("--timeout", metavar="TIME", default="", help="longest time of one check: 90s, 30m, 8h")
    add("--resume-conflicts", action="store_true", help="resume the runs that conflict, asking them to rebase")
    add("--pr", action="store_true", help="push the branches and open pull requests with gh; lands nothing here")
    add("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    if args.strategy not in ("merge", "squash", "rebase"):
        raise usage_error("no strategy `%s`" % args.strategy, "one of: merge, squash, rebase")
    home = ui.open_home(args)
    if args.pr:
        if args.verify or args.resume_conflicts:
            raise usage_error(
                "--pr only opens pull requests", "leave --verify and --resume-conflicts out: nothing is merged here"
            )
        return _pull_requests(home, args)
    wish = fates.Wish(
        into=args.into, verify=args.verify, strategy=args.strategy, timeout_s=_asking.seconds(args.timeout)
    )
    report = mergequeue.merge(home, args.ids, wish, _tell)
    if args.json:
        ui.data({**report.to_json(), "landed": report.new != report.old})
    else:
        for fate in report.runs:
            ui.line(_line(fate))
    _explain(home, report, args.resume_conflicts)
    return 0 if not report.behind and all(fate.outcome in (LANDED, ALREADY) for fate in report.runs) else 3


def _tell(words: str) -> None:
    """Also to programs: a merge may take long, and what it says is about their work."""
    print("agentctl: %s" % text.one_line(words), file=sys.stderr)


def _line(fate: Fate) -> str:
    if fate.outcome == LANDED:
        return "%s %s" % (fate.run_id, fate.why)
    if fate.outcome == ALREADY:
        return "%s nothing to land: %s" % (fate.run_id, fate.why)
    return "%s %s: %s" % (fate.run_id, "left out" if fate.outcome in (CONFLICT, CULPRIT) else "not landed", fate.why)


def _explain(home: Home, report: Report, resume: bool) -> None:
    from ..merging import reconciling

    for fate in report.runs:
        if fate.outcome in (LANDED, ALREADY):
            reconciling.forget(home, fate.run_id)
        if fate.outcome == CULPRIT:
            for line in fate.log_tail.split("\n")[-_TAIL_LINES:]:
                print("  | %s" % text.one_line(line), file=sys.stderr)
            _tell("the check's whole output: %s" % report.log)
        if fate.outcome == CONFLICT and resume:
            try:
                _tell("run %s asks the worker of %s to rebase" % (reconciling.start(home, report, fate), fate.run_id))
            except AgentctlError as e:
                _tell(str(e))
        elif fate.outcome == CONFLICT:
            offered = reconciling.offer(home, report, fate)
            if offered:
                _tell("have its worker rebase it: `%s`" % offered)
    if report.next:
        _tell("what was verified waits as %s; when the checkout is clean: `%s`" % (report.kept, report.next))


def _pull_requests(home: Home, args: Namespace) -> int:
    from ..merging import pulling

    opened = pulling.open_all(home, args.ids, args.into, _tell)
    if args.json:
        ui.data({"format": 1, "runs": [request.to_json() for request in opened]})
    else:
        for request in opened:
            ui.line("%s %s" % (request.run_id, request.url or _pushed(request)))
    return 0 if all(request.pushed and not request.problem for request in opened) else 3


def _pushed(request: Pull) -> str:
    what = "%s %s" % ("pushed" if request.pushed else "not pushed", request.branch)
    return "%s: `%s`" % (what, request.command) if request.command else what
