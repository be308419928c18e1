"""What waits for a decision, and the commands to go on from here. Pure.

Nothing in a command was written by an agent: ids, folders, branches and the check are the user's or ours.
"""

from __future__ import annotations

from .. import judge
from .. import text
from ..model import LIVE
from ..model import Result
from . import facts
from .facts import ACCEPTED
from .facts import Advice
from .facts import Need

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from typing import Any

    from .facts import Goal

_ENDS = {
    "rejected": "it was not accepted",
    "gave_up": "its orchestrator gave up",
    "no_progress": "it stopped: a cycle changed nothing",
    "same_rejection": "it stopped: it was rejected for the same reasons again and again",
    "failed": "it failed",
    "stopped": "it was stopped",
    "timed_out": "it ran out of time",
    "lost": "its driver is gone",
}
_MOST = 12


def needs(goal: Goal, records: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[Need]:
    """Of a goal; `records` are (who, what is known of a run) of those that worked for it."""
    if goal.status not in LIVE:
        yield from _of_end(goal)
    for words in goal.spent:
        yield Need(run_id=goal.goal, kind="budget", words="a limit of the goal is reached:", said=words)
    for who, record in records:
        yield from of_run(record, who, goal.outcome == ACCEPTED)


def _of_end(goal: Goal) -> Iterator[Need]:
    if goal.outcome != ACCEPTED:
        yield Need(
            run_id=goal.goal,
            kind="rejected",
            words=end_in_words(goal.outcome) + (":" if goal.why else ""),
            said=goal.why,
        )
    elif goal.changed.branch and not goal.changed.landed and not goal.changed.removed:
        yield Need(
            run_id=goal.goal, kind="land", words="it was accepted and is not landed: branch " + goal.changed.branch
        )


def end_in_words(outcome: str) -> str:
    """How a goal ended that was not accepted."""
    limit = outcome.partition("out_of_")[2]
    return (
        "it stopped: out of %s" % text.one_line(limit.replace("_", " "), 40) if limit else _ENDS.get(outcome, outcome)
    )


def of_run(record: dict[str, Any], who: str, well: bool) -> Iterator[Need]:
    """Of one run that worked, or works. Where all ended `well` its failures are history."""
    result = Result.from_json(record)

    def need(kind: str, words: str, said: str = "") -> Need:
        return Need(run_id=result.run_id, who=who, kind=kind, words=words, said=said)

    if result.denied:
        yield need("denied", "was refused a permission:", ", ".join(dict.fromkeys(result.denied[:_MOST])))
    live = result.status in LIVE
    if result.limit and (live or not well):
        reset, reason = result.limit.get("reset_at"), text.one_line(result.limit.get("reason") or "its vendor's", 20)
        until = ", until %s" % when(float(reset)) if isinstance(reset, (int, float)) else ""
        yield need("limit", "ran into a limit (%s%s):" % (reason, until), str(result.limit.get("text") or ""))
    short = "" if live or well else judge.shortfall(result)
    if short:
        budget = result.error.startswith("stopped at ")
        words = judge.outcome(result.status, result.goal_met, result.verified)
        yield need("budget" if budget else "failed", words + (":" if result.error else ""), result.error)


def when(at: float) -> str:
    """A moment on the reader's own clock; dashes for one that no calendar has."""
    import time

    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
    except (ValueError, OverflowError, OSError):
        return "----"


def commands(goal: Goal, top: str) -> Iterator[Advice]:
    """How to go on, to land or to undo it, as it was run: in a worktree, or in the directory `top` itself."""
    if goal.status in LIVE:
        yield Advice(command="agentctl follow %s" % goal.run_id, words="see it at work")
        yield Advice(command="agentctl goal stop %s" % goal.goal, words="stop it; it stays resumable")
    elif goal.outcome != ACCEPTED:
        yield Advice(command="agentctl goal resume %s" % goal.goal, words="go on; nothing that is done is repeated")
    yield from _in_worktree(goal) if goal.changed.worktree or goal.changed.branch else _in_place(goal, top)


def _in_worktree(goal: Goal) -> Iterator[Advice]:
    changed, run_id = goal.changed, goal.run_id
    if changed.removed:
        yield Advice(command="agentctl undo %s" % run_id, words="bring its worktree back")
        return
    if changed.base:
        yield _diff(changed.worktree, changed.base)
    if goal.status in LIVE:
        return
    if not changed.landed and goal.outcome == ACCEPTED:
        check = " --verify %s" % quoted(goal.verify) if goal.verify else ""
        yield Advice(command="agentctl merge %s%s" % (run_id, check), words="land it, checked once more as a whole")
    yield Advice(
        command="agentctl cleanup %s" % run_id,
        words="take the worktree away; all of it is saved first, and `agentctl undo %s` brings it back" % run_id,
    )


def _in_place(goal: Goal, top: str) -> Iterator[Advice]:
    """A branch is not moved while the driver works on it."""
    changed = goal.changed
    if not (top and changed.base):
        return
    yield _diff(top, changed.base)
    if goal.status in LIVE:
        return
    git = "git -C %s " % quoted(top)
    yield Advice(
        command=git + "stash push --include-untracked",
        words="undo what is not committed; `git stash pop` brings it back",
    )
    if changed.commits != 0:
        yield Advice(
            command=git + "reset --keep %s" % changed.base,
            words="undo its commits: back to where it began; the reflog keeps them",
        )


def _diff(folder: str, base: str) -> Advice:
    return Advice(
        command="git -C %s diff %s" % (quoted(folder), base), words="what it changed, with what is not committed"
    )


def of_others(ended: Iterable[facts.Ended]) -> Iterator[Advice]:
    """Of the other runs: those whose branches wait, together."""
    waiting = [run.run_id for run in ended if run.waits]
    if waiting:
        ids = " ".join(waiting[:_MOST])
        yield Advice(command="agentctl collect %s" % ids, words="what they brought, and where it will conflict")
        yield Advice(command="agentctl merge %s" % ids, words="land them together, checked as a whole")


def quoted(word: str) -> str:
    """As a shell takes it."""
    import shlex

    return shlex.quote(word)
