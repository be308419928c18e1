"""Directory trees as they are: seen whole, and removed, without following a link.

What is in them was written by a worker. Names are bytes; nothing outside of the tree
is read, written or removed, whatever its links and folders are swapped for meanwhile.
"""

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Optional

FILE, LINK, FOLDER, FIFO, OTHER = "file", "link", "folder", "fifo", "other"
_KINDS = {stat.S_IFREG: FILE, stat.S_IFLNK: LINK, stat.S_IFDIR: FOLDER, stat.S_IFIFO: FIFO}
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_FULL = 0o700


class Entry:
    """One thing below a folder. `path` is relative to it; `stamp` differs once it was written to."""

    __slots__ = ("path", "kind", "mode", "size", "stamp")

    def __init__(self, path: bytes, info: os.stat_result) -> None:
        self.path = path
        self.kind = _KINDS.get(stat.S_IFMT(info.st_mode), OTHER)
        self.mode = stat.S_IMODE(info.st_mode)
        self.size = info.st_size
        # A folder's times change with what is in it, which has entries of its own.
        times = () if self.kind == FOLDER else (info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        self.stamp = (info.st_mode, info.st_ino, *times)


def scan(top: bytes) -> list[Entry]:
    """Everything below `top`, folders too. Raises OSError for what cannot be listed, and for a mount point."""
    found: list[Entry] = []
    todo = [b""]
    device = os.lstat(top).st_dev
    while todo:
        folder = todo.pop()
        for name, info in _listed(os.path.join(top, folder)):
            entry = Entry(os.path.join(folder, name), info)
            if info.st_dev != device:
                raise OSError(errno.EXDEV, "another file system is mounted there", os.fsdecode(entry.path))
            found.append(entry)
            if entry.kind == FOLDER:
                todo.append(entry.path)
    return sorted(found, key=lambda entry: entry.path)


def _listed(folder: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    fd = os.open(folder, _OPEN)
    try:
        with os.scandir(fd) as entries:
            for entry in entries:
                yield os.fsencode(entry.name), entry.stat(follow_symlinks=False)
    finally:
        os.close(fd)


def same(some: list[Entry], others: list[Entry]) -> bool:
    """Whether nothing was written between two scans of a tree."""
    return [(e.path, e.stamp) for e in some] == [(e.path, e.stamp) for e in others]


def is_folder(path: str) -> bool:
    """A folder itself, not a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False  # not there


def remove(path: str) -> None:
    """Remove a tree of any depth, read-only folders too; where it is gone that is as wished.

    Folders are lifted to the top before they are emptied: two descriptors do for any
    depth, and no path is long. Raises OSError, with part of the tree left.
    """
    try:
        top = _opened(path, None)
    except FileNotFoundError:
        return
    try:
        device = os.fstat(top).st_dev
        while _emptied_once(top, device):
            pass
    finally:
        os.close(top)
    os.rmdir(path)


def _emptied_once(top: int, device: int) -> bool:
    """Whether there was anything."""
    names = os.listdir(top)
    for name in names:
        if _is_folder_in(name, top):
            _flatten(name, top, device)
        else:
            os.unlink(name, dir_fd=top)
    return bool(names)


def _flatten(name: str, top: int, device: int) -> None:
    """Remove the folder `name`, but for its folders: these are lifted beside it."""
    folder = _opened(name, top)
    try:
        if os.fstat(folder).st_dev != device:
            raise OSError(errno.EXDEV, "another file system is mounted there", name)
        for child in os.listdir(folder):
            if _is_folder_in(child, folder):
                _lift(child, folder, top)
            else:
                os.unlink(child, dir_fd=folder)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)


def _lift(child: str, folder: int, top: int) -> None:
    lifted = "lifted-" + os.urandom(12).hex()
    try:
        os.rename(child, lifted, src_dir_fd=folder, dst_dir_fd=top)
    except PermissionError:  # a folder that cannot be written cannot be moved: its `..` is in it
        os.chmod(child, _FULL, dir_fd=folder)
        os.rename(child, lifted, src_dir_fd=folder, dst_dir_fd=top)


def _is_folder_in(name: str, folder: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _opened(name: str, folder: Optional[int]) -> int:
    """A descriptor of a folder that can be emptied."""
    try:
        fd = os.open(name, _OPEN, dir_fd=folder)
    except PermissionError:
        os.chmod(name, _FULL, dir_fd=folder)
        fd = os.open(name, _OPEN, dir_fd=folder)
    try:
        if os.fstat(fd).st_mode & _FULL != _FULL:
            os.fchmod(fd, _FULL)
    except OSError:
        os.close(fd)
        raise
    return fd
