"""What a worker left behind once it was reaped: asked to end, then frozen and killed.

What forks and ends over and over is never where it was just seen. As a subreaper we have
its newest one for a child, or as a zombie the one before: so only no child at all says that
nobody is left, and what asking did not end has to stand still before it is killed.
"""

from __future__ import annotations

import signal
import time

from . import freeze
from . import processes
from . import supervise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

_MOST_LOOKS = 100
_NAP = 0.01


def sweep(run_id: str, pgid: int, sentinel: int, grace: float = 0.3) -> list[int]:
    """Stop everything the reaped worker left behind; returns the pids it had to stop.

    The group's number cannot have been reused while a member of it lives, and is
    asked for only when one was seen.
    """
    left = _strays(run_id, pgid, sentinel)
    if not left and not _unlisted(pgid):
        return []
    seen = list(left)
    deadline = time.monotonic() + grace
    _signal_all(left, pgid, signal.SIGTERM)
    while (left or _unlisted(pgid)) and time.monotonic() < deadline:
        time.sleep(_NAP)
        left = _strays(run_id, pgid, sentinel)
    for _ in range(_MOST_LOOKS):
        if not left and not _unlisted(pgid):
            break
        frozen = freeze.freeze_rest(run_id, _seen(left, pgid), sentinel) if left else {}
        _signal_all({*left, *frozen}, pgid, signal.SIGKILL)
        time.sleep(_NAP)
        left = _strays(run_id, pgid, sentinel)
    return seen


def _strays(run_id: str, pgid: int, sentinel: int) -> list[int]:
    """What is left of the worker, cheapest question first; a child that has ended since it was looked at counts.

    Processes that agentctl itself detached (a tmux server, another run's runner) are not strays.
    Without /proc it is who is in the worker's group.
    """
    supervise.reap_orphans((sentinel,))
    if not supervise.can_mark():
        return sorted(p.pid for p in processes.table().values() if p.group == pgid)
    children = processes.children()
    if supervise.childless(sentinel, children):
        return []
    ours = {pid for pid in children or () if pid != sentinel and not supervise.detached(pid)}
    return sorted(ours.union(supervise.survivors(run_id)))


def _unlisted(pgid: int) -> bool:
    """Whether the group lives on where the system may not list all of it."""
    return processes.children() is None and supervise.group_alive(pgid)


def _seen(pids: Collection[int], pgid: int) -> int:
    """The group if one of these is in it, else the number of none."""
    return pgid if any(supervise.os_pgid(pid) == pgid for pid in pids) else -1


def _signal_all(pids: Collection[int], pgid: int, number: int) -> None:
    if not pids or _seen(pids, pgid) == pgid:
        supervise.signal_child_group(pgid, number)
    for pid in pids:
        supervise.kill(pid, number)
        if number == signal.SIGTERM:
            supervise.kill(pid, signal.SIGCONT)
