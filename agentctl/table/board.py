"""What `status --watch` shows: which row is chosen, which part is in sight, the whole frame. Pure."""

from __future__ import annotations

from ..record import Record
from . import layout
from .layout import fitted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .layout import Line
    from .rows import Row

KEYS = "j k choose   enter its pane   s stop   p pause or continue   x seen   q leave"
_AROUND = 3
"""Lines that are no rows: the summary, the headings, the last line."""


class Board(Record):
    """`chosen` is a run's id, and `at` where it stood when last seen; `top` is the first row in sight.

    `note` is said in the last line, instead of the keys.
    """

    chosen: str = ""
    at: int = 0
    top: int = 0
    note: str = ""


def room(height: int) -> int:
    """How many rows a screen shows."""
    return max(height - _AROUND, 1)


def kept(board: Board, rows: Sequence[Row], height: int) -> Board:
    """The same choice among new rows. One that is gone is followed by what stands in its place."""
    ids = [row.run_id for row in rows]
    at = ids.index(board.chosen) if board.chosen in ids else min(board.at, max(len(ids) - 1, 0))
    most, fits = max(len(ids) - room(height), 0), room(height)
    top = min(max(min(board.top, at), at - fits + 1), most)
    return board.replace(chosen=ids[at] if ids else "", at=at, top=top)


def moved(board: Board, rows: Sequence[Row], steps: int, height: int) -> Board:
    """The choice `steps` further down, or up; a note has been read by then."""
    at = min(max(board.at + steps, 0), max(len(rows) - 1, 0))
    chosen = rows[at].run_id if rows else ""
    return kept(board.replace(chosen=chosen, at=at, note=""), rows, height)


def frame(board: Board, rows: Sequence[Row], summary: str, now: float, size: tuple[int, int]) -> list[Line]:
    """The whole screen, of (columns, lines)."""
    width, height = size
    seen = rows[board.top : board.top + room(height)]
    lines = table(seen, now, width - 2)
    marked: list[Line] = [(("  ", "bold"), *lines[0])] if rows else [(("  nothing is at work here", ""),)]
    for row, line in zip(seen, lines[1:]):
        mark = "chosen" if row.run_id == board.chosen else ""
        marked.append(
            (("> " if mark else "  ", mark), *((words, (style + " " + mark).strip()) for words, style in line))
        )
    below = len(rows) - board.top - len(seen)
    more = "   %d above, %d below" % (board.top, below) if board.top or below else ""
    space = max(height - 2 - len(marked), 0)
    last = ((fitted((board.note or KEYS) + more, width), "bold" if board.note else "dim"),)
    whole: list[Line] = [((fitted(summary, width), "bold"),), *marked, *[()] * space, last]
    return whole[:height] if height > _AROUND else whole[: max(height - 1, 0)] + [last]


def table(rows: Sequence[Row], now: float, width: int) -> list[Line]:
    """The headings and the rows; `width` 0: whole, as for a pipe."""
    words = [layout.cells(row, now) for row in rows]
    plan = layout.planned(rows, words, width)
    return [layout.heading(plan), *(layout.line(plan, row, line) for row, line in zip(rows, words))]
