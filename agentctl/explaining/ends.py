"""How a run ended, as reasons: each status has its own. Pure."""

from __future__ import annotations

from .. import text
from ..model import CHECK_FAILED
from ..model import FAILED
from ..model import FINISHED
from ..model import LOST
from ..model import PASSED
from ..model import SKIPPED
from ..model import STOPPED
from ..model import TIMED_OUT
from .situation import Reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Callable

    from .situation import Situation

_MOST = 6
RESULT, STATUS, META = "result.json", "status.json", "meta.json"


def of_end(seen: Situation) -> Iterator[Reason]:
    """The end itself, by its status."""
    result = seen.result
    yield from _ENDS.get(result.status, _other_end)(seen)
    if result.status in (FAILED, TIMED_OUT, STOPPED):
        yield from _process(seen)
    yield from trouble(seen)
    if result.status in (FAILED, LOST) and seen.stderr.strip():
        yield Reason(words="the last that it wrote beside its stream:", tail=seen.stderr, source="stderr.log")
    if result.status == FAILED and not result.started_at and seen.setup.strip():
        yield Reason(words="the end of the setup of its worktree:", tail=seen.setup, source="setup.log")


def _process(seen: Situation) -> Iterator[Reason]:
    """How its worker's own process ended, where it had one."""
    code, number = seen.result.exit_code, seen.result.signal
    if code is not None:
        yield Reason(words="its worker's process ended with exit code %d" % code, source=RESULT)
    elif number is not None:
        yield Reason(words="its worker's process was ended by signal %d" % number, source=RESULT)


def _finished(seen: Situation) -> Iterator[Reason]:
    result = seen.result
    yield Reason(
        words="its worker ended by itself%s" % ("" if seen.spec.backend == "shell" else ", with a valid report"),
        source=RESULT,
    )
    claim = {True: "it says that its goal is met:", False: "it says that its goal is not met:", None: ""}[
        result.goal_met
    ]
    yield Reason(
        words=claim or "its report says nothing on the goal:", said=result.notes or result.summary, source=RESULT
    )
    yield _checked(seen)


def _checked(seen: Situation) -> Reason:
    """What our own check found; a goal's is done by its driver, whose steps tell of it."""
    check, log = (seen.spec.verify, "verify.log") if not seen.goal.goal else (seen.goal.verify, "raw.jsonl")
    if seen.result.verified == PASSED:
        return Reason(words="our check passed:", said=check, source=log)
    if seen.result.verified == CHECK_FAILED:
        return Reason(words="our check failed:", said=check, tail=seen.verify, source=log)
    return Reason(words="its check does not count, see the warnings" if check else "nothing checked it", source=META)


def _failed(seen: Situation) -> Iterator[Reason]:
    error = seen.result.error
    if error.startswith("no valid report"):
        yield Reason(
            words="its worker ended without an error, and gave no report that fits its schema:",
            said=error,
            source=RESULT,
        )
    else:
        yield Reason(words="it failed:", said=error or "no reason is known", source=RESULT)


def _stopped(seen: Situation) -> Iterator[Reason]:
    yield Reason(words="it was stopped:", said=seen.result.error or "by whom is not known", source=RESULT)
    if seen.stop_at is not None:
        yield Reason(words="it was asked to, %s" % (text.iso(seen.stop_at) or ""), source="stop")


def _timed_out(seen: Situation) -> Iterator[Reason]:
    limits = seen.spec.limits
    yield Reason(words="it was stopped by a limit on time:", said=seen.result.error, source=RESULT)
    given = [
        "%s %s" % (text.duration(seconds), what)
        for seconds, what in ((limits.timeout_s, "in all"), (limits.idle_timeout_s, "without a word"))
        if seconds
    ]
    if given:
        yield Reason(words="it was given %s" % ", and ".join(given), source=META)


def _skipped(seen: Situation) -> Iterator[Reason]:
    yield Reason(words="it never began:", said=seen.result.error, source=RESULT)
    for other in seen.after:
        if not other.enough:
            yield Reason(words="%s ended: %s" % (other.run_id, other.outcome), source=of(other.run_id, RESULT))


def _lost(seen: Situation) -> Iterator[Reason]:
    result = seen.result
    yield Reason(words="its runner vanished and left no result:", said=result.error, source=RESULT)
    if seen.sign_at is not None:
        found = ", which was found %s" % text.iso(result.finished_at) if result.finished_at else ""
        yield Reason(
            words="the last sign of it is of %s%s" % (text.iso(seen.sign_at), found), source="status.json, events.jsonl"
        )
    yield Reason(
        words="its conversation was saved: session %s" % text.one_line(result.session_id, 80)
        if result.session_id
        else "no session of it is known: it cannot be resumed",
        source=RESULT,
    )
    if result.summary:
        yield Reason(words="the last report before that, which is no success:", said=result.summary, source="raw.jsonl")


def _other_end(seen: Situation) -> Iterator[Reason]:
    yield Reason(
        words="its status is %s:" % text.one_line(seen.result.status, 40), said=seen.result.error, source=RESULT
    )


_ENDS: dict[str, Callable[[Situation], Iterator[Reason]]] = {
    FINISHED: _finished,
    FAILED: _failed,
    STOPPED: _stopped,
    TIMED_OUT: _timed_out,
    SKIPPED: _skipped,
    LOST: _lost,
}


def trouble(seen: Situation) -> Iterator[Reason]:
    """What stands in its way, or did."""
    result = seen.result
    if result.limit:
        source = STATUS if seen.live else RESULT
        until = result.limit.get("reset_at")
        when = " until %s" % text.iso(float(until)) if isinstance(until, (int, float)) else ""
        yield Reason(
            words="it ran into a limit of its vendor%s:" % when, said=str(result.limit.get("text") or ""), source=source
        )
    if result.retries:
        yield Reason(
            words="it got no answer and tried again %d times" % result.retries, source=STATUS if seen.live else RESULT
        )
    if seen.live and seen.denied:
        yield Reason(words="it was refused %d tool uses" % seen.denied, source=STATUS)
    if result.denied:
        yield Reason(words="it was refused:", said=", ".join(dict.fromkeys(result.denied[:_MOST])), source=RESULT)


def after_it(seen: Situation) -> Iterator[Reason]:
    """What a reader should know besides, and who went on."""
    for warning in seen.result.warnings[:_MOST]:
        yield Reason(words="a warning:", said=warning, source=RESULT)
    if seen.result.conversation:
        yield Reason(words="it began a fresh conversation:", said=seen.result.conversation, source="conversation.json")
    if seen.followed_by:
        yield Reason(words="run %s went on from it" % seen.followed_by, source=RESULT)


def of(run_id: str, name: str) -> str:
    """The file of another run."""
    return "runs/%s/%s" % (run_id, name)
