"""The runs of a home as they are now, looked at again and again: what has not changed is not read twice.

A look costs the same however many runs have ended: the names in active/, and of each
live run its lock and the times of two files. Locks tell who lives, whoever was killed.
"""

from __future__ import annotations

import os

from .. import files
from .. import finding
from .. import following
from .. import inbox
from .. import listing
from .. import locks
from .. import stream
from .. import text
from .. import view
from ..goals import asked
from ..model import LIVE
from ..store import ID
from ..store import Run
from . import rows
from .rows import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any
    from typing import Optional

    from ..model import Spec
    from ..store import Home

REMEMBERED_S = 12 * 3600.0
"""So long an end that wants a person is shown: a night."""
_ENDS = 1 << 15
_TAIL = 1 << 13
_MOST_ENDED = 300
_TICK_NS = 100_000_000
"""A folder that was written to a moment ago may be again with no other time to show for it: ticks are coarse."""


class _Living:
    """A live run: what was asked, and its row as of the last change of its files."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.spec = run.spec()
        self.root = asked.load(run).root if self.spec.backend == "goal" else ""
        self.status_at: tuple[int, int] = (0, 0)
        self.said: dict[str, Any] = {}
        self.row = rows.live_row(self.spec, {}, self.root)
        self._paths: tuple[str, str, str] = ("", "", "")
        self._born = False

    def paths(self) -> tuple[str, str, str]:
        """Of its lock, status.json and events.jsonl: joined once, when its folder has got its name."""
        if not self._born:
            self._born = not self.run.staged()
            self._paths = (self.run.file("lock"), self.run.file("status.json"), self.run.file("events.jsonl"))
        return self._paths

    def alive(self) -> bool:
        return locks.held(self.paths()[0])

    def look(self, now: float, idle_s: float) -> Row:
        """The row now; what it is read from is read only where it was written since."""
        _, status, events = self.paths()
        stamp, heard_at = _stamp(status), files.mtime(events)
        if stamp != self.status_at:
            self.status_at, self.said = stamp, self.run.progress()
            self.row = rows.live_row(self.spec, self.said, self.root)
        if heard_at is None:
            return self.row
        if self.spec.backend == "goal" and heard_at != self.row.heard_at:
            self.row = self.row.replace(doing=_last_words(self.run) or self.row.doing)
        self.row = rows.heard(self.row, heard_at, now, idle_s)
        return self.row


class Fleet:
    """What is known of a home's runs, or of one project's; of what ended well only the last `lately_s` seconds."""

    def __init__(self, home: Home, idle_s: float, project: str = "", lately_s: float = 0.0) -> None:
        self._home = home
        self._idle_s = idle_s
        self._project = project
        self._lately_s = lately_s
        self._living: dict[str, _Living] = {}
        self._ended: dict[str, Row] = {}
        self._due: set[str] = set()
        self._ids: list[str] = []
        self._ids_at = 0
        start = max((files.size(home.notify_log) or 0) - _ENDS, 0)
        self._ends = following.Growing(lambda: home.notify_log, start)

    def look(self, now: float) -> list[Row]:
        """The rows as they are to be shown, those that need a person first."""
        living = [row for row in (self._row(run_id, now) for run_id in self._active(now)) if row]
        self._take_ends(now)
        told = [row for row in (*living, *self._ended.values()) if self._project in ("", row.project)]
        return rows.ordered(rows.shown(told, self._acknowledged(told), now - self._lately_s))

    def specs(self) -> list[Spec]:
        """What was asked of those that live."""
        return [known.spec for known in self._living.values()]

    def _active(self, now: float) -> list[str]:
        at = _stamp(self._home.active)[0]
        if at != self._ids_at:
            self._ids = finding.live(self._home)
            self._ids_at = at if now * 1e9 - at > _TICK_NS else 0
            for gone in self._living.keys() - set(self._ids):
                del self._living[gone]
        return [run_id for run_id in self._ids if run_id not in self._ended]

    def _row(self, run_id: str, now: float) -> Optional[Row]:
        """The row of a run that lives; None where it has ended, or the hint points to a folder that is gone."""
        known = self._living.get(run_id)
        if known is None:
            run = Run(self._home, run_id)
            if not run.exists():
                return None
            known = self._living[run_id] = _Living(run)
        if known.alive() or not self._has_ended(run_id, now):
            return known.look(now, self._idle_s)
        del self._living[run_id]
        return None

    def _has_ended(self, run_id: str, now: float) -> bool:
        """Of a run whose lock is free; one that was lost is settled on the way. Its row is kept."""
        record = listing.record_of(self._home, run_id, now)
        if record is None or record["status"] in LIVE:
            return record is None
        root = asked.load(Run(self._home, run_id)).root if record.get("backend") == "goal" else ""
        self._ended[run_id] = rows.ended_row(record, root)
        return True

    def _take_ends(self, now: float) -> None:
        """What has ended between two looks, by notify.log; what is over long enough is forgotten."""
        since = text.iso(now - REMEMBERED_S) or ""
        for entry in following.entries(self._ends):
            if ID.match(str(entry.get("run_id"))) and str(entry.get("at")) >= since:
                self._due.add(str(entry["run_id"]))
        for run_id in [run_id for run_id in self._due if not Run(self._home, run_id).runner_alive()]:
            self._due.discard(run_id)  # under its lock, a line may be a worker's own words
            if run_id not in self._ended and run_id not in self._living:
                self._has_ended(run_id, now)
        kept = sorted(self._ended.values(), key=lambda row: row.heard_at or 0.0)[-_MOST_ENDED:]
        self._ended = {row.run_id: row for row in kept if (row.heard_at or now) >= now - REMEMBERED_S}

    def _acknowledged(self, told: list[Row]) -> set[str]:
        """The runs whose need somebody has read of in an inbox."""
        return {row.run_id for row in told if row.need and inbox.acknowledged(self._home, rows.event_of(row))}


def _stamp(path: str) -> tuple[int, int]:
    """Another one for every content that a file is given by rename; (0, 0) where it is missing."""
    try:
        info = os.stat(path)
    except FileNotFoundError:
        return 0, 0
    return info.st_mtime_ns, info.st_ino


def _last_words(run: Run) -> str:
    """The last event that people see, in words: a goal's steps are in no status.json."""
    for line in reversed(files.read_tail(run.file("events.jsonl"), _TAIL).split(b"\n")):
        event = stream.decoded(line)
        if event and view.event_line(event):
            return text.one_line(event.text, 200)
    return ""


class Those:
    """The rows of some runs that somebody waits for, as long as they live."""

    def __init__(self, home: Home, ids: Iterable[str], idle_s: float) -> None:
        self._idle_s = idle_s
        self._runs = [Run(home, run_id) for run_id in ids]
        self._living: dict[str, _Living] = {}

    def look(self, now: float) -> list[Row]:
        """Those that have not ended, as far as can be seen without settling what is lost: a waiter does that."""
        found = []
        for run in self._runs:
            known = self._living.get(run.id) or _Living(run)
            self._living[run.id] = known
            if known.alive() or run.staged():
                found.append(known.look(now, self._idle_s))
        return found
