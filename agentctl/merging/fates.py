"""The words of a merge: what is wished, and what became of each run and of the target."""

from __future__ import annotations

from ..model import CHECK_FAILED
from ..model import FINISHED
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

LANDED, ALREADY, CONFLICT, CULPRIT, WAITING = "landed", "already_in", "conflict", "check_failed", "not_landed"
APART = "apart"
"""The worktree stands on a commit that its branch has not, and the branch has one that this commit has not."""


class Wish(Record):
    """How to merge. `into` "": what the project's checkout is on. `verify` "": what the runs' own checks were."""

    into: str = ""
    verify: str = ""
    strategy: str = "merge"
    timeout_s: Optional[float] = None


class Fate(Record):
    """What became of one run: `outcome`, `why`, the `files` in conflict, and the end of the check's output.
    `status`, `goal_met` and `verified` are the run's own, as in its result."""

    run_id: str = ""
    branch: str = ""
    title: str = ""
    backend: str = ""
    status: str = ""
    goal_met: Optional[bool] = None
    verified: str = ""
    outcome: str = ""
    why: str = ""
    files: tuple[str, ...] = ()
    log_tail: str = ""

    @property
    def doubt(self) -> str:
        """What speaks against landing it, by its own result; "" where nothing does."""
        if self.status not in ("", FINISHED):
            return "it ended as %s" % self.status
        if self.verified == CHECK_FAILED:
            return "its own check failed"
        return "it says itself that its goal is not met" if self.goal_met is False else ""


class Report(Record):
    """A merge that is over: the target was `old` and is `new`. `kept` is the ref of what was verified and could
    not be landed, `next` the command that lands it. `behind` are checkouts of the target that still show `old`."""

    format: int = 1
    into: str = ""
    old: str = ""
    new: str = ""
    strategy: str = ""
    verify: tuple[str, ...] = ()
    verifications: int = 0
    log: str = ""
    kept: str = ""
    next: str = ""
    behind: tuple[str, ...] = ()
    runs: tuple[Fate, ...] = ()
