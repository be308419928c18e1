"""The graph of a workflow as text: a tree of its steps, and beside each what is known of it."""

from __future__ import annotations

import time

from .. import judge
from .. import text
from .. import ui
from ..model import LIVE
from ..model import PAUSED
from ..model import QUEUED
from ..model import RUNNING
from ..model import SKIPPED
from ..workflows import graph
from ..workflows import showing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any

_LIVE = {QUEUED: ("·", "dim"), RUNNING: ("▶", "cyan"), PAUSED: ("‖", "yellow")}


def show(known: Mapping[str, Any], after: Mapping[str, Sequence[str]]) -> None:
    """A workflow that was started, as showing.public has it."""
    ui.line("%s  %s  %s" % (known["workflow"], known["name"], known["status"]), "bold")
    if known["why"]:
        ui.line("chosen because: %s" % known["why"])
    states = {state["step"]: state for state in known["steps"]}
    now = time.time()
    rows, styles = [], []
    for prefix, step, others in graph.drawn(after):
        mark, style = _mark(states[step])
        waits = [other for other in after[step] if states[other]["status"] in LIVE]
        rows.append((prefix + mark + " " + step, *_cells(states[step], others, waits, now)))
        styles.append(style)
    tree(rows, styles)


def tree(rows: Sequence[Sequence[str]], styles: Sequence[str] = ()) -> None:
    """Aligned columns, of which the first keeps the spaces it begins with."""
    safe = [
        (text.printable(row[0]).replace("\n", " "), *(text.one_line(cell, 200) for cell in row[1:])) for row in rows
    ]
    widths = [max(len(row[n]) for row in safe) for n in range(len(safe[0]))]
    for n, row in enumerate(safe):
        words = "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        code = text.STYLES.get(styles[n], "") if styles and ui.coloured() else ""
        print("\033[%sm%s\033[0m" % (code, words) if code else words)


def _mark(state: Mapping[str, Any]) -> tuple[str, str]:
    if state["status"] in _LIVE:
        return _LIVE[state["status"]]
    if state["status"] == showing.MISSING:
        return "?", "yellow"
    if state["tolerated"]:
        return "~", "yellow"
    if state["status"] == SKIPPED:
        return "-", "dim"
    return ("✖", "red") if state["short"] else ("✔", "green")


def _cells(state: Mapping[str, Any], others: Sequence[str], waits: Sequence[str], now: float) -> tuple[str, ...]:
    return (
        state["worker"] or "-",
        judge.outcome(state["status"], state["goal_met"], state["verified"]),
        text.duration(_took(state, now)),
        state["run_id"] or "-",
        " · ".join(_remarks(state, others, waits)),
    )


def _remarks(state: Mapping[str, Any], others: Sequence[str], waits: Sequence[str]) -> list[str]:
    """What else it waits for, what it does, why it is not more; how often it was begun."""
    said = ["also after %s" % ", ".join(others)] if others else []
    said += ["what comes after it goes on all the same"] if state["tolerated"] else []
    doing = "waits for %s" % ", ".join(waits) if waits else state["doing"]
    said += [doing if state["status"] in LIVE else state["error"] or ""]
    earlier = len(state["runs"]) - 1
    said += ["%d earlier run%s" % (earlier, "" if earlier == 1 else "s")] if earlier > 0 else []
    return [words for words in said if words]


def _took(state: Mapping[str, Any], now: float) -> float | None:
    begun = state["started_at"]
    if state["status"] in LIVE:
        return now - (begun or state["created_at"] or now)
    return state["finished_at"] - begun if begun and state["finished_at"] else None
