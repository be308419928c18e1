"""Reading and writing files for the installer: whole, by rename, and not at all where nothing changes."""

from __future__ import annotations

import hashlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Optional


def edit(path: str, after: Optional[bytes]) -> None:
    """Give a file these bytes, through a symlink and keeping its mode; None removes it."""
    target = os.path.realpath(path)
    before = read_or_none(target)
    if after == before:
        return
    if after is None:
        os.unlink(target)
    else:
        put(target, after, 0o600)
    print("edited %s" % path)


def put(path: str, data: bytes, mode: int) -> None:
    """Write by rename, so that a reader or a crash never sees half; equal bytes are left alone."""
    if read_or_none(path) == data:
        return
    temporary = "%s.agentctl-%d" % (path, os.getpid())
    if os.path.exists(path):
        mode = os.stat(path).st_mode & 0o7777
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
    os.chmod(temporary, mode)
    os.replace(temporary, path)


def read(path: str) -> bytes:
    return read_or_none(path) or b""


def read_or_none(path: str) -> Optional[bytes]:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def missing_folders(path: str) -> list[str]:
    """The folders that would have to be made for this one, outermost first."""
    found: list[str] = []
    while path and not os.path.lexists(path):
        found.insert(0, path)
        path = os.path.dirname(path)
    return found


def make_folder(path: str) -> list[str]:
    """Make a folder and its parents; returns those that were missing."""
    made = missing_folders(path)
    os.makedirs(path, exist_ok=True)
    return made


def files_below(top: str) -> Iterator[str]:
    """Relative paths, with `/`, of all that is not a folder."""
    for folder, _, names in os.walk(top):
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), top)


def folders_named(wanted: str, top: str) -> Iterator[str]:
    """The folders of this name, the outermost where they are nested."""
    for folder, names, _ in os.walk(top):
        if wanted in names:
            names.remove(wanted)
            yield os.path.join(folder, wanted)
