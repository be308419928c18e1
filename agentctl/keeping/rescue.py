"""The commit that a removed worktree is kept in: refs/agentctl/rescue/<run>, its form, its list.

    tree      the working directory as it was, every file's raw bytes; what git takes in no tree is in `git`
    parents   HEAD; `index`: what was staged; `git`: see below; every commit that only the worktree's
              own git directory named; the branch's tip; an older rescue of the same worktree

The tree of `git`, with names encoded (gitnames.py):
    own/…      the worktree's own git directory: HEAD, index, logs, modules of submodules
    kept/…     what stood in the working directory under names that git does not take: `.git` of any kind
    branch     the branch's reflog
    objects/…  blobs that only the own git directory named
    about.json what no tree tells: About

Which parent is which is told by the lines of the commit's message. All of it is data
that a worker may have written over: whoever restores it checks names and kinds again.
"""

from __future__ import annotations

import os
import re

from .. import files
from .. import gitdoor
from ..custody import Kept
from ..record import Record
from ..store import ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any
    from typing import Optional

    from ..gitdoor import Door

PREFIX = "refs/agentctl/rescue/"
OWN, KEPT, OBJECTS, BRANCH, ABOUT = b"own/", b"kept/", b"objects/", b"branch", b"about.json"
_DURABLE = ("core.fsync=loose-object,reference", "core.protectNTFS=false", "core.protectHFS=false")
_BEFORE_FSYNC = ("core.fsyncObjectFiles=true", "core.protectNTFS=false", "core.protectHFS=false")
_PLAIN = ("core.commitGraph=false", "core.multiPackIndex=false")
_ROLE = re.compile(r"^(head|index|git|earlier): ([0-9a-f]{40,64})$", re.M)


class About(Record):
    """about.json. Of `top` (the working directory) and `own` (its git directory): `folders` that are
    empty, `modes` in octal that are neither 644 nor 755 with the paths that have them, `fifos`, and
    `lost`: sockets and devices, which nothing can keep. `unsound`: commits that were named there and
    are not whole. `tip`: where the branch was, "" if it was gone. `ignored`: how many ignored files
    were left out. `missing`: the working directory was gone."""

    format: int = 1
    kept: Kept = Kept()
    saved_at: float = 0.0
    tip: str = ""
    top: Optional[dict[str, Any]] = None
    own: Optional[dict[str, Any]] = None
    unsound: tuple[str, ...] = ()
    ignored: int = 0
    missing: bool = False


class Rescue(Record):
    """A rescue as its commit tells: `commit`, the commits by their roles ("" where there is none), `about`."""

    commit: str = ""
    head: str = ""
    index: str = ""
    git: str = ""
    earlier: str = ""
    about: About = About()


class Stored(Record):
    """A blob of a tree: git's mode (100644, 100755 or 120000), bytes. `path` as git has it."""

    path: str = ""
    mode: str = ""
    oid: str = ""
    size: int = 0


def objects(common: str, scratch: str, seconds: float) -> Door:
    """git for objects alone: of a configuration of our own, durable, no file of the repository's in sight.

    The repository's configuration could say that objects are to be fetched, and by which program.
    """
    files.private_folder(scratch)
    door = gitdoor.content(common, scratch, os.path.join(scratch, "index"), scratch, seconds)
    _configure(door, (*_durable(door), *_PLAIN))
    for who in ("AUTHOR", "COMMITTER"):
        door.env.update({"GIT_%s_NAME" % who: "agentctl", "GIT_%s_EMAIL" % who: "agentctl@agentctl.invalid"})
    return door


def references(common: str, seconds: float) -> Door:
    """git for refs, which it flushes to disk."""
    door = gitdoor.shared(common, seconds)
    _configure(door, _durable(door))
    return door


def _durable(door: Door) -> tuple[str, ...]:
    found = re.search(r"(\d+)\.(\d+)", door.line("version"))
    version = (int(found.group(1)), int(found.group(2))) if found else (2, 31)
    return _DURABLE if version >= (2, 36) else _BEFORE_FSYNC


def _configure(door: Door, entries: tuple[str, ...]) -> None:
    """After what every door sets: the last one counts."""
    for entry in entries:
        door.argv += ["-c", entry]


def branch_log(kept: Kept) -> str:
    """The reflog of its branch."""
    return os.path.join(kept.worktree.common, "logs", "refs", "heads", kept.worktree.branch)


def ref(run_id: str) -> str:
    return PREFIX + run_id


def commit_of(door: Door, name: str) -> str:
    """The commit a full ref names, "" where there is none. Raises gitdoor.TROUBLE where that cannot be told."""
    try:
        return door.line("rev-parse", "--quiet", "--verify", name)
    except gitdoor.CannotError as e:
        if e.done.code != 1:
            raise
        return ""


def every(common: str) -> dict[str, str]:
    """The rescue commits of a repository by run, oldest first."""
    listing = references(common, 20).line("for-each-ref", "--format=%(objectname) %(refname)", PREFIX)
    pairs = (line.split(" ", 1) for line in listing.splitlines())
    found = {name[len(PREFIX) :]: oid for oid, name in pairs}
    return {run_id: found[run_id] for run_id in sorted(found) if ID.match(run_id)}


def message(title: str, rescue: Rescue) -> bytes:
    """The commit's message."""
    roles = ((name, getattr(rescue, name)) for name in ("head", "index", "git", "earlier"))
    lines = ["%s: %s" % (name, oid) for name, oid in roles if oid]
    return ("agentctl rescue: %s\n\n%s\n" % (title, "\n".join(lines))).encode("utf-8", "replace")


def load(door: Door, commit: str) -> Rescue:
    """Read a rescue. Raises what gitdoor.TROUBLE names where it is none."""
    head, _, words = door.ask("cat-file", "commit", commit).decode("utf-8", "replace").partition("\n\n")
    roles = dict(_ROLE.findall(words.partition("\n\n")[2]))
    if not set(roles.values()) <= set(re.findall(r"^parent ([0-9a-f]+)$", head, re.M)) or "git" not in roles:
        raise gitdoor.CannotError("%s is no rescue commit" % commit[:12])
    try:
        raw = files.parse(door.ask("cat-file", "blob", "%s:%s" % (roles["git"], ABOUT.decode())))
    except ValueError:
        raise gitdoor.CannotError("%s is no rescue commit: about.json is damaged" % commit[:12]) from None
    return Rescue(commit=commit, about=About.from_json(raw), **roles)


def stored(door: Door, commit: str) -> Iterator[Stored]:
    """The blobs of a commit's tree, by path; submodules' commits are none."""
    for line in door.ask("ls-tree", "-r", "-z", "-l", "--full-tree", commit).split(b"\0"):
        about, _, path = line.partition(b"\t")
        words = about.decode("ascii").split()
        if len(words) == 4 and words[1] == "blob" and words[3].isdigit():
            yield Stored(path=os.fsdecode(path), mode=words[0], oid=words[2], size=int(words[3]))


def beyond_head(door: Door, rescue: Rescue) -> list[Stored]:
    """The files of the working directory that are not in HEAD as they were."""
    committed = {(s.path, s.mode, s.oid) for s in stored(door, rescue.head)} if rescue.head else set()
    return [s for s in stored(door, rescue.commit) if (s.path, s.mode, s.oid) not in committed]


def drop(common: str, run_id: str, commit: str) -> None:
    """Let go of what is kept, if it is still that commit. There is no way back."""
    references(common, 20).ask("update-ref", "-d", ref(run_id), commit)
