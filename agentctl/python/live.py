"""A run's events as they are written, for a program that reads along."""

from __future__ import annotations

import os
import time

from .. import files
from .. import finding
from .. import listing
from ..stream import CHUNK
from ..stream import Lines
from ..stream import decoded
from .runs import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from collections.abc import Iterator

    from ..model import Event
    from ..store import Home
    from .runs import AnyHome

NAP = 0.1


def events(run_id: str, *, home: AnyHome = None) -> Generator[Event, None, None]:
    """The run's events from its beginning, live; the iterator ends when the run has ended.

    A reader that stops early leaves the run alone and nothing behind. Raises AgentctlError
    where there is no such run.
    """
    place = opened(home)
    return _events(place, finding.resolve(place, run_id))


def _events(home: Home, run_id: str) -> Generator[Event, None, None]:
    """Whether it has ended is asked before reading: what it wrote until then is read."""
    lines, fd = Lines(), -1
    try:
        while True:
            ended = _ended(home, run_id)
            fd = fd if fd >= 0 else _opened(home, run_id)
            for line in _added(fd, lines):
                event = decoded(line)
                if event:
                    yield event
            if ended:
                return
            time.sleep(NAP)
    finally:
        if fd >= 0:
            os.close(fd)


def _ended(home: Home, run_id: str) -> bool:
    """A run whose runner died is settled on the way. Raises AgentctlError where its folder is gone."""
    run = home.run(run_id)
    return not run.runner_alive() and "doing" not in listing.known(run, time.time())


def _opened(home: Home, run_id: str) -> int:
    """-1 while nothing is written: a run that is queued, or that never began."""
    try:
        return files.open_read(home.run(run_id).file("events.jsonl"))
    except FileNotFoundError:
        return -1


def _added(fd: int, lines: Lines) -> Iterator[bytes]:
    """The whole lines that are new since the last call."""
    while fd >= 0:
        chunk = os.read(fd, CHUNK)
        if not chunk:
            return
        yield from lines.feed(chunk)
