"""agentctl collect"""

from __future__ import annotations

import sys

from .. import text
from .. import ui
from ..merging import collecting
from ..model import UNCHECKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..merging.collecting import Brought
    from ..merging.collecting import Overlap

EXAMPLES = """  agentctl collect
  agentctl collect --project shop
  agentctl collect $A $B --json"""

_MOST_FILES = 8
_GOAL = {True: "goal met", False: "goal not met", None: ""}


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("ids", metavar="ID", nargs="*", help="run ids (default: all ended runs whose worktree is there)")
    add("--project", metavar="NAME", default="", help="only runs of this project")
    add("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    found = collecting.collect(ui.open_home(args), args.ids, args.project, _tell)
    if args.json:
        ui.data(found.to_json())
        return 0
    if not found.runs:
        ui.say("no ended run has a worktree: see `agentctl help start`")
    for brought in found.runs:
        _block(brought)
    for overlap in found.overlaps:
        ui.line(_overlap(overlap))
    if found.next:
        ui.line("next: %s" % found.next)
    return 0


def _tell(words: str) -> None:
    print("agentctl: %s" % text.one_line(words), file=sys.stderr)


def _block(brought: Brought) -> None:
    """A run in a few lines."""
    facts = [brought.status, _GOAL[brought.goal_met], _check(brought.verified)]
    ui.line("%s %s %s" % (brought.run_id, " · ".join(f for f in facts if f), brought.title), "bold")
    for label, words in _facts(brought):
        if words:
            ui.line("  %-9s %s" % (label, words))
    print()


def _facts(brought: Brought) -> list[tuple[str, str]]:
    if brought.in_use:
        return [("in use", brought.worktree or "it has not ended")]
    return [
        ("report", text.one_line(brought.summary, 300)),
        ("branch", "%s (%s)" % (brought.branch, _commits(len(brought.commits))) if brought.branch else ""),
        ("leftover", "uncommitted work is now commit %s" % brought.leftover[:12] if brought.leftover else ""),
        ("changes", brought.diff_stat.rpartition("\n")[2].strip()),
        ("files", _some(brought.files)),
        ("landed", "at %s" % brought.landed[:12] if brought.landed else ""),
        ("merge", _forecast(brought)),
        ("note", brought.note),
    ]


def _check(verified: str) -> str:
    return "" if verified in ("", UNCHECKED) else "check %s" % verified


def _forecast(brought: Brought) -> str:
    if brought.landed or not brought.target or brought.conflicts is None:
        return ""
    if brought.conflicts:
        return "conflicts with %s in %s" % (brought.target, _some(brought.conflicts))
    return "fits into %s" % brought.target


def _overlap(overlap: Overlap) -> str:
    both = "%s and %s both changed %s" % (*overlap.runs, _some(overlap.files))
    if overlap.conflicts is None:
        return both
    return "%s: %s" % (both, "conflict in " + _some(overlap.conflicts) if overlap.conflicts else "no conflict")


def _some(names: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(names[:_MOST_FILES])
    return shown if len(names) <= _MOST_FILES else "%s and %d more" % (shown, len(names) - _MOST_FILES)


def _commits(number: int) -> str:
    return "1 commit" if number == 1 else "%d commits" % number
