"""What there is to know about a run at one moment, as a value."""

from __future__ import annotations

from ..custody import Kept
from ..model import Result
from ..model import Spec
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional


class Other(Record):
    """Another run that this one has to do with. `outcome` is its status and what it does, or how it ended."""

    run_id: str = ""
    live: bool = False
    outcome: str = ""
    enough: bool = True


class Load(Record):
    """A pool of slots that the run waits for: how many there are, who has them, who is before it in the queue."""

    pool: str = ""
    folder: str = ""
    slots: int = 0
    holders: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


class GoalState(Record):
    """Of a run of a goal: the cycle and the last step of its journal, what the last rejection said, and who works."""

    goal: str = ""
    cycle: Optional[int] = None
    last_step: str = ""
    outcome: str = ""
    verify: str = ""
    rejected: str = ""
    runs: tuple[str, ...] = ()
    members: tuple[Other, ...] = ()


class Situation(Record):
    """All of it. Times are seconds since the epoch; None is unknown, or not so.

    `result` holds what is known so far while the run lives; `doing` is from its status.json
    (`told`: whether there is one). `after` are the runs that it is to follow, `turns` those
    before it in its agent's chain, `session` those that are in the same conversation.
    `printed_at`: when its worker last printed; `sign_at`: the last sign of its runner.
    """

    spec: Spec = Spec()
    result: Result = Result()
    live: bool = False
    staged: bool = False
    told: bool = False
    doing: str = ""
    now: float = 0.0
    after: tuple[Other, ...] = ()
    turns: tuple[Other, ...] = ()
    session: tuple[Other, ...] = ()
    loads: tuple[Load, ...] = ()
    stagger_s: float = 0.0
    idle_notice_s: float = 0.0
    worker: int = 0
    denied: int = 0
    started_at: Optional[float] = None
    printed_at: Optional[float] = None
    sign_at: Optional[float] = None
    stop_at: Optional[float] = None
    pause_at: Optional[float] = None
    stderr: str = ""
    verify: str = ""
    setup: str = ""
    followed_by: str = ""
    goal: GoalState = GoalState()
    kept: Kept = Kept()
    there: Optional[bool] = None


class Reason(Record):
    """`words` are ours, `said` is a worker's or a command's. `source` is the file, in the run's folder or the home."""

    words: str = ""
    said: str = ""
    source: str = ""
    tail: str = ""
