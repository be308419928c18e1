"""agentctl list"""

from __future__ import annotations

import time

from .. import listing
from .. import text
from .. import ui
from ..errors import usage_error
from ..model import FORMAT
from ..model import LIVE
from ..model import UNCHECKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Any

EXAMPLES = """  agentctl list
  agentctl list --running
  agentctl list --project shop --status failed -n 5 --json"""

_HEAD = ("RUN", "STATUS", "GOAL", "CHECK", "PROJECT", "PROFILE", "TIME", "TITLE")
_GOAL = {True: "yes", False: "no", None: "-"}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--project", metavar="NAME", default="", help="only runs of this project")
    parser.add_argument("--status", metavar="S", default="", help="only with this status: see `agentctl help statuses`")
    parser.add_argument("--running", action="store_true", help="only runs that have not ended")
    parser.add_argument("--unacked", action="store_true", help="only runs with events that nobody has acknowledged")
    parser.add_argument("-n", metavar="N", type=int, default=30, help="at most so many (default: 30)")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    if args.n < 1:
        raise usage_error("-n wants a number above 0")
    if args.running and args.status:
        raise usage_error("--running and --status do not go together", "--running is queued, running or paused")
    statuses = LIVE if args.running else (args.status,) if args.status else ()
    wanted = listing.Wanted(project=args.project, statuses=statuses, limit=args.n, unacked=args.unacked)
    rows = list(listing.rows(ui.open_home(args), wanted))
    if args.json:
        ui.data({"format": FORMAT, "runs": [text.public(row) for row in rows]})
    elif rows:
        show(rows)
    else:
        ui.say("no such run" if args.project or statuses or args.unacked else "no run yet: see `agentctl help start`")
    return 0


def show(rows: list[dict[str, Any]]) -> None:
    """A table for people."""
    now = time.time()
    ui.table(_HEAD, [_cells(row, now) for row in rows])


def _cells(row: dict[str, Any], now: float) -> tuple[str, ...]:
    check = row["verified"] if row["verified"] != UNCHECKED else "-"
    words = " · ".join(w for w in (row["title"], row["doing"] or row["error"]) if w)
    return (
        row["run_id"],
        row["status"],
        _GOAL.get(row["goal_met"], "-"),
        check,
        row["project"] or "-",
        row["profile"] or row["backend"] or "-",
        text.duration(_took(row, now)),
        text.one_line(words, 200),
    )


def _took(row: dict[str, Any], now: float) -> float | None:
    """From its start (its birth, while it lives) to its end, or now; None where it never started."""
    if row["finished_at"] and row["started_at"]:
        return float(row["finished_at"] - row["started_at"])
    lives = row["status"] in LIVE and row["created_at"]
    return now - row["created_at"] if lives else None
