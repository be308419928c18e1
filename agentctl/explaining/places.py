"""The goal and the worktree that a run belongs to, as reasons; and the commands that help. Pure."""

from __future__ import annotations

from .. import text
from .. import view
from ..model import PAUSED
from ..model import QUEUED
from ..record import Record
from .situation import Reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .situation import Situation


class Help(Record):
    """A command, and what it does."""

    command: str = ""
    words: str = ""


def of_goal(seen: Situation) -> Iterator[Reason]:
    """Where the cycles of a goal stand, and who works for it; whose goal a run works for."""
    goal = seen.goal
    if seen.spec.goal:
        yield Reason(words="it works for goal %s" % seen.spec.goal, source="meta.json")
    if not goal.goal:
        return
    where = "before its first cycle" if goal.cycle is None else "in cycle %d" % goal.cycle
    yield Reason(
        words="as a goal it is %s; its last step:" % where, said=goal.last_step or "none yet", source="raw.jsonl"
    )
    if goal.outcome:
        yield Reason(words="its journal ends with:", said=goal.outcome, source="raw.jsonl")
    if goal.rejected and goal.outcome != "accepted":
        yield Reason(words="its last rejection said:", said=goal.rejected, source="raw.jsonl")
    if len(goal.runs) > 1:
        yield Reason(words="it was begun %d times: %s" % (len(goal.runs), ", ".join(goal.runs)), source="goal.json")
    for member in goal.members:
        yield Reason(
            words="%s works for it: %s" % (member.run_id, member.outcome), source="runs/%s/status.json" % member.run_id
        )


def of_worktree(seen: Situation) -> Iterator[Reason]:
    """What became of its worktree."""
    made, kept = seen.kept.worktree, seen.kept
    if not made.run:
        return
    source = "custody/%s.json" % made.run
    if kept.removed_at:
        saved = "all of it is saved as %s" % kept.rescue[:12] if kept.rescue else "nothing of it needed saving"
        yield Reason(words="its worktree was removed on %s; %s" % (text.iso(kept.removed_at), saved), source=source)
    elif seen.there is False:
        yield Reason(words="its worktree %s is gone, and agentctl did not remove it" % made.path, source=source)
    elif not kept.filled_at:
        yield Reason(words="its worktree %s was made, and never filled" % made.path, source=source)
    else:
        yield Reason(words="its worktree is %s, on branch %s" % (made.path, made.branch), source=source)
    if kept.landed:
        yield Reason(words="its work has landed on %s as %s" % (kept.into, kept.landed[:12]), source=source)


def commands(seen: Situation) -> list[Help]:
    """What helps from here."""
    found = [*(_while_it_lives(seen) if seen.live else _after_its_end(seen))]
    if seen.kept.removed_at:
        found.append(Help(command="agentctl undo %s" % seen.spec.id, words="bring its worktree back"))
    return found


def _while_it_lives(seen: Situation) -> Iterator[Help]:
    run_id, status = seen.spec.id, seen.result.status
    if status == PAUSED or seen.pause_at is not None:
        yield Help(command="agentctl continue %s" % run_id, words="have it go on")
    if status == QUEUED:
        first = next((other.run_id for other in (*seen.after, *seen.turns, *seen.session) if other.live), "")
        if first:
            yield Help(command="agentctl explain %s" % first, words="why the one before it is not over")
        if seen.loads:
            yield Help(command="agentctl status", words="who is at work now, and in which slots")
    else:
        yield Help(command="agentctl follow %s" % run_id, words="see what it does")
        if seen.goal.goal:
            yield Help(command="agentctl report %s" % seen.goal.goal, words="all that its cycles have found so far")
    yield Help(command="agentctl stop %s" % run_id, words="end it; it stays resumable")


def _after_its_end(seen: Situation) -> Iterator[Help]:
    result, run_id = seen.result, seen.spec.id
    if seen.goal.goal:
        yield Help(command="agentctl report %s" % seen.goal.goal, words="all of it on a page, with what to do next")
        return
    if seen.followed_by:
        yield Help(command="agentctl explain %s" % seen.followed_by, words="the run that went on from it")
        return
    blocking = next((other.run_id for other in seen.after if not other.live and not other.enough), "")
    if blocking:
        yield Help(command="agentctl explain %s" % blocking, words="why the one before it ended like that")
    yield Help(command=view.next_command(result), words="go on from here" if result.session_id else "what it did")
    if result.git_files:
        yield Help(command="agentctl show %s --diff" % run_id, words="what it changed")
