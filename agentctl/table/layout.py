"""Rows as lines of cells: which columns there is room for, and how wide each is. Pure.

A line is a tuple of pieces, each a text and a style; pieces of one column are equally wide in
every line, so that two frames can be compared piece by piece.
"""

from __future__ import annotations

from .. import inbox
from .. import text
from ..model import LIVE
from ..model import PAUSED
from ..model import QUEUED
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Optional

    from .rows import Row

    Piece = tuple[str, str]
    Line = tuple[Piece, ...]

HEAD = ("RUN", "AGENT", "ROLE", "PROFILE", "STATE", "AGE", "TURNS", "CONTEXT", "COST", "DIFF", "TITLE", "DOING")
_RUN, STATE, _TITLE, _DOING = 0, 4, 10, 11
_NUMBERS = (5, 6, 7, 8)
_LEAST = {4: 9, 5: 3, 6: 5, 8: 5}
_GIVEN_UP = ("", "DATE", "PROFILE", "DIFF", "TIME", "ROLE", "TURNS", "CONTEXT", "COST", "AGENT", "AGE")
"""What a narrow terminal does without, first to last; of a run's id the date, then all but its end."""
_ROOM = 40
_MOST = 28
_GAP = 2
_CALM = {QUEUED: "dim", PAUSED: "cyan"}
_WAITING = (inbox.DENIED, inbox.LIMIT, inbox.BLOCKED, inbox.BUDGET, inbox.IDLE)


class Plan(Record):
    """The columns that are shown, as numbers in HEAD, and their widths; 0 is as wide as its text. `cut`: of ids."""

    columns: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()
    cut: int = 0


def cells(row: Row, now: float) -> tuple[str, ...]:
    """What stands in the columns; "" where nothing is known."""
    words = (row.why, row.doing) if row.status in LIVE else (row.why or row.doing,)
    return (
        row.run_id,
        text.one_line(row.agent, 24),
        text.one_line(row.role, 24),
        text.one_line(row.profile, 24),
        ("! " + row.need if row.need else row.status).replace("_", " "),
        age(None if row.heard_at is None else now - row.heard_at),
        "" if row.turns is None else "%d" % row.turns,
        context(row),
        money(row),
        diff(row),
        text.one_line(row.title, 80),
        text.one_line(" · ".join(word for word in words if word), 300),
    )


def age(seconds: Optional[float]) -> str:
    """`42s`, `3m`, `2h`, `5d`: coarse, so that it seldom changes."""
    whole = int(max(seconds or 0.0, 0.0))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if whole >= size:
            return "%d%s" % (whole // size, unit)
    return "" if seconds is None else "%ds" % whole


def context(row: Row) -> str:
    """How much of its window is used, or the tokens where nobody told how large that is."""
    if row.context_tokens is None or not row.context_window:
        return "" if row.context_tokens is None else text.count(row.context_tokens)
    return "%d%%" % round(100.0 * row.context_tokens / row.context_window)


def money(row: Row) -> str:
    """What was billed; with `~` what a subscription covered."""
    if row.cost_usd is not None:
        return text.money(row.cost_usd)
    return "" if row.virtual_usd is None else "~" + text.money(row.virtual_usd)


def diff(row: Row) -> str:
    """`+10 -2` of one that ended; of one at work how many files its worker says it wrote."""
    if row.files is None:
        return ""
    if row.added is None or row.removed is None:
        return "%d file%s" % (row.files, "" if row.files == 1 else "s")
    return "+%d -%d" % (row.added, row.removed)


def style(row: Row) -> str:
    """Of its state."""
    if row.need:
        return "yellow" if row.need in _WAITING else "red"
    return _CALM.get(row.status, "" if row.status in LIVE else "dim")


def planned(rows: Sequence[Row], table: Sequence[Sequence[str]], width: int) -> Plan:
    """The columns for `width` cells; 0: as many as the rows have something in."""
    used = [n for n in range(len(HEAD)) if n in (_RUN, STATE, _DOING) or any(line[n] for line in table)]
    indent = _GAP if any(row.member for row in rows) else 0
    wide = {n: max(_LEAST.get(n, 0), *(breadth(line[n]) for line in (HEAD, *table))) for n in used}
    wide[_RUN] += indent
    if not width:
        return Plan(columns=tuple(used), widths=tuple(wide[n] if n != _DOING else 0 for n in used))
    cut, free = 0, 0
    for name in _GIVEN_UP:
        if name in HEAD:
            used = [n for n in used if n != HEAD.index(name)]
        elif name:
            cut = {"DATE": 9, "TIME": 16}[name]
            wide[_RUN] = 20 - cut + indent
        free = width - sum(wide[n] + _GAP for n in used if n not in (_TITLE, _DOING))
        if free >= _ROOM:
            break
    wide[_TITLE] = min(wide.get(_TITLE, 0), _MOST, free // 2)
    wide[_DOING] = free - (wide[_TITLE] + _GAP if wide[_TITLE] > 0 else 0)
    used = [n for n in used if wide[n] > 0]
    return Plan(columns=tuple(used), widths=tuple(wide[n] for n in used), cut=cut)


def heading(plan: Plan) -> Line:
    return _line(plan, HEAD, "bold", "bold")


def line(plan: Plan, row: Row, words: Sequence[str]) -> Line:
    """A row's cells, as the plan has them."""
    name = ("  " if row.member else "") + words[_RUN][plan.cut :]
    return _line(plan, (name, *words[1:]), "" if row.status in LIVE or row.need else "dim", style(row))


def _line(plan: Plan, words: Sequence[str], plain: str, state: str) -> Line:
    last = plan.columns[-1] if plan.columns else 0
    pieces = []
    for n, width in zip(plan.columns, plan.widths):
        shown = fitted(words[n], width, n in _NUMBERS) if width else words[n]
        pieces.append((shown + (" " * _GAP if n != last else ""), state if n == STATE else plain))
    return tuple(pieces)


def fitted(words: str, width: int, right: bool = False) -> str:
    """Exactly so wide: filled up with spaces, or cut."""
    missing = width - breadth(words)
    if missing >= 0:
        return " " * missing + words if right else words + " " * missing
    kept = words[: max(width - 1, 0)]
    while breadth(kept) > width - 1 and kept:
        kept = kept[:-1]
    return (kept + "…" + " " * (width - 1 - breadth(kept))) if width > 0 else ""


def breadth(words: str) -> int:
    """How many cells of a terminal it takes: letters of the East two, marks on other letters none."""
    if words.isascii():
        return len(words)
    from unicodedata import category
    from unicodedata import east_asian_width

    marks = ("Mn", "Me", "Cf")
    return sum(0 if category(c) in marks else 2 if east_asian_width(c) in "WF" else 1 for c in words)
