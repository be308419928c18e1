"""Files of a rescue written below a new folder: raw bytes, modes, links, never through a link.

Folders come first, then files, links last: what is written never leads anywhere while
it is being written, and a path that is there already is an error.
"""

from __future__ import annotations

import os

from .. import files
from .. import gitdoor
from . import gitnames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    from ..gitdoor import Door
    from .rescue import Stored

_AT_ONCE, _MOST = 16 << 20, 5000
_LARGE = 8 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LINK = "120000"
_EXECUTABLE = "100755"


class Tree:
    """A folder that is written: `about` tells what git's trees do not (rescue.About)."""

    def __init__(self, door: Door, scratch: str, folder: str, about: Optional[dict[str, Any]]) -> None:
        self.door, self.scratch = door, scratch
        self.folder = os.fsencode(folder)
        self.about = about or {}
        self.modes = dict(self._moded())

    def write(self, blobs: Sequence[Stored]) -> None:
        """Make it, which must not be there. Raises OSError, and what gitdoor.TROUBLE names."""
        folders = self._folders(blobs)
        os.makedirs(self.folder, 0o755)
        for folder in folders:
            os.mkdir(self._at(folder), 0o700)
        links = [blob for blob in blobs if blob.mode == _LINK]
        self._write_files([blob for blob in blobs if blob.mode != _LINK])
        for path in self._named("fifos"):
            os.mkfifo(self._at(path), 0o600)
            os.chmod(self._at(path), self.modes.get(path, 0o644))
        for blob, target in self._contents(links):
            os.symlink(target, self._at(os.fsencode(blob.path)))
        for folder in reversed(folders):
            os.chmod(self._at(folder), self.modes.get(folder, 0o755))

    def _folders(self, blobs: Sequence[Stored]) -> list[bytes]:
        """All folders that are needed, parents first."""
        wanted = self._named("folders")
        wanted += [os.path.dirname(path) for path in (*(os.fsencode(b.path) for b in blobs), *self._named("fifos"))]
        found: set[bytes] = set()
        for folder in wanted:
            while folder and folder not in found:
                found.add(folder)
                folder = os.path.dirname(folder)
        return sorted(found)

    def _write_files(self, blobs: Sequence[Stored]) -> None:
        for blob, data in self._contents([blob for blob in blobs if blob.size <= _LARGE]):
            self._write_file(blob, (data,))
        for blob in blobs:
            if blob.size > _LARGE:
                self._write_large(blob)

    def _write_large(self, blob: Stored) -> None:
        """By way of a file that git writes: never in our memory."""
        source = os.path.join(self.scratch, self.door.line("unpack-file", blob.oid))
        try:
            with open(source, "rb") as f:
                self._write_file(blob, iter(lambda: f.read(1 << 20), b""))
        finally:
            os.unlink(source)

    def _write_file(self, blob: Stored, chunks: Iterable[bytes]) -> None:
        path = os.fsencode(blob.path)
        fd = os.open(self._at(path), _NEW, 0o600)
        try:
            for chunk in chunks:
                files.write_all(fd, chunk)
            os.fchmod(fd, self.modes.get(path, 0o755 if blob.mode == _EXECUTABLE else 0o644))
        finally:
            os.close(fd)

    def _contents(self, blobs: Sequence[Stored]) -> Iterator[tuple[Stored, bytes]]:
        for some in _portions(blobs):
            asked = "".join("%s\n" % blob.oid for blob in some).encode("ascii")
            limit = sum(blob.size + 200 for blob in some)
            said, at = self.door.ask("cat-file", "--batch", stdin=asked, limit=limit), 0
            for blob in some:
                start = said.find(b"\n", at) + 1
                if said[at:start].split() != [blob.oid.encode("ascii"), b"blob", b"%d" % blob.size]:
                    raise gitdoor.CannotError("%s cannot be read: %s" % (blob.oid, blob.path))
                at = start + blob.size + 1
                yield blob, said[start : at - 1]

    def _at(self, path: bytes) -> bytes:
        if not gitnames.sane(path):
            raise gitdoor.CannotError("%r is no path below the worktree" % path)
        return os.path.join(self.folder, path)

    def _named(self, kind: str) -> list[bytes]:
        found = self.about.get(kind)
        return [gitnames.from_words(name) for name in found if isinstance(name, str)] if isinstance(found, list) else []

    def _moded(self) -> Iterator[tuple[bytes, int]]:
        modes = self.about.get("modes")
        for mode, paths in modes.items() if isinstance(modes, dict) else ():
            for path in paths if isinstance(paths, list) and mode.isdigit() and set(mode) <= set("01234567") else ():
                yield gitnames.from_words(str(path)), int(mode, 8) & 0o7777


def _portions(blobs: Sequence[Stored]) -> Iterator[list[Stored]]:
    """So few at a time that they fit in memory."""
    some: list[Stored] = []
    size = 0
    for blob in blobs:
        if some and (size + blob.size > _AT_ONCE or len(some) == _MOST):
            yield some
            some, size = [], 0
        some.append(blob)
        size += blob.size
    if some:
        yield some
