"""Writing files so that a crash, a full disk or a planted symlink loses nothing.

Three ways to write and no other: create (must not exist), replace (by rename),
publish (by link: complete or absent, and the second publisher is told so).
Weaker sequences were seen to leave empty or half files after a power cut; a
plain `json.dump(open(p, "w"))` on a full disk leaves half a file and no error.
Everything is 0600 in 0700 folders, whatever the umask.
"""

from __future__ import annotations

import errno
import json
import os
import stat

from . import strictjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any
    from typing import Optional

FOLDER_MODE, FILE_MODE = 0o700, 0o600
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)  # macOS: ENOTSUP is another
_APPEND = os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_counter = [0]


def write_all(fd: int, data: bytes) -> None:
    """Write every byte; a short write on a full disk becomes the OSError it hides."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def create(path: str, data: bytes) -> None:
    """Write a new file. Raises FileExistsError, also for a symlink put in its place."""
    fd = os.open(path, _NEW, FILE_MODE)
    try:
        write_all(fd, data)
    finally:
        os.close(fd)


def replace(path: str, data: bytes) -> None:
    """Put a whole new content in place of the old: readers see the one or the other."""
    temporary = _durable_temporary(path, data)
    try:
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def refresh(path: str, data: bytes) -> None:
    """As `replace`, for what may be lost in a power cut: no flush to disk."""
    temporary = "%s.%d.tmp" % (path, os.getpid())
    remove(temporary)
    try:
        create(temporary, data)
        os.replace(temporary, path)
    except OSError:
        remove(temporary)
        raise


def publish(path: str, data: bytes) -> bool:
    """Write `path` durably, once and for all. False: somebody published before us.

    The file is complete on disk before its name appears, and the name is on disk
    when this returns.
    """
    temporary = _durable_temporary(path, data)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as e:
        if e.errno not in _NO_LINKS:
            raise
        return _publish_without_links(temporary, path)
    finally:
        remove(temporary)
    sync_folder(os.path.dirname(path))
    return True


def _publish_without_links(temporary: str, path: str) -> bool:
    """For file systems with no hard links; our caller holds the run's lock."""
    if os.path.lexists(path):
        return False
    os.replace(temporary, path)
    sync_folder(os.path.dirname(path))
    return True


def _durable_temporary(path: str, data: bytes) -> str:
    _counter[0] += 1
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, ".%s.%d.%d.tmp" % (name, os.getpid(), _counter[0]))
    remove(temporary)
    fd = os.open(temporary, _NEW, FILE_MODE)
    try:
        write_all(fd, data)
        sync(fd)
    except OSError:
        os.unlink(temporary)
        raise
    finally:
        os.close(fd)
    return temporary


def sync(fd: int) -> None:
    """To the platter: on macOS fsync alone leaves data in the drive's cache (fcntl(2))."""
    import fcntl

    if hasattr(fcntl, "F_FULLFSYNC"):
        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
            return
        except OSError:
            pass  # not every file system knows F_FULLFSYNC; fsync is what it has
    os.fsync(fd)


def sync_folder(path: str) -> None:
    """Make a name that appeared in this folder survive a power cut."""
    fd = os.open(path or ".", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as e:
        if e.errno not in (errno.EINVAL, errno.ENOTSUP):  # network file systems that cannot
            raise
    finally:
        os.close(fd)


def append_line(path: str, line: str) -> None:
    """Add one line in one write, so that concurrent writers never tear each other's.

    A torn line left by a full disk is ended first. Callers that need exactly one
    line per thing hold a lock.
    """
    fd = open_append(path, readable=True)
    try:
        end = os.lseek(fd, 0, os.SEEK_END)
        torn = end > 0 and os.pread(fd, 1, end - 1) != b"\n"
        write_all(fd, (b"\n" if torn else b"") + line.encode("ascii", "backslashreplace") + b"\n")
    finally:
        os.close(fd)


def open_append(path: str, readable: bool = False) -> int:
    """A descriptor that appends to a private file, made where it is missing.

    Raises OSError where something else is in its place: open(2) would wait for the other end of a FIFO.
    """
    access = os.O_RDWR if readable else os.O_WRONLY
    fd = _regular(os.open(path, access | _APPEND, FILE_MODE), path)
    os.set_blocking(fd, True)  # a worker inherits it
    return fd


def open_own(path: str) -> int:
    """As `open_append`, for a file of ours, whatever somebody else put in its place."""
    make_way(path)
    return open_append(path)


def open_read(path: str) -> int:
    """A descriptor to read a file. Raises OSError where something else is in its place, without waiting for it."""
    return _regular(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), path)


def _regular(fd: int, path: str) -> int:
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise OSError(errno.EINVAL, "not a regular file", path)


def make_way(path: str) -> bool:
    """Move aside what is in the place of a file and is none (a FIFO, a folder, a link); whether there was anything."""
    try:
        if stat.S_ISREG(os.lstat(path).st_mode):
            return False
    except FileNotFoundError:
        return False
    os.rename(path, "%s.%s.odd" % (path, os.urandom(3).hex()))
    return True


def read(path: str, limit: int = 16 << 20) -> bytes:
    """The first `limit` bytes. Raises FileNotFoundError and other OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        chunks = []
        while limit > 0:
            chunk = os.read(fd, min(limit, 1 << 16))  # a larger buffer is a mapping of its own: 0.1 ms
            if not chunk:
                break
            chunks.append(chunk)
            limit -= len(chunk)
        return b"".join(chunks)
    except OSError as e:
        raise OSError(e.errno, e.strerror, path) from None  # read(2) does not know the name
    finally:
        os.close(fd)


def read_tail(path: str, size: int) -> bytes:
    """The last `size` bytes at most; empty where the file is missing."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return b""
    try:
        end = os.fstat(fd).st_size
        return os.pread(fd, min(size, end), max(0, end - size))
    finally:
        os.close(fd)


def lines_backwards(path: str, block: int = 1 << 14) -> Iterator[bytes]:
    """The lines of a file, last first, reading no more of it than is asked for.

    What is appended meanwhile is not seen. Empty where the file is missing.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    try:
        start, kept = os.fstat(fd).st_size, b""
        while start > 0:
            size = min(block, start)
            start -= size
            head, *lines = (os.pread(fd, size, start) + kept).split(b"\n")
            yield from reversed(lines)
            kept, block = head, block * 4
        yield kept
    finally:
        os.close(fd)


def dump(value: Any) -> bytes:
    """JSON in ASCII: nothing in it can drive a terminal or fail to be written."""
    return json.dumps(value, allow_nan=False).encode("ascii") + b"\n"


def load(path: str, limit: int = 16 << 20) -> Any:
    """Parsed JSON, or None where the file is missing, is not JSON, or is longer than `limit` bytes."""
    try:
        return parse(read(path, limit))
    except (OSError, ValueError):
        return None


def parse(data: bytes) -> Any:
    """JSON from bytes nobody vouches for. Raises ValueError only.

    What other readers cannot take (NaN, 1e999) is refused: see strictjson.
    """
    return strictjson.decoded(data)


def remove(path: str) -> None:
    """Unlink; a missing file is as wished."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass  # as wished


def private_folder(path: str) -> None:
    """Make a 0700 folder (and its parents) where it is missing."""
    if not os.path.isdir(path):
        os.makedirs(path, FOLDER_MODE, exist_ok=True)


def mtime(path: str) -> Optional[float]:
    """When the file was last written, or None where it is missing."""
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return None


def size(path: str) -> Optional[int]:
    """Bytes in the file, or None where it is missing."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return None
