"""Exactly one line in notify.log per ended run, whatever crashes when.

Under one lock: if the run is not marked and its id is not in the log's tail, one
line is appended and flushed, then the run is marked. A crash before the line is
repaired by the next reader; between line and mark, the tail tells.
"""

from __future__ import annotations

import os
import time

from . import files
from . import locks
from . import text
from .model import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .store import Run

_TAIL = 1 << 18


def note_end(run: Run, result: Result) -> None:
    """Write the run's line if it is not written yet. Raises OSError on a full disk."""
    mark = run.file("notified")
    with locks.holding(run.home.notify_lock):
        if os.path.exists(mark):
            return
        tail, name = files.read_tail(run.home.notify_log, _TAIL), run.id.encode("ascii")
        if not any(name in line and line.endswith(b"}") for line in tail.split(b"\n")):  # a torn line does not count
            files.append_line(run.home.notify_log, _line(result))
            _flush(run.home.notify_log)
        files.create(mark, b"")


def _line(result: Result) -> str:
    entry = {"at": text.iso(result.finished_at or time.time()), "run_id": result.run_id, "status": result.status,
             "goal_met": result.goal_met, "verified": result.verified}
    return files.dump(entry).decode("ascii").rstrip("\n")


def _flush(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
