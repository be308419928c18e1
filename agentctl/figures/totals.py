"""Sums over runs: of what is known, with how many runs did not say.

A total can so never be mistaken for a complete one. Pure.
"""

from __future__ import annotations

import math

from ..model import ENDED
from ..model import LIVE
from ..model import QUEUED
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    from .of_run import Figures

BY = ("agent", "role", "profile", "backend", "model", "project", "day", "workflow")
COUNTS = (
    *("messages", "turns", "tool_calls", "input", "cached", "output"),
    *("files_read", "files_written", "retries", "denied", "waiting_s", "working_s"),
)
MONEY = ("billed_usd", "virtual_usd", "unknown_usd")
_NEWEST_FIRST = ("day", "workflow")


class Totals(Record):
    """Sums over `runs`; None where no run gave the figure.

    `not_said` is for each figure in how many runs it is unknown, where that is any.
    `unpriced` counts the runs that used something of which no cost is known.
    `context_percent` is the fullest that the context of any of them was.
    """

    runs: int = 0
    messages: Optional[int] = None
    turns: Optional[int] = None
    tool_calls: Optional[int] = None
    tools: dict[str, int] = {}
    input: Optional[int] = None
    cached: Optional[int] = None
    output: Optional[int] = None
    billed_usd: Optional[float] = None
    virtual_usd: Optional[float] = None
    unknown_usd: Optional[float] = None
    unpriced: int = 0
    files_read: Optional[int] = None
    files_written: Optional[int] = None
    retries: Optional[int] = None
    denied: Optional[int] = None
    waiting_s: Optional[float] = None
    working_s: Optional[float] = None
    context_percent: Optional[float] = None
    not_said: dict[str, int] = {}


def total(runs: Sequence[Figures]) -> Totals:
    """The sums over some runs."""
    columns = {name: [getattr(run, name) for run in runs] for name in (*COUNTS, *MONEY)}
    unknown = {name: columns[name].count(None) for name in COUNTS}
    return Totals(
        **{name: _sum(values) for name, values in columns.items()},
        runs=len(runs),
        tools=_tools(runs),
        unpriced=sum(run.unpriced for run in runs),
        context_percent=_fullest(runs),
        not_said={name: count for name, count in unknown.items() if count},
    )


def _sum(values: list[Any]) -> Any:
    """Of money and times as no order of adding changes it, to a billionth; None where nothing is known."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    if not any(isinstance(value, float) for value in known):
        return sum(known)
    return round(math.fsum(known), 9)


def _tools(runs: Iterable[Figures]) -> dict[str, int]:
    """Calls by tool, the most used first."""
    found: dict[str, int] = {}
    for run in runs:
        for name, count in (run.tools or {}).items():
            found[name] = found.get(name, 0) + count
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _fullest(runs: Iterable[Figures]) -> Optional[float]:
    shares = [100.0 * r.context_tokens / r.context_window for r in runs if r.context_tokens and r.context_window]
    return round(max(shares), 1) if shares else None


def grouped(runs: Iterable[Figures], by: str) -> list[tuple[str, Totals]]:
    """(key, totals) by one of BY: days and workflows newest first, else the most expensive first."""
    groups: dict[str, list[Figures]] = {}
    for run in runs:
        groups.setdefault(getattr(run, by), []).append(run)
    found = [(key, total(those)) for key, those in groups.items()]
    if by in _NEWEST_FIRST:
        return sorted(found, key=lambda pair: pair[0], reverse=True)
    return sorted(found, key=lambda pair: (*_weight(pair[1]), pair[0]))


def _weight(totals: Totals) -> tuple[float, int, int]:
    money = sum(getattr(totals, name) or 0.0 for name in MONEY)
    tokens = (totals.input or 0) + (totals.cached or 0) + (totals.output or 0)
    return -money, -tokens, -totals.runs


def fleet(runs: Sequence[Figures], names: Iterable[str]) -> list[dict[str, Any]]:
    """How many runs are in each status, and how many of the named agents; live statuses first.

    An agent is counted where it works, else where its prompts wait, else where its newest run ended.
    """
    there = set(names)
    last = {run.agent: run.status for run in sorted((r for r in runs if r.agent in there), key=_matters)}
    agents, statuses = list(last.values()), [run.status for run in runs]
    known = [status for status in (*LIVE, *ENDED) if status in statuses]
    known += sorted(set(statuses) - set(known))
    return [{"status": s, "runs": statuses.count(s), "agents": agents.count(s)} for s in known]


def _matters(run: Figures) -> tuple[bool, bool, float, str]:
    """Of an agent's runs the last by this says what it does. Ids of one second are in no order."""
    return run.status in LIVE, run.status != QUEUED, run.at, run.run_id
