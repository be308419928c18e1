"""A run's turn: the queues it passes until it has a slot in each of its pools.

`start` puts a ticket into the queue of every pool that has a limit; the run's own runner
holds its ticket locked while it waits. Whoever has somebody before him waits for the last
of them; the first waits for a slot. So each end wakes one runner, a killed one wakes the
next, and the order is that of `start`. A ticket that nobody holds belongs to a run whose
runner is on its way, or to a dead one.

The pools are passed in one order (batch, backend, home), each with what was got before
held: nobody can wait in a circle. Who waits in one pool stands in no queue of a later
one, where others may go before him.
"""

from __future__ import annotations

import _thread
import os
import time

from . import birth
from . import config as configuration
from . import files
from . import locks
from . import pools
from . import settle
from . import waiting
from .errors import AgentctlError
from .pools import Pool
from .store import ID
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Optional

    from .config import Config
    from .model import Spec
    from .pools import Slot
    from .store import Home

    Obstacle = Callable[[], None]

_NAP = 0.01
_FULL_DISK_NAP = 1.0
_LOOK_S = 1.0
"""Between two looks at the limit, which may be raised while nobody leaves."""


class Turn:
    """One passage through the queues. The runner may give it up while a thread of its still waits."""

    def __init__(self, run: Run, spec: Spec, config: Config, since: float) -> None:
        self._run = run
        self._spec = spec
        self._config = config
        self._name = pools.ticket(since, run.id)
        self._ahead = [Pool(run.home, name) for name in pools.names(run.home, spec)]
        self._slots: list[Slot] = []
        self._tickets: dict[str, int] = {}
        self._dead: list[str] = []
        self._watched: set[str] = set()
        self._freed = _thread.allocate_lock()  # a bell: locked while it is silent
        self._mind = _thread.allocate_lock()
        self._over = False

    def to_the_end(self) -> bool:
        """Block until all slots are ours; False where the passage was given up meanwhile."""
        while True:
            obstacle = self.obstacle()
            if obstacle is None:
                return not self._over
            self.bury()
            obstacle()
            self._read_config()

    def obstacle(self) -> Optional[Obstacle]:
        """Go on as far as there is a way; None once all slots are ours, else what to wait for."""
        with self._mind:
            while self._ahead and not self._over:
                found = self._pass(self._ahead[0])
                if found:
                    for later in self._ahead[1:]:
                        self._quit(later)
                    return found
                self._ahead.pop(0)
            return None

    def begin(self) -> None:
        """Enter all queues at once: who comes after us must not be before us in a later one."""
        for pool in self._ahead:
            self._enter(pool)

    def give_up(self) -> None:
        """Leave all queues, give back all slots."""
        with self._mind:
            self._over = True
            for pool in self._ahead:
                self._quit(pool)
            while self._slots:
                self._slots.pop(0).give_back()  # in order: who waits in an earlier pool has a later one before him
        self._ring()

    def _pass(self, pool: Pool) -> Optional[Obstacle]:
        """Take a slot of the pool; else what to wait for. The later queues are entered before this one is left."""
        self._enter(pool)
        size = pools.limit(self._config, self._spec, pool.name)
        if size is None:
            self._slots.append(pool.lowest(self._run.id))
            return None
        with locks.holding(pool.lock):
            before = self._before_us(pool)
            if before:
                return before
            slot, others = pool.vacant(size, self._run.id)
            if slot is None:
                return lambda: self._until_freed(pool, others)
            self._slots.append(slot)
        for later in self._ahead[1:]:
            self._enter(later)
        self._quit(pool)
        return None

    def _before_us(self, pool: Pool) -> Optional[Obstacle]:
        """What to wait for if somebody is before us: the last of them. The caller holds the pool's lock."""
        for name in sorted((n for n in os.listdir(pool.queue) if n < self._name), reverse=True):
            path = os.path.join(pool.queue, name)
            try:
                ticket = locks.try_take_existing(path)
            except FileNotFoundError:
                continue  # its holder has left since we looked
            if ticket is None:
                return lambda: _until_free(path)
            os.close(ticket)
            if _on_its_way(pool.home, pools.ticket_of(name)):
                return lambda: time.sleep(_NAP)
            files.remove(path)
            self._dead.append(pools.ticket_of(name))
        return None

    def _enter(self, pool: Pool) -> None:
        """Hold our ticket locked, where the pool has a limit; the one that `start` made, if it is there."""
        if pools.limit(self._config, self._spec, pool.name) is None:
            self._quit(pool)
        elif pool.name not in self._tickets:
            files.private_folder(pool.queue)
            with locks.holding(pool.lock):
                self._tickets[pool.name] = locks.take(os.path.join(pool.queue, self._name))

    def _quit(self, pool: Pool) -> None:
        """Leave the queue, which wakes who waits for us."""
        files.remove(os.path.join(pool.queue, self._name))
        ticket = self._tickets.pop(pool.name, None)
        if ticket is not None:
            os.close(ticket)

    def _until_freed(self, pool: Pool, others: list[int]) -> None:
        """Block until one of these slots is nobody's, or for `_LOOK_S`. A thread for each, which outlives the wait."""
        self._freed.acquire(False)
        for number in others:
            path = pool.path(number)
            if path not in self._watched:
                self._watched.add(path)
                try:
                    _thread.start_new_thread(self._watch, (pool, number))
                except RuntimeError:  # the system has no thread for us: the next look tells
                    self._watched.discard(path)
        self._freed.acquire(True, _LOOK_S)

    def _watch(self, pool: Pool, number: int) -> None:
        try:
            _until_nobodys(pool, number)
        except (AgentctlError, OSError):
            pass  # the run or the pool is gone: the next look tells
        self._watched.discard(pool.path(number))
        self._ring()

    def _ring(self) -> None:
        try:
            self._freed.release()
        except RuntimeError:
            pass  # it has rung already

    def bury(self) -> None:
        """Say what became of those who died in the queue."""
        while self._dead:
            _settle(self._run.home, self._dead.pop())

    def _read_config(self) -> None:
        """The limit may be another one by now. One that is wrong, or being written, is no reason to forget it."""
        home = self._run.home
        found, _ = configuration.load(home)
        if not found.wrong and isinstance(files.load(home.config), dict):
            self._config = found


def _until_nobodys(pool: Pool, number: int) -> None:
    """Block until nobody holds a slot, and no dead runner's worker is left. Raises AgentctlError, OSError."""
    locks.until_free(pool.path(number))
    left_by = pool.left_by(number)
    if left_by:
        waiting.until_ended(pool.home, left_by)
        if pool.left_by(number):
            time.sleep(_FULL_DISK_NAP)  # its end could not be written


def _until_free(path: str) -> None:
    try:
        locks.until_free(path)
    except FileNotFoundError:
        pass  # its holder has left


def _on_its_way(home: Home, run_id: str) -> bool:
    """Whether the runner of a ticket that nobody holds is still to come. It has as long as any other."""
    if not ID.match(run_id):
        return False
    run = Run(home, run_id)
    if os.path.exists(run.file("result.json")) or not birth.may_come(run, time.time()):
        return False
    return run.staged() or run.runner_alive()


def _settle(home: Home, run_id: str) -> None:
    try:
        settle.settled(home.run(run_id), time.time())
    except (AgentctlError, OSError):
        pass  # it is gone, or whoever asks for it will see
