"""agentctl undo"""

from __future__ import annotations

from .. import ui
from ..cleanup import undoing
from ..model import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = "  agentctl undo\n  agentctl undo 20260215-143022-ab12"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", nargs="?", default="", help="a run (default: what was removed last)")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    kept = undoing.undo(ui.open_home(args), args.id)
    made = kept.worktree
    if args.json:
        ui.data(
            {"format": FORMAT, "run_id": made.run, "project": kept.project, "path": made.path, "branch": made.branch}
        )
        return 0
    ui.answer(made.path, "it is back: see `agentctl worktrees`")
    ui.say("back: the worktree of run %s, on branch %s" % (made.run, made.branch))
    return 0
