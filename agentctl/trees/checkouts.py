"""The checkouts that stand on a branch, and having their files follow when it moves.

Which they are is read from the repository's own folder and our records, never asked of a
worktree's `.git` file. A checkout is touched only where it is clean and nothing is under way in
it; what then follows is git's own two-tree merge, which takes nothing away that is not
the same as the old commit. Files that the index does not know are ours to spare: git takes
those that are ignored for worthless.
"""

from __future__ import annotations

import os

from .. import files
from .. import gitdoor
from ..record import Record
from ..text import one_line
from . import indexlock
from . import operations
from . import worktree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from typing import Optional

    from ..gitdoor import Door

_SECONDS = 600.0
_GITLINK = b"160000"
_TRUE = ("true", "yes", "on", "1", "")
_IN_THE_WAY = "files there are in the way"


class Checkout(Record):
    """A working tree at `path` ("": not known where), whose own git directory is `own`. `index` is the copy of its
    index that is worked in while we hold the index's lock."""

    path: str = ""
    own: str = ""
    index: str = ""


def every(common: str, sources: Iterable[str] = ()) -> Iterator[Checkout]:
    """All checkouts of the repository whose folder is there: the main one, then the worktrees.

    Where a `.git` that is a link or a file leads to the repository (`--separate-git-dir`), git itself does
    not know of the checkout: `sources` are folders that may be it. One that nobody knows has no path.
    """
    for main in _main_paths(common, sources):
        yield Checkout(path=main, own=common)
    folder = os.path.join(common, "worktrees")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        own = os.path.join(folder, name)
        pointer = os.path.normpath(os.path.join(own, _word(own, "gitdir") or "."))
        if os.path.basename(pointer) == ".git" and os.path.isdir(os.path.dirname(pointer)):
            yield Checkout(path=os.path.dirname(pointer), own=own)


def _main_paths(common: str, sources: Iterable[str]) -> Iterable[str]:
    """Where the repository's own index is checked out: one folder, but for links to it; none where it is bare."""
    main = _main_path(common)
    if main is None:
        return ()
    others = [source for source in sources if source and worktree.leads_to(source, common)]
    found = {os.path.realpath(path): path for path in (*others, main) if path and os.path.isdir(path)}
    return found.values() or ([""] if not main and os.path.lexists(os.path.join(common, "index")) else ())


def _main_path(common: str) -> Optional[str]:
    """Where git takes the main working tree to be; "" where it cannot tell, None for a bare repository."""
    for name in ("core.bare", "core.worktree"):
        value = _setting(common, name)
        if value is not None and name == "core.bare" and value.lower() in _TRUE:
            return None
        if value is not None and name == "core.worktree":
            return os.path.normpath(os.path.join(common, value))
    return os.path.dirname(common) if os.path.basename(common) == ".git" else ""


def _setting(common: str, name: str) -> Optional[str]:
    try:
        return gitdoor.shared(common, 10.0).line("config", "--get", name)
    except gitdoor.CannotError:
        return None  # not set


def standing_on(common: str, branch: str, sources: Iterable[str] = ()) -> list[Checkout]:
    """Those of `every` whose HEAD is the branch, or in which something is under way that will come back to it."""
    fold = str.lower if (_setting(common, "core.ignorecase") or "no").lower() in _TRUE else str
    refs = set(map(fold, _names_of(common, branch)))
    return [checkout for checkout in every(common, sources) if not refs.isdisjoint(map(fold, _stands_on(checkout.own)))]


def _names_of(common: str, branch: str) -> set[str]:
    """The branch and all symbolic refs that are the same one."""
    listed = gitdoor.shared(common, 60.0).line("for-each-ref", "--format=%(refname) %(symref)", "refs/heads/")
    leads = {name: there or name for name, _, there in (line.partition(" ") for line in listed.split("\n"))}
    ref = "refs/heads/" + branch
    return {ref, *(name for name, there in leads.items() if there == leads.get(ref, ref))}


def _stands_on(own: str) -> Iterator[str]:
    """The refs that a checkout is on, or will come back to."""
    head, bisected = _word(own, "HEAD"), _word(own, "BISECT_START")
    if os.path.islink(os.path.join(own, "HEAD")):  # by core.preferSymlinkRefs
        head = "ref: " + os.readlink(os.path.join(own, "HEAD"))
    yield from (_word(own, "rebase-merge/head-name"), _word(own, "rebase-apply/head-name"), bisected)
    yield from (head[len("ref: ") :] if head.startswith("ref: ") else "", "refs/heads/" + bisected)


def _word(folder: str, name: str) -> str:
    return worktree.line_of(os.path.join(folder, name))


def locked(checkout: Checkout, scratch: str) -> Checkout:
    """The checkout, its index locked until `release`. The caller holds the repository's lock.

    Raises gitdoor.TROUBLE where that cannot be.
    """
    if not checkout.path:
        raise gitdoor.CannotError("git does not tell where its files are")
    indexlock.take(checkout.own)
    try:
        return checkout.replace(index=_copy_of_index(checkout, scratch))
    except OSError:
        indexlock.free(checkout.own)
        raise


def release(checkout: Checkout) -> None:
    indexlock.free(checkout.own)


def why_not(common: str, held: Checkout, scratch: str, old: str, new: str) -> str:
    """Why the files of a locked checkout cannot follow from `old` to `new`, or "". Raises gitdoor.TROUBLE."""
    found = operations.under_way(held.own)
    if found:
        return "%s is in progress there" % found.words
    door = _door(common, held, scratch, held.index)
    return _not_clean(door, old, new) or _in_the_way(door, held, old, new)


def _not_clean(door: Door, old: str, new: str) -> str:
    """Why git itself would not take the files of this index from `old` to `new`, or ""."""
    for ask, why in (
        (("update-index", "--ignore-submodules", "--refresh"), "it has uncommitted changes"),
        (("diff-index", "--cached", "--quiet", old, "--"), "it has staged changes"),
        (("read-tree", "-m", "-u", "-n", old, new), _IN_THE_WAY),
    ):
        try:
            door.ask(*ask)
        except gitdoor.CannotError as e:
            return why if e.done.code == 1 else "%s: %s" % (why, e)
    return ""


def _in_the_way(door: Door, checkout: Checkout, old: str, new: str) -> str:
    """The same for what git does not look at: it writes over files that are ignored."""
    raw = door.ask("diff-tree", "-r", "-z", "--no-renames", "--diff-filter=A", old, new).split(b"\0")
    added = [(name, head.split()[1]) for head, name in zip(raw[0::2], raw[1::2])]
    known = set(door.ask("ls-files", "-z").split(b"\0")) if added else set()
    for name, mode in added:
        found = _stands(os.fsencode(checkout.path), name, mode == _GITLINK, known)
        if found:
            return "%s: %s" % (_IN_THE_WAY, one_line(os.fsdecode(found), 200))
    return ""


def _stands(top: bytes, name: bytes, is_gitlink: bool, known: set[bytes]) -> bytes:
    """What stands where `name` is to be, or where a folder above it is to be, and is not `known`; b"" for nothing."""
    parts = name.split(b"/")
    for count in range(1, len(parts) + 1):
        path = b"/".join(parts[:count])
        full = os.path.join(top, path)
        if not os.path.lexists(full):
            return b""
        if os.path.islink(full) or not os.path.isdir(full):
            return b"" if path in known else path
    return b"" if is_gitlink else _unknown_below(top, name, known)


def _unknown_below(top: bytes, name: bytes, known: set[bytes]) -> bytes:
    for folder, folders, names in os.walk(os.path.join(top, name)):
        links = [entry for entry in folders if os.path.islink(os.path.join(folder, entry))]
        for path in (os.path.relpath(os.path.join(folder, entry), top) for entry in (*names, *links)):
            if path not in known:
                return path
    return b""


def shows(common: str, checkout: Checkout, scratch: str, commit: str) -> bool:
    """Whether its index is this very commit."""
    door = _door(common, checkout, scratch, _copy_of_index(checkout, scratch))
    try:
        door.ask("diff-index", "--cached", "--quiet", commit, "--")
    except gitdoor.CannotError:
        return False
    return True


def follow(common: str, held: Checkout, scratch: str, old: str, new: str) -> None:
    """Take the files of a locked checkout from `old` to `new`, once `why_not` has found nothing.

    Raises gitdoor.TROUBLE; its index is as it was then.
    """
    _door(common, held, scratch, held.index).ask("read-tree", "-m", "-u", old, new)
    indexlock.put(held.index, held.own)


def adopt(common: str, held: Checkout, scratch: str, old: str, new: str, begun: float) -> None:
    """As `follow`, where an earlier one, `begun` at that time, was killed half-way: files that are as in `new`
    already are taken as such."""
    trial = _door(common, held, scratch, _copy_of_index(held, scratch))
    raw = trial.ask("diff-tree", "-r", "-z", "--no-renames", old, new).split(b"\0")
    entries = {name: head.split() for head, name in zip(raw[0::2], raw[1::2])}
    there = {name: head for name, head in entries.items() if head[4] != b"D"}
    listing = b"".join(b"%s %s\t%s\0" % (head[1], head[3], name) for name, head in there.items())
    trial.ask("update-index", "-z", "--index-info", stdin=listing)
    _refresh(trial)
    others = set(trial.ask("diff-files", "--name-only", "-z", "--ignore-submodules=all").split(b"\0"))
    for name in others & there.keys():
        if begun <= _written_at(held, name) <= begun + _SECONDS:
            _drop_torn(trial, os.fsencode(held.path), name, there[name][3].decode("ascii"))
    done = b"".join(b"%s %s\t%s\0" % (head[1], head[3], name) for name, head in there.items() if name not in others)
    real = _door(common, held, scratch, held.index)
    if done:
        real.ask("update-index", "-z", "--index-info", stdin=done)
    _refresh(real)
    real.ask("read-tree", "-m", "-u", old, new)
    indexlock.put(held.index, held.own)


def _refresh(door: Door) -> None:
    try:
        door.ask("update-index", "-q", "--ignore-submodules", "--refresh")
    except gitdoor.CannotError:
        pass  # some are not as the index says: whoever needs them to be will find out


def _drop_torn(door: Door, top: bytes, name: bytes, blob: str) -> None:
    """Remove a file that git was killed over: it is the beginning of the new content, which has all of it."""
    path = os.path.join(top, name)
    folder = os.path.dirname(path)
    if not os.path.isfile(path) or os.path.islink(path) or os.path.realpath(folder) != _inside(top, folder):
        return
    content = door.ask("cat-file", "blob", blob)
    if content.startswith(files.read(os.fsdecode(path), len(content) + 1)):
        os.unlink(path)


def _written_at(checkout: Checkout, name: bytes) -> float:
    return files.mtime(os.path.join(checkout.path, os.fsdecode(name))) or 0.0


def _inside(top: bytes, folder: bytes) -> bytes:
    return os.path.normpath(os.path.join(os.path.realpath(top), os.path.relpath(folder, top)))


def _door(common: str, checkout: Checkout, scratch: str, index: str) -> Door:
    door = gitdoor.content(common, checkout.path, index, scratch, _SECONDS)
    gitdoor.copy_shared_indexes(checkout.own, door.env["GIT_DIR"])
    sparse = os.path.join(checkout.own, "info", "sparse-checkout")
    if os.path.isfile(sparse):
        files.create(os.path.join(door.env["GIT_DIR"], "info", "sparse-checkout"), files.read(sparse))
    return door


def _copy_of_index(checkout: Checkout, scratch: str) -> str:
    """To be looked at and written in: the real one is only ever replaced, by a whole one."""
    copy = os.path.join(scratch, "index-" + os.urandom(4).hex())
    gitdoor.copy(os.path.join(checkout.own, "index"), copy)
    return copy
