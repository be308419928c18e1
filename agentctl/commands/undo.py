"""agentctl undo"""

from __future__ import annotations

from .. import ui
from .. import undoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = "  agentctl undo\n  agentctl undo 20260215-143022-ab12"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", nargs="?", default="", help="a run (default: what was removed last)")


def run(args: Namespace) -> int:
    kept = undoing.undo(ui.open_home(args), args.id)
    ui.answer(kept.worktree.path, "it is back: see `agentctl worktrees`")
    ui.say("back: the worktree of run %s, on branch %s" % (kept.worktree.run, kept.worktree.branch))
    return 0
