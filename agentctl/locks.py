"""flock as the pulse of a run: held means alive, free means ended.

The kernel drops the lock when its holder dies, however it dies, and wakes every
waiter: no heartbeat, no pid file, no polling. `flock`, not `lockf`: a POSIX lock
is lost when its process closes *any* descriptor of the file.
A lock file is never renamed on its own, removed or replaced: a second process
would then hold "the same" lock.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

_LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def _opened(path: str, flags: int) -> int:
    """What somebody put in the place of a lock (a FIFO would be waited for, a folder can be locked) is no lock."""
    try:
        fd = os.open(path, flags, 0o600)
    except IsADirectoryError:
        raise FileNotFoundError(errno.ENOENT, "not a lock", path) from None
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise FileNotFoundError(errno.ENOENT, "not a lock", path)


def take(path: str) -> int:
    """Hold the lock exclusively, waiting for it. Returns its descriptor."""
    fd = _opened(path, _OPEN)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return fd


def share(path: str) -> int:
    """Hold the lock together with others who share it, waiting for one who holds it alone."""
    fd = _opened(path, _OPEN)
    fcntl.flock(fd, fcntl.LOCK_SH)
    return fd


def try_take(path: str) -> Optional[int]:
    """Hold the lock exclusively if nobody has it; None where somebody does."""
    return _tried(_opened(path, _OPEN))


def _tried(fd: int) -> Optional[int]:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as e:
        os.close(fd)
        if e.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        return None
    return fd


def try_take_existing(path: str) -> Optional[int]:
    """As `try_take`, but never makes the file: a lock that somebody removed is not free.

    Raises FileNotFoundError.
    """
    return _tried(_opened(path, _OPEN & ~os.O_CREAT))


def held(path: str) -> bool:
    """Whether a live process holds the lock now. A missing file is held by nobody."""
    try:
        fd = _opened(path, _LOOK)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as e:
        if e.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        return True
    finally:
        os.close(fd)
    return False


def until_free(path: str) -> None:
    """Block until no process holds the lock. Raises FileNotFoundError."""
    fd = _opened(path, _LOOK)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
    finally:
        os.close(fd)


class holding:  # noqa: N801
    """A short critical section: `with holding(path):`, of the lock's descriptor. (contextlib costs start-up time.)"""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1

    def __enter__(self) -> int:
        self._fd = take(self._path)
        return self._fd

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
