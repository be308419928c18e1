"""What all requests share: the home, the environment that runs are started with, the feed."""

from __future__ import annotations

import threading
import time

from .feed import Feed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from typing import TypeVar

    from ..store import Home

    T = TypeVar("T")

_SHARED_S = 2.0


class Site:
    """One home, served."""

    def __init__(self, home: Home, env: Mapping[str, str]) -> None:
        self.home = home
        self.env = env
        self.feed = Feed(home)
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._made: dict[str, tuple[float, object]] = {}

    def shared(self, name: str, make: Callable[[], T]) -> T:
        """What costs something to make, made once for all who ask within two seconds."""
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            at, value = self._made.get(name, (0.0, None))
            if not at or time.monotonic() - at > _SHARED_S:
                value = make()
                self._made[name] = (time.monotonic(), value)
            return value  # type: ignore[return-value]
