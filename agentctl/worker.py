"""One process under our care, from its start until nothing of it is left.

Used for the worker itself and for the check that follows it.
"""

from __future__ import annotations

import os
import signal
import time

from . import processes
from . import signals
from . import supervise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Optional

    from .piping import Outlet
    from .signals import Alarm

_INTERRUPT_GRACE = 2.0


class Worker:
    """A started process with its sentinel. Raises OSError where it cannot be started."""

    def __init__(
        self,
        run_id: str,
        alarm: Alarm,
        argv: Sequence[str],
        env: Mapping[str, str],
        umask: int,
        stdin: str,
        outlet: Outlet,
        last_will: Sequence[str],
    ) -> None:
        self._run_id = run_id
        self._alarm = alarm
        self._status: Optional[int] = None
        self._frozen: dict[int, str] = {}
        self._outlet = outlet
        self._sentinel, self._tell = supervise.start_sentinel(run_id, last_will, outlet.copier)
        supervise.become_subreaper()  # before the worker: what it orphans in its first moments is ours too
        before = os.umask(umask)
        try:
            self.pid = supervise.spawn(argv, env, stdin or os.devnull, outlet.out, outlet.err)
        except OSError:
            outlet.settle(self._tell)
            self.dismiss_sentinel()
            raise
        finally:
            os.umask(before)
            outlet.given()
        self._tell_sentinel(b"%d\n" % self.pid)

    def ended(self) -> Optional[int]:
        """The wait status once the process has ended (and is reaped), else None."""
        if self._status is None:
            self._outlet.relieve()
            self._status = signals.child_ended(self.pid)
        return self._status

    def freeze(self) -> None:
        """Have it, and everything that it started, stand still until `thaw`."""
        from . import freeze  # which a run that nobody pauses never needs

        self._frozen = freeze.freeze(self._run_id, self.pid, self._sentinel)

    def thaw(self) -> None:
        """Let go what `freeze` stopped."""
        from . import freeze

        freeze.thaw(self._frozen)
        self._frozen = {}

    def stop(self, interrupt_first: bool, grace: float, meanwhile: Callable[[], object]) -> int:
        """INT where the vendor's CLI cleans up only on that; TERM, CONT, `grace` seconds; KILL.

        Calls `meanwhile` while it waits. Returns the wait status.
        """
        if self._status is not None:
            return self._status  # its number may be another's by now
        if interrupt_first:
            supervise.kill(self.pid, signal.SIGINT)
            status = self._within(min(_INTERRUPT_GRACE, grace), meanwhile)
            if status is not None:
                return status
        for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 60.0)):
            supervise.signal_child_group(self.pid, number)
            supervise.signal_child_group(self.pid, signal.SIGCONT)
            status = self._within(patience, meanwhile)
            if status is not None:
                return status
        return os.waitpid(self.pid, 0)[1]

    def _within(self, seconds: float, meanwhile: Callable[[], object]) -> Optional[int]:
        deadline = time.monotonic() + seconds
        while True:
            status = self.ended()
            if status is not None or time.monotonic() >= deadline:
                return status
            meanwhile()
            self._alarm.sleep(min(0.05, max(deadline - time.monotonic(), 0)))

    def reap_orphans(self) -> None:
        """What the worker daemonised and has ended since would stay a zombie of ours."""
        supervise.reap_orphans((self.pid, self._sentinel))

    def clear_away(self) -> int:
        """Stop what the ended process left behind; how many processes that were. What they printed is in its files."""
        left = 0
        if not supervise.childless(self._sentinel, processes.children()):
            from . import sweeping  # which a worker that cleans up needs not

            left = len(sweeping.sweep(self._run_id, self.pid, self._sentinel))
        self._outlet.settle(self._tell)
        return left

    def remarks(self) -> list[str]:
        """What became of its output that nobody would expect."""
        lost = self._outlet.lost
        return ["%d bytes that it printed could not be written" % lost] if lost else []

    def dismiss_sentinel(self) -> None:
        """Nothing is left to guard. It goes by itself; its going takes time that nobody should wait for."""
        self._tell_sentinel(b".")
        os.close(self._tell)

    def _tell_sentinel(self, words: bytes) -> None:
        try:
            os.write(self._tell, words)
        except BrokenPipeError:
            pass  # somebody killed it: the group and the marker still hold
