"""How a run comes into the world: staged by `start`, born when its runner holds its lock.

Whatever goes wrong before that leaves nothing, or a staged folder that a reader settles.
"""

from __future__ import annotations

import os
import time

from . import files
from . import locks
from . import store
from .errors import AgentctlError
from .model import FORMAT
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from typing import Optional

    from .model import Spec
    from .store import Home

BIRTH_GRACE = 20.0
"""Seconds a staged run may wait for its runner before a reader settles it; whoever starts many renews them."""
_RENEW_S = BIRTH_GRACE / 10
_RESERVE = 16384


def stage(home: Home, spec: Spec, texts: Mapping[str, bytes]) -> Run:
    """Write what was asked under a dot-name. `texts` are further files by name."""
    for name in store.FOLDERS:
        files.private_folder(getattr(home, name))  # an older home, or one out of a git checkout, may lack some
    for _ in range(64):
        run = Run(home, store.new_id(spec.created_at))
        hidden = os.path.join(home.runs, "." + run.id)
        try:
            os.mkdir(hidden, files.FOLDER_MODE)
        except FileExistsError:
            continue
        if not os.path.lexists(os.path.join(home.runs, run.id)):
            break
        os.rmdir(hidden)
    else:
        raise AgentctlError("could not find a free run id", "look at the clock, and at %s" % home.runs)
    _fill(run, spec, texts)
    return run


def _fill(run: Run, spec: Spec, texts: Mapping[str, bytes]) -> None:
    try:
        files.create(run.file("lock"), b"")
        files.create(run.file("reserve"), b"\0" * _RESERVE)  # space for the end; without it the run must not begin
        files.create(run.file("meta.json"), files.dump(spec.of_id(run.id).replace(format=FORMAT).to_json()))
        for name, data in texts.items():
            files.create(run.file(name), data)
        files.create(os.path.join(run.home.active, run.id), b"")
        files.append_line(run.home.journal, "%s\t%s" % (run.id, spec.project))
    except OSError:
        unstage(run)
        raise


def may_come(run: Run, now: float) -> bool:
    """Whether the runner of a staged run may still come: nobody died over it, as far as its age tells."""
    since = files.mtime(run.file("meta.json"))
    return since is not None and abs(now - since) < BIRTH_GRACE


def renewed(runs: Iterable[Run], last: float) -> float:
    """Give staged runs that wait their whole grace again, if that was a while ago: when it was last (`monotonic`).

    Who launches a thousand takes longer than one may wait: without it the last are settled before their turn.
    """
    now = time.monotonic()
    if now - last < _RENEW_S:
        return last
    for run in runs:
        try:
            os.utime(os.path.join(run.home.runs, "." + run.id, "meta.json"))
        except OSError:
            pass  # born, or settled: then its runner finds nothing to do
    return now


def unstage(run: Run) -> None:
    """Take back a run that was never born. Its journal line stays, a hint to nothing."""
    import shutil

    shutil.rmtree(os.path.join(run.home.runs, "." + run.id), ignore_errors=True)
    files.remove(os.path.join(run.home.active, run.id))


def withdraw(run: Run) -> bool:
    """Take back a run that no runner has taken up; False where one came all the same.

    Under the lock: a runner that is late finds nothing, one that was quick loses nothing.
    """
    try:
        lock = locks.try_take_existing(run.file("lock"))
    except FileNotFoundError:
        lock = None
    if lock is None:
        return False
    staged = run.staged()
    if staged:
        unstage(run)
    os.close(lock)
    return staged


def be_born(home: Home, run_id: str, about: str) -> Optional[tuple[Run, int]]:
    """Take the lock of a staged run, then make it visible. None: it was settled or taken.

    `about` (pid and start time) goes into the lock file for people; nobody trusts it.
    """
    run = Run(home, run_id)
    hidden = os.path.join(home.runs, "." + run_id)
    try:
        lock = locks.take(os.path.join(hidden, "lock"))
    except FileNotFoundError:
        return None
    if not os.path.isdir(hidden) or os.path.lexists(os.path.join(hidden, "result.json")):
        os.close(lock)
        return None
    try:
        files.write_all(lock, about.encode("ascii", "replace"))
    except OSError:
        pass  # a full disk: the words are for people, the lock is held without them
    os.rename(hidden, os.path.join(home.runs, run_id))
    return run, lock


def make_durable(run: Run) -> None:
    """Flush what `start` wrote, off the path of `start` itself."""
    for name in ("meta.json", "prompt.md"):
        fd = os.open(run.file(name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    files.sync_folder(run.path)
    files.sync_folder(run.home.runs)
