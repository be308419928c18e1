"""The sender of notices: a process of its own, one at a time, with another behind it.

The one behind waits for the first one's lock, however that ends: where it was killed,
it sends what was not begun. Each try is bounded in time by its way, and once more by
an alarm that ends the process.
"""

from __future__ import annotations

import os
import signal

from .. import config as configuration
from .. import inbox
from .. import launch
from .. import locks
from .. import noticing
from .. import paths
from . import carrying
from . import posting
from . import shelf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..noticing import Way
    from ..store import Home
    from .shelf import Notice

_LONGEST_S = 45
_MOST_FAILURES = 3
_CUT_OFF = "its sender was ended meanwhile: it may not have arrived"
_GIVEN_UP = "not tried: those before it did not arrive"


def main(home: Home, env: Mapping[str, str]) -> int:
    """Send what waits; returns at once where another process will look after us. Raises OSError."""
    behind = inbox.promise(shelf.path(home, "next.lock"))
    if behind is None:
        return 0
    lock = locks.take(shelf.path(home, "send.lock"))
    os.close(behind)
    waiting = shelf.waiting(home)
    if waiting:
        launch.detached([*paths.PROGRAM, "_notice", home.path], env)
        sender = Sender(home, noticing.ways(configuration.load(home)[0].notify), env)
        for notice in waiting:
            sender.send(notice)
    os.close(lock)
    return 0


class Sender:
    """Sends notices one after the other. A way that fails again and again is left alone for the rest of them."""

    def __init__(self, home: Home, ways: list[Way], env: Mapping[str, str]) -> None:
        self._home = home
        self._ways = ways
        self._env = env
        self._failures = dict.fromkeys([way.name for way in ways], 0)

    def send(self, notice: Notice) -> None:
        """By each way; once begun, a way is not taken again. Raises OSError."""
        if notice.event == posting.ALL_DONE and not posting.at_rest(self._home):
            shelf.drop(self._home, notice)  # something has begun since; its end says so again
            return
        if not shelf.told(self._home, notice):
            for way in self._ways:
                signal.alarm(_LONGEST_S)
                shelf.note(self._home, way.name, notice, self._sent(way, notice))
        shelf.close(self._home, notice, [way.name for way in self._ways])

    def _sent(self, way: Way, notice: Notice) -> str:
        """What went wrong, or ""."""
        if not shelf.begin(self._home, notice, way.name):
            return _CUT_OFF
        if self._failures[way.name] >= _MOST_FAILURES:
            return _GIVEN_UP
        problem = carrying.carry(way, notice, self._env)
        self._failures[way.name] = self._failures[way.name] + 1 if problem else 0
        return problem
