"""Receipts: what an orchestrator was shown is acknowledged, by the very command that showed it."""

from __future__ import annotations

import os

from . import claude_tui
from . import inbox
from . import openfiles
from . import orchestrators
from . import processes
from .errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from typing import Optional

    from .store import Home


class Reader:
    """The caller as a reader of results; one that is no orchestrator acknowledges nothing."""

    def __init__(self, home: Home, env: Mapping[str, str]) -> None:
        self._home = home
        self._env = env
        self.name = orchestrators.of_caller(home, env)
        self._worker = orchestrators.worker(env)

    def promise(self, ids: Iterable[str]) -> list[Optional[int]]:
        """Say that the ends of these runs will be told by us: no key and no hook need do it while we live.

        Returns descriptors of locks, which our own end lets go of, however it comes.
        """
        if self.name:
            leave_with_caller(self._env)
        return self.hold(ids)

    def hold(self, ids: Iterable[str]) -> list[Optional[int]]:
        """As `promise`, for a process that outlasts its answers and ends with its caller in any case."""
        held: list[Optional[int]] = []
        mine = list(ids) if self.name else []
        openfiles.room_for(2 * len(mine))
        for run_id in mine:
            try:
                if self._home.run(run_id).result() is None and self._is_mine(run_id):
                    held.append(inbox.promise(inbox.waited(self._home, run_id)))
            except OSError:
                pass  # a disk that cannot be written: it may be told twice
        return held

    def seen(self, ids: Iterable[str]) -> None:
        """Acknowledge all events of these runs, also the end that its runner has not posted yet."""
        wanted = {run_id for run_id in ids if self.name and self._is_mine(run_id)}
        if not wanted:
            return
        events = [e.id for e in inbox.pending(self._home, self.name) if e.run_id in wanted]
        events += [inbox.name_of(run_id, inbox.ENDED) for run_id in sorted(wanted)]
        try:
            inbox.acknowledge(self._home, dict.fromkeys(events), self.name)
        except OSError:
            pass  # a disk that cannot be written: it stays in the inbox, and is shown again
        inbox.ring(self._home, self.name)  # who left the telling to us looks whether we did

    def _is_mine(self, run_id: str) -> bool:
        """A worker reads for its orchestrator only the runs that it started itself."""
        try:
            wake = self._home.run(run_id).spec().wake
        except AgentctlError:
            return False  # the run is gone
        return inbox.heir(self._home, wake.orchestrator) == self.name and self._worker in ("", wake.run)


def leave_with_caller(env: Mapping[str, str]) -> None:
    """End this process as soon as the Claude Code that it was called by has ended.

    Its commands outlive it, in sessions of their own; what one prints then reaches nobody,
    and must not be acknowledged, nor keep others from telling it.
    """
    import _thread

    def leave(pid: int) -> None:
        processes.until_gone(pid)
        os._exit(130)

    live = claude_tui.above(os.getppid(), env)
    if live:
        _thread.start_new_thread(leave, (live.pid,))
