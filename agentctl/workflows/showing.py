"""What has become of a workflow: a state for each step, and how it went as a whole.

Nothing is cached: each look asks the runs, and follows those that escalated or went on.
"""

from __future__ import annotations

import os

from .. import finding
from .. import flows
from .. import judge
from .. import lending
from .. import listing
from .. import waiting
from ..errors import AgentctlError
from ..model import FAILED
from ..model import FINISHED
from ..model import LIVE
from ..model import QUEUED
from ..model import RUNNING
from ..model import Result
from ..record import Record
from ..store import Run
from . import definition
from .staging import edges
from .staging import houses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

    from ..flows import Started
    from ..store import Home
    from .definition import Definition

MISSING = "missing"
"""The status of a step that has no run: it was withdrawn, or its folder was removed."""


class State(Record):
    """What has become of a step. `runs` are all that it had; `run_id` is the last of them.

    `short` says how it fell short (judge.SHORTFALLS), `tolerated` that what comes after it does
    not mind. Times are None where they are not known.
    """

    step: str = ""
    worker: str = ""
    after: tuple[str, ...] = ()
    run_id: str = ""
    runs: tuple[str, ...] = ()
    status: str = MISSING
    goal_met: Optional[bool] = None
    verified: str = ""
    short: str = ""
    tolerated: bool = False
    doing: str = ""
    error: str = ""
    created_at: Optional[float] = None
    started_at: Optional[float] = None
    finished_at: Optional[float] = None

    def lives(self) -> bool:
        return self.status in LIVE

    def well(self) -> bool:
        """Whether it ended so that what comes after it begins."""
        return not self.lives() and self.status != MISSING and (not self.short or self.tolerated)


def definition_of(started: Started) -> Definition:
    """As it was when it was started. Raises AgentctlError where the record is damaged."""
    return definition.parsed(started.definition, started.name, started.source or started.id)


def after_of(started: Started) -> dict[str, tuple[str, ...]]:
    """By step, those that its runs come after."""
    known = definition_of(started)
    return edges(known, houses(known, bool(started.asked.worktree)))


def states(home: Home, started: Started, now: float) -> list[State]:
    """A state for each step, in the order of the definition. A run whose runner is gone is settled on the way."""
    known = definition_of(started)
    after = after_of(started)
    found = []
    for step in known.steps:
        blank = State(step=step.id, worker=step.worker(), after=after[step.id])
        found.append(_state(home, started, blank, step.continue_on, now))
    return found


def _state(home: Home, started: Started, blank: State, tolerated: tuple[str, ...], now: float) -> State:
    run_id = finding.last_of_step(home, started, blank.step)
    runs = (
        tuple(dict.fromkeys((*started.of_step(blank.step), run_id))) if run_id else tuple(started.of_step(blank.step))
    )
    if not run_id:
        return blank.replace(runs=runs)
    try:
        known = listing.known(Run(home, run_id), now)
    except AgentctlError as e:
        return blank.replace(runs=runs, run_id=run_id, error=str(e))
    short = "" if known["status"] in LIVE else judge.shortfall(Result.from_json(known))
    return State.from_json(known).replace(
        step=blank.step,
        worker=blank.worker,
        after=blank.after,
        run_id=run_id,
        runs=runs,
        short=short,
        tolerated=bool(short) and short in tolerated,
    )


def overall(found: list[State]) -> tuple[str, int]:
    """(status, exit code) of the whole: by the worst step that is not tolerated. The code is that of `wait`."""
    if any(state.lives() for state in found):
        return (QUEUED if all(state.status in (QUEUED, MISSING) for state in found) else RUNNING), 0
    codes = [0 if state.well() else 3 if state.short in (judge.NOT_MET, judge.CHECK_SAID_NO) else 4 for state in found]
    return (FINISHED if all(code < 4 for code in codes) else FAILED), max(codes)


def until_ended(home: Home, workflow_id: str) -> None:
    """Block until nothing of it lives any more: on the locks of its runs, one after the other.

    What escalates or is resumed meanwhile is waited for too. Raises AgentctlError.
    """
    seen: set[str] = set()
    while True:
        new = [run_id for run_id in _last_runs(home, workflow_id) if run_id not in seen]
        if not new:
            return
        lending.lend(home, new, os.environ)
        for run_id in new:
            seen.add(run_id)
            if Run(home, run_id).exists():
                waiting.until_ended(home, run_id)


def _last_runs(home: Home, workflow_id: str) -> list[str]:
    started = flows.load(home, workflow_id)
    found = (finding.last_of_step(home, started, step) for step in started.runs)
    return [run_id for run_id in found if run_id]


def public(home: Home, started: Started, now: float) -> dict[str, Any]:
    """As programs get it."""
    found = states(home, started, now)
    status, code = overall(found)
    return {
        "workflow": started.id,
        "name": started.name,
        "status": status,
        "exit_code": code,
        "why": started.why,
        "chosen_by": started.chosen_by,
        "project": started.asked.project,
        "prompt": started.asked.prompt,
        "created_at": started.created_at,
        "steps": [state.to_json() for state in found],
    }
