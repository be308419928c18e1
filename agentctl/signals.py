"""Signals as something to wait for: no work is done in a handler.

A handler only notes the number; the C level writes a byte into a pipe, so that a
`select` on it ends at once. The end of a child is one of these signals.
"""

from __future__ import annotations

import os
import select
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Optional

STOPPING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
LOOK_UP_S = 1.0
"""Where there are threads and no Alarm, the main one blocks in the kernel for no longer than these seconds.

A signal may be given to any thread, once in some hundred: its handler runs only when the
main thread comes back to Python, which nothing else may ever make it do (seen with Python 3.12).
"""


class Alarm:
    """Notes signals and lets one wait for the next, or for a time."""

    def __init__(self) -> None:
        self._read, write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(write, False)
        self.seen: list[int] = []
        for number in (*STOPPING, signal.SIGCHLD):
            signal.signal(number, self._note)
        for number in (signal.SIGTSTP, signal.SIGTTOU, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)

    def _note(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD and number not in self.seen:
            self.seen.append(number)

    def sleep(self, seconds: float, also: Iterable[int] = ()) -> None:
        """Until a signal came, one of `also` became readable, or the time is over."""
        ready, _, _ = select.select([self._read, *also], [], [], max(seconds, 0.0))
        if self._read in ready:
            try:
                os.read(self._read, 4096)
            except BlockingIOError:
                pass  # another reader of the same wake-up: there is none, so it was spurious

    def take(self, wanted: Iterable[int]) -> Optional[int]:
        """The first of these signals that came, forgetting it."""
        for number in wanted:
            if number in self.seen:
                self.seen.remove(number)
                return number
        return None


def child_ended(pid: int) -> Optional[int]:
    """The wait status of a child that ended (which reaps it), or None while it runs."""
    done, status = os.waitpid(pid, os.WNOHANG)
    return status if done == pid else None
