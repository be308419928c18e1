"""The arithmetic and the looks of the one table: pure, tested by tests/unit/test_bench.py.

A row holds the samples of a figure and, where there is one, of its floor, taken in
turns (A B A B …) in the same minute. Ratios are computed pair by pair: what slows the
machine slows both, and a ratio travels to another machine where milliseconds do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import Optional

MEDIAN, WORST, RATIO = "median", "worst", "ratio"
MET, MISSED, INFO, ERROR = "met", "missed", "-", "error"
ENOUGH_FOR_P99 = 100


@dataclass(frozen=True)
class Goal:
    """A bound on one of a row's numbers: `of` is median, worst or ratio."""

    of: str
    most: Optional[float] = None
    least: Optional[float] = None


@dataclass(frozen=True)
class Row:
    """One figure. `cpu` holds the pairs (ours, floor) of CPU time, steadier than the clock on a loaded machine."""

    figure: str
    unit: str
    ours: tuple[float, ...] = ()
    floor: tuple[float, ...] = ()
    floor_name: str = ""
    goals: tuple[Goal, ...] = ()
    cpu: tuple[tuple[float, float], ...] = ()
    note: str = ""
    error: str = ""


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that is not below `share` of all (nearest rank)."""
    ordered = sorted(samples)
    rank = max(1, -int(-share * len(ordered) // 1))
    return ordered[rank - 1]


def median(samples: Sequence[float]) -> float:
    """The middle sample, or the mean of the two in the middle."""
    ordered = sorted(samples)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def worst(samples: Sequence[float]) -> float:
    """The 99th percentile, which is the largest of fewer than a hundred samples."""
    return percentile(samples, 0.99)


def ratios(ours: Sequence[float], floor: Sequence[float]) -> list[float]:
    """Ours / floor of each pair; a pair whose floor is 0 has none."""
    return [a / b for a, b in zip(ours, floor) if b]


def ratio(row: Row) -> Optional[float]:
    """The median of the pairs' ratios; None for a row without a floor."""
    pairs = ratios(row.ours, row.floor)
    return median(pairs) if pairs else None


def cpu_ratio(row: Row) -> Optional[float]:
    """As `ratio`, of the CPU times."""
    pairs = ratios([a for a, _ in row.cpu], [b for _, b in row.cpu])
    return median(pairs) if pairs else None


def number(row: Row, of: str) -> Optional[float]:
    """The number a goal speaks of."""
    if not row.ours:
        return None
    return {MEDIAN: median(row.ours), WORST: _worst(row), RATIO: ratio(row)}[of]


def holds(row: Row, goal: Goal) -> bool:
    """Whether the row keeps the goal; a number that could not be measured keeps none."""
    value = number(row, goal.of)
    if value is None:
        return False
    return (goal.most is None or value <= goal.most) and (goal.least is None or value >= goal.least)


def verdict(row: Row) -> str:
    """met, missed, error, or - for a figure without a goal."""
    if row.error:
        return ERROR
    if not row.goals:
        return INFO
    return MET if all(holds(row, goal) for goal in row.goals) else MISSED


def as_json(row: Row) -> dict[str, Any]:
    """Everything a machine may want of a row, nulls present."""
    measured = bool(row.ours)
    return {
        "figure": row.figure,
        "unit": row.unit,
        "n": len(row.ours),
        "min": min(row.ours) if measured else None,
        "median": number(row, MEDIAN),
        "worst": number(row, WORST),
        "worst_is": _worst_name(row),
        "floor": {"name": row.floor_name, "median": median(row.floor), "min": min(row.floor)} if row.floor else None,
        "ratio": number(row, RATIO),
        "cpu_ratio": cpu_ratio(row),
        "goals": [{"of": g.of, "most": g.most, "least": g.least, "met": holds(row, g)} for g in row.goals],
        "verdict": verdict(row),
        "note": row.note,
        "error": row.error,
    }


HEADINGS = ("figure", "median", "p99/max", "floor", "ratio", "cpu", "goal", "verdict")


def cells(row: Row) -> tuple[str, ...]:
    """The row as words, one for each heading."""
    figure = row.figure + (" (%s)" % row.note if row.note else "")
    if not row.ours:
        return (figure, "", "", "", "", "", _goals(row), "%s: %s" % (verdict(row), row.error))
    high = "%s %s" % (_worst_name(row), shown(_worst(row), row.unit))
    floor = "%s (%s)" % (shown(median(row.floor), row.unit), row.floor_name) if row.floor else row.floor_name or "-"
    return (
        figure,
        shown(median(row.ours), row.unit),
        high if len(row.ours) > 1 else "",
        floor,
        _times(ratio(row)),
        _times(cpu_ratio(row)),
        _goals(row),
        verdict(row),
    )


def text(rows: Sequence[Row]) -> str:
    """The table, in columns as wide as they need."""
    lines = [HEADINGS, *(cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    return "\n".join("  ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip() for line in lines)


def shown(value: float, unit: str) -> str:
    """Three significant digits at least, and the unit."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return "%.*f %s" % (0 if value == 0 else digits, value, unit)


def _more_is_better(row: Row) -> bool:
    return any(goal.least is not None for goal in row.goals)


def _worst(row: Row) -> float:
    return min(row.ours) if _more_is_better(row) else worst(row.ours)


def _worst_name(row: Row) -> str:
    if _more_is_better(row):
        return "min"
    return "p99" if len(row.ours) >= ENOUGH_FOR_P99 else "max"


def _times(value: Optional[float]) -> str:
    return "" if value is None else "%.2fx" % value


def _goals(row: Row) -> str:
    return ", ".join(_goal(row, goal) for goal in row.goals) or "-"


def _goal(row: Row, goal: Goal) -> str:
    sign, bound = ("<=", goal.most) if goal.most is not None else (">=", goal.least or 0.0)
    if goal.of == RATIO:
        return "%s %gx" % (sign, bound)
    name = {MEDIAN: "", WORST: _worst_name(row) + " "}[goal.of]
    return "%s%s %g %s" % (name, sign, bound, row.unit)
