"""When to stop a worker, and why: a decision from plain facts, with a clock passed in.

Times are of the monotonic clock, so a machine that slept does not time a run out.
"""

from __future__ import annotations

from . import judge
from . import text
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .model import Limits
    from .progress import Progress


class Facts(Record):
    """What is known of a running worker at one moment."""

    now: float = 0.0
    started: float = 0.0
    last_output: float = 0.0
    reported: Optional[float] = None
    output_bytes: int = 0
    stop_asked: str = ""
    day_over: str = ""


def why_stop(facts: Facts, limits: Limits, exit_grace: float, progress: Progress) -> Optional[tuple[str, str]]:
    """(cause, words for people), or None while the worker may go on."""
    if facts.stop_asked:
        return judge.STOP, facts.stop_asked
    if facts.reported is not None and facts.now - max(facts.reported, facts.last_output) > exit_grace:
        return judge.LINGERED, "it had reported and did not exit"
    if limits.timeout_s and facts.now - facts.started > limits.timeout_s:
        return judge.TIMEOUT, "stopped at its time limit of %s" % text.duration(limits.timeout_s)
    if limits.idle_timeout_s and facts.now - facts.last_output > limits.idle_timeout_s:
        return judge.IDLE, "stopped: it printed nothing for %s" % text.duration(limits.idle_timeout_s)
    if limits.max_output_bytes and facts.output_bytes > limits.max_output_bytes:
        return judge.LIMIT, "stopped: it printed more than %d bytes" % limits.max_output_bytes
    return _over_budget(facts.day_over, limits, progress)


def _over_budget(day_over: str, limits: Limits, progress: Progress) -> Optional[tuple[str, str]]:
    """For vendors without the flag; those that have it stop by themselves, and better."""
    if progress.reported:
        return None
    if day_over:
        return judge.LIMIT, "stopped: " + day_over
    used = progress.usage
    spent = used.money
    if limits.max_turns is not None and (used.turns or 0) > limits.max_turns:
        return judge.LIMIT, "stopped at %d turns" % limits.max_turns
    if limits.max_cost_usd is not None and (spent or 0) > limits.max_cost_usd:
        return judge.LIMIT, "stopped at %s of %s" % (text.money(spent), text.money(limits.max_cost_usd))
    if limits.max_tokens is not None and (used.tokens or 0) > limits.max_tokens:
        return judge.LIMIT, "stopped at %d tokens of %d" % (used.tokens or 0, limits.max_tokens)
    if limits.max_context_tokens is not None and (progress.context_tokens or 0) > limits.max_context_tokens:
        return judge.LIMIT, "stopped at a context of %d tokens" % (progress.context_tokens or 0)
    return None
