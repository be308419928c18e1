"""Door to git: what `.worktreeinclude` names comes along into a new worktree, such as `.env`.

The file has the syntax of .gitignore and is read from the checkout the worktree was
asked from. Untracked files that match are copied, never over what is there, and
never through a link: a commit may hold a link where the checkout has a folder.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from .. import files
from .. import gitdoor
from ..errors import AgentctlError
from ..text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from ..model import Worktree

NAME = ".worktreeinclude"
_SECONDS = 60.0
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20
_IN_THE_WAY = (errno.EEXIST, errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.EPERM)


def include(made: Worktree, scratch: str, stopped: Callable[[], object]) -> list[str]:
    """Copy them, until `stopped` says so; the names of what came along. Raises AgentctlError and OSError."""
    try:
        names = _named(made.source, scratch) if made.source else []
    except gitdoor.CannotError as e:
        raise AgentctlError("%s: %s" % (NAME, one_line(e, 300))) from None
    came = []
    for name in names:
        if stopped():
            break
        if _copied(os.fsencode(made.source), os.fsencode(made.path), name):
            came.append(os.fsdecode(name))
    return came


def bring(kept: str, target: str) -> None:
    """Copy all that an earlier `include` has put into a folder, as that does. Raises OSError."""
    top = os.fsencode(kept)
    for folder, below, names in os.walk(top):
        links = [name for name in below if os.path.islink(os.path.join(folder, name))]
        for name in (*names, *links):
            _copied(top, os.fsencode(target), os.path.relpath(os.path.join(folder, name), top))


def _named(source: str, scratch: str) -> list[bytes]:
    """Untracked files of the checkout that match, links among them; no repository inside of it."""
    path = os.path.join(source, NAME)
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return []
    except FileNotFoundError:
        return []
    patterns = os.path.join(scratch, "include")
    files.create(patterns, files.read(path, 1 << 20))
    deadline = time.monotonic() + _SECONDS
    door = gitdoor.private(gitdoor.discover(source, deadline), scratch, deadline)
    listing = door.ask("ls-files", "--others", "--ignored", "--exclude-from=" + patterns, "-z")
    return [name for name in listing.split(b"\0") if name and not name.endswith(b"/") and _proper(name)]


def _proper(name: bytes) -> bool:
    return not {b"", b".", b"..", b".git"} & {part.lower() for part in name.split(b"/")}


def _copied(source: bytes, target: bytes, name: bytes) -> int:
    """1, or 0 where something is there already, or stands in the way, or it cannot be read."""
    *folders, last = name.split(b"/")
    fds: list[int] = []
    try:
        fds += [os.open(source, _FOLDER), os.open(target, _FOLDER)]
        for folder in folders:
            here, there = fds[-2:]
            fds.append(os.open(folder, _FOLDER, dir_fd=here))
            _make(folder, there, os.fstat(fds[-1]).st_mode)
            fds.append(os.open(folder, _FOLDER, dir_fd=there))
        return _copy(last, *fds[-2:])
    except OSError as e:
        if e.errno not in _IN_THE_WAY:
            raise  # a full disk
        return 0
    finally:
        for fd in fds:
            os.close(fd)


def _make(folder: bytes, there: int, mode: int) -> None:
    try:
        os.mkdir(folder, 0o700, dir_fd=there)
    except FileExistsError:
        return
    os.chmod(folder, stat.S_IMODE(mode) | 0o700, dir_fd=there)


def _copy(name: bytes, here: int, there: int) -> int:
    info = os.stat(name, dir_fd=here, follow_symlinks=False)
    if stat.S_ISLNK(info.st_mode):
        os.symlink(os.readlink(name, dir_fd=here), name, dir_fd=there)
        return 1
    if not stat.S_ISREG(info.st_mode):
        return 0
    source = os.open(name, _READ, dir_fd=here)
    try:
        target = os.open(name, _NEW, 0o600, dir_fd=there)
        try:
            _pour(source, target)
            os.fchmod(target, stat.S_IMODE(info.st_mode) & 0o777)
            os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))
        finally:
            os.close(target)
    finally:
        os.close(source)
    return 1


def _pour(source: int, target: int) -> None:
    while True:
        chunk = os.read(source, _CHUNK)
        if not chunk:
            return
        files.write_all(target, chunk)
