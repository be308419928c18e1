"""The notices on disk: those that wait to be sent, and the marks of those that were.

A notice has one name, that of its event, so that posting it again changes nothing. Its
sender marks each way before it sends: killed after that, nobody knows whether it
arrived, and it is not sent again. What no mark was set for is sent by the next sender.

    notices/waiting/<id>        to be sent
    notices/told/<id>           its mark: it is done with
    notices/told/<id>.<way>     until then: this way has been begun
    notices/outcomes.json       what became of the last one, by way: for `doctor`
    notices/send.lock next.lock lock
"""

from __future__ import annotations

import os
import time

from .. import files
from .. import inbox
from .. import locks
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from ..store import Home


class Notice(Record):
    """What a person is told: our own words, a run's title and at most one line of somebody else's."""

    id: str = ""
    kind: str = ""
    event: str = ""
    run_id: str = ""
    title: str = ""
    project: str = ""
    status: str = ""
    goal_met: Optional[bool] = None
    verified: str = ""
    text: str = ""
    home: str = ""
    at: float = 0.0


class Outcome(Record):
    """What became of the last notice that went by one way; `problem` is "" where it arrived."""

    way: str = ""
    notice: str = ""
    at: float = 0.0
    problem: str = ""


def path(home: Home, *more: str) -> str:
    """A path in the folder of notices."""
    return os.path.join(home.notices, *more)


def put(home: Home, notice: Notice) -> bool:
    """Have it sent; False where it is waiting or was sent. Raises OSError."""
    if os.path.exists(path(home, "told", notice.id)):
        return False
    files.private_folder(path(home, "waiting"))
    return files.publish(path(home, "waiting", notice.id), files.dump(notice.to_json()))


def waiting(home: Home) -> list[Notice]:
    """What is to be sent, oldest first; one that cannot be read has its name alone."""
    try:
        names = [name for name in os.listdir(path(home, "waiting")) if inbox.is_event(name)]
    except FileNotFoundError:
        return []
    found = [Notice.from_json(files.load(path(home, "waiting", name))).replace(id=name) for name in names]
    return sorted(found, key=lambda notice: (notice.at, notice.id))


def begin(home: Home, notice: Notice, way: str) -> bool:
    """Mark that it goes by this way now; False where somebody had begun to send it. Raises OSError."""
    files.private_folder(path(home, "told"))
    return files.publish(path(home, "told", "%s.%s" % (notice.id, way)), b"")


def told(home: Home, notice: Notice) -> bool:
    return os.path.exists(path(home, "told", notice.id))


def close(home: Home, notice: Notice, ways: list[str]) -> None:
    """It is done with, for ever. Raises OSError."""
    files.private_folder(path(home, "told"))
    files.publish(path(home, "told", notice.id), b"")
    for way in ways:
        files.remove(path(home, "told", "%s.%s" % (notice.id, way)))
    drop(home, notice)


def drop(home: Home, notice: Notice) -> None:
    """It need not be sent (any more)."""
    files.remove(path(home, "waiting", notice.id))


def outcomes(home: Home) -> dict[str, Outcome]:
    """By way, what became of the last notice."""
    raw = files.load(path(home, "outcomes.json"))
    return (
        {way: Outcome.from_json(entry).replace(way=way) for way, entry in raw.items()} if isinstance(raw, dict) else {}
    )


def note(home: Home, way: str, notice: Notice, problem: str) -> None:
    """Write down what became of it. Raises OSError."""
    files.private_folder(path(home))
    with locks.holding(path(home, "lock")):
        found = {name: outcome.to_json() for name, outcome in outcomes(home).items()}
        found[way] = Outcome(way=way, notice=notice.id, at=time.time(), problem=problem).to_json()
        files.refresh(path(home, "outcomes.json"), files.dump(found))
