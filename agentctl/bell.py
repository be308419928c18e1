"""A bell: how a process that waits is told that there is something new.

Each waiter has a FIFO of its own in a folder; whoever has news writes a byte into each.
Blocked in the kernel, no CPU; a waiter that died leaves a FIFO nobody reads, which the
next ringer removes. A FIFO gets its name only once its reader has it open: otherwise a
ringer would take it for a dead one.
"""

from __future__ import annotations

import _thread
import errno
import os
import select
import stat

from . import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Optional

OF_RUN = "bell"
"""The folder of a run in which its runner's bell hangs while it lives."""


class Bell:
    """One waiter's FIFO. Raises OSError where the folder cannot be written."""

    def __init__(self, folder: str) -> None:
        files.private_folder(folder)
        name = "%d-%s" % (os.getpid(), os.urandom(4).hex())
        hidden, self._path = os.path.join(folder, "." + name), os.path.join(folder, name)
        os.mkfifo(hidden, files.FILE_MODE)
        self._lock = _thread.allocate_lock()
        self._fd = os.open(hidden, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)  # also a writer: it never reads an end
        os.rename(hidden, self._path)

    def ring(self) -> None:
        """By a thread of the waiter's own; nothing once it is closed, when its descriptor may be another's."""
        with self._lock:
            try:
                if self._fd >= 0:
                    os.write(self._fd, b".")
            except BlockingIOError:
                pass  # full of rings that nobody has heard yet

    def wait(self, seconds: Optional[float] = None, also: Iterable[int] = ()) -> bool:
        """Block until it rings, one of the descriptors `also` is readable, or time is over; whether it rang."""
        ready, _, _ = select.select([self._fd, *also], [], [], seconds)
        if self._fd not in ready:
            return False
        os.read(self._fd, 1 << 12)
        return True

    def fileno(self) -> int:
        """Readable once it rang: for a `select` among other things."""
        return self._fd

    def hush(self) -> None:
        """Forget the rings so far."""
        try:
            os.read(self._fd, 1 << 12)
        except BlockingIOError:
            pass  # nobody rang

    def close(self) -> None:
        files.remove(self._path)
        with self._lock:
            os.close(self._fd)
            self._fd = -1


def ring_all(folder: str) -> None:
    """Ring every bell in a folder. A missing folder has none."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        if not name.startswith("."):
            _ring(os.path.join(folder, name))


def remove_all(folder: str) -> None:
    """Take away a folder with the bells in it, where nobody waits any more. A missing one is gone already."""
    try:
        for path in [os.path.join(folder, name) for name in os.listdir(folder)]:
            if stat.S_ISFIFO(os.lstat(path).st_mode):  # a worker may have put something else there, or a link
                os.unlink(path)
        os.rmdir(folder)
    except OSError:
        pass  # what is left is in nobody's way


def _ring(path: str) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as e:
        if e.errno == errno.ENXIO:
            files.remove(path)  # its waiter is dead
        return
    try:
        os.write(fd, b".")
    except (BlockingIOError, BrokenPipeError):
        pass  # it is full of rings already, or the waiter has left just now
    finally:
        os.close(fd)
