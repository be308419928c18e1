"""What was asked of a goal: goal.json in the folder of its run, written before the run is born.

A goal that is resumed is a new run, with a goal.json of its own: `root` names the first.
The text of the goal is the run's prompt.
"""

from __future__ import annotations

import os

from .. import files
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

    from ..store import Home
    from ..store import Run

FILE = "goal.json"
SAGA, MISSION = "saga", "mission"
MODES = (SAGA, MISSION)


class GoalAsked(Record):
    """Who directs, who works, who checks, and how far it may go.

    `root` is the goal's first run, "" in that run itself. `orchestrator` is the backend that
    directs, with `model` and `effort`. `team` are the members as they were chosen at the
    start, by name (team.py). `base` is the commit that the goal began at. `verify` is the
    check, and `setup` what a fresh checkout needs before it. Files that match `protect` are
    the check's own: they are put back as they were before it runs once more; `may_change`
    takes files out of that. `mode`: a saga goes on until it is accepted or a limit is
    reached, a mission has one cycle. `deadline` is a time of the calendar, in seconds since
    the epoch; the `max_…` hold for the goal and all that works for it.
    """

    format: int = 1
    root: str = ""
    orchestrator: str = ""
    model: str = ""
    effort: str = ""
    team: dict[str, Any] = {}
    mode: str = SAGA
    verify: str = ""
    verify_timeout_s: float = 600.0
    setup: str = ""
    setup_timeout_s: float = 600.0
    protect: tuple[str, ...] = ()
    may_change: tuple[str, ...] = ()
    base: str = ""
    top: str = ""
    common: str = ""
    max_cycles: int = 5
    max_turns: Optional[int] = None
    max_tokens: Optional[int] = None
    max_cost_usd: Optional[float] = None
    deadline: Optional[float] = None


def load(run: Run) -> GoalAsked:
    """Of a run of a goal; the record of defaults where there is none."""
    return GoalAsked.from_json(files.load(run.file(FILE)))


def is_goal(run: Run) -> bool:
    return os.path.exists(run.file(FILE))


def root_of(home: Home, run_id: str) -> str:
    """The first run of the goal that this run is of, or works for; "" where it has to do with none."""
    run = home.run(run_id)
    return run.spec().goal or (load(run).root or run.id if is_goal(run) else "")
