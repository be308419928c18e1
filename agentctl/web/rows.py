"""A run as the page shows it in a line: what it is, what it does, and whether it needs a person."""

from __future__ import annotations

import re

from .. import files
from .. import listing
from .. import text
from ..model import LIVE
from .needs import NOBODY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

    from ..store import Home
    from .needs import Need

_NAMES = (
    *("run_id", "status", "goal_met", "verified", "title", "project", "backend", "profile", "model", "agent", "role"),
    *("workflow", "step", "goal", "parent", "escalated_to", "error", "summary", "usage", "context_tokens"),
    *("context_window", "created_at", "started_at", "finished_at", "doing"),
)
_WORDS = 300
_STAT = re.compile(r"(\d+) files? changed(?:, (\d+) insertions?\(\+\))?(?:, (\d+) deletions?\(-\))?")


def row(home: Home, run_id: str, now: float, need: Need = NOBODY) -> Optional[dict[str, Any]]:
    """One run, or None where its folder is gone. Times are ISO 8601; what is unknown is null.

    `needs` is why a person should look, in one word, "" where nobody need; `why` says it in words.
    """
    record = listing.record_of(home, run_id, now)
    if record is None:
        return None
    live = record.get("status") in LIVE
    denied, told_at = _of_live(home, run_id) if live else (len(record.get("denied") or ()), None)
    known = {name: _short(record.get(name)) for name in _NAMES}
    limit = record.get("limit")
    return text.public(
        {
            **known,
            "created_at": known["created_at"] or None,
            "finished_at": known["finished_at"] or None,
            "diff": diff_size(record.get("git_diff_stat")),
            "denied": denied,
            "limit": limit.get("reason") if isinstance(limit, dict) else None,
            "told_at": told_at,
            "needs": need[0],
            "why": need[1],
        }
    )


def needing(row: dict[str, Any], need: Need) -> dict[str, Any]:
    """The row with this need; the same one where it has it."""
    return row if (row["needs"], row["why"]) == need else {**row, "needs": need[0], "why": need[1]}


def _short(value: Any) -> Any:
    return text.one_line(value, _WORDS) if isinstance(value, str) else value


def _of_live(home: Home, run_id: str) -> tuple[int, Optional[float]]:
    """How often it was denied something, and when it last said anything."""
    run = home.run(run_id)
    denied = run.progress().get("denied")
    times = [files.mtime(run.file(name)) for name in ("status.json", "events.jsonl")]
    return denied if isinstance(denied, int) else 0, max((t for t in times if t), default=None)


def diff_size(stat: object) -> Optional[dict[str, int]]:
    """Files, lines added and removed, from the last line of what git says; None where it says nothing."""
    found = _STAT.search(stat[-200:]) if isinstance(stat, str) else None
    return dict(zip(("files", "added", "removed"), (int(n or 0) for n in found.groups()))) if found else None
