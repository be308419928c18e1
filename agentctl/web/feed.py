"""The rows of the fleet as they change, looked at once for all who watch.

One thread looks while anybody watches, several times a second: a stat and a lock for each
live run, and the row again only where its files changed. Each watcher asks for what is
newer than what it has.
"""

from __future__ import annotations

import os
import threading
import time

from .. import config
from .. import files
from .. import finding
from .. import pools
from .. import slots
from ..errors import AgentctlError
from ..model import FORMAT
from ..model import LIVE
from ..model import Spec
from . import rows
from .needs import Needs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

    from ..store import Home
    from .needs import Need

    Row = dict[str, Any]

EVERY_S = 0.3
_AGAIN_S = 10.0
"""After which also what seems unchanged is looked at: removed, or in need by another config."""
_NEEDS_S = 1.0
"""After which it is asked again who needs a person, where nothing has ended."""
_NEWEST = 200
_MOST = 2000
_LEFT_S = 20.0
"""How long the thread goes on when nobody watches any more: a page that is loaded again finds it."""


class Feed:
    """What is known of the fleet, by run, each with the version in which it last changed."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._needs = Needs(home)
        self._changed = threading.Condition()
        self._looking = threading.Lock()
        self._rows: dict[str, Row] = {}
        self._versions: dict[str, int] = {}
        self._marks: dict[str, object] = {}
        self._gone: dict[str, int] = {}
        self._journal: object = None
        self._version = 1
        self._looked = 0.0
        self._again = 0.0
        self._needed = 0.0
        self._wanted = 0.0
        self._thread: Optional[threading.Thread] = None

    def status(self) -> dict[str, Any]:
        """All of it, with the version it is of."""
        self._fresh()
        with self._changed:
            found = sorted(self._rows.values(), key=lambda row: str(row["run_id"]), reverse=True)
            version = self._version
        counts = {status: sum(row["status"] == status for row in found) for status in LIVE}
        taken, limit = _slots(self._home)
        said = {"format": FORMAT, "version": version, **counts, "slots_taken": taken, "slots": limit}
        return {**said, "needs": sum(bool(row["needs"]) for row in found), "runs": found}

    def changes(self, version: int, seconds: float) -> tuple[int, list[Row], list[str]]:
        """(version, rows, ids of runs that are gone) newer than `version`, waited for so long."""
        self._watch()
        with self._changed:
            self._changed.wait_for(lambda: self._version > version, seconds)
            newer = [self._rows[i] for i, at in self._versions.items() if at > version]
            return self._version, newer, [i for i, at in self._gone.items() if at > version]

    def need(self, run_id: str) -> Need:
        """Why a run needs a person, as of now."""
        self._fresh()
        return self._needs.of(run_id)

    def _fresh(self) -> None:
        with self._looking:
            if time.monotonic() - self._looked > EVERY_S:
                self._look()

    def _watch(self) -> None:
        """Have the thread look, as long as somebody asks."""
        self._wanted = time.monotonic()
        with self._changed:
            if not (self._thread and self._thread.is_alive()):
                self._thread = threading.Thread(target=self._keep_looking, daemon=True)
                self._thread.start()

    def _keep_looking(self) -> None:
        pause = threading.Event()
        while time.monotonic() - self._wanted < _LEFT_S:
            try:
                self._fresh()
            except (OSError, AgentctlError):
                pass  # the home is gone, or cannot be read now: the rows stay as they are, and it may come back
            pause.wait(EVERY_S)

    def _look(self) -> None:
        """Once over what may have changed."""
        now = time.time()
        self._looked = time.monotonic()
        every = self._looked - self._again > _AGAIN_S
        if every:
            self._again = self._looked
        found = {run_id: self._row(run_id, now, every) for run_id in self._candidates(every)}
        if every or self._looked - self._needed > _NEEDS_S or any(self._has_ended(i, row) for i, row in found.items()):
            self._needed = self._looked
            for run_id in self._needs.look(now, every) - found.keys():  # after the rows: no end is without its need
                found[run_id] = self._rows.get(run_id) or self._row(run_id, now, True)
        with self._changed:
            for run_id, row in found.items():
                self._take(run_id, row and rows.needing(row, self._needs.of(run_id)))
            self._forget()
            self._changed.notify_all()

    def _has_ended(self, run_id: str, row: Optional[Row]) -> bool:
        """Whether a row is news, and not of one that lives."""
        return row is not self._rows.get(run_id) and (row is None or row["status"] not in LIVE)

    def _candidates(self, every: bool) -> list[str]:
        """Live runs, new ones, and those that lived at the last look; now and then all."""
        known = [i for i, row in self._rows.items() if every or row["status"] in LIVE]
        return list(dict.fromkeys([*finding.live(self._home), *known, *self._born()]))

    def _born(self) -> list[str]:
        """Runs that the journal has and we have not, the newest of them."""
        mark = files.size(self._home.journal)
        if self._rows and mark == self._journal:
            return []
        self._journal = mark
        new: list[str] = []
        for run_id in finding.newest(self._home):
            if run_id in self._rows or len(new) >= _NEWEST:
                break
            new.append(run_id)
        return new

    def _row(self, run_id: str, now: float, every: bool) -> Optional[Row]:
        """As it is, read again only where something says that it changed."""
        try:
            mark = self._mark(run_id)
        except (OSError, AgentctlError):
            mark = None
        if not every and mark is not None and mark == self._marks.get(run_id) and run_id in self._rows:
            return self._rows[run_id]
        self._marks[run_id] = mark
        return rows.row(self._home, run_id, now)

    def _mark(self, run_id: str) -> object:
        """What changes when a live run does; None where it must be read to know."""
        run = self._home.run(run_id)
        if run.staged() or not run.runner_alive():
            return None
        info = os.stat(run.file("status.json"))
        return info.st_mtime_ns, info.st_ino

    def _take(self, run_id: str, row: Optional[Row]) -> None:
        if row == self._rows.get(run_id):
            return
        self._version += 1
        if row is None:
            self._drop(run_id)
            self._gone[run_id] = self._version
            return
        self._rows[run_id], self._versions[run_id] = row, self._version
        self._gone.pop(run_id, None)

    def _drop(self, run_id: str) -> None:
        for table in (self._rows, self._versions, self._marks):
            table.pop(run_id, None)

    def _forget(self) -> None:
        """The oldest that have ended, where a server sees thousands of runs come and go."""
        ended = [i for i, row in self._rows.items() if row["status"] not in LIVE and not row["needs"]]
        for run_id in sorted(ended)[: max(len(self._rows) - _MOST, 0)]:
            self._drop(run_id)
        for run_id in list(self._gone)[: max(len(self._gone) - _MOST, 0)]:
            del self._gone[run_id]


def _slots(home: Home) -> tuple[int, Optional[int]]:
    """How many slots of the home are taken, and of how many; None where it has no limit."""
    limit = pools.limit(config.load(home)[0], Spec(), pools.HOME)
    return slots.taken(home, pools.HOME), limit
