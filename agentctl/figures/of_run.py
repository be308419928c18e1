"""The figures of one run, out of its result: pure, but for what the caller read.

Unknown is None and stays None. What a worker's stream does not tell (Codex names no file
that it read, a command says nothing at all) is unknown, and not 0.
"""

from __future__ import annotations

import time

from .. import judge
from .. import text
from ..model import Result
from ..record import Record
from . import touched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    from ..model import Spec

_TELLS = {
    "claude": ("files_read", "files_written", "denied", "retries"),
    "cursor": ("files_read", "files_written", "denied"),
    "codex": ("files_written", "retries"),
    "anthropic": ("files_read", "files_written", "denied", "retries"),
    "gemini": ("files_read", "files_written", "denied", "retries"),
}
"""Of which of these figures the lack in a stream means 0."""


class Figures(Record):
    """A run's figures. Times are seconds; `day` and `at` are those of its birth (UTC).

    Three columns of money never mix: `billed_usd` was paid by the token, `virtual_usd` a
    subscription covered, of `unknown_usd` nobody said which. `unpriced` is 1 where
    something was used and no cost is known. `ended` is the day whose prices count, "" of
    a run that has not ended; `billing` as in the result.
    `waiting_s` is from its birth to its worker's start, `working_s` from there to its end.
    """

    run_id: str = ""
    status: str = ""
    agent: str = ""
    role: str = ""
    profile: str = ""
    backend: str = ""
    model: str = ""
    project: str = ""
    workflow: str = ""
    day: str = ""
    at: float = 0.0
    ended: str = ""
    billing: Optional[str] = None
    messages: Optional[int] = None
    turns: Optional[int] = None
    tool_calls: Optional[int] = None
    tools: Optional[dict[str, int]] = None
    input: Optional[int] = None
    cached: Optional[int] = None
    output: Optional[int] = None
    files_read: Optional[int] = None
    files_written: Optional[int] = None
    retries: Optional[int] = None
    denied: Optional[int] = None
    waiting_s: Optional[float] = None
    working_s: Optional[float] = None
    context_tokens: Optional[int] = None
    context_window: Optional[int] = None
    billed_usd: Optional[float] = None
    virtual_usd: Optional[float] = None
    unknown_usd: Optional[float] = None
    unpriced: int = 0


def figures(record: dict[str, Any], spec: Spec) -> Figures:
    """The figures in a result, or in what `listing.known` says of a live run. No table of prices is asked."""
    result = Result.from_json(record)
    used = result.usage
    billed, unknown = (None, used.cost_usd) if result.billing == "" else (used.cost_usd, None)
    priced = not (billed is None and unknown is None and used.virtual_usd is None)
    return Figures(
        **_identity(result),
        messages=result.messages,
        turns=used.turns,
        tool_calls=used.tool_calls,
        tools=_tools(result.tool_calls) if used.tool_calls is not None else None,
        input=used.input,
        cached=used.cached,
        output=used.output,
        **_told(result, spec),
        waiting_s=_between(result.created_at, result.started_at),
        working_s=_between(result.started_at, result.finished_at),
        context_tokens=result.context_tokens,
        context_window=result.context_window,
        billed_usd=billed,
        virtual_usd=used.virtual_usd,
        unknown_usd=unknown,
        unpriced=int(_used_something(result) and not priced),
    )


def _identity(result: Result) -> dict[str, Any]:
    names = ("run_id", "status", "agent", "role", "profile", "backend", "model", "project", "workflow", "billing")
    at = result.created_at or _born(result.run_id)
    known = {name: getattr(result, name) for name in names}
    return {**known, "at": at, "day": day(at), "ended": day(result.finished_at) if result.finished_at else ""}


def _born(run_id: str) -> float:
    """Of a folder that says nothing: its id begins with the moment, in UTC."""
    try:
        parts = [int(run_id[a:b]) for a, b in ((0, 4), (4, 6), (6, 8), (9, 11), (11, 13), (13, 15))]
    except ValueError:
        return 0.0
    return text.utc(*parts)


def day(at: float) -> str:
    """The day of a moment, in UTC, so that every process says the same."""
    try:
        return time.strftime("%Y-%m-%d", time.gmtime(at))
    except (ValueError, OverflowError, OSError):
        return ""  # a time that no calendar has


def _tools(raw: Optional[dict[str, Any]]) -> dict[str, int]:
    counts = (raw or {}).items()
    return {name: count for name, count in counts if isinstance(count, int) and not isinstance(count, bool)}


def _told(result: Result, spec: Spec) -> dict[str, Any]:
    """What counts as 0 only where the worker would have told, and began; None where more than is listed may be."""
    began = result.started_at is not None
    tells = _TELLS.get(str((spec.custom or {}).get("stream") or result.backend), ()) if began else ()
    found = {
        "files_read": _listed(touched.read(result, spec), result.files_read),
        "files_written": _listed(touched.written(result, spec), result.files_written, result.git_files),
        "retries": result.retries,
        "denied": len(result.denied),
    }
    seen = {"files_written"} if _git_saw_all(result) else set()
    return {name: count if count or name in tells or name in seen else None for name, count in found.items()}


def _listed(names: set[str], *lists: Sequence[str]) -> Optional[int]:
    return None if any(judge.may_be_cut(those) for those in lists) else len(names)


def _git_saw_all(result: Result) -> bool:
    """Where it could not compare there is no `git_head`; what it left out, or could not do, is a warning."""
    return bool(result.git_base and result.git_head) and not any(w.startswith("git: ") for w in result.warnings)


def _used_something(result: Result) -> bool:
    """A model that has said something was paid for, also of a run that lives or was lost, which tell no start."""
    used, began = result.usage, result.started_at or result.messages is not None
    return bool(used.input or used.cached or used.output or began and result.model)


def _between(start: Optional[float], end: Optional[float]) -> Optional[float]:
    """Unknown where the clock was set back meanwhile."""
    return end - start if start and end and end >= start else None
