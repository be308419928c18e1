"""What the system says of a process: its parent, when it started, what it was started with.

Linux answers from /proc. Elsewhere `ps` does, and no environment can be read: there a
process is known again by its number together with the second in which it started
[not measured on macOS; the same `ps` options were run on Linux].
"""

from __future__ import annotations

import os
import sys

from . import proc
from .errors import AgentctlError
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Optional

LINUX = sys.platform.startswith("linux")


class Process(Record):
    """What `ps` says of one; `started` as `start_time` gives it, `stopped` by a signal."""

    pid: int = 0
    parent: int = 0
    group: int = 0
    started: str = ""
    stopped: bool = False


def start_time(pid: int) -> str:
    """A mark of this very process under this pid; "" where it is gone.

    Linux: clock ticks since boot; elsewhere the time of `ps -o lstart`, in UTC.
    """
    if LINUX:
        fields = _stat(pid)
        return fields[19] if len(fields) > 19 else ""
    return " ".join(_ps("-o", "lstart=", "-p", str(pid)).split())


def parent(pid: int) -> int:
    """The parent of a process, or 0 where it is gone or this system does not say."""
    if LINUX:
        fields = _stat(pid)
        return int(fields[1]) if len(fields) > 1 else 0
    out = _ps("-o", "ppid=", "-p", str(pid)).strip()
    return int(out) if out.isdigit() else 0


def program_below(root: int, name: str) -> int:
    """The process of a program of this name at or below `root`, in the foreground of its terminal; 0 where none is."""
    if LINUX:
        named = [pid for pid in others() if _name(pid) == name]
    else:
        lines = (line.split(None, 1) for line in _ps("-axo", "pid=,comm=").splitlines())
        named = [int(words[0]) for words in lines if len(words) == 2 and os.path.basename(words[1].strip()) == name]
    return next((pid for pid in named if in_foreground(pid) and descends(pid, root)), 0)


def program_of(pid: int) -> str:
    """The file that a process executes; "" where this system does not say."""
    try:
        return os.readlink("/proc/%d/exe" % pid)
    except OSError:
        return ""


def in_codex_sandbox() -> bool:
    """Whether all that we start ends with the command that called us: a PID namespace of Codex's (0.169.0, seen)."""
    return LINUX and os.getpid() != 1 and _name(1) == "codex"


def _name(pid: int) -> str:
    try:
        with open("/proc/%d/comm" % pid, "rb") as f:
            return f.read().decode("ascii", "replace").strip()
    except OSError:
        return ""


def descends(pid: int, root: int) -> bool:
    """Whether `root` is the process itself or above it."""
    for _ in range(64):
        if pid == root:
            return root > 1
        pid = parent(pid)
        if pid <= 1:
            return False
    return False


def gone(pid: int) -> bool:
    """Whether no live process has this number."""
    return zombie(pid) or not start_time(pid)


def end_of(pid: int) -> list[int]:
    """Descriptors of which one is readable once the process has ended; [] where the system has no such thing."""
    try:
        if hasattr(os, "pidfd_open"):
            return [os.pidfd_open(pid)]
        import select

        queue = select.kqueue()  # type: ignore[attr-defined]  # macOS, the BSDs [not measured]
        ended = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)  # type: ignore[attr-defined]
        queue.control([ended], 0)
        _KEPT.append(queue)
        return [queue.fileno()]
    except (OSError, AttributeError):
        return []  # an older kernel, or it has ended already


def until_gone(pid: int) -> None:
    """Block until the process has ended; where the system cannot tell, by a look now and then."""
    import select

    ended = end_of(pid)
    while not gone(pid):
        select.select(ended, [], [], None if ended else _LOOK_S)


_LOOK_S = 5.0
_KEPT: list[object] = []
"""Queues that close with their object."""


def in_foreground(pid: int) -> bool:
    """Whether the keys of its terminal go to this process: not suspended, nothing else was put before it."""
    if LINUX:
        fields = _stat(pid)
        return len(fields) > 5 and fields[0] != "T" and fields[2] == fields[5]
    words = _ps("-o", "pgid=,tpgid=,stat=", "-p", str(pid)).split()
    return len(words) > 2 and words[0] == words[1] and not words[2].startswith("T")


def zombie(pid: int) -> bool:
    """Whether it has ended and nobody has asked how. Linux; elsewhere False."""
    return LINUX and _stat(pid)[:1] == ["Z"]


def standing(pid: int) -> bool:
    """Whether it runs no instruction any more, for now or for good. Elsewhere than on Linux that is taken for true."""
    return not LINUX or _stat(pid)[:1] in ([], ["T"], ["t"], ["Z"], ["X"])


def environment(pid: int) -> list[bytes]:
    """The environment a process of ours was started with; [] where it cannot be read."""
    try:
        with open("/proc/%d/environ" % pid, "rb") as f:
            return f.read().split(b"\0")
    except OSError:
        return []


def others() -> list[int]:
    """Every process but this one. Linux; elsewhere none."""
    me = os.getpid()
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != me] if LINUX else []


def children() -> Optional[list[int]]:
    """Pids of our children, or None where the system does not list them."""
    try:
        with open("/proc/self/task/%d/children" % os.getpid(), "rb") as f:
            return [int(word) for word in f.read().split()]
    except OSError:
        return None


def locked() -> set[tuple[int, int]]:
    """(device, inode) of the files on which some process holds a lock, as /proc/locks has them. Linux."""
    try:
        with open("/proc/locks", "rb") as f:
            rows = [line.split() for line in f]
    except OSError:
        return set()
    marks = (row[5].split(b":") for row in rows if len(row) > 5 and row[1] in (b"FLOCK", b"POSIX", b"OFDLCK"))
    return {(os.makedev(int(mark[0], 16), int(mark[1], 16)), int(mark[2])) for mark in marks if len(mark) == 3}


def table() -> dict[int, Process]:
    """Every live process but this one, by pid, as `ps` lists them."""
    found = {}
    for line in _ps("-axo", "pid=,ppid=,pgid=,stat=,lstart=").splitlines():
        words = line.split()
        if len(words) > 4 and "".join(words[:3]).isdigit() and not words[3].startswith("Z"):
            pid, above, group = map(int, words[:3])
            started, stopped = " ".join(words[4:]), words[3].startswith("T")
            found[pid] = Process(pid=pid, parent=above, group=group, started=started, stopped=stopped)
    found.pop(os.getpid(), None)
    return found


def snapshot() -> dict[int, Process]:
    """As `table`, from /proc where there is one: a hundredth of what `ps` costs."""
    return {p.pid: p for p in map(_process, others()) if p.started} if LINUX else table()


def _process(pid: int) -> Process:
    """Without a start where it is gone, or a zombie."""
    fields = _stat(pid)
    if len(fields) < 20 or fields[0] in "ZX":
        return Process(pid=pid)
    return Process(pid=pid, parent=int(fields[1]), group=int(fields[2]), started=fields[19], stopped=fields[0] == "T")


def family(known: Mapping[int, str], group: int) -> dict[int, str]:
    """pid → start of those of `known` that live, of who is in `group` with one of them, and of all below."""
    now = table()
    found = {pid for pid, started in known.items() if pid in now and now[pid].started == started}
    if any(now[pid].group == group for pid in found):
        found |= {p.pid for p in now.values() if p.group == group}
    more = found
    while more:
        more = {p.pid for p in now.values() if p.parent in more} - found
        found |= more
    return {pid: now[pid].started for pid in found}


def _stat(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat from the state on; [] where the process is gone."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as f:
            return f.read().rpartition(b")")[2].decode("ascii", "replace").split()
    except OSError:
        return []


def _ps(*options: str) -> str:
    """What `ps` prints, the same for every reader; "" where it cannot: then nothing is known of anybody."""
    env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC0"}
    try:
        return proc.run(["ps", *options], env=env, timeout=5).out.decode("ascii", "replace")
    except (OSError, AgentctlError):
        return ""
