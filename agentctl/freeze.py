"""Standing still: every process of a run stopped where it is, and let go again.

SIGSTOP cannot be caught or ignored, but what it is sent to is found by looking, and what
was looked at may have forked since: it is looked again until nothing new is there. What
forks and ends faster than all processes can be looked at becomes our own child, and these
are few. A worker's tools have sessions of their own, some an environment of their own: whoever
descends from the worker, is an orphan of its, or carries the run's marker belongs to it.
"""

from __future__ import annotations

import os
import signal
import time

from . import processes
from . import supervise
from .processes import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Mapping

_MOST_LOOKS = 100
_PATIENCE_S = 1.0
_CALM = 5


def freeze(run_id: str, worker: int, sentinel: int) -> dict[int, str]:
    """Stop the run's processes; pid → start time of each, parents first.

    Those that somebody had stopped before are not among them: they are not ours to let go.
    """
    before = {p.pid: p.started for p in _of_run(run_id, worker, sentinel) if p.stopped}
    supervise.signal_child_group(worker, signal.SIGSTOP)
    return _stopped(run_id, worker, sentinel, before)


def freeze_rest(run_id: str, group: int, sentinel: int) -> dict[int, str]:
    """As `freeze`, of a worker that was reaped, whoever stopped them; `group` is -1 where nobody is left in its own."""
    return _stopped(run_id, group, sentinel, {})


def _stopped(run_id: str, worker: int, sentinel: int, before: Mapping[int, str]) -> dict[int, str]:
    frozen: dict[int, str] = {}
    for _ in range(_MOST_LOOKS):
        _stop_children(sentinel)
        found = {p.pid: p.started for p in _of_run(run_id, worker, sentinel) if before.get(p.pid) != p.started}
        fresh = [pid for pid in found if frozen.get(pid) != found[pid]]
        for pid in fresh:
            supervise.kill(pid, signal.SIGSTOP)
            frozen[pid] = found[pid]
        if not fresh:
            break
    _soon(lambda: all(map(processes.standing, frozen)))
    return frozen


def _stop_children(sentinel: int) -> None:
    """Our own children, orphans of the run's, until each of them stands: one that was about to end left another.

    A list of children misses some where others end while it is read (proc(5)): it must be calm for a while.
    """
    calm: list[bool] = []

    def all_stand() -> bool:
        moving = [pid for pid in processes.children() or () if pid != sentinel and not processes.standing(pid)]
        moving = [pid for pid in moving if not supervise.detached(pid)]
        for pid in moving:
            supervise.kill(pid, signal.SIGSTOP)
        calm.append(not moving)
        return len(calm) >= _CALM and all(calm[-_CALM:])

    _soon(all_stand)


def _soon(true: Callable[[], bool]) -> None:
    """Until it is so, for a while: on a busy machine a process needs its turn even to stand still."""
    deadline = time.monotonic() + _PATIENCE_S
    while not true() and time.monotonic() < deadline:
        time.sleep(0.001)


def thaw(frozen: Mapping[int, str]) -> None:
    """Let them go, children first: a shell that minds its children must not find one stopped.

    A number that was used again meanwhile is another process's, and is left alone.
    """
    for pid, started in reversed(list(frozen.items())):
        if processes.start_time(pid) == started:
            supervise.kill(pid, signal.SIGCONT)


def _of_run(run_id: str, worker: int, sentinel: int) -> Iterator[Process]:
    """The run's live processes, parents before their children; what agentctl itself detached is none of them."""
    table = processes.snapshot()
    below: dict[int, list[int]] = {}
    for p in table.values():
        below.setdefault(p.parent, []).append(p.pid)
    marked = list(supervise.survivors(run_id))
    orphans = below.get(os.getpid(), ()) if processes.LINUX else ()  # elsewhere we inherit none, and `ps` is ours
    roots = [worker, *orphans, *marked, *(p.pid for p in table.values() if p.group == worker)]
    seen = {sentinel}
    while roots:
        pid = roots.pop(0)
        if pid in seen or pid not in table:
            continue
        seen.add(pid)
        if pid == worker or not supervise.detached(pid):
            yield table[pid]
            roots += below.get(pid, ())
