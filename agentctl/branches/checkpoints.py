"""Door to git: a working directory as a commit, and that commit with some files as they were before.

A checkpoint changes nothing that its owner sees: neither index nor HEAD nor branch, only
objects and a ref under refs/agentctl/goals/, by which what it holds stays reachable.
"""

from __future__ import annotations

import os
import time

from .. import files
from .. import git
from .. import gitdoor
from .. import locks
from .. import proc
from ..record import Record
from ..trees import filling
from ..trees import indexlock
from ..trees import making
from . import landing
from .landing import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Mapping

REFS = "refs/agentctl/goals/"
_SECONDS = 120.0
_NOBODY = ("agentctl", "agentctl@agentctl.invalid")


class State(Record):
    """A checkout at one moment: where it is, HEAD's commit and tree, and the tree of all that lies there.

    `note` says what of it was left out.
    """

    top: str = ""
    common: str = ""
    head: str = ""
    head_tree: str = ""
    tree: str = ""
    note: str = ""


def state(cwd: str, scratch: str, leave: Iterable[str] = ()) -> State:
    """The checkout that contains `cwd`. Ignored files are not looked at, nor are the names in `leave`.

    Raises what gitdoor.TROUBLE names.
    """
    return _state(*_looked_at(cwd, scratch), leave)


def uncommitted(cwd: str, scratch: str) -> tuple[State, tuple[str, ...]]:
    """As `state`, leaving nothing in the repository; and the names that differ from HEAD.

    A lock that `commit_all` was killed with is taken away.
    """
    indexlock.sweep(_places(cwd).common)
    repo, door = _looked_at(cwd, scratch)
    objects = os.path.join(scratch, "objects")
    files.private_folder(objects)
    door.env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = gitdoor.quoted(door.env["GIT_OBJECT_DIRECTORY"])
    door.env["GIT_OBJECT_DIRECTORY"] = objects
    found = _state(repo, door, ())
    names = door.ask("diff-tree", "-r", "-z", "--name-only", "--no-renames", found.head_tree, found.tree)
    return found, tuple(os.fsdecode(name) for name in names.split(b"\0") if name)


def commit_all(cwd: str, scratch: str, words: str) -> str:
    """Commit all that is uncommitted in a checkout, as its owner; the new commit. Raises what TROUBLE names.

    Under the index's own lock; hooks do not run. The index comes first: should we be killed before
    HEAD moves, all is staged, and no commit takes anything back.
    """
    places = _places(cwd)
    with locks.holding(making.lock(places.common)):
        indexlock.take(places.own)
        try:
            return _all_committed(*_looked_at(cwd, scratch), words)
        finally:
            indexlock.free(places.own)


def _places(cwd: str) -> gitdoor.Repo:
    return gitdoor.discover(cwd, time.monotonic() + _SECONDS)


def _all_committed(repo: gitdoor.Repo, door: gitdoor.Door, words: str) -> str:
    at = _state(repo, door, ())
    owner = gitdoor.linked(repo.common, repo.own, _SECONDS)
    _sign(door, *(filling.configured(owner, key) for key in ("user.name", "user.email")))
    commit = door.ask("commit-tree", at.tree, "-p", at.head, stdin=words.encode("utf-8", "replace")).decode().strip()
    indexlock.put(os.path.join(door.env["GIT_DIR"], "index"), repo.own)
    owner.ask("update-ref", "-m", "agentctl: commit before a goal", "HEAD", commit, at.head)
    return commit


def _looked_at(cwd: str, scratch: str) -> tuple[gitdoor.Repo, gitdoor.Door]:
    """A private git directory over the checkout, which writes objects into the repository's own store."""
    deadline = time.monotonic() + _SECONDS
    repo = gitdoor.discover(cwd, deadline)
    if not repo.head:
        raise gitdoor.CannotError("it has no commit yet")
    door = gitdoor.private(repo, scratch, deadline)
    del door.env["GIT_ALTERNATE_OBJECT_DIRECTORIES"]
    door.env["GIT_OBJECT_DIRECTORY"] = os.path.join(repo.common, "objects")
    return repo, door


def _state(repo: gitdoor.Repo, door: gitdoor.Door, leave: Iterable[str]) -> State:
    tree, note = git.working_tree(door, repo.top)
    left = b"\0".join(map(os.fsencode, leave))
    if left:
        door.ask("update-index", "-z", "--force-remove", "--stdin", stdin=left)
        tree = door.line("write-tree")
    of_head = door.line("rev-parse", "--verify", repo.head + "^{tree}")
    return State(top=repo.top, common=repo.common, head=repo.head, head_tree=of_head, tree=tree, note=note)


def keep(at: State, scratch: str, name: str, words: str) -> str:
    """The state as a commit after HEAD, kept by the ref of this name below REFS; HEAD itself where nothing differs."""
    site = Site(at.common, scratch)
    commit = at.head if at.tree == at.head_tree else _committed(site, at.tree, at.head, words)
    site.refs.ask("update-ref", REFS + name, commit)
    return commit


def hold(common: str, name: str, commit: str) -> None:
    """Have a commit stay, by the ref of this name below REFS, whatever becomes of the history that it is in."""
    gitdoor.shared(common, _SECONDS).ask("update-ref", REFS + name, commit)


def forget(common: str, name: str) -> None:
    """Remove the refs of a goal, which keep its states reachable."""
    door = gitdoor.shared(common, _SECONDS)
    for ref in door.line("for-each-ref", "--format=%(refname)", REFS + name + "/").split():
        door.ask("update-ref", "-d", ref)


def put_back(
    common: str,
    scratch: str,
    base: str,
    commit: str,
    wanted: Callable[[str, str], bool],
    instead: Mapping[str, str],
) -> tuple[str, tuple[str, ...]]:
    """The commit, with those files as they are in `base` that are `wanted`; and their names.

    `wanted` is asked of each file that differs: its name, and what became of it (A, M, D, T).
    What `base` has not is taken away; a file that is named in `instead` is to hold what that says.
    Raises what gitdoor.TROUBLE names.
    """
    site = Site(common, scratch)
    raw = site.objects.ask("diff-tree", "-r", "-z", "--no-renames", "--raw", base, commit).split(b"\0")
    names, lines = [], []
    for about, path in zip(raw[0::2], raw[1::2]):
        mode, mode_now, oid, oid_now, kind = about.decode("ascii").lstrip(":").split(" ")
        name = os.fsdecode(path)
        if wanted(name, kind[:1]):
            if kind == "M" and name in instead:
                held = instead[name].encode("utf-8", "replace")
                oid = site.objects.ask("hash-object", "-w", "--stdin", stdin=held).decode("ascii").strip()
            if (mode, oid) == (mode_now, oid_now):
                continue
            names.append(name)
            lines.append(b"%s %s\t%s" % ((b"0" if kind[:1] == "A" else mode.encode()), oid.encode(), path))
    if not names:
        return commit, ()
    site.objects.ask("read-tree", commit)
    site.objects.ask("update-index", "-z", "--index-info", stdin=b"\0".join(lines) + b"\0")
    tree = site.objects.line("write-tree")
    return _committed(site, tree, commit, "the check's own files as they were at %s" % base), tuple(names)


def listing(common: str, commit: str) -> list[str]:
    """The names of all files of a commit."""
    raw = gitdoor.shared(common, _SECONDS).ask("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
    return [os.fsdecode(name) for name in raw.split(b"\0") if name]


def contents(common: str, commit: str, names: Iterable[str]) -> dict[str, str]:
    """What files of a commit hold, of a link where it leads; those it has not are left out."""
    asked = [name for name in names if "\n" not in name]
    wanted = b"".join(b"%s:%s\n" % (commit.encode("ascii"), os.fsencode(name)) for name in asked)
    raw, found = gitdoor.shared(common, _SECONDS).ask("cat-file", "--batch", stdin=wanted) if asked else b"", {}
    for name in asked:
        head, _, raw = raw.partition(b"\n")
        kind, size = (head.split(b" ")[-2:] + [b""])[:2]
        if kind == b"blob":
            found[name] = raw[: int(size)].decode("utf-8", "replace")
        if size.isdigit():
            raw = raw[int(size) + 1 :]
    return found


def changed(common: str, scratch: str, old: str, new: str) -> tuple[str, ...]:
    """Names of the files that differ between two commits."""
    return landing.changed_files(Site(common, scratch), old, new)


def stat(common: str, scratch: str, old: str, new: str) -> str:
    """What `git diff --stat` says between two commits."""
    return landing.diff_stat(Site(common, scratch), old, new)


def patch(common: str, scratch: str, base: str, commit: str, most: int) -> str:
    """What `commit` changed since `base`, cut to about `most` bytes."""
    site = Site(common, scratch)
    how = ("-r", "-p", "-M", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "--no-color")
    try:
        raw = site.objects.ask("diff-tree", *how, base, commit, limit=most + 1)
    except proc.ProcOverflow as e:
        raw = e.done.out
    return raw[:most].decode("utf-8", "replace") + ("\n[… cut …]\n" if len(raw) > most else "")


def _committed(site: Site, tree: str, parent: str, words: str) -> str:
    door = site.objects
    _sign(door, *_NOBODY)
    return door.ask("commit-tree", tree, "-p", parent, stdin=words.encode("utf-8", "replace")).decode("ascii").strip()


def _sign(door: gitdoor.Door, name: str, mail: str) -> None:
    """Say who commits: git would look for somebody where it is not said."""
    for who in ("AUTHOR", "COMMITTER"):
        door.env.update({"GIT_%s_NAME" % who: name or _NOBODY[0], "GIT_%s_EMAIL" % who: mail or _NOBODY[1]})
