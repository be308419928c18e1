"""Some time between two starts of one vendor's command line in one home.

Those that start at the same moment race for the vendor's own files: a torn
`.claude.json`, a token refreshed twice, which logs everybody out. Each start reserves
the next free moment in slots/starts-<backend> and waits for it; the first waits for
nothing. What is kept is a time of the system's monotonic clock, and what that clock lay
behind the calendar: another difference means another boot, and an old time.
"""

from __future__ import annotations

import os
import time

from . import locks
from .attend import LONG_NAP
from .model import QUEUED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .attend import Attendant

_SAME_BOOT_S = 2.0


def await_turn(attendant: Attendant) -> None:
    """Wait until this run's vendor may be started, or we are told to stop or to stand still."""
    spec, seconds = attendant.spec, attendant.config.stagger_s
    if spec.custom or not spec.asks_model or seconds <= 0:
        return
    try:
        moment = _reserved(os.path.join(attendant.run.home.slots, "starts-" + spec.backend), seconds)
    except OSError:
        return  # a full disk: better early than never
    told = False
    while moment > time.monotonic() and not attendant.stop_asked():
        if not told:
            attendant.story.note(
                "note", "waits %.1f s: another %s has started" % (moment - time.monotonic(), spec.backend)
            )
            told = True
        attendant.story.status(QUEUED, "waits for its start", 0)
        attendant.nap(min(moment - time.monotonic(), LONG_NAP))


def _reserved(path: str, seconds: float) -> float:
    """The moment at which we may start: now, or a while after the last that was reserved. Raises OSError."""
    lock = locks.take(path)
    try:
        now = time.monotonic()
        moment = max(now, next_after(os.pread(lock, 64, 0), seconds * (1.1 + 0.2 * _chance()), now, time.time()))
        os.ftruncate(lock, 0)
        os.pwrite(lock, b"%.6f %.6f" % (moment, time.time() - now), 0)
        return moment
    finally:
        os.close(lock)


def next_after(kept: bytes, seconds: float, now: float, calendar: float) -> float:
    """`seconds` after the moment that was kept; 0.0 where that is of another boot, or no moment at all."""
    try:
        moment, behind = (float(word) for word in kept.split())
    except ValueError:
        return 0.0
    return moment + seconds if abs(calendar - now - behind) < _SAME_BOOT_S else 0.0


def _chance() -> float:
    """Between 0 and 1; `random` costs start-up time."""
    return int.from_bytes(os.urandom(2), "big") / 65536
