"""Door to git: commits of submodules that a run made, brought to where the project's checkout has them.

A branch that points a submodule at a commit which only the run's worktree has would
leave everybody else with a reference to nothing. So the objects of such a commit are
packed, checked and put into the submodule's own git directory in the project's
checkout, under a ref of the run: as data, by git in a git directory of our own.
"""

from __future__ import annotations

import os
import shutil

from .. import files
from .. import gitdoor
from ..record import Record
from ..text import one_line
from . import worktree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..custody import Kept

_SECONDS = 300.0
_DEEPEST = 8
_REFS = "refs/agentctl/"
_LOST = "its submodule %s points to commit %s, which the project's checkout has not: push it, or fetch it there"


class _Link(Record):
    """A submodule at `path`, moved from the commit `old` ("" for a new one) to `new`."""

    name: str = ""
    path: str = ""
    old: str = ""
    new: str = ""


class _Place(Record):
    """A repository: `theirs` are git directories of the project's checkout that have it, `ours` the run's;
    `source` is where its files are in the checkout."""

    theirs: tuple[str, ...] = ()
    ours: str = ""
    source: str = ""


def bring(kept: Kept, target: str, tip: str, scratch: str) -> str:
    """Bring what is missing of the submodules that `tip` moves; why it cannot land as it is, or "".

    By who holds the worktree alone.
    """
    made = kept.worktree
    theirs = tuple(dict.fromkeys(filter(None, (made.common, worktree.own_of_source(made)))))
    place = _Place(theirs=theirs, ours=worktree.admin(made), source=made.source)
    try:
        base = _asked(made.common, "merge-base", target, tip) or target
        return _brought(place, made.common, base, tip, kept, scratch, 0)
    except gitdoor.TROUBLE as e:
        return "its submodules cannot be looked at: %s" % one_line(e, 300)


def _brought(place: _Place, repo: str, old: str, new: str, kept: Kept, scratch: str, depth: int) -> str:
    for link in _links(repo, old, new) if depth < _DEEPEST else ():
        below = _below(place, link)
        having = next((f for f in (*below.theirs, below.ours) if os.path.isdir(f) and _whole(f, link.new)), "")
        if not having and not below.theirs and below.ours and not os.path.isdir(below.ours):
            continue  # neither the user has the submodule nor the run: it only names a commit of it
        if not having or not (below.theirs or _upstream(having, link.new)):
            return _LOST % (one_line(link.path), link.new[:12])
        for folder in below.theirs:
            if not _whole(folder, link.new):
                _take(having, folder, link, kept.worktree.run, scratch)
        was = link.old if link.old and _whole(having, link.old) else ""
        why = _brought(below, having, was, link.new, kept, scratch, depth + 1)
        if why:
            return why
    return ""


def _links(repo: str, old: str, new: str) -> Iterator[_Link]:
    door = gitdoor.shared(repo, _SECONDS)
    how = ("-r", "-z", "--no-renames", "--no-ext-diff", "--diff-filter=AMT")
    before = old or os.fsdecode(door.ask("hash-object", "-t", "tree", "--stdin")).strip()
    raw = door.ask("diff-tree", *how, before, new).split(b"\0")
    moved = {n: head.split() for head, n in zip(raw[0::2], raw[1::2]) if head.split()[1] == b"160000"}
    names = _names(door, new) if moved else {}
    for name, (mode, _, was, now, _) in moved.items():
        path = os.fsdecode(name)
        was = was if mode == b":160000" else b""
        yield _Link(name=names.get(path, ""), path=path, old=was.decode("ascii"), new=now.decode("ascii"))


def _names(door: gitdoor.Door, commit: str) -> dict[str, str]:
    """The submodules' names by their paths; none leads out of `modules`."""
    try:
        raw = os.fsdecode(door.ask("config", "-z", "--blob", commit + ":.gitmodules", "--get-regexp", r"\.path$"))
    except gitdoor.CannotError:
        return {}  # a gitlink that no .gitmodules knows
    pairs = [entry.partition("\n") for entry in raw.split("\0") if entry]
    named = {path: key[len("submodule.") : -len(".path")] for key, _, path in pairs}
    return {path: name for path, name in named.items() if not {"", ".", ".."} & set(name.split("/"))}


def _below(place: _Place, link: _Link) -> _Place:
    """The places of a submodule; of a repository that no .gitmodules knows there is no copy of the run's."""
    source = os.path.join(place.source, link.path) if place.source else ""
    named = [os.path.join(folder, "modules", link.name) for folder in place.theirs if link.name]
    known = [*named, os.path.join(source, ".git")]
    theirs = tuple(f for f in known if os.path.isabs(f) and os.path.isdir(os.path.join(f, "objects")))
    ours = os.path.join(place.ours, "modules", link.name) if link.name and place.ours else ""
    return _Place(theirs=theirs, ours=ours, source=source)


def _asked(folder: str, *words: str) -> str:
    try:
        return gitdoor.shared(folder, _SECONDS).line(*words)
    except gitdoor.CannotError:
        return ""


def _whole(folder: str, commit: str) -> bool:
    """Whether the commit is there with its files."""
    try:
        gitdoor.shared(folder, _SECONDS).ask("rev-list", "--objects", "--quiet", "-n", "1", commit)
    except gitdoor.CannotError:
        return False
    return True


def _upstream(folder: str, commit: str) -> bool:
    """Whether it was fetched from elsewhere, so that others can."""
    return bool(_asked(folder, "for-each-ref", "--count=1", "--contains", commit, "refs/remotes/"))


def _take(ours: str, theirs: str, link: _Link, run: str, scratch: str) -> None:
    """What the one git directory has of a commit into the other."""
    aside = os.path.join(scratch, "pack-" + os.urandom(4).hex())
    files.private_folder(aside)
    known = "\n^%s" % link.old if link.old and _whole(ours, link.old) and _whole(theirs, link.old) else ""
    door = gitdoor.content(ours, aside, aside + ".index", scratch, _SECONDS)
    said = ("pack-objects", "--quiet", "--revs", os.path.join(aside, "pack"))
    door.ask(*said, stdin=os.fsencode(link.new + known + "\n"))
    into = gitdoor.content(theirs, aside, aside + ".index", scratch, _SECONDS)
    into.argv += ("-c", "core.fsync=committed")
    for name in os.listdir(aside):
        if name.endswith(".pack"):
            _index(into, os.path.join(aside, name), os.path.join(theirs, "objects", "pack", name))
    into.ask("rev-list", "--objects", "--quiet", link.new, *(("--not", link.old) if known else ()))
    gitdoor.shared(theirs, _SECONDS).ask("update-ref", _REFS + run, link.new)


def _index(into: gitdoor.Door, made: str, pack: str) -> None:
    os.makedirs(os.path.dirname(pack), exist_ok=True)
    shutil.copyfile(made, pack)
    try:
        into.ask("index-pack", "--strict", pack)
    except gitdoor.TROUBLE:
        files.remove(pack)
        raise
    fd = os.open(pack, os.O_RDONLY | os.O_CLOEXEC)
    os.fsync(fd)
    os.close(fd)
