"""The one door to workers: start one, stop all of it, leave nothing behind.

Coding agents start servers, browsers and shells; these outlive a naive kill.
Three nets catch them: the worker's own session and process group; on Linux the
runner is a subreaper, so that whatever daemonised becomes its child; and every
descendant carries AGENTCTL_RUN_ID in its environment. A sentinel process holds
the read end of a pipe only the runner can write to: when the runner is killed,
end-of-file tells the sentinel to stop the group. No pid is ever trusted alone:
before anything is signalled by number it must carry the marker.
"""

from __future__ import annotations

import os
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Optional

MARKER = "AGENTCTL_RUN_ID"
DETACHED = "AGENTCTL_DETACHED"
HANDLED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP, signal.SIGPIPE,
           signal.SIGCHLD, signal.SIGTTOU, signal.SIGTTIN)
_LINUX = sys.platform.startswith("linux")


def spawn(argv: Sequence[str], env: Mapping[str, str], stdin: str, stdout: int, stderr: int) -> int:
    """Start a worker in a session of its own, in our working directory. Returns its pid.

    stdin is a file, stdout and stderr are descriptors of files: a pipe would lose
    the last words of a Node program and hang while a grandchild holds it.
    Raises OSError (missing program, no permission, bad interpreter).
    """
    actions = [(os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
               (os.POSIX_SPAWN_DUP2, stdout, 1), (os.POSIX_SPAWN_DUP2, stderr, 2)]
    return os.posix_spawn(argv[0], list(argv), dict(env), file_actions=actions, setsid=True,
                          setsigmask=[], setsigdef=HANDLED)


def become_subreaper() -> None:
    """On Linux, have orphaned descendants become our children (prctl(2), best effort)."""
    if not _LINUX:
        return
    import ctypes

    try:
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    except (OSError, AttributeError):
        pass  # a libc without prctl: the group and the marker still hold


def start_sentinel(run_id: str) -> tuple[int, int]:
    """Fork the sentinel: (its pid, the descriptor that tells it things).

    Write `pgid\\n` when the worker is there, `.` when all is well and it may go.
    It must hold none of our descriptors, above all not the run's lock.
    """
    listen, tell = os.pipe()
    pid = os.fork()
    if pid:
        os.close(listen)
        return pid, tell
    try:
        os.dup2(listen, 0)
        os.closerange(1, 4096)
        os.setsid()
        for number in (*HANDLED, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)
        _watch(run_id)
    finally:
        os._exit(0)


def _watch(run_id: str) -> None:
    heard = b""
    while True:
        data = os.read(0, 64)
        if not data:
            break
        heard += data
    if heard.endswith(b"."):
        return
    groups = [int(word) for word in heard.split() if word.isdigit()]
    end_group(groups[-1] if groups else 0, run_id, grace=1.0)


def end_group(pgid: int, run_id: str, grace: float) -> None:
    """TERM, CONT, a grace, KILL: to the group, then to whatever carries the marker."""
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


def signal_group(pgid: int, run_id: str, number: int) -> None:
    """Signal a group if it still is this run's: a number may have been used again."""
    if pgid > 1 and (not can_mark() or any(os_pgid(pid) == pgid for pid in survivors(run_id))):
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
    return not _zombie(pid)


def os_pgid(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def can_mark() -> bool:
    """Whether this system lets us read the environment of our own processes."""
    return _LINUX


def survivors(run_id: str) -> Iterator[int]:
    """Live processes that carry this run's marker. Linux; elsewhere none are found."""
    wanted = ("%s=%s" % (MARKER, run_id)).encode("ascii")
    for pid in _processes():
        if wanted in environment(pid) and not _zombie(pid):
            yield pid


def environment(pid: int) -> list[bytes]:
    """The environment a process of ours was started with; [] where it cannot be read."""
    try:
        with open("/proc/%d/environ" % pid, "rb") as f:
            return f.read().split(b"\0")
    except OSError:
        return []


def _processes() -> list[int]:
    if not _LINUX:
        return []
    me = os.getpid()
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != me]


def _stat(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat from the state on; [] where the process is gone."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as f:
            return f.read().rpartition(b")")[2].decode("ascii", "replace").split()
    except OSError:
        return []


def _zombie(pid: int) -> bool:
    return _stat(pid)[:1] == ["Z"]


def parent(pid: int) -> int:
    """The parent of a process, or 0 where it is gone or this system does not say."""
    if _LINUX:
        fields = _stat(pid)
        return int(fields[1]) if len(fields) > 1 else 0
    from . import proc

    out = proc.run(["ps", "-o", "ppid=", "-p", str(pid)], timeout=5).out.strip()
    return int(out) if out.isdigit() else 0


def start_time(pid: int) -> str:
    """A mark of this very process under this pid (Linux: clock ticks since boot)."""
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else ""


def strays(run_id: str, sentinel: int) -> list[int]:
    """What is left of the worker after it was reaped, cheapest question first.

    With a subreaper every orphan is a child of ours, so no child but the sentinel
    means nothing is left; only otherwise is every process looked at. Processes that
    agentctl itself detached (a tmux server, another run's runner) are not strays.
    """
    children = _children()
    if children is not None and all(pid == sentinel for pid in children):
        return []
    found = set(survivors(run_id))
    for pid in children or []:
        if pid != sentinel and not any(e.startswith(DETACHED.encode()) for e in environment(pid)):
            found.add(pid)
    return sorted(pid for pid in found if not _zombie(pid))


def _children() -> Optional[list[int]]:
    """Pids of our children, or None where the system does not list them."""
    try:
        with open("/proc/self/task/%d/children" % os.getpid(), "rb") as f:
            return [int(word) for word in f.read().split()]
    except OSError:
        return None


def sweep(run_id: str, pgid: int, sentinel: int, grace: float = 0.3) -> list[int]:
    """Stop everything the reaped worker left behind; returns the pids it had to stop.

    The group's number cannot have been reused while a member of it lives, and is
    asked for only when one was seen.
    """
    left = strays(run_id, sentinel)
    if not left and not (children_unknown() and group_alive(pgid)):
        return []
    seen = list(left)
    deadline = time.monotonic() + grace
    _signal_all(left, pgid, signal.SIGTERM)
    while left and time.monotonic() < deadline:
        time.sleep(0.01)
        left = _after_reaping(run_id, sentinel)
    for _ in range(100):
        if not left:
            break
        _signal_all(left, pgid, signal.SIGKILL)
        time.sleep(0.01)
        left = _after_reaping(run_id, sentinel)
    return seen


def children_unknown() -> bool:
    return _children() is None


def _signal_all(pids: Sequence[int], pgid: int, number: int) -> None:
    if not pids or any(os_pgid(pid) == pgid for pid in pids):
        signal_child_group(pgid, number)
    for pid in pids:
        kill(pid, number)
        if number == signal.SIGTERM:
            kill(pid, signal.SIGCONT)


def _after_reaping(run_id: str, sentinel: int) -> list[int]:
    reap_orphans((sentinel,))
    return strays(run_id, sentinel)


def reap_orphans(ours: Sequence[int]) -> None:
    """Reap those of our children that have ended, but for `ours`: as a subreaper we inherit strangers."""
    for pid in _children() or []:
        if pid not in ours:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass  # reaped between the look and the call
