"""What is known of runs right now: one whole (`show`), many in short (`list`).

The status is derived at each look, from result.json and the lock; nothing is
cached. Only the runs that are shown are read: `list` costs the same in a home of
a hundred thousand runs. A damaged run folder is a row that says `invalid`; it
never hides the others.
"""

from __future__ import annotations

import time

from . import finding
from .errors import AgentctlError
from .errors import usage_error
from .model import ENDED
from .model import LIVE
from .model import QUEUED
from .model import UNCHECKED
from .model import Result
from .model import Spec
from .model import Usage
from .record import Record
from .record import typed
from .store import ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from typing import Any
    from typing import Optional

    from .store import Home
    from .store import Run

INVALID = "invalid"
STATUSES = (*LIVE, *ENDED, INVALID)


class Row(Record):
    """A row of `list --json`; every key is there in every row."""

    run_id: str = ""
    status: str = ""
    goal_met: Optional[bool] = None
    verified: str = UNCHECKED
    project: str = ""
    profile: str = ""
    backend: str = ""
    model: str = ""
    agent: str = ""
    role: str = ""
    workflow: str = ""
    step: str = ""
    title: str = ""
    created_at: Optional[float] = None
    started_at: Optional[float] = None
    finished_at: Optional[float] = None
    doing: Optional[str] = None
    usage: Usage = Usage()
    error: str = ""
    parent: str = ""
    escalated_to: str = ""
    fell_back_to: str = ""


class Wanted(Record):
    """Which runs to list: "" and () mean any; `unacked`, those with events in an inbox. The newest `limit`; 0: all."""

    project: str = ""
    statuses: tuple[str, ...] = ()
    limit: int = 30
    unacked: bool = False


def known(run: Run, now: float) -> dict[str, Any]:
    """The run as `show` prints it: its result, or while it lives the same keys and `doing`.

    A run whose runner is gone is settled on the way. Unknown times are None.
    """
    result = run.result()
    if not (run.told() if result else run.runner_alive()):
        from . import settle  # which a list of runs that ended well never needs

        result = settle.settled(run, now)
    return _timed(result.to_json()) if result else _live(run)


def _live(run: Run) -> dict[str, Any]:
    """Queued, running or paused: status.json says which, as far as there is one yet."""
    spec, said = run.spec(), run.progress()
    status = said.get("status") if said.get("status") in LIVE else QUEUED
    so_far = Result(
        run_id=run.id,
        status=str(status),
        title=spec.title,
        project=spec.project,
        cwd=spec.cwd,
        backend=spec.backend,
        profile=spec.profile,
        agent=spec.agent,
        role=spec.role,
        workflow=spec.workflow,
        step=spec.step,
        model=typed(said, "model", str) or spec.model,
        parent=spec.parent,
        session_id=typed(said, "session_id", str) or "",
        usage=Usage.from_json(said.get("usage")),
        billing=typed(said, "billing", str),
        messages=typed(said, "messages", int),
        context_tokens=typed(said, "context_tokens", int),
        context_window=typed(said, "context_window", int),
        tool_calls=typed(said, "tool_calls", dict),
        retries=typed(said, "retries", int) or 0,
        limit=typed(said, "limit", dict),
        created_at=spec.created_at,
    )
    return {**_timed(so_far.to_json()), "doing": typed(said, "doing", str) or ("" if said else "is starting")}


def _timed(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, **{name: record[name] or None for name in ("created_at", "started_at", "finished_at")}}


def rows(home: Home, wanted: Wanted, now: Optional[float] = None) -> Iterator[dict[str, Any]]:
    """The wanted runs, newest first, as dicts with the keys of ROW. Raises AgentctlError for an unknown status."""
    for status in wanted.statuses:
        if status not in STATUSES:
            raise usage_error("no status `%s`" % status, "one of: %s" % ", ".join(STATUSES))
    left = wanted.limit
    for run_id in _candidates(home, wanted):
        row = _row(home, run_id, time.time() if now is None else now)
        if row and wanted.project in ("", row["project"]) and (not wanted.statuses or row["status"] in wanted.statuses):
            yield row
            left -= 1
            if not left:
                return


def alive(home: Home) -> list[dict[str, Any]]:
    """The rows of all runs that have not ended, newest first."""
    return list(rows(home, Wanted(statuses=LIVE, limit=0)))


def _candidates(home: Home, wanted: Wanted) -> Iterable[str]:
    """Only live runs need be looked at where only live ones are wanted, and inboxes where only these are."""
    if wanted.unacked:
        from . import inbox

        found = {entry.run_id for name in inbox.names(home) for entry in inbox.pending(home, name)}
        return sorted((run_id for run_id in found if ID.match(run_id)), reverse=True)
    if wanted.statuses and set(wanted.statuses) <= set(LIVE):
        return finding.live(home)
    return finding.newest(home, wanted.project)


def _row(home: Home, run_id: str, now: float) -> Optional[dict[str, Any]]:
    """None where the hint points to a folder that is gone."""
    record = record_of(home, run_id, now)
    return record and _timed(Row.from_json(record).to_json())


def record_of(home: Home, run_id: str, now: float) -> Optional[dict[str, Any]]:
    """As `known`, for one of many: a damaged folder is `invalid`, of one that is gone there is None."""
    try:
        run = home.run(run_id)
    except AgentctlError:
        return None
    try:
        record = run.recorded()
        if record is None and _damaged(run):
            return _invalid(run_id, "meta.json is damaged")
        return known(run, now) if record is None or not run.told() else record
    except (OSError, AgentctlError) as e:
        return _invalid(run_id, str(e))


def _damaged(run: Run) -> bool:
    """Nothing says what it was and nobody works on it: left as it is, for whoever looks into it."""
    return run.spec() == Spec(id=run.id) and not run.runner_alive()


def _invalid(run_id: str, why: str) -> dict[str, Any]:
    return _timed(Result(run_id=run_id, status=INVALID, error=why).to_json())
