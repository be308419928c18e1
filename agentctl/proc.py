"""Runs short helper programs (tmux, git, a shell check) to their end, bounded in time and size.

Why not `subprocess`: importing it costs 10 ms, more than most of our commands may
take. This is the small part of it that we use: no shell, no cwd, no inherited
streams. A worker is not a helper; `supervise` starts those.

The child gets a process group of its own, so that a timeout or a ^C ends what it
started as well, and so that a ^C at the terminal reaches us first.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import time

from .errors import AgentctlError
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from collections.abc import Sequence

_CHUNK = 1 << 16
_TICK_S = 0.005  # where no pidfd wakes us at the child's end
_LONG_S = 1.0
_DEFAULTED = (
    signal.SIGPIPE,
    signal.SIGXFSZ,  # Python ignores these; a helper must die of them
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGCHLD,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGUSR1,
    signal.SIGUSR2,
)


class Done(Record):
    """A program that ended: exit code (minus the signal's number if one killed it), its output."""

    code: int = 0
    out: bytes = b""
    err: bytes = b""


class ProcTimeout(AgentctlError):
    """The program was killed because its time was over."""


class ProcOverflow(AgentctlError):
    """The program was killed because it printed too much; `done` holds the first `limit` bytes."""

    def __init__(self, message: str, done: Done) -> None:
        super().__init__(message)
        self.done = done


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    timeout: float = 30.0,
    limit: int = 8 << 20,
    doubt: Callable[[], None] = lambda: None,
) -> Done:
    """Run `argv` to its end; a non-zero exit code is a value, not an error.

    `timeout` in seconds, `limit` in bytes of stdout and stderr together. A process
    left behind by the program that still holds the pipes does not delay us. `doubt`
    is called now and then where it takes long: what it raises ends the program.
    Raises FileNotFoundError (no such program on env's PATH), OSError (cannot be
    started), ProcTimeout, ProcOverflow.
    """
    environ = os.environ if env is None else env
    child = _Child(os.path.basename(argv[0]), limit)
    try:
        child.start(find(argv[0], environ), argv, environ, stdin)
        child.talk(timeout, doubt)
        return child.done()
    finally:
        child.end()


def leave(argv: Sequence[str], *, env: Mapping[str, str], patience: float) -> int | None:
    """Start a program that may outlive us (it shows something), without streams.

    Its exit code where it ends within `patience` seconds; None where it goes on, which it may.
    Raises OSError where it cannot be started.
    """
    null: list[tuple[int | str, ...]] = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    path = find(argv[0], env)
    pid = os.posix_spawn(
        path, list(argv), dict(env), file_actions=null, setpgroup=0, setsigdef=_DEFAULTED, setsigmask=()
    )
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        select.select([], [], [], 4 * _TICK_S)
    return None


def foreground(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run `argv` with our own streams, as a person at the terminal would, to its end. Raises OSError."""
    pid = os.posix_spawn(find(argv[0], env), list(argv), dict(env), setsigdef=_DEFAULTED, setsigmask=())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def find(name: str, env: Mapping[str, str]) -> str:
    """The path of an executable, by env's PATH (posix_spawnp would take our own).

    Relative PATH entries are skipped: the current folder may be a hostile repository.
    """
    if "/" in name:
        return name
    for folder in os.get_exec_path(env):
        path = os.path.join(folder, name)
        if os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(2, "no such program on PATH", name)


class _Child:
    """One program and our ends of its pipes."""

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.limit = limit
        self.pid = 0
        self.code: int | None = None
        self.fds: set[int] = set()
        self.stdin = self.pidfd = -1
        self.input = memoryview(b"")
        self.streams: list[int] = []
        self.chunks: dict[int, list[bytes]] = {}
        self.size = 0
        self.poller = select.poll()

    def start(self, path: str, argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> None:
        actions: list[tuple[int | str, ...]] = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
        theirs = []
        if stdin:
            end, self.stdin = self._pipe()
            self.input = memoryview(stdin)
            self._watch(self.stdin, select.POLLOUT)
            actions = [(os.POSIX_SPAWN_DUP2, end, 0)]
            theirs.append(end)
        for number in (1, 2):
            ours, end = self._pipe()
            self.streams.append(ours)
            self.chunks[ours] = []
            self._watch(ours, select.POLLIN)
            actions.append((os.POSIX_SPAWN_DUP2, end, number))
            theirs.append(end)
        self.pid = os.posix_spawn(
            path, list(argv), dict(env), file_actions=actions, setpgroup=0, setsigdef=_DEFAULTED, setsigmask=()
        )
        for end in theirs:
            self._close(end)
        self._watch_end()

    def talk(self, timeout: float, doubt: Callable[[], None]) -> None:
        """Feed and read until the program ended. Its end counts, not the pipes' end:
        something it left behind may hold those for ever."""
        began = time.monotonic()
        deadline, doubtful = began + timeout, began + _LONG_S
        nap = 60.0 if self.pidfd >= 0 else _TICK_S
        while self.code is None:
            now = time.monotonic()
            if now >= deadline:
                raise ProcTimeout("`%s` did not end within %g s" % (self.name, timeout))
            if now >= doubtful:
                doubt()
                now = time.monotonic()
                doubtful = now + 2 * (now - began)
            for fd, _ in self.poller.poll(min(deadline - now, doubtful - now, nap) * 1000):
                self._serve(fd)
            self._reap()
        for fd in self.streams:
            while self._read(fd):
                pass

    def done(self) -> Done:
        out, err = (b"".join(self.chunks[fd]) for fd in self.streams)
        return Done(code=self.code or 0, out=out, err=err)

    def end(self) -> None:
        """Leave nothing: no process (of an unfinished program), no zombie, no descriptor."""
        for fd in tuple(self.fds):
            self._close(fd)
        if self.pid and self.code is None:
            _kill_group(self.pid)
            os.waitpid(self.pid, 0)

    def _pipe(self) -> tuple[int, int]:
        first, second = os.pipe()
        self.fds |= {first, second}
        return self._above_streams(first), self._above_streams(second)

    def _above_streams(self, fd: int) -> int:
        """Started with a closed stdin we would be given 0 to 2, which the child's streams overwrite."""
        if fd > 2:
            return fd
        higher = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
        self.fds.add(higher)
        self._close(fd)
        return higher

    def _watch(self, fd: int, events: int) -> None:
        os.set_blocking(fd, False)
        self.poller.register(fd, events)

    def _watch_end(self) -> None:
        try:
            self.pidfd = os.pidfd_open(self.pid)
        except (AttributeError, OSError):
            return  # not Linux, an old kernel or a strict sandbox: _TICK_S serves
        self.fds.add(self.pidfd)
        self.poller.register(self.pidfd, select.POLLIN)

    def _close(self, fd: int) -> None:
        self.fds.discard(fd)
        os.close(fd)

    def _serve(self, fd: int) -> None:
        if fd == self.stdin:
            self._write()
        elif fd in self.chunks:
            self._read(fd)

    def _write(self) -> None:
        try:
            self.input = self.input[os.write(self.stdin, self.input[:_CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.input = self.input[:0]  # it does not want the rest: its business
        if not self.input:
            self.poller.unregister(self.stdin)
            self._close(self.stdin)

    def _read(self, fd: int) -> bool:
        """Take what is there; False when that is nothing, now or for ever."""
        if fd not in self.fds:
            return False
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self.poller.unregister(fd)
            self._close(fd)
            return False
        self.chunks[fd].append(data[: max(self.limit - self.size, 0)])
        self.size += len(data)
        if self.size > self.limit:
            raise ProcOverflow("`%s` printed more than %d bytes" % (self.name, self.limit), self.done())
        return True

    def _reap(self) -> None:
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            self.pid = 0
            raise AgentctlError("the exit code of `%s` is lost: SIGCHLD is ignored here" % self.name) from None
        if pid:
            self.code = os.waitstatus_to_exitcode(status)


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # only the unreaped child itself is left (EPERM: what macOS says of a zombie)
