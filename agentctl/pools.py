"""Slots of a pool: files that whoever works holds locked, so that no more than so many work at once.

    slots/<pool>/<n>               locked while its run works, and names it
    slots/<pool>/lock              held for the moment in which a slot is given
    slots/<pool>/queue/<ticket>    a run that waits for its turn: see turns.py

The kernel gives a slot back when its holder dies, but a dead runner's worker may live
until somebody has ended it. So the name stays in the file, and the slot is nobody's
until that run has a result: it has one once nothing of it is left.
"""

from __future__ import annotations

import os
import time

from . import files
from . import locks
from .store import ID
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .config import Config
    from .model import Spec
    from .store import Home

NUMBERS, HOME, BACKEND, BATCH = "numbers", "home", "backend-", "batch-"
AWAITED = "awaited"
"""The file in the folder of a run that a worker waits for: see lending.py."""
_ID_LENGTH = 20
_OLD_S = 3600.0


def names(home: Home, spec: Spec) -> list[str]:
    """The pools a run passes, in the one order that all of them keep."""
    return [
        *([BATCH + spec.batch] if spec.batch else []),
        *([] if nested(home, spec) else [BACKEND + spec.backend, HOME]),
    ]


def nested(home: Home, spec: Spec) -> bool:
    """Whether another run's worker started it, or waits for it, with a slot of its own held.

    So it takes none of those; its batch is its own: no run that waits for it is in there.
    """
    if ID.match(spec.wake.run) and Run(home, spec.wake.run).exists():
        return True
    return os.path.exists(Run(home, spec.id).file(AWAITED))


def limit(config: Config, spec: Spec, pool: str) -> Optional[int]:
    """How many runs may have a slot of a pool at once; None where it has no limit."""
    if pool == BATCH + spec.batch:
        found: object = spec.batch_parallel
    elif isinstance(config.max_parallel, dict):
        found = config.max_parallel.get("*" if pool == HOME else spec.backend)
    else:
        found = config.max_parallel if pool == HOME else None
    return found if type(found) is int and found > 0 else None


def limited(home: Home, config: Config, spec: Spec) -> list[str]:
    """Those of a run's pools that have a limit."""
    return [name for name in names(home, spec) if limit(config, spec, name) is not None]


def ticket(since: float, run_id: str) -> str:
    """A name that sorts by time: seconds have ten digits until the year 2286."""
    return "%019.8f-%s" % (since, run_id)


def ticket_of(name: str) -> str:
    """The run of a ticket."""
    return name[20:]


def enrol(run: Run, config: Config, spec: Spec) -> None:
    """By `start`: a place in every queue, so that the order is that of `start` and not of the runners' births.

    What waits for something else first has a place once it is ready.
    """
    if spec.after or spec.resume or (spec.agent and spec.parent):
        return
    for name in limited(run.home, config, spec):
        try:
            pool = Pool(run.home, name)
            if name.startswith(BATCH) and not os.path.isdir(pool.queue):
                _forget_batches(run.home)
            files.private_folder(pool.queue)
            files.create(os.path.join(pool.queue, ticket(spec.created_at, run.id)), b"")
        except OSError:
            pass  # a full disk: its runner takes a place, if it comes to that


def _forget_batches(home: Home) -> None:
    """Remove the pools of batches of which no run is alive."""
    known = [os.path.join(home.slots, n) for n in os.listdir(home.slots) if n.startswith(BATCH)]
    old = [folder for folder in known if time.time() - (files.mtime(folder) or 0) > _OLD_S]
    if old:
        import shutil

        from . import finding

        specs = [Run(home, run_id).spec() for run_id in finding.live(home)]
        live = {Pool.place(home, BATCH + spec.batch) for spec in specs}
        for folder in set(old) - live:
            shutil.rmtree(folder, ignore_errors=True)


class Slot:
    """A slot whose lock we hold; it dies with us, and then still names its run."""

    def __init__(self, number: int, lock: int) -> None:
        self.number = number
        self._lock = lock

    def name(self, run_id: str) -> None:
        """Say whose it is now."""
        try:
            os.pwrite(self._lock, run_id.encode("ascii"), 0)
        except OSError:
            pass  # a full disk: only a runner that is killed could make one too many work for a second

    def give_back(self) -> None:
        """Nothing of our run is left that the next one would have to wait for."""
        try:
            os.pwrite(self._lock, b" " * _ID_LENGTH, 0)  # not cut off: the space stays ours on a full disk
        except OSError:
            os.ftruncate(self._lock, 0)
        os.close(self._lock)

    def put_down(self) -> None:
        """It was only looked at."""
        os.close(self._lock)


class Pool:
    """One folder of slots. Raises OSError where it cannot be made."""

    def __init__(self, home: Home, name: str) -> None:
        self.home = home
        self.name = name
        self.folder = self.place(home, name)
        self.lock = os.path.join(self.folder, "lock")
        self.queue = os.path.join(self.folder, "queue")
        files.private_folder(self.folder)

    @staticmethod
    def place(home: Home, name: str) -> str:
        """Where a pool of this name is, or would be."""
        return os.path.join(home.slots, _plain(name))

    def lowest(self, run_id: str) -> Slot:
        """The lowest slot that is nobody's, of as many as it takes. Raises OSError."""
        number = 0
        while True:
            slot = self._tried(number)
            if slot:
                slot.name(run_id)
                return slot
            number += 1

    def vacant(self, size: int, run_id: str) -> tuple[Optional[Slot], list[int]]:
        """A slot if fewer than `size` are taken, else None; and which are. The caller holds the pool's lock.

        Taken ones count wherever they stand: the pool may have been larger.
        """
        free: list[Slot] = []
        taken: list[int] = []
        for number in self._numbers():
            slot = self._tried(number)
            if slot:
                free.append(slot)
            else:
                taken.append(number)
        if len(taken) < size and not free:
            return self.lowest(run_id), taken
        chosen = free.pop(0) if len(taken) < size else None
        for slot in free:
            slot.put_down()
        if chosen:
            chosen.name(run_id)
        return chosen, taken

    def path(self, number: int) -> str:
        return os.path.join(self.folder, "%d" % number)

    def left_by(self, number: int) -> str:
        """The run that a slot names although it may be free, and that has not ended; or ""."""
        try:
            return self._unended(files.read(self.path(number), _ID_LENGTH))
        except FileNotFoundError:
            return ""

    def _numbers(self) -> list[int]:
        return sorted(int(name) for name in os.listdir(self.folder) if name.isdigit())

    def _tried(self, number: int) -> Optional[Slot]:
        """The slot, unless a live runner holds it or a dead one has left something behind."""
        lock = locks.try_take(self.path(number))
        if lock is None:
            return None
        if self._unended(os.pread(lock, _ID_LENGTH, 0)):
            os.close(lock)
            return None
        return Slot(number, lock)

    def _unended(self, name: bytes) -> str:
        run_id = name.decode("ascii", "replace")
        if not ID.match(run_id):
            return ""
        run = Run(self.home, run_id)
        return run_id if run.exists() and not os.path.exists(run.file("result.json")) else ""


def _plain(name: str) -> str:
    """A file's name of any words: what a user calls his backend may hold a slash."""
    return "".join(c if c.isalnum() or c in "-_" else "%%%x" % ord(c) for c in name)[:200]
