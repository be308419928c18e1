"""A run that stands still: paused by a request file, until another one asks to go on.

Only the runner acts on it, which alone knows its processes: it stops them, gives up the
slot, and stops the clock of all time limits; on the way back it takes a slot first. What
is asked while a phase is under way is seen by that phase's own loop.
"""

from __future__ import annotations

from .attend import LONG_NAP
from .model import PAUSED
from .model import RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .attend import Attendant
    from .worker import Worker


def until_continued(attendant: Attendant) -> None:
    """Before a phase: begin it only when no pause is asked for (any more), or a stop is."""
    if not attendant.pause_asked() or attendant.stop_asked():
        return
    _apart(attendant, "paused before it began", 0, lambda: False)


def hold(attendant: Attendant, process: Worker) -> None:
    """Keep a process, and all that it started, standing still until it is continued.

    Returns at once where no pause is asked for, and early where the run is to stop, or the
    process was killed by somebody else: whatever stood still is let go in every case.
    """
    if not attendant.pause_asked() or attendant.stop_asked() or process.ended() is not None:
        return
    attendant.stop_clock()
    process.freeze()
    try:
        if process.ended() is None:  # it can have ended in between; frozen it cannot
            _apart(attendant, "paused", process.pid, lambda: process.ended() is not None)
    finally:
        process.thaw()
        attendant.start_clock()
    attendant.story.status(RUNNING, attendant.story.progress.doing, process.pid)


def _apart(attendant: Attendant, words: str, pid: int, over: Callable[[], bool]) -> None:
    """Without a slot, as long as the pause lasts; then with one again, unless it is all over."""

    def paused() -> bool:
        return attendant.pause_asked() and not attendant.stop_asked() and not over()

    seat, story = attendant.seat, attendant.story
    while paused():
        story.note("note", words)
        if seat:
            seat.release()
        while paused():
            story.status(PAUSED, story.progress.doing or "paused", pid)
            attendant.nap(LONG_NAP)
        if not attendant.stop_asked() and not over():
            if seat:
                seat.take_again()
            story.note("note", "goes on")
