"""agentctl files"""

from __future__ import annotations

import time

from .. import finding
from .. import text
from .. import ui
from ..errors import usage_error
from ..figures import cache
from ..figures import touched
from ..model import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Any

    from ..store import Home

EXAMPLES = """  agentctl files
  agentctl files 20260215-143022-ab12 20260215-143155-9c01
  agentctl files --project shop --json

Files that more than one run wrote come first, marked `!`. Names are from the top of the
repository, so that the same file of two worktrees is one row. What a worker's tools did
not name but git saw change meanwhile is marked `~`: in a directory that runs share it may
have been another's work. (The files of a home: `agentctl help home`.)"""

_HEAD = ("", "FILE", "WRITTEN BY", "READ BY")
_MOST = 4


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="*", help="run ids, unique prefixes, or @last (default: all runs)")
    parser.add_argument("--project", metavar="NAME", default="", help="only runs of this project")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    if args.ids and args.project:
        raise usage_error("run ids and --project do not go together")
    home, now = ui.open_home(args), time.time()
    found = (touch for run_id in _wanted(home, args) for touch in touched.of_run(home, run_id, now))
    rows = touched.by_path(touch for touch in found if args.project in ("", touch.project))
    if args.json:
        ui.data({"format": FORMAT, "files": [_public(row) for row in rows]})
    elif rows:
        ui.table(_HEAD, [_cells(row) for row in rows])
    else:
        ui.say("no run has said what files it touched")
    return 0


def _wanted(home: Home, args: Namespace) -> list[str]:
    if args.ids:
        return list(dict.fromkeys(finding.resolve(home, word) for word in args.ids))
    return cache.ids(home)


def _public(row: dict[str, Any]) -> dict[str, Any]:
    those = {name: [text.public(who) for who in row[name]] for name in ("written_by", "read_by")}
    return {**row, **those}


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return "!" if row["conflict"] else "", row["path"], _whos(row["written_by"]), _whos(row["read_by"])


def _whos(those: list[dict[str, Any]]) -> str:
    """`20260215-143022-ab12 tester`, the newest first, and how many more."""
    names = [_who(who) for who in reversed(those)]
    return ", ".join(names[:_MOST]) + (" and %d more" % (len(names) - _MOST) if len(names) > _MOST else "") or "-"


def _who(who: dict[str, Any]) -> str:
    words = " ".join(word for word in (who["run_id"], who["agent"] or who["role"]) if word)
    return words if who["told"] else words + " ~"
