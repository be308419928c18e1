"""The one door to workers: start one, stop all of it, leave nothing behind.

Coding agents start servers, browsers and shells; these outlive a naive kill.
Three nets catch them: the worker's own session and process group; on Linux the
runner is a subreaper, so that whatever daemonised becomes its child; and every
descendant carries AGENTCTL_RUN_ID in its environment. A sentinel process holds
the read end of a pipe only the runner can write to: when the runner is killed,
end-of-file tells the sentinel to stop the group. No pid is ever trusted alone:
before anything is signalled by number it must carry the marker or, where no
environment can be read, be below or beside the very process that was recorded.
"""

from __future__ import annotations

import errno
import os
import signal
import time

from . import environ
from . import piping
from . import processes
from .processes import start_time as start_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Optional

MARKER = "AGENTCTL_RUN_ID"
DETACHED = "AGENTCTL_DETACHED"
HANDLED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP, signal.SIGPIPE,
           signal.SIGXFSZ, signal.SIGCHLD, signal.SIGTTOU, signal.SIGTTIN)


def spawn(argv: Sequence[str], env: Mapping[str, str], stdin: str, stdout: int, stderr: int) -> int:
    """Start a worker in a session of its own, in our working directory. Returns its pid.

    stdin is a file, stdout and stderr are descriptors (what of: piping.py).
    Raises OSError (missing program, no permission, bad interpreter). A name without
    a slash is a missing program: the system would take one in the working directory,
    where a hostile repository may have put it.
    """
    if "/" not in argv[0]:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
    actions = [(os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
               (os.POSIX_SPAWN_DUP2, stdout, 1), (os.POSIX_SPAWN_DUP2, stderr, 2)]
    return os.posix_spawn(argv[0], list(argv), dict(env), file_actions=actions, setsid=True,
                          setsigmask=[], setsigdef=HANDLED)


def become_subreaper() -> None:
    """On Linux, have orphaned descendants become our children (prctl(2), best effort)."""
    if not processes.LINUX:
        return
    import ctypes

    try:
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    except (OSError, AttributeError):
        pass  # a libc without prctl: the group and the marker still hold


def start_sentinel(run_id: str, last_will: Sequence[str], copier: piping.Copier | None = None) -> tuple[int, int]:
    """Fork the sentinel: (its pid, the descriptor that tells it things).

    Write `pgid\\n` when the worker is there, `.` when all is well and it may go. When the
    runner dies it ends the worker and executes `last_will`, an argv of our own. Meanwhile it
    serves `copier`. It must hold none of our other descriptors, above all not the run's lock.
    """
    listen, tell = os.pipe()
    pid = os.fork()
    if pid:
        os.close(listen)
        return pid, tell
    try:
        copier = copier or piping.Copier()
        os.dup2(listen, 0)
        _close_all_but([0, *copier.descriptors()])
        os.setsid()
        for number in (*HANDLED, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # harmless, and it may have to ask `ps`
        if _watch(run_id, copier):
            null = os.dup2(os.open(os.devnull, os.O_RDWR), 9)
            spawn(last_will, environ.for_errand(os.environ), os.devnull, null, null)
    finally:
        os._exit(0)


def _close_all_but(kept: Sequence[int]) -> None:
    """Where nothing lies between two of them there is nothing to close: some Pythons close all for an empty range."""
    bounds = [-1, *sorted(kept), 4096]
    for low, high in zip(bounds, bounds[1:]):
        if low + 1 < high:
            os.closerange(low + 1, high)


def _watch(run_id: str, copier: piping.Copier) -> bool:
    """Until all is well (False), or the runner has died and what it left is ended."""
    group, started = 0, ""
    while True:
        heard = copier.listen(0)
        if heard.endswith(b"."):
            return False
        if not heard:
            break
        if heard.endswith(piping.DRAIN):
            copier.finish()
        if heard[:1].isdigit():
            group = int(heard.rstrip(piping.DRAIN))
            started = "" if can_mark() else start_time(group)
    copier.drain()
    end_group(group, run_id, grace=1.0, started=started)
    copier.finish()
    return True


def end_group(pgid: int, run_id: str, grace: float, started: str = "") -> None:
    """TERM, CONT, a grace, KILL: to the group, then to whatever carries the marker.

    `started` is the `start_time` of the group's leader as it was recorded: all there
    is to go by on systems that have no marker to read.
    """
    if not can_mark():
        _end_family(pgid, started, grace)
        return
    for number in (signal.SIGTERM, signal.SIGCONT):
        signal_group(pgid, run_id, number)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline and (group_alive(pgid) or any(True for _ in survivors(run_id))):
        time.sleep(0.02)
    for _ in range(50):
        signal_group(pgid, run_id, signal.SIGKILL)
        left = list(survivors(run_id))
        for pid in left:
            kill(pid, signal.SIGKILL)
        if not left:
            return
        time.sleep(0.02)


def _end_family(leader: int, started: str, grace: float) -> None:
    """The same where there is no /proc [not measured]: each process by its number and its start.

    Nothing is signalled where the leader is not the process that was recorded; what
    left its group and its parents before that is not found.
    """
    known = processes.family({leader: started}, leader)
    deadline = time.monotonic() + grace
    for number in (signal.SIGTERM, signal.SIGCONT):
        _signal_each(known, number)
    while known and time.monotonic() < deadline:
        time.sleep(0.05)
        known = processes.family(known, leader)
    for _ in range(50):
        if not known:
            return
        _signal_each(known, signal.SIGKILL)
        time.sleep(0.02)
        known = processes.family(known, leader)


def _signal_each(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        kill(pid, number)


def signal_group(pgid: int, run_id: str, number: int) -> None:
    """Signal a group if it still is this run's: a number may have been used again."""
    if pgid > 1 and any(os_pgid(pid) == pgid for pid in survivors(run_id)):
        try:
            os.killpg(pgid, number)
        except (ProcessLookupError, PermissionError):
            pass  # gone, or only zombies are left


def signal_child_group(pid: int, number: int) -> None:
    """Signal the group of a child we have not reaped: its number cannot have been reused."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # the worker is a zombie and its group is otherwise empty


def kill(pid: int, number: int) -> None:
    """Signal one process that was just seen to be ours."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # gone between the look and the signal


def group_alive(pgid: int) -> bool:
    try:
        os.killpg(pgid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's by now, or a zombie on macOS
    return pgid > 1


def alive(pid: int) -> bool:
    """Whether a process of this number exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not processes.zombie(pid)


def os_pgid(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def can_mark() -> bool:
    """Whether this system lets us read the environment of our own processes."""
    return processes.LINUX


def survivors(run_id: str) -> Iterator[int]:
    """Live processes that carry this run's marker. Linux; elsewhere none are found."""
    wanted = ("%s=%s" % (MARKER, run_id)).encode("ascii")
    for pid in processes.others():
        if wanted in processes.environment(pid) and not processes.zombie(pid):
            yield pid


def childless(sentinel: int, children: Optional[Sequence[int]]) -> bool:
    """Whether nothing of a reaped worker is left, as every orphan would be a child of ours: the cheapest question."""
    return children is not None and all(pid == sentinel for pid in children)


def detached(pid: int) -> bool:
    """Whether agentctl itself put it on its own: it outlives the run that it was started in."""
    return any(e.startswith(DETACHED.encode()) for e in processes.environment(pid))


def reap_orphans(ours: Sequence[int]) -> None:
    """Reap those of our children that have ended, but for `ours`: as a subreaper we inherit strangers."""
    for pid in processes.children() or []:
        if pid not in ours:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass  # reaped between the look and the call
