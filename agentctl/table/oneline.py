"""One line for who waits: of one run what it does, of many how they stand. Pure."""

from __future__ import annotations

from .. import text
from ..model import LIVE
from . import layout
from .layout import fitted
from .rows import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rows import Row


def words(rows: Sequence[Row], ended: int, now: float, width: int) -> str:
    """Of the runs that live, and how many have ended; at most so wide. "" where none is left."""
    if not rows:
        return ""
    newest = max(rows, key=lambda row: row.heard_at or 0.0)
    said = _one(rows[0], now) if len(rows) == 1 and not ended else [*_many(rows, ended), newest.run_id[-4:]]
    doing = newest.doing if not newest.need else "%s · %s" % (newest.why, newest.doing)
    whole = " · ".join(word for word in (*said, text.one_line(doing, 300).strip(" ·")) if word)
    return fitted(whole, width).rstrip()


def _one(row: Row, now: float) -> list[str]:
    """Who it is, its state, its figures."""
    turns = "" if row.turns is None else "%d turn%s" % (row.turns, "" if row.turns == 1 else "s")
    state = layout.cells(row, now)[layout.STATE]
    since = layout.age(now - row.created_at) if row.status in LIVE and row.created_at else ""
    context = "context %s" % layout.context(row) if row.context_tokens is not None else ""
    return [
        row.run_id[-4:] + (" " + row.agent if row.agent else ""),
        "%s %s" % (state, since),
        turns,
        context,
        layout.money(row),
    ]


def _many(rows: Sequence[Row], ended: int) -> list[str]:
    counts = counted(rows)
    need = counts.pop("need")
    said = ["%d %s" % (count, status) for status, count in counts.items() if count]
    wanted = ["! %d need%s you" % (need, "s" if need == 1 else "")] if need else []
    return [*wanted, "%d of %d ended" % (ended, ended + len(rows)), *said]
