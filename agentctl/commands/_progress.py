"""A line on stderr for a person who waits: painted again in place, gone at the end; programs never see it."""

from __future__ import annotations

import _thread
import os
import sys
import time

from ..errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence
    from typing import Optional

    from ..store import Home

_BEAT_S = 1.0
_ERASE = "\r\033[K"


class Line:
    """`with Line(home, ids) as line:`, and `line.aside` around whatever is printed meanwhile.

    A thread of its own paints it, first after a second. `wanted` is for `api.wait`: beside
    such a thread who waits looks up each second, for a ^C may be taken by the other one, and
    whoever is blocked in the kernel never hears of it (1 in 566, seen with Python 3.12).
    """

    def __init__(self, home: Home, ids: Sequence[str]) -> None:
        self._home = home
        self._ids = ids
        self._over = _thread.allocate_lock()
        self._painting = _thread.allocate_lock()
        self._shown = False
        self.wanted: Optional[Callable[[], bool]] = None

    def __enter__(self) -> Line:
        self._over.acquire()
        if self._ids and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
            self.wanted = lambda: True
            _thread.start_new_thread(self._paint, ())
        return self

    def __exit__(self, *_: object) -> None:
        self._over.release()
        self.aside(lambda: None)

    def aside(self, act: Callable[[], None]) -> None:
        """Do something that prints, with the line out of its way."""
        with self._painting:
            if self._shown:
                self._write(_ERASE)
                self._shown = False
            act()

    def _paint(self) -> None:
        from .. import config  # these are for people, and a wait that programs ask for is to begin at once
        from ..table import oneline
        from ..table.looking import Those

        try:
            those = Those(self._home, self._ids, config.load(self._home)[0].idle_notice_s)
            while not self._over.acquire(timeout=_BEAT_S):
                now = time.time()
                rows = those.look(now)
                words = oneline.words(rows, len(self._ids) - len(rows), now, _width())
                with self._painting:
                    if self._over.locked() and words:
                        self._write(_ERASE + words)
                        self._shown = True
        except (AgentctlError, OSError):
            pass  # a run or a terminal that is gone: who waits for it says so

    def _write(self, words: str) -> None:
        sys.stderr.write(words)
        sys.stderr.flush()


def _width() -> int:
    try:
        return max(os.get_terminal_size(2).columns - 1, 1)
    except OSError:
        return 79
