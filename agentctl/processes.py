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
    """A line of `ps`."""

    pid: int = 0
    parent: int = 0
    group: int = 0
    started: str = ""


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


def zombie(pid: int) -> bool:
    """Whether it has ended and nobody has asked how. Linux; elsewhere False."""
    return LINUX and _stat(pid)[:1] == ["Z"]


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


def table() -> dict[int, Process]:
    """Every live process but this one, by pid, as `ps` lists them."""
    found = {}
    for line in _ps("-axo", "pid=,ppid=,pgid=,stat=,lstart=").splitlines():
        words = line.split()
        if len(words) > 4 and "".join(words[:3]).isdigit() and not words[3].startswith("Z"):
            pid, above, group = map(int, words[:3])
            found[pid] = Process(pid=pid, parent=above, group=group, started=" ".join(words[4:]))
    found.pop(os.getpid(), None)
    return found


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
