"""agentctl cleanup"""

from __future__ import annotations

import sys
import time

from .. import config
from .. import text
from .. import ui
from ..cleanup import cleaning
from ..cleanup import plans
from ..cleanup.cleaning import Wanted
from ..errors import usage_error
from ..model import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..cleanup.cleaning import Facts
    from ..cleanup.cleaning import Item
    from ..cleanup.clearing import Outcome

EXAMPLES = """  agentctl cleanup --merged --dry-run
  agentctl cleanup --older-than 7d --project shop
  agentctl cleanup 20260215-143022-ab12 --yes
what is removed is saved first: `agentctl undo` brings it back"""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="*", help="a run id, a unique prefix, or @last")
    parser.add_argument("--merged", action="store_true", help="runs whose branch is in its project's branch")
    parser.add_argument("--older-than", metavar="T", default="", help="runs that ended so long ago: 7d, 12h")
    parser.add_argument("--all", action="store_true", help="all runs that ended")
    parser.add_argument("--project", metavar="NAME", default="", help="of these, only runs of this project")
    parser.add_argument("--runs", action="store_true", help="remove their run folders too, for good")
    parser.add_argument("--dry-run", action="store_true", help="only print what would be removed and saved")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    home, now = ui.open_home(args), time.time()
    wanted = _wanted(args, now)
    cleaning.check(wanted)
    if not (args.dry_run or args.yes) and (args.json or not ui.may_ask()):
        raise usage_error("nobody can be asked here", "look first with --dry-run, then give --yes")
    configured = config.sound(home)
    plan = plans.made(home, configured, wanted, now)
    if not args.json:
        _print(plan)
    will = [pair for pair in plan if pair[1].removes()]
    if will and not args.dry_run and not args.yes and not ui.asked("remove this?"):
        ui.say("nothing was removed")
        return 1
    outcomes = {} if args.dry_run else plans.carried_out(home, configured, will, now)
    if args.json:
        runs = [plans.row(item, outcomes.get(item.run_id)) for _, item in plan]
        ui.data({"format": FORMAT, "dry_run": args.dry_run, "runs": runs})
    else:
        _tell(outcomes)
    return _code(args, plan, outcomes)


def _wanted(args: Namespace, now: float) -> Wanted:
    try:
        age = text.seconds(args.older_than) if args.older_than else 0.0
    except ValueError:
        raise usage_error("--older-than wants a time: 7d, 12h, 30m") from None
    return Wanted(
        ids=tuple(args.ids),
        every=args.all,
        merged=args.merged,
        before=now - age if age else 0.0,
        project=args.project,
        folders=args.runs,
    )


def _print(plan: list[tuple[Facts, Item]]) -> None:
    for _, item in plan:
        for words in _words(item):
            ui.line("%s  %s" % (item.run_id, words))
        if not item.removes() and not item.stays:
            ui.line("%s  nothing is left to remove" % item.run_id)
    if not plan:
        ui.say("nothing to remove")


def _words(item: Item) -> list[str]:
    """What is to become of a run, a line each."""
    said = []
    if item.worktree:
        branch = " and branch %s" % item.branch if item.branch else ""
        said.append("removes worktree %s%s" % (item.worktree, branch))
        said.append("saves %s" % _saved(item))
    if item.saved.ignored:
        said.append("does not save %s (rescue_ignored)" % _some(item.saved.ignored, "ignored file"))
    said += ["closes pane %s" % item.pane] if item.pane else []
    said += ["removes its run folder, which is not saved"] if item.folder else []
    return said + ["keeps " + words for words in item.stays]


def _saved(item: Item) -> str:
    saved = item.saved
    return "%s beyond HEAD, %s that no other branch has" % (_some(saved.files, "file"), _some(saved.commits, "commit"))


def _some(number: int, what: str) -> str:
    return "%d %s%s" % (number, what, "" if number == 1 else "s")


def _tell(outcomes: dict[str, Outcome]) -> None:
    gone = 0
    for outcome in outcomes.values():
        gone += "worktree" in outcome.removed
        for words in outcome.stays:
            print("agentctl: %s keeps %s" % (outcome.run_id, text.one_line(words)), file=sys.stderr)
    if outcomes:
        hint = ": `agentctl undo ID` brings one back" if gone else ""
        ui.say("removed %s of %s%s" % (_some(gone, "worktree"), _some(len(outcomes), "run"), hint))


def _code(args: Namespace, plan: list[tuple[Facts, Item]], outcomes: dict[str, Outcome]) -> int:
    """1 where a run that was named, or something that was planned, stays."""
    if args.dry_run:
        return 0
    failed = any(len(outcomes[item.run_id].stays) > len(item.stays) for _, item in plan if item.run_id in outcomes)
    return int(failed or bool(args.ids and any(item.stays for _, item in plan)))
