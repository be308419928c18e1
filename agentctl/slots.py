"""Many at once, but not too many: a run's number, and its slots in the pools it belongs to.

There is no scheduler: order and waiting are in turns.py. A run that a worker started or
waits for takes none of the home's slots: the worker's own is held meanwhile. Every run has
a number that no other live one has, which it keeps through a pause, as its worker keeps
its ports; a run that ended leaves the number before the slot, so that with a limit of
four they are 0 to 3.
"""

from __future__ import annotations

import os
import time

from . import locks
from . import pools
from .pools import Pool
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from typing import Optional

    from .config import Config
    from .model import Spec
    from .pools import Slot
    from .store import Home
    from .turns import Turn

_PORTS = 65536


def taken(home: Home, pool: str = pools.HOME) -> int:
    """How many slots of a pool are in use."""
    folder = Pool.place(home, pool)
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sum(locks.held(os.path.join(folder, name)) for name in names if name.isdigit())


class Seat:
    """A run's number, and its slots. `wait` runs a blocking call and is None where the run was told to stop."""

    def __init__(self, run: Run, spec: Spec, config: Config, wait: Callable[[Callable[[], bool]], object]) -> None:
        self._run = run
        self._spec = spec
        self._config = config
        self._wait = wait
        self._number: Optional[Slot] = None
        self._slots: list[Slot] = []
        self._turn: Optional[Turn] = None

    def take(self) -> bool:
        """Wait for our turn; False where we were told to stop. Raises OSError."""
        return self._pass(self._spec.created_at)

    def take_again(self) -> bool:
        """As `take`, at the end of the queues."""
        return self._pass(time.time())

    def release(self) -> None:
        """Give the slots to others, or our place among those who wait; the number stays ours."""
        while self._slots:
            self._slots.pop().give_back()
        if self._turn:
            self._turn.give_up()
            self._turn = None

    def leave(self) -> None:
        """The run's processes are gone, and nothing is ours any more."""
        if self._number:  # first: who takes our slot finds a number below the limit
            self._number.give_back()
            self._number = None
        self.release()

    def env(self) -> tuple[tuple[str, str], ...]:
        """What tells a worker which of those at work now it is."""
        if not self._number:
            return ()
        number, each = self._number.number, max(self._config.ports_per_slot, 1)
        room = max((_PORTS - self._config.port_base) // each, 1)
        port = self._config.port_base + number % room * each
        return (("AGENTCTL_SLOT", "%d" % number), ("AGENTCTL_PORT_BASE", "%d" % port))

    def _pass(self, since: float) -> bool:
        self.release()
        if pools.limited(self._run.home, self._config, self._spec):
            nested = pools.nested(self._run.home, self._spec)
            if not self._queued(since):
                self.release()
                lent = not nested and pools.nested(self._run.home, self._spec)
                return lent and self._pass(since)
        else:
            self._slots = self._lowest(pools.names(self._run.home, self._spec))
        if self._number is None:
            self._number = next(iter(self._lowest((pools.NUMBERS,))), None)
        return True

    def _queued(self, since: float) -> bool:
        from .turns import Turn  # without a limit nobody waits

        self._turn = turn = Turn(self._run, self._spec, self._config, since)
        turn.begin()
        answer = self._wait(turn.to_the_end) if turn.obstacle() else True
        turn.bury()
        if isinstance(answer, Exception):
            raise answer
        return answer is True

    def _lowest(self, names: Iterable[str]) -> list[Slot]:
        """Slots that nobody waits for: to be counted, should a limit come. On a full disk it goes without."""
        try:
            return [Pool(self._run.home, name).lowest(self._run.id) for name in names]
        except OSError:
            return []
