"""How things are timed, the same way for ours and for the floor.

A process is started by posix_spawn and waited for with wait4: no helper thread, no
polling (`Popen.wait(timeout)` naps up to 50 ms), and the kernel's own account of its
CPU time, children that it waited for included. Times are of the monotonic clock,
which all processes of the machine share, in milliseconds.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Callable
from typing import NamedTuple
from typing import Optional

REPO = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
PYTHON = os.path.realpath(sys.executable)
AGENTCTL = (PYTHON, "-I", "-S", os.path.join(REPO, "bin", "agentctl"))
PASS = (PYTHON, "-c", "pass")
BARE = (PYTHON, "-I", "-S")
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR")


class BenchError(Exception):
    """A figure could not be measured; the table says why and the others go on."""


class Timing(NamedTuple):
    """Milliseconds of a process: by the clock, and of CPU."""

    wall: float
    cpu: float

    def __add__(self, other: object) -> Timing:
        if not isinstance(other, Timing):
            return NotImplemented
        return Timing(self.wall + other.wall, self.cpu + other.cpu)


class Pairs(NamedTuple):
    """Samples of two things measured in turns."""

    ours: list[Timing]
    floor: list[Timing]

    def walls(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        return tuple(t.wall for t in self.ours), tuple(t.wall for t in self.floor)

    def cpus(self) -> tuple[tuple[float, float], ...]:
        return tuple((a.cpu, b.cpu) for a, b in zip(self.ours, self.floor))


def clean_env(home: str) -> dict[str, str]:
    """What children get: nothing of PYTHON*, of tmux or of the user's own configuration."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "HOME": home, "TERM": "xterm-256color", "GIT_CONFIG_NOSYSTEM": "1"}


def now() -> float:
    """Milliseconds of the clock that all processes share."""
    return time.monotonic_ns() / 1e6


def spawn(argv: Sequence[str], env: Mapping[str, str], stdout: str = os.devnull, stdin: str = os.devnull) -> int:
    """Start a process with its output in a file; returns its pid."""
    writing = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, stdout, writing, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    return os.posix_spawnp(argv[0], list(argv), dict(env), file_actions=actions)


def reap(pid: int, began: float, argv: Sequence[str], codes: Sequence[int] = (0,)) -> Timing:
    """Wait for a process. Raises BenchError for an exit code that is none of `codes`."""
    _, status, usage = os.wait4(pid, 0)
    ended = now()
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    if code not in codes:
        raise BenchError("exit code %d of %s" % (code, " ".join(os.path.basename(word) for word in argv[:8])))
    return Timing(ended - began, 1e3 * (usage.ru_utime + usage.ru_stime))


def timed(argv: Sequence[str], env: Mapping[str, str], stdout: str = os.devnull, codes: Sequence[int] = (0,)) -> Timing:
    """A process from the call to its end."""
    began = now()
    return reap(spawn(argv, env, stdout), began, argv, codes)


def output(argv: Sequence[str], env: Mapping[str, str], scratch: str) -> str:
    """What a process printed. Raises BenchError where it fails."""
    if os.path.exists(scratch):
        os.unlink(scratch)
    timed(argv, env, scratch)
    with open(scratch, encoding="utf-8") as f:
        return f.read().strip()


def in_turns(rounds: int, ours: Callable[[], Timing], floor: Callable[[], Timing]) -> Pairs:
    """A B, then B A, and so on, after one of each that does not count."""
    ours(), floor()
    pairs = Pairs([], [])
    for n in range(rounds):
        first, second = (pairs.ours, ours), (pairs.floor, floor)
        for samples, sample in (first, second) if n % 2 else (second, first):
            samples.append(sample())
    return pairs


def until(true: Callable[[], object], seconds: float = 30.0, every: float = 0.005) -> None:
    """Nap until something is true: for setting a scene, never for timing one. Raises BenchError."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise BenchError("waited %g s in vain" % seconds)
        time.sleep(every)


# -- what the kernel says of a process (Linux; elsewhere None)


def _proc(pid: int, name: str) -> Optional[str]:
    try:
        with open("/proc/%d/%s" % (pid, name), encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return None


def ran(pid: int) -> float:
    """Nanoseconds of CPU that all threads of a process have used. Raises BenchError."""
    total = 0.0
    for task in _tasks(pid):
        words = (_proc(pid, "task/%s/schedstat" % task) or "").split()
        if not words:
            raise BenchError("this system does not say what CPU time a process used")
        total += float(words[0])
    return total


def _tasks(pid: int) -> list[str]:
    try:
        return os.listdir("/proc/%d/task" % pid)
    except OSError:
        raise BenchError("this system does not list the threads of a process") from None


def kilobytes(pid: int, name: str, field: str) -> float:
    """A field of /proc/<pid>/<name>, as `VmHWM: 12 kB`. Raises BenchError."""
    for line in (_proc(pid, name) or "").splitlines():
        key, _, value = line.partition(":")
        if key == field:
            return float(value.split()[0])
    raise BenchError("this system does not tell %s of a process" % field)


def position(pid: int, path: str) -> int:
    """How far a process has read a file that it has open; -1 where it has not. Raises BenchError."""
    if not os.path.isdir("/proc/%d/fd" % pid):
        raise BenchError("this system does not say how far a process has read, or the process is gone")
    for fd in os.listdir("/proc/%d/fd" % pid):
        info = (_proc(pid, "fdinfo/" + fd) or "").split()
        if _target(pid, fd) == path and int(info[3], 8) & os.O_ACCMODE == os.O_RDONLY:
            return int(info[1])
    return -1


def _target(pid: int, fd: str) -> str:
    try:
        return os.readlink("/proc/%d/fd/%s" % (pid, fd))
    except OSError:
        return ""  # closed between the look and the question


def sources() -> str:
    """A mark of the code that is measured: it must be the same before and after."""
    digest = hashlib.sha256()
    for folder, _, names in sorted(os.walk(os.path.join(REPO, "agentctl"))):
        for name in sorted(n for n in names if n.endswith(".py")):
            with open(os.path.join(folder, name), "rb") as f:
                digest.update(f.read())
    return digest.hexdigest()[:12]


def children(pid: int) -> list[int]:
    return [int(word) for word in (_proc(pid, "task/%d/children" % pid) or "").split()]


def argv_of(pid: int) -> list[str]:
    return (_proc(pid, "cmdline") or "").rstrip("\0").split("\0")


def blocked_on_locks(pid: int) -> int:
    """How many threads of a process wait for a lock now. Raises BenchError."""
    try:
        with open("/proc/locks", encoding="ascii") as f:
            return sum(1 for line in f if "->" in line and line.split()[5] == str(pid))
    except OSError:
        raise BenchError("this system does not list who waits for a lock") from None


def processes() -> Iterator[int]:
    """Every process there is; none where the system does not list them."""
    names = os.listdir("/proc") if os.path.isdir("/proc") else []
    return (int(name) for name in names if name.isdigit())


def mentions(pid: int, word: str) -> bool:
    """Whether a process names `word` in its command line or its environment."""
    return any(word in (_proc(pid, name) or "") for name in ("cmdline", "environ"))
