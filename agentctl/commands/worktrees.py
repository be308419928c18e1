"""agentctl worktrees"""

from __future__ import annotations

from .. import text
from .. import ui
from .. import worktrees
from ..model import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Any

EXAMPLES = """  agentctl worktrees
  agentctl worktrees --project shop --json"""

_HEAD = ("RUN", "STATE", "BRANCH", "AHEAD", "BEHIND", "DIRTY", "MERGED", "SIZE", "PATH")
_SAID = {True: "yes", False: "no", None: "?"}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--project", metavar="NAME", default="", help="only those of this project")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    rows = list(worktrees.rows(ui.open_home(args), args.project))
    if args.json:
        ui.data({"format": FORMAT, "worktrees": [text.public(row) for row in rows]})
    elif rows:
        ui.table(_HEAD, [_cells(row) for row in rows])
    else:
        ui.say("no worktree: `agentctl start --worktree` makes one")
    return 0


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["run_id"],
        row["state"],
        row["branch"],
        str(row["ahead"]),
        str(row["behind"]),
        _SAID[row["dirty"]] if row["state"] != "gone" else "-",
        _SAID[row["merged"]],
        _megabytes(row["size"]),
        row["path"],
    )


def _megabytes(size: int) -> str:
    return "%.0f MB" % (size / (1 << 20)) if size >= 10 << 20 else "%.1f MB" % (size / (1 << 20))
