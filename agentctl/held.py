"""A run whose vendor has no more to give: it waits, without its slot, and goes on by itself.

The pool (holds.py) is the vendor's account, so runs of it that only begin wait, too. In
place of waiting, a run with a `fallback` whose pool is free ends, and another run goes on
for it (succession.py). `held` in the run's folder says that it waits, should its runner or
the machine die: then `agentctl continue` goes on.
"""

from __future__ import annotations

import time

from . import files
from . import holds
from . import judge
from . import needs
from . import resets
from . import succession
from . import text
from .attend import LONG_NAP
from .holds import Hold
from .model import PAUSED
from .model import QUEUED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .attend import Attendant

HELD = "held"
"""The file of a run that waits for its pool: what its follower has to know is in the pool's own."""
_MOST_HOLDS = 50
_LOGINS = {
    "claude": "log in again: run `claude` and type /login, or renew its key",
    "codex": "log in again: `codex login`, or renew its key",
    "cursor": "log in again: `cursor-agent login`, or renew its key",
}


def may_begin(attendant: Attendant) -> Optional[judge.Ended]:
    """Wait until the run's pool is free; else why its worker is not started (again): another goes on, a stop."""
    candidates: Optional[list[str]] = None
    while True:
        hold = _of_pool(attendant)
        if hold is None:
            return None
        said = in_words(attendant, hold)
        _tell(attendant, hold, said)
        candidates = succession.candidates(attendant) if candidates is None else candidates
        over = _instead(attendant, hold, candidates)
        if over:
            return judge.Ended(cause=judge.LIMIT, error="%s: %s" % (said, over))
        _wait(attendant, hold, said, candidates)
        if attendant.stop_asked():
            return judge.Ended(cause=judge.STOP, error=attendant.stopped)


def _instead(attendant: Attendant, hold: Hold, candidates: list[str]) -> str:
    """What is done in place of waiting, or ""."""
    free = succession.first_free(attendant, candidates)
    if free:
        attendant.falls_back_to = free
        return "%s goes on" % free
    most = attendant.config.hold_at_most_s
    if hold.until - time.time() > most:
        return "that is longer than hold_at_most_s (%s); lifted by removing %s" % (
            text.duration(most),
            holds.path(attendant.run.home, attendant.pool),
        )
    return ""


def goes_on(attendant: Attendant, ended: judge.Ended, began: float) -> bool:
    """Whether the worker, started at `began`, ended at a limit that passes, so that it is to be started again."""
    progress = attendant.story.progress
    if progress.ok:
        _quietly_lift(attendant, began)
        return False
    met = progress.limit or {}
    reason = met.get("reason")
    if ended.cause not in (judge.OWN, judge.LINGERED) or reason not in (*holds.REASONS, holds.LOGIN):
        return False
    if reason == holds.LOGIN:
        _login_refused(attendant, str(met.get("text") or ""))
        return False
    now = time.time()
    ends = resets.moment(met.get("reset_at"), now) or 0.0
    words = text.one_line(met.get("text") or "", 160)
    try:
        found = Hold(until=ends, reason=str(reason), words=words, run=attendant.run.id, at=now)
        holds.note(attendant.run.home, attendant.pool, found, attendant.config.hold_first_s)
    except OSError as e:
        attendant.remarks.append("its pool could not be held: %s" % e.strerror)
        return False
    attendant.holds += 1
    if attendant.holds > _MOST_HOLDS:
        attendant.remarks.append("it was held %d times, which is the most" % _MOST_HOLDS)
        return False
    return True


def _login_refused(attendant: Attendant, words: str) -> None:
    """Nothing but a person ends that: nobody waits for it."""
    backend = attendant.spec.backend
    remedy = _LOGINS.get(backend, "log in again, or renew its key")
    attendant.remarks.append("the login of %s was refused: %s" % (backend, remedy))
    needs.tell_limit(
        attendant.run, attendant.spec, 1, "login of %s refused: %s (%s)" % (backend, remedy, text.one_line(words, 100))
    )
    attendant.falls_back_to = succession.first_free(attendant, succession.candidates(attendant))


def in_words(attendant: Attendant, hold: Hold) -> str:
    """`held until 07:00: claude usage limit`."""
    reason = holds.REASONS.get(hold.reason, "limit")
    return "held until %s: %s %s" % (text.moment(hold.until, time.time()), attendant.spec.backend, reason)


def _of_pool(attendant: Attendant) -> Optional[Hold]:
    return holds.in_force(attendant.run.home, attendant.pool, time.time())


def _tell(attendant: Attendant, hold: Hold, said: str) -> None:
    """Once for each hold and orchestrator, whichever of its runs comes first."""
    name = attendant.spec.wake.orchestrator
    if (hold.told or {}).get(name) == hold.until or not name:
        return
    try:
        if holds.worth_telling(attendant.run.home, attendant.pool, name):
            attendant.told += 1
            words = "%s (%s)" % (said, hold.words) if hold.words else said
            needs.tell_limit(attendant.run, attendant.spec, attendant.told, words)
    except OSError:
        pass  # a full disk: the next who waits tells


def _wait(attendant: Attendant, hold: Hold, said: str, candidates: list[str]) -> None:
    """Without a slot and with all clocks stopped, as long as the hold, or a pause, lasts; then with a slot again."""
    run, story, seat = attendant.run, attendant.story, attendant.seat
    _mark(attendant, hold)
    attendant.stop_clock()
    try:
        story.note("queued", said)
        if seat:
            seat.release()
        _until_over(attendant, candidates)
        if attendant.stop_asked():
            return
        if seat and not attendant.falls_back_to:
            seat.take_again()
        files.remove(run.file(HELD))
    finally:
        attendant.start_clock()


def _mark(attendant: Attendant, hold: Hold) -> None:
    said = {"pool": attendant.pool, "until": hold.over_at, "reason": hold.reason}
    try:
        files.refresh(attendant.run.file(HELD), files.dump(said))
    except OSError:
        pass  # a full disk: only `continue` of a run that is lost would have wanted it


def _until_over(attendant: Attendant, candidates: list[str]) -> None:
    """Until our pool is free, or that of one that could go on for us, and no pause is asked for; or a stop is."""
    story = attendant.story
    while not attendant.stop_asked():
        hold, paused = _of_pool(attendant), attendant.pause_asked()
        if not paused and (hold is None or succession.first_free(attendant, candidates)):
            return
        story.status(PAUSED if paused else QUEUED, in_words(attendant, hold) if hold else "paused", 0)
        left = hold.over_at - time.time() if hold and not paused else LONG_NAP
        attendant.nap(min(max(left, 0.0) + 0.01, LONG_NAP))


def _quietly_lift(attendant: Attendant, began: float) -> None:
    try:
        holds.lift(attendant.run.home, attendant.pool, began)
    except OSError:
        pass  # a full disk: it passes by itself
