"""What a report tells, as values: found once, shown in every form, and printed by --json.

Unknown is None. Texts are as they were written, cut to a length that fits a page.
"""

from __future__ import annotations

from ..figures.totals import Totals
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

ACCEPTED = "accepted"


class Check(Record):
    """A command that we ran. `of`: work, or guarded (with the check's own files put back, which `files` names)."""

    of: str = ""
    command: str = ""
    passed: Optional[bool] = None
    why: str = ""
    tail: str = ""
    files: tuple[str, ...] = ()


class Verdict(Record):
    """What a verifier found; `accept` None where that is not known."""

    who: str = ""
    run_id: str = ""
    accept: Optional[bool] = None
    reasons: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class Cycle(Record):
    """One cycle, as the journal tells it. `claim` and `summary` are the orchestrator's; `accepted` None: not judged."""

    number: Optional[int] = None
    claim: str = ""
    summary: str = ""
    checks: tuple[Check, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    accepted: Optional[bool] = None
    reasons: tuple[str, ...] = ()


class Changed(Record):
    """What became different, as far as it is known; `files` and `commits` are numbers."""

    base: str = ""
    commit: str = ""
    files: Optional[int] = None
    commits: Optional[int] = None
    diff_stat: str = ""
    folder: str = ""
    branch: str = ""
    worktree: str = ""
    landed: str = ""
    removed: bool = False


class Member(Record):
    """All runs of one who worked for a goal, in sums."""

    who: str = ""
    totals: Totals = Totals()


class Need(Record):
    """Something that waits for a decision: `words` are ours, `said` whatever was said about it."""

    run_id: str = ""
    who: str = ""
    kind: str = ""
    words: str = ""
    said: str = ""


class Advice(Record):
    """A command that goes on from here, and what it does."""

    command: str = ""
    words: str = ""


class Goal(Record):
    """A goal: the runs that it is, its end or what it does, and all that belongs to it.

    `outcome` is `accepted` only where the driver itself ended well: what a journal says
    alone is no proof, and then `doubt` tells. `status` is that of its last run.
    """

    goal: str = ""
    run_id: str = ""
    runs: tuple[str, ...] = ()
    title: str = ""
    project: str = ""
    mode: str = ""
    orchestrator: str = ""
    verify: str = ""
    status: str = ""
    outcome: str = ""
    why: str = ""
    doubt: str = ""
    doing: str = ""
    max_cycles: Optional[int] = None
    cycles: tuple[Cycle, ...] = ()
    spent: tuple[str, ...] = ()
    changed: Changed = Changed()
    members: tuple[Member, ...] = ()
    totals: Totals = Totals()
    needs: tuple[Need, ...] = ()
    advice: tuple[Advice, ...] = ()
    began_at: Optional[float] = None
    ended_at: Optional[float] = None
    took_s: Optional[float] = None


class Ended(Record):
    """Another run that ended, in short. `good`: it did all that was asked of it, as far as is known."""

    run_id: str = ""
    title: str = ""
    project: str = ""
    outcome: str = ""
    good: bool = False
    error: str = ""
    files: int = 0
    branch: str = ""
    waits: bool = False
    took_s: Optional[float] = None
    billed_usd: Optional[float] = None
    virtual_usd: Optional[float] = None
    unknown_usd: Optional[float] = None
    next: str = ""


class Alive(Record):
    """A run that has not ended. `goal`: which it is, or works for."""

    run_id: str = ""
    title: str = ""
    status: str = ""
    doing: str = ""
    goal: str = ""
    created_at: Optional[float] = None


class Report(Record):
    """The whole. `since` None: of one goal, or of all there is; `more` ended runs are left out of `runs`."""

    at: float = 0.0
    since: Optional[float] = None
    prices_as_of: str = ""
    goals: tuple[Goal, ...] = ()
    runs: tuple[Ended, ...] = ()
    more: int = 0
    totals: Totals = Totals()
    alive: tuple[Alive, ...] = ()


def public(report: Report) -> dict[str, Any]:
    """As programs get it: times in ISO 8601, also of what is within."""
    return _public(report.to_json())  # type: ignore[no-any-return]


def _public(value: Any) -> Any:
    from ..text import public as timed

    if isinstance(value, dict):
        return timed({name: _public(inner) for name, inner in value.items()})
    return [_public(inner) for inner in value] if isinstance(value, list) else value
