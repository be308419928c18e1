"""The inbox of each orchestrator: what happened and has not been acknowledged.

The inbox is the truth, a wake only a hint that something is in it. An event is on disk
before anybody is told; it has one name, so that posting it again changes nothing; it
stays until it is acknowledged, which happens once, by a rename under the one lock.

    inbox/lock                      short critical sections
    inbox/acked/<event>             receipts: what was acknowledged, by whom
    inbox/<orchestrator>/events/    what was not
        about.json                  which pane it is (orchestrators.py)
        state.json                  idle, busy or waiting, as its hooks said last
        heard.json                  which events the vendor's process was told of, which it is about to be
        bells/                      of the processes that wait for news
        keeper.lock hook.lock pull.lock     held by those who see to it that it is told
"""

from __future__ import annotations

import os
import re
import time

from . import bell
from . import files
from . import locks
from .record import Record
from .store import ID
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any
    from typing import Optional

    from .store import Home

ENDED, DENIED, BLOCKED, LIMIT, BUDGET, IDLE = "ended", "denied", "blocked", "limit", "budget", "idle"
NEWS, TEST = "news", "test"
NEEDS = (DENIED, BLOCKED, LIMIT, BUDGET, IDLE)
"""Kinds of events that want a person; `ended` is the end of a run, `news` of a goal, `test` of `wake --test`."""
NAME = re.compile(r"(?!(acked|lock)\Z)[a-z]+(-[0-9a-z]+)*\Z")
_EVENT = re.compile(r"[0-9a-f-]{20}\.[a-z]+(-[0-9]+)?\Z|test-[0-9a-f]{8}\Z")
_RECEIPTS = "acked"


class Entry(Record):
    """An event in an inbox. `text` says what it is about; of `news` it is a worker's own words."""

    id: str = ""
    kind: str = ""
    run_id: str = ""
    orchestrator: str = ""
    at: float = 0.0
    title: str = ""
    project: str = ""
    profile: str = ""
    status: str = ""
    goal_met: Optional[bool] = None
    verified: str = ""
    text: str = ""


def name_of(run_id: str, kind: str) -> str:
    """An event's id: one for each kind of a run's events, so that a repeated one is the same."""
    return "%s.%s" % (run_id, kind)


def is_event(word: str) -> bool:
    return bool(_EVENT.match(word))


def folder(home: Home, name: str, *more: str) -> str:
    """A path below the orchestrator's own folder."""
    return os.path.join(home.inbox, name, *more)


def names(home: Home) -> list[str]:
    """The orchestrators that ever had an inbox here."""
    try:
        found = os.listdir(home.inbox)
    except FileNotFoundError:
        return []
    return sorted(n for n in found if NAME.match(n) and n != _RECEIPTS and os.path.isdir(folder(home, n)))


def post(home: Home, entry: Entry) -> bool:
    """Put an event into its orchestrator's inbox, durably; False where it is or was there. Rings. Raises OSError."""
    with _lock(home):
        name = heir(home, entry.orchestrator)  # an heir takes over under the same lock
        own = folder(home, name, "events")
        files.private_folder(own)
        known = os.path.exists(_receipt(home, entry.id)) or _holder(home, entry.id)
        if not known:
            files.publish(os.path.join(own, entry.id), files.dump(entry.to_json()))
    bell.ring_all(folder(home, name, "bells"))
    return not known


def pending(home: Home, name: str) -> list[Entry]:
    """The events nobody has acknowledged, oldest first. One that cannot be read is shown by its name alone."""
    own = folder(home, name, "events")
    try:
        ids = [n for n in os.listdir(own) if is_event(n)]
    except FileNotFoundError:
        return []
    entries = [_entry(os.path.join(own, n), n, name) for n in ids]
    return sorted((e for e in entries if e), key=lambda e: (e.at, e.id))


def _entry(path: str, event: str, name: str) -> Optional[Entry]:
    raw = files.load(path)
    if raw is None and not os.path.exists(path):
        return None  # acknowledged since it was listed
    run_id, _, kind = event.partition(".")
    entry = Entry.from_json(raw)
    return entry.replace(id=event, orchestrator=name, run_id=entry.run_id or run_id, kind=entry.kind or kind)


def acknowledge(home: Home, events: Iterable[str], by: str) -> list[str]:
    """Take events out of whichever inbox they are in; returns those that were there.

    One that is not posted yet (a `wait` can be quicker than the runner) never will be.
    Raises OSError.
    """
    taken = []
    files.private_folder(os.path.join(home.inbox, _RECEIPTS))
    with _lock(home):
        for event in events:
            holder, receipt = _holder(home, event), _receipt(home, event)
            if holder:
                os.rename(folder(home, holder, "events", event), receipt)
                taken.append(event)
            elif not os.path.exists(receipt):
                files.create(receipt, files.dump({"id": event, "by": by, "at": time.time()}))
    return taken


def acknowledged(home: Home, event: str) -> bool:
    return os.path.exists(_receipt(home, event))


def take_over(home: Home, source: str, target: str) -> list[str]:
    """Make `target` the heir of `source`, and move what that has not acknowledged; returns the events' ids."""
    own, about = folder(home, target, "events"), folder(home, source, "about.json")
    files.private_folder(own)
    with _lock(home):
        known = files.load(about)
        files.replace(about, files.dump({**(known if isinstance(known, dict) else {}), "heir": target}))
        events = [entry.id for entry in pending(home, source)]
        for event in events:
            os.rename(folder(home, source, "events", event), os.path.join(own, event))
    if events:
        bell.ring_all(folder(home, target, "bells"))
    return events


def heard(home: Home, name: str, listener: str) -> set[str]:
    """The events that this very process of the orchestrator's (`listener`) was told of."""
    raw = files.load(folder(home, name, "heard.json"))
    if not isinstance(raw, dict) or raw.get("to") != listener or not isinstance(raw.get("ids"), list):
        return set()
    return {i for i in raw["ids"] if isinstance(i, str)}


def intend(home: Home, name: str, listener: str, events: Iterable[str]) -> None:
    """Make sure that it can be written down that `listener` was told of these; it counts for nothing. Raises OSError.

    For those whose telling may fail, or be killed, half-way, and must not be repeated for ever on a full disk.
    """
    with _lock(home):
        _hear(home, name, listener, heard(home, name, listener), {*events})


def claim(home: Home, name: str, listener: str, events: Iterable[str]) -> None:
    """From now on `listener` was told of these. Raises OSError."""
    with _lock(home):
        _hear(home, name, listener, {*heard(home, name, listener), *events})


def disclaim(home: Home, name: str, listener: str, events: Iterable[str]) -> None:
    """It was not told after all, or has forgotten it. Raises OSError."""
    with _lock(home):
        _hear(home, name, listener, heard(home, name, listener) - {*events})


def _hear(home: Home, name: str, listener: str, events: set[str], intended: Iterable[str] = ()) -> None:
    still = sorted(e for e in events if os.path.exists(folder(home, name, "events", e)))
    noted = {"to": listener, "ids": still, "intended": sorted(intended)}
    files.refresh(folder(home, name, "heard.json"), files.dump(noted))


def heir(home: Home, name: str) -> str:
    """Whose inbox gets what is for `name`: its own, or that of the orchestrator which took over from it."""
    for _ in range(8):
        about = files.load(folder(home, name, "about.json"))
        after = about.get("heir") if isinstance(about, dict) else None
        if not isinstance(after, str) or not NAME.match(after):
            return name
        name = after
    return name


def state(home: Home, name: str) -> dict[str, Any]:
    """What the orchestrator's hooks said last: state, at, session_id, pid, transcript; {} where it has none."""
    raw = files.load(folder(home, name, "state.json"))
    return raw if isinstance(raw, dict) else {}


def ring(home: Home, name: str) -> None:
    """Have whoever waits for this orchestrator's news look again."""
    bell.ring_all(folder(home, name, "bells"))


def waited(home: Home, run_id: str) -> str:
    """The lock that the orchestrator's own `wait` for this run holds while it waits."""
    return Run(home, run_id).file("waited")


def promise(path: str) -> Optional[int]:
    """Hold this lock until our process ends: what it stands for will be told by us. None: another promised it.

    Those who look whether anybody did share it for a moment, hence more than one try.
    """
    for _ in range(10):
        lock = locks.try_take(path)
        if lock is not None:
            return lock
        time.sleep(0.001)
    return None


def _lock(home: Home) -> locks.holding:
    files.private_folder(home.inbox)
    return locks.holding(os.path.join(home.inbox, "lock"))


def _receipt(home: Home, event: str) -> str:
    return os.path.join(home.inbox, _RECEIPTS, event)


def _holder(home: Home, event: str) -> str:
    return next((n for n in names(home) if os.path.exists(folder(home, n, "events", event))), "")


def run_of(event: str) -> str:
    """The run an event is about, or ""."""
    run_id = event.partition(".")[0]
    return run_id if ID.match(run_id) else ""
