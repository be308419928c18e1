"""The blobs and trees of a rescue: of what a worktree and its own git directory hold.

One `git hash-object` hashes all files, one more writes those that are new. Trees are
made by private index files, which hold nothing but what was hashed here.
"""

from __future__ import annotations

import os

from .. import files
from . import gitnames
from . import rescue
from . import tracing
from . import walking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence
    from typing import Any

    from ..gitdoor import Door
    from .walking import Entry

_AT_ONCE = 20000


class Blob:
    """A file or a link that is stored: where it stood, where its bytes are read, its id once it is hashed."""

    __slots__ = ("entry", "source", "oid")

    def __init__(self, entry: Entry, source: bytes) -> None:
        self.entry = entry
        self.source = source
        self.oid = ""

    def mode(self) -> str:
        if self.entry.kind == walking.LINK:
            return "120000"
        return "100755" if self.entry.mode & 0o100 else "100644"


class Bundle:
    """What is stored of a worktree: `entries` of its directory, but for those that are `left_out`.

    `ignored`: names of files, and of folders with a slash at their end.
    """

    def __init__(self, door: Door, scratch: str, ignored: list[bytes]) -> None:
        self.door, self.scratch = door, scratch
        self.top: list[Blob] = []
        self.own: list[Blob] = []
        self.entries: list[Entry] = []
        self.left_out: list[Entry] = []
        self._ignored = ignored
        self._made = 0

    def add_top(self, folder: str, entries: list[Entry]) -> None:
        """The working directory's files and links, but for ignored ones where these are left out."""
        exact = {path for path in self._ignored if not path.endswith(b"/")}
        below = tuple(path for path in self._ignored if path.endswith(b"/"))
        for entry in entries:
            ignored = entry.path in exact or (entry.path + b"/").startswith(below)
            (self.left_out if ignored else self.entries).append(entry)
        self.left_out = [entry for entry in self.left_out if entry.kind != walking.FOLDER]
        self.top = self._hashed(folder, self.entries)

    def add_own(self, folder: str, entries: list[Entry]) -> None:
        """The files of its own git directory."""
        self.own = self._hashed(folder, entries)

    def files(self) -> Iterator[tuple[str, str, str]]:
        """Path, mode and id of the working directory's files, but for the `.git` that leads to its repository."""
        for blob in self.top:
            if blob.entry.path != b".git":
                yield os.fsdecode(blob.entry.path), blob.mode(), blob.oid

    def sizes(self, known: set[str]) -> dict[str, int]:
        """Bytes by id of all that is not known."""
        return {blob.oid: blob.entry.size for blob in (*self.top, *self.own) if blob.oid not in known}

    def write(self, known: set[str]) -> None:
        """Store what is not known; raises nothing where a file changed: that is seen by a later look."""
        new = {blob.oid: blob for blob in (*self.top, *self.own) if blob.oid not in known}
        self._hash(list(new.values()), "-w")

    def top_tree(self) -> str:
        """The working directory, but for what no tree takes."""
        return self._tree([_line(b, b.entry.path) for b in self.top if _taken(b)])

    def git_tree(self, texts: dict[bytes, bytes], named: Sequence[str]) -> str:
        """The own git directory, what no other tree takes, further files, and further blobs."""
        lines = [_line(b, rescue.OWN + gitnames.encoded(b.entry.path)) for b in self.own]
        lines += [_line(b, rescue.KEPT + gitnames.encoded(b.entry.path)) for b in self.top if not _taken(b)]
        lines += [b"100644 %s\t%s%s\0" % (oid.encode(), rescue.OBJECTS, oid.encode()) for oid in named]
        for path, data in texts.items():
            oid = self.door.ask("hash-object", "-w", "--no-filters", "--stdin", stdin=data).strip()
            lines.append(b"100644 %s\t%s\0" % (oid, path))
        return self._tree(lines)

    def staged_tree(self) -> str:
        """What the index holds, by path; where it is unmerged each stage in a folder of its own.

        Entries whose blob is not there are left out: the index is a worker's, and a
        tree with holes would break the user's `git gc`.
        """
        entries = list(self._staged())
        there = tracing.kinds(self.door, sorted({oid for mode, oid, _, _ in entries if mode != "160000"}))
        whole = [e for e in entries if e[0] == "160000" or there.get(e[1]) == "blob"]
        unmerged = any(stage != b"0" for _, _, stage, _ in whole)
        return self._tree(
            [
                b"%s %s\t%s%s\0" % (mode.encode(), oid.encode(), stage + b"/" if unmerged else b"", path)
                for mode, oid, stage, path in whole
            ]
        )

    def _staged(self) -> Iterator[tuple[str, str, bytes, bytes]]:
        """Mode, id, stage and path of the index's entries, by a copy of it (and of what it is split from)."""
        index = self._index_file()
        for blob in self.own:
            name = blob.entry.path
            if blob.entry.kind == walking.FILE and (name == b"index" or name.startswith(b"sharedindex.")):
                target = index if name == b"index" else os.path.join(self.door.env["GIT_DIR"], os.fsdecode(name))
                files.remove(target)
                files.create(target, files.read(os.fsdecode(blob.source), blob.entry.size))
        for line in self.door.ask("ls-files", "--stage", "-z").split(b"\0"):
            about, _, path = line.partition(b"\t")
            words = about.split()
            if len(words) == 3 and gitnames.sane(path) and gitnames.taken(path, words[0] == b"120000"):
                yield words[0].decode(), words[1].decode(), words[2], path

    def _hashed(self, folder: str, entries: Sequence[Entry]) -> list[Blob]:
        """The blobs of the entries that have bytes, hashed and not yet stored."""
        top = os.fsencode(folder)
        blobs = [self._blob(top, entry) for entry in entries if entry.kind in (walking.FILE, walking.LINK)]
        self._hash(blobs)
        return blobs

    def _blob(self, top: bytes, entry: Entry) -> Blob:
        """A link's bytes are where it leads: put into a file, for git would follow the link."""
        path = os.path.join(top, entry.path)
        if entry.kind == walking.LINK:
            target = os.readlink(path)
            self._made += 1
            path = os.fsencode(os.path.join(self.scratch, "link-%d" % self._made))
            files.remove(os.fsdecode(path))
            files.create(os.fsdecode(path), target)
        return Blob(entry, path)

    def _hash(self, blobs: Sequence[Blob], *how: str) -> None:
        for start in range(0, len(blobs), _AT_ONCE):
            some = blobs[start : start + _AT_ONCE]
            paths = b"".join(gitnames.line(blob.source) for blob in some)
            said = self.door.ask("hash-object", *how, "--no-filters", "--stdin-paths", stdin=paths).split()
            for blob, oid in zip(some, said):
                blob.oid = oid.decode("ascii")

    def _tree(self, lines: Sequence[bytes]) -> str:
        self._index_file()
        if lines:
            self.door.ask("update-index", "-z", "--index-info", stdin=b"".join(lines))
        return self.door.line("write-tree")

    def _index_file(self) -> str:
        """A new index file for what is asked next."""
        self._made += 1
        path = os.path.join(self.scratch, "index-%d" % self._made)
        files.remove(path)
        self.door.env["GIT_INDEX_FILE"] = path
        return path


def _taken(blob: Blob) -> bool:
    return gitnames.taken(blob.entry.path, blob.entry.kind == walking.LINK)


def _line(blob: Blob, path: bytes) -> bytes:
    """As `update-index --index-info` wants it."""
    return b"%s %s\t%s\0" % (blob.mode().encode(), blob.oid.encode(), path)


def beside(entries: list[Entry]) -> dict[str, Any]:
    """What no tree tells of a folder: see rescue.About."""
    parents = {os.path.dirname(entry.path) for entry in entries if entry.kind != walking.OTHER}
    modes: dict[str, list[str]] = {}
    found: dict[str, Any] = {"folders": [], "modes": modes, "fifos": [], "lost": []}
    for entry in entries:
        path, mode = gitnames.words(entry.path), "%o" % entry.mode
        executable = entry.kind == walking.FILE and entry.mode & 0o100
        usual = "755" if executable or entry.kind == walking.FOLDER else "644"
        if entry.kind not in (walking.LINK, walking.OTHER) and mode != usual:
            modes.setdefault(mode, []).append(path)
        if entry.kind == walking.FOLDER and entry.path not in parents:
            found["folders"].append(path)
        if entry.kind in (walking.FIFO, walking.OTHER):
            found["fifos" if entry.kind == walking.FIFO else "lost"].append(path)
    return found
