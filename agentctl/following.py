"""Reading along: a run's events and notify.log, as they are written.

A painter may nap (house rule 5), but what ends a run ends `follow` at once: a
thread is blocked on the run's lock meanwhile.
"""

from __future__ import annotations

import os
import queue
import threading
import time

from . import files
from . import waiting
from .errors import AgentctlError
from .stream import Lines
from .stream import decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from typing import Any
    from typing import Optional
    from typing import Union

    from .model import Event
    from .model import Result
    from .store import Home

    Answer = Union[Result, AgentctlError]

NAP = 0.2
_LONGEST_ENTRY = 512
_CHUNK = 1 << 18


class Growing:
    """Whole lines of a file that grows, and that may not be there yet."""

    def __init__(self, path: Callable[[], str], start: int = 0) -> None:
        """`path` is asked until the file is there: a run's folder is renamed at birth."""
        self._path = path
        self._fd = -1
        self._at = start
        self._lines = Lines()

    def lines(self) -> Iterator[bytes]:
        """What was added since the last call."""
        if self._fd < 0:
            try:
                self._fd = files.open_read(self._path())
            except FileNotFoundError:
                return
        while True:
            chunk = os.pread(self._fd, _CHUNK, self._at)
            if not chunk:
                return
            self._at += len(chunk)
            yield from self._lines.feed(chunk)


def follow(home: Home, run_id: str, show: Callable[[list[Event]], None]) -> Result:
    """Hand over the run's events from its start, as they come; returns its result.

    Raises AgentctlError where the run is gone.
    """
    ended = _end_of(home, run_id)
    run = home.run(run_id)
    growing = Growing(lambda: run.file("events.jsonl"))
    answer = None
    while True:
        events = [event for event in map(decoded, growing.lines()) if event]
        if events:
            show(events)
        if isinstance(answer, AgentctlError):
            raise answer
        if answer:
            return answer
        answer = _within(ended, NAP)


def _end_of(home: Home, run_id: str) -> queue.SimpleQueue[Answer]:
    ended: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def watch() -> None:
        try:
            ended.put(waiting.until_ended(home, run_id))
        except AgentctlError as e:
            ended.put(e)
        except OSError as e:
            ended.put(AgentctlError("%s: %s" % (e.filename or run_id, e.strerror)))

    threading.Thread(target=watch, daemon=True).start()
    return ended


def _within(ended: queue.SimpleQueue[Answer], seconds: float) -> Optional[Answer]:
    try:
        return ended.get(timeout=seconds)
    except queue.Empty:
        return None


def newest_ends(home: Home, most: int) -> tuple[list[dict[str, Any]], int]:
    """The last entries of notify.log, oldest first, and the size it had."""
    end = files.size(home.notify_log) or 0
    start = max(end - most * _LONGEST_ENTRY, 0)
    growing = Growing(lambda: home.notify_log, start)
    return list(entries(growing))[-most:], end


def further_ends(home: Home, start: int) -> Iterator[dict[str, Any]]:
    """Entries of notify.log after the byte `start`, as they are written. Does not end."""
    growing = Growing(lambda: home.notify_log, start)
    while True:
        yield from entries(growing)
        time.sleep(NAP)


def entries(growing: Growing) -> Iterator[dict[str, Any]]:
    """A line that is torn, or was cut by our own start, is passed over."""
    for line in growing.lines():
        try:
            entry = files.parse(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry
