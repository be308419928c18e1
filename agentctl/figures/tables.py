"""The tables of the exported database: their columns, what these mean, and the rows of a run. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..model import Result
    from .of_run import Figures

_RUN = (
    *("run_id", "status", "verified", "title", "project", "cwd", "backend", "profile", "model"),
    *("agent", "role", "workflow", "step", "parent", "error"),
)
_TIMES = ("created_at", "started_at", "finished_at")
_USAGE = {
    "INTEGER": (
        *("messages", "turns", "tool_calls", "input", "cached", "output", "files_read", "files_written"),
        *("retries", "denied", "context_tokens", "context_window"),
    ),
    "REAL": ("waiting_s", "working_s", "billed_usd", "virtual_usd", "unknown_usd"),
}
_USAGE_NAMES = (*_USAGE["INTEGER"], *_USAGE["REAL"])
_KEY = "run_id TEXT NOT NULL REFERENCES runs"


def _columns(names: tuple[str, ...], kind: str) -> str:
    return ", ".join("%s %s" % (name, kind) for name in names)


STATEMENTS = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, words TEXT NOT NULL)",
    "CREATE TABLE runs (%s, day TEXT, goal_met INTEGER, %s, PRIMARY KEY (run_id))"
    % (_columns(_RUN, "TEXT"), _columns(_TIMES, "REAL")),
    "CREATE TABLE usage (run_id TEXT PRIMARY KEY REFERENCES runs, %s, %s, unpriced INTEGER NOT NULL)"
    % (_columns(_USAGE["INTEGER"], "INTEGER"), _columns(_USAGE["REAL"], "REAL")),
    "CREATE TABLE tools (%s, tool TEXT NOT NULL, calls INTEGER NOT NULL, PRIMARY KEY (run_id, tool))" % _KEY,
    "CREATE TABLE files (%s, place TEXT, path TEXT NOT NULL, how TEXT NOT NULL, told INTEGER NOT NULL)" % _KEY,
    "CREATE TABLE events (%s, n INTEGER, at REAL, kind TEXT, text TEXT, data TEXT, PRIMARY KEY (run_id, n))" % _KEY,
    "CREATE INDEX files_by_path ON files (path)",
)
"""Names are ours; nothing that a worker wrote is ever part of a statement."""

ABOUT = {
    "runs": "a run each; times in seconds since the epoch (UTC), day the one of its birth; goal_met 1, 0 or unknown",
    "usage": "what a run used; NULL is unknown, which is not 0. Tokens: cached is part of neither input nor output. "
    "Money in USD: billed_usd was paid by the token, virtual_usd a subscription covered, of unknown_usd nobody said "
    "which; unpriced is 1 where something was used and no cost is known. waiting_s until its worker began, working_s "
    "from there to its end. round(sum(billed_usd), 9) is what `agentctl stats` says",
    "tools": "how often a run called each tool",
    "files": "what a run read or wrote (how), from the top of its repository (place); told is 1 where its own tools "
    "named the file and 0 where git saw it change meanwhile",
    "events": "what happened in a run, in order (n); data is JSON; text and data may hold anything a model wrote",
}


def about() -> Iterator[tuple[str, str]]:
    """(table, what is in it) for each table."""
    return ((("table " + name), words) for name, words in ABOUT.items())


def run_row(result: Result, figures: Figures) -> tuple[Any, ...]:
    """A row of `runs`; a time that is not known is NULL."""
    goal = None if result.goal_met is None else int(result.goal_met)
    times = (getattr(result, name) or None for name in _TIMES)
    return (*(getattr(result, name) for name in _RUN), figures.day, goal, *times)


def usage_row(figures: Figures) -> tuple[Any, ...]:
    """A row of `usage`."""
    return (figures.run_id, *(getattr(figures, name) for name in _USAGE_NAMES), figures.unpriced)
