"""From the situation of a run to the reasons for its state: each a fact, and where it is from. Pure."""

from __future__ import annotations

from .. import judge
from .. import text
from ..model import QUEUED
from . import ends
from . import places
from .ends import META
from .ends import RESULT
from .ends import STATUS
from .situation import Reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Callable
    from typing import Optional

    from .situation import Load
    from .situation import Situation

_NEARLY = 0.8
_MOST = 6


def reasons(seen: Situation) -> list[Reason]:
    """Why it is so, the nearest reason first."""
    if seen.live:
        found = [*_asked(seen), *(_queued(seen) if seen.result.status == QUEUED else _running(seen))]
    else:
        found = [*ends.of_end(seen), *ends.after_it(seen)]
    return [*found, *places.of_goal(seen), *places.of_worktree(seen)]


def _asked(seen: Situation) -> Iterator[Reason]:
    """What its runner was asked for and has not done yet, or is doing."""
    if seen.stop_at is not None:
        yield Reason(words="it was asked to stop %s ago" % _ago(seen, seen.stop_at), source="stop")
    if seen.pause_at is not None:
        yield Reason(
            words="it was asked to stand still %s ago, and was not continued" % _ago(seen, seen.pause_at),
            source="pause",
        )


def _queued(seen: Situation) -> Iterator[Reason]:
    if seen.staged:
        since = _ago(seen, seen.spec.created_at)
        yield Reason(words="its runner has not come yet: it was staged %s ago" % since, source=META)
    elif not seen.told:
        yield Reason(words="its runner is there, and has not said anything yet", source="lock")
    else:
        yield Reason(words="its runner says:", said=seen.doing or "waits", source=STATUS)
    yield from _behind(seen)
    for load in seen.loads:
        yield from _load(load)
    if "its start" in seen.doing:
        words = "two starts of %s are %g s apart at least (`stagger_s`)" % (seen.spec.backend, seen.stagger_s)
        yield Reason(words=words, source="config.json")


def _behind(seen: Situation) -> Iterator[Reason]:
    """The runs that come before it, and why."""
    for other in seen.after:
        if other.live:
            words = "it is to come after %s, which is %s" % (other.run_id, other.outcome)
            yield Reason(words=words, source=ends.of(other.run_id, STATUS))
        elif not other.enough:
            words = "it is to come after %s, which ended: %s" % (other.run_id, other.outcome)
            yield Reason(words=words, source=ends.of(other.run_id, RESULT))
    for other in seen.turns:
        words = "agent %s works on one prompt at a time, first in %s: %s" % (
            seen.spec.agent,
            other.run_id,
            other.outcome,
        )
        yield Reason(words=words, source=ends.of(other.run_id, STATUS))
    for other in seen.session:
        words = "run %s is in the same conversation: %s" % (other.run_id, other.outcome)
        yield Reason(words=words, source="sessions/%s.lock" % seen.spec.session_id)


def _load(load: Load) -> Iterator[Reason]:
    by = ", by %s" % _some(load.holders) if load.holders else ""
    words = "%d of %d slots of the pool `%s` are taken%s" % (len(load.holders), load.slots, load.pool, by)
    yield Reason(words=words, source=load.folder)
    before = "before it in that queue: %s" % _some(load.before) if load.before else "it is the next in that queue"
    yield Reason(words=before, source=load.folder + "/queue")


def _running(seen: Situation) -> Iterator[Reason]:
    pid = " (its worker is process %d)" % seen.worker if seen.worker else ""
    yield Reason(words="at work%s:" % pid, said=seen.doing or "its doing is not known", source=STATUS)
    quiet = None if seen.printed_at is None else seen.now - seen.printed_at
    if quiet is None:
        yield Reason(words="its worker has printed nothing yet", source="raw.jsonl")
    else:
        long = " which is long" if seen.idle_notice_s and quiet >= seen.idle_notice_s else ""
        yield Reason(words="its worker last printed %s ago%s" % (text.duration(quiet), long), source="raw.jsonl")
    yield from _context(seen)
    for words in _limits(seen):
        yield Reason(words=words, source=META)
    yield from ends.trouble(seen)


def _context(seen: Situation) -> Iterator[Reason]:
    used, window = seen.result.context_tokens, seen.result.context_window
    if used is not None:
        share = ", %d%% of the window" % (100 * used / window) if window else ""
        yield Reason(words="%s tokens of context are used%s" % (text.count(used), share), source=STATUS)


def _limits(seen: Situation) -> Iterator[str]:
    """The limits it has, how far it is, and which are near."""
    limits, used = seen.spec.limits, seen.result.usage
    cost = used.cost_usd if used.cost_usd is not None else used.virtual_usd
    worked = None if seen.started_at is None else seen.now - seen.started_at
    rows: tuple[tuple[str, Optional[float], Optional[float], Callable[..., str]], ...] = (
        ("time", worked, limits.timeout_s, text.duration),
        ("turns", used.turns, limits.max_turns, text.count),
        ("cost", cost, limits.max_cost_usd, text.money),
        ("context", seen.result.context_tokens, limits.max_context_tokens, text.count),
    )
    for name, have, most, shown in rows:
        if most:
            near = ": that is near" if have is not None and have >= _NEARLY * most else ""
            so_far = "an unknown part" if have is None else shown(have)
            yield "its limit on %s: %s of %s%s" % (name, so_far, shown(most), near)


def headline(seen: Situation) -> str:
    """`failed`, `queued`, `finished, goal met`: the state that is explained."""
    result = seen.result
    return judge.outcome(result.status, result.goal_met, result.verified)


def _ago(seen: Situation, at: float) -> str:
    return text.duration(seen.now - at)


def _some(ids: tuple[str, ...]) -> str:
    more = len(ids) - _MOST
    return ", ".join(ids[:_MOST]) + (" and %d more" % more if more > 0 else "")
