"""Exactly one line in notify.log per ended run, and one event for its orchestrator, whatever crashes when.

Under one lock: if the run's id is not in the log's tail, one line is appended; then the
event is posted, and the notice to a person who asked for one, the line flushed and the
run marked. A crash before the mark is repaired by the next reader: the tail tells of the
line, their names of event and notice.
"""

from __future__ import annotations

import os
import time

from . import files
from . import inbox
from . import judge
from . import locks
from . import text
from .model import RUNNING
from .model import Result
from .notices import posting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .model import Spec
    from .store import Run

_TAIL = 1 << 18


def note_end(run: Run, result: Result) -> bool:
    """What a reader does for a run that is not marked: line, event, notice, mark; whether the event is new.

    Raises OSError on a full disk.
    """
    if run.told():
        return False
    tell(run, result)
    spec = run.spec()
    posted = post_end(run, spec, result)
    try:
        posting.of_end(run, spec, result)
    except OSError:
        return posted  # without a mark: the next reader tries again
    seal(run)
    return posted


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


def post(run: Run, spec: Spec, kind: str, words: str, result: Optional[Result] = None) -> bool:
    """An event for the run's orchestrator, if it has one; whether it is new. Raises OSError on a full disk."""
    if not spec.wake.orchestrator:
        return False
    entry = inbox.Entry(
        id=inbox.name_of(run.id, kind),
        kind=kind.partition("-")[0],
        run_id=run.id,
        orchestrator=spec.wake.orchestrator,
        at=result.finished_at if result else time.time(),
        title="started by run %s" % spec.wake.run if spec.wake.run else spec.title,
        project=spec.project,
        profile=spec.profile or spec.backend,
        status=result.status if result else RUNNING,
        goal_met=result.goal_met if result else None,
        verified=result.verified if result else "",
        text=words,
    )
    return inbox.post(run.home, entry)


def post_end(run: Run, spec: Spec, result: Result) -> bool:
    """The event of the run's end. Of those that work for a goal its driver is told, who has news of its own."""
    return not spec.goal and post(run, spec, inbox.ENDED, judge.headline(result), result)


def _line(result: Result) -> str:
    entry = {
        "at": text.iso(result.finished_at or time.time()),
        "run_id": result.run_id,
        "status": result.status,
        "goal_met": result.goal_met,
        "verified": result.verified,
    }
    return files.dump(entry).decode("ascii").rstrip("\n")
