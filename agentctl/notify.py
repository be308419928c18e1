"""Exactly one line in notify.log per ended run, whatever crashes when.

Under one lock: if the run's id is not in the log's tail, one line is appended; then it
is flushed and the run is marked. A crash before the line is repaired by the next
reader; between line and mark, the tail tells.
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
    """What a reader does for a run that is not marked: line and mark. Raises OSError on a full disk."""
    if not run.told():
        tell(run, result)
        seal(run)


def tell(run: Run, result: Result) -> None:
    """Write the run's line if the log's end has none. Raises OSError on a full disk."""
    with locks.holding(run.home.notify_lock):
        tail, name = files.read_tail(run.home.notify_log, _TAIL), run.id.encode("ascii")
        if not any(name in line and line.endswith(b"}") for line in tail.split(b"\n")):  # a torn line does not count
            files.append_line(run.home.notify_log, _line(result))


def seal(run: Run) -> None:
    """Flush the line, then mark the run: from here on nobody looks for the line again.

    The runner does this after it has let go of the run, whose waiters need not wait for it.
    """
    fd = os.open(run.home.notify_log, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        files.create(run.file("notified"), b"")
    except FileExistsError:
        pass  # a reader was quicker


def _line(result: Result) -> str:
    entry = {
        "at": text.iso(result.finished_at or time.time()),
        "run_id": result.run_id,
        "status": result.status,
        "goal_met": result.goal_met,
        "verified": result.verified,
    }
    return files.dump(entry).decode("ascii").rstrip("\n")
