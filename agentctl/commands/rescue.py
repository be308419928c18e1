"""agentctl rescue"""

from __future__ import annotations

from .. import text
from .. import ui
from ..cleanup import undoing
from ..errors import usage_error
from ..model import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Any

    from ..cleanup.undoing import Row
    from ..store import Home

EXAMPLES = """  agentctl rescue list
  agentctl rescue show 20260215-143022-ab12
  agentctl rescue drop 20260215-143022-ab12 --yes"""

_HEAD = ("RUN", "SAVED", "FILES", "BRANCH", "REPOSITORY", "TITLE")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=("list", "show", "drop"), help="list them, show one, or let go of some")
    parser.add_argument("ids", metavar="ID", nargs="*", help="a run id, a unique prefix, or @last")
    parser.add_argument("--yes", action="store_true", help="drop: do not ask")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    home = ui.open_home(args)
    if args.what == "list":
        if args.ids:
            raise usage_error("`rescue list` takes no ID", "show one: `agentctl rescue show %s`" % args.ids[0])
        return _list(home, args)
    if not args.ids or (args.what == "show" and len(args.ids) > 1):
        raise usage_error("`rescue %s` wants %s" % (args.what, "one ID" if args.what == "show" else "IDs"))
    return _show(home, args) if args.what == "show" else _drop(home, args)


def _list(home: Home, args: Namespace) -> int:
    rows = list(undoing.rows(home))
    if args.json:
        ui.data({"format": FORMAT, "rescues": [_public(row) for row in rows]})
    elif rows:
        ui.table(_HEAD, [_cells(row) for row in rows])
    else:
        ui.say("nothing is kept: no worktree was removed")
    return 0


def _public(row: Row) -> dict[str, Any]:
    known = text.public(row.to_json())
    return {**known, "saved_at": known["saved_at"] if row.saved_at else None}


def _cells(row: Row) -> tuple[str, ...]:
    words = " · ".join(w for w in (row.title, "stands again" if row.restored else "", row.problem) if w)
    when = (text.iso(row.saved_at) or "-") if row.saved_at else "-"
    return row.run_id, when, str(row.files), row.branch, row.repository, text.one_line(words, 200)


def _show(home: Home, args: Namespace) -> int:
    row, found = undoing.shown(home, args.ids[0])
    if args.json:
        listed = [{"path": stored.path, "mode": stored.mode, "bytes": stored.size} for stored in found]
        ui.data({"format": FORMAT, **_public(row), "file_list": listed})
        return 0
    for stored in found:
        ui.line("%10d  %s" % (stored.size, stored.path))
    ui.say("a file: `git -C %s show refs/agentctl/rescue/%s:PATH`" % (row.repository, row.run_id))
    ui.say("all of it: `agentctl undo %s`" % row.run_id)
    return 0


def _drop(home: Home, args: Namespace) -> int:
    rows = [undoing.droppable(home, word) for word in args.ids]
    rows = list({row.run_id: row for row in rows}.values())
    if not args.yes:
        if args.json or not ui.may_ask():
            raise usage_error("nobody can be asked here", "look with `agentctl rescue show ID`, then give --yes")
        for row in rows:
            ui.line("%s  %d files beyond HEAD, branch %s" % (row.run_id, row.files, row.branch))
        if not ui.asked("let go of this for good? it cannot be undone"):
            ui.say("all of it is kept")
            return 1
    for row in rows:
        undoing.drop(home, row)
        if not args.json:
            ui.say("dropped: the rescue of run %s, which cannot be undone" % row.run_id)
    if args.json:
        ui.data({"format": FORMAT, "dropped": [row.run_id for row in rows]})
    return 0
