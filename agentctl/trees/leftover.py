"""Door to git: what is in a worktree that is nowhere else, and the commit that keeps it.

It is looked at in a private git directory, on a copy of its index (gitdoor.py says
why); what we commit is added to that copy, which then takes the index's place.
What lay there before the worker came (custody.Given) is not its work: a copied
`.env` must not land. In a worktree that was never filled there is no work at all.
"""

from __future__ import annotations

import os
import stat

from .. import custody
from .. import files
from .. import gitdoor
from ..errors import AgentctlError
from ..record import Record
from ..text import one_line
from . import filling
from . import mending
from . import operations
from . import submodules
from . import worktree as worktrees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable
    from typing import TypeVar

    from ..custody import Given
    from ..custody import Kept
    from ..model import Spec
    from ..model import Worktree
    from ..store import Home

    T = TypeVar("T")

_SECONDS = 60.0
_INVALID = "agentctl.invalid"


class _Found(Record):
    """Names against the index: `gone`, `edited`, and `new` ones, of which a repository ends with a `/`."""

    gone: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    new: tuple[str, ...] = ()

    def beside(self, given: Given, top: str) -> _Found:
        """Without what the worker was given, as far as it still is that."""
        marks = given.marks or {}
        out = {name for name in self.new if marks.get(name) == mark(os.path.join(top, name))}
        return self.replace(new=tuple(name for name in self.new if name not in out.union(given.included)))

    @property
    def repositories(self) -> tuple[str, ...]:
        return tuple(name for name in self.new if name.endswith("/"))


def dirty(home: Home, kept: Kept) -> bool:
    """Whether there is work in it that is uncommitted: untracked files and repositories included, ignored ones
    not. Raises AgentctlError where that cannot be told."""
    if not kept.filled_at or not worktrees.exists(kept.worktree):
        return False
    with worktrees.Scratch(kept.worktree) as scratch:
        return _said(lambda: _is_dirty(home, kept, scratch), kept)


def notes(home: Home, kept: Kept) -> list[str]:
    """What `commit` does not take, in words for a user. Raises AgentctlError where that cannot be told."""
    if not kept.filled_at or not worktrees.exists(kept.worktree):
        return []
    with worktrees.Scratch(kept.worktree) as scratch:
        return _said(lambda: _noted(home, kept, scratch), kept)


def given(made: Worktree, included: list[str]) -> Given:
    """What lies in a worktree whose worker is yet to come. Raises AgentctlError and OSError."""
    with worktrees.Scratch(made) as scratch:
        try:
            found = _uncommitted(_private(made, scratch))
        except gitdoor.CannotError as e:
            raise AgentctlError(one_line(e, 300)) from None
    marks = {name: mark(os.path.join(made.path, name)) for name in (*found.new, *included)}
    texts = mending.texts(made.path, worktrees.admin(made))
    return custody.Given(included=tuple(included), marks=marks, texts=texts)


def mark(path: str) -> str:
    """What tells a file's content from another; "" where it is no file, or gone."""
    import hashlib

    try:
        info = os.lstat(path)
        if stat.S_ISLNK(info.st_mode):
            return "link " + hashlib.sha256(os.fsencode(os.readlink(path))).hexdigest()
        if not stat.S_ISREG(info.st_mode):
            return ""
        if info.st_size > 16 << 20:
            return "%d %d" % (info.st_size, info.st_mtime_ns)  # a sum of it would take too long
        return hashlib.sha256(files.read(path)).hexdigest()
    except OSError:
        return ""


def commit(home: Home, kept: Kept, spec: Spec) -> str:
    """Commit what is uncommitted in the worktree to what its HEAD is on; the new commit, "" where there was nothing.

    The author is the worker. The caller holds the worktree alone. Raises AgentctlError with
    the reason where it cannot be done: a merge in progress, a locked index, an unreadable file.
    """
    worktree = kept.worktree
    if not worktrees.exists(worktree):
        return ""
    if not kept.filled_at:
        raise _left(kept, "it was never ready, so that nobody has worked in it")
    known = custody.given(home, worktree.run)
    mending.mend(worktree.path, worktrees.admin(worktree), known.texts)
    found = operations.under_way(worktrees.admin(worktree))
    if found:
        raise _left(kept, "%s is in progress in it" % found.words)
    with worktrees.Scratch(worktree) as scratch:
        return _said(lambda: _committed(kept, spec, known, scratch), kept)


def _said(ask: Callable[[], T], kept: Kept) -> T:
    try:
        return ask()
    except (gitdoor.CannotError, OSError) as e:
        raise _left(kept, one_line(e, 300)) from None


def _left(kept: Kept, reason: str) -> AgentctlError:
    import shlex

    words = "the worktree of run %s is left as it is: %s" % (kept.worktree.run, reason)
    return AgentctlError(words, "look at it: `git -C %s status`" % shlex.quote(kept.worktree.path))


# -- looking


def _private(worktree: Worktree, scratch: str) -> gitdoor.Door:
    return worktrees.private(worktree, worktrees.admin(worktree), worktree.path, scratch)


def _is_dirty(home: Home, kept: Kept, scratch: str) -> bool:
    door, top = _private(kept.worktree, scratch), kept.worktree.path
    found = _uncommitted(door).beside(custody.given(home, kept.worktree.run), top)
    return found != _Found() or _staged(door, worktrees.head(kept)) or any(_inside(kept, scratch))


def _noted(home: Home, kept: Kept, scratch: str) -> list[str]:
    known, top = custody.given(home, kept.worktree.run), kept.worktree.path
    found = _uncommitted(_private(kept.worktree, scratch))
    marks = known.marks or {}
    theirs = [name for name in known.included if name in found.new and marks[name] != mark(os.path.join(top, name))]
    said = ["%s came along by .worktreeinclude: what was changed in it is not taken" % one_line(n) for n in theirs]
    repositories = found.beside(known, top).repositories
    said += ["%s is a git repository of its own: nothing in it is taken" % one_line(name) for name in repositories]
    return said + _inside(kept, scratch)


def _inside(kept: Kept, scratch: str) -> list[str]:
    """What is not committed of the submodules: by their git directories, which we know."""
    made, said = kept.worktree, []
    level = submodules.Level(
        common=made.common, top=made.path, own=worktrees.admin(made), commit=worktrees.head(kept), source=made.source
    )
    for path, at in submodules.standing(level):
        head = worktrees.commit_of(at.common, at.own)
        if head != at.commit:
            said.append("the submodule %s is on %s, which no commit above it says" % (one_line(path), head[:12]))
        door = worktrees.private(made.replace(common=at.common), at.own, at.top, scratch)
        if _uncommitted(door) != _Found() or _staged(door, head):
            said.append("in the submodule %s there are uncommitted changes: they are not taken" % one_line(path))
    return said


def _staged(door: gitdoor.Door, head: str) -> bool:
    how = ("--cached", "--name-only", "-z", "--no-ext-diff", "--ignore-submodules=dirty")
    return bool(door.ask("diff-index", *how, head))


def _uncommitted(door: gitdoor.Door) -> _Found:
    """Against the index, by content: a file that was written again as it was is not edited.
    Repositories inside are not looked into."""
    door.ask("update-index", "-q", "--refresh", "--ignore-submodules")
    listing = door.ask("diff-files", "--name-status", "-z", "--no-ext-diff", "--ignore-submodules=all").split(b"\0")
    pairs = [(status, os.fsdecode(name)) for status, name in zip(listing[0::2], listing[1::2])]
    new = door.ask("ls-files", "--others", "--exclude-standard", "-z").split(b"\0")
    return _Found(
        gone=tuple(name for status, name in pairs if status == b"D"),
        edited=tuple(name for status, name in pairs if status != b"D"),
        new=tuple(os.fsdecode(name) for name in new if name),
    )


# -- committing


def _committed(kept: Kept, spec: Spec, known: Given, scratch: str) -> str:
    """Under the index's own lock, so that no git command of anybody changes it meanwhile.

    The index comes first: if we are killed before the ref moves, all is staged, and nothing
    that a worker then commits takes anything back.
    """
    worktree, head = kept.worktree, worktrees.commit_of(kept.worktree.common, worktrees.admin(kept.worktree))
    index = os.path.join(worktrees.admin(worktree), "index")
    try:
        files.create(index + ".lock", b"")
    except FileExistsError:
        raise _left(kept, "its index is locked by another git, or by one that was killed") from None
    handed_in = False
    try:
        gitdoor.keep_lfs(worktree.common)
        door = _private(worktree, scratch)
        _check(kept, door, head, index)
        tree = _tree(kept, known, door)
        owner = gitdoor.linked(worktree.common, worktrees.admin(worktree), _SECONDS)
        if tree == owner.line("rev-parse", head + "^{tree}"):
            return ""
        made = _made(kept, spec, tree, head, door, owner)
        hand_in(os.path.join(door.env["GIT_DIR"], "index"), index)
        handed_in = True
    finally:
        if not handed_in:  # else the lock has become the index, and one that is there now is another's
            files.remove(index + ".lock")
    _move(owner, made, head)
    return made


def _check(kept: Kept, door: gitdoor.Door, head: str, index: str) -> None:
    if not os.path.lexists(index) and door.ask("ls-tree", head):
        raise _left(kept, "its index is gone: all its files would count as removed")
    if door.ask("ls-files", "--unmerged", "-z"):
        raise _left(kept, "there are unmerged files in its index")


def _refuse_others(kept: Kept) -> None:
    """HEAD may be on any branch, by the worker's doing, but not on one that is checked out elsewhere too."""
    common, own = kept.worktree.common, worktrees.admin(kept.worktree)
    here = worktrees.line_of(os.path.join(own, "HEAD"))
    entries = [os.path.join(common, "worktrees", name) for name in os.listdir(os.path.join(common, "worktrees"))]
    others = [worktrees.line_of(os.path.join(folder, "HEAD")) for folder in (common, *entries) if folder != own]
    if here.startswith("ref: ") and here in others:
        raise _left(kept, "its HEAD is on %s, which is checked out elsewhere" % here[len("ref: ") :])


def _tree(kept: Kept, known: Given, door: gitdoor.Door) -> str:
    """Of all that is there. Objects go to the repository, to the disk."""
    del door.env["GIT_ALTERNATE_OBJECT_DIRECTORIES"]
    door.env["GIT_OBJECT_DIRECTORY"] = os.path.join(kept.worktree.common, "objects")
    door.argv += ["-c", "core.fsync=all", "-c", "core.compression=-1"]
    found = _uncommitted(door).beside(known, kept.worktree.path)
    if found.gone:
        door.ask("update-index", "-z", "--force-remove", "--stdin", stdin=_listed(found.gone))
    changed = [name for name in (*found.edited, *found.new) if not name.endswith("/")]
    if changed:
        door.ask("update-index", "-z", "--add", "--remove", "--stdin", stdin=_listed(changed))
    return door.line("write-tree")


def _listed(names: tuple[str, ...] | list[str]) -> bytes:
    return b"\0".join(map(os.fsencode, names))


def _made(kept: Kept, spec: Spec, tree: str, head: str, door: gitdoor.Door, owner: gitdoor.Door) -> str:
    people = _identities(kept, owner)
    door.env.update(people)
    owner.env.update(people)
    _refuse_others(kept)
    title = one_line(spec.title or kept.title, 200) or "what was left"
    words = "%s\n\nagentctl run %s\n" % (title, spec.id or kept.worktree.run)
    return os.fsdecode(door.ask("commit-tree", tree, "-p", head, stdin=words.encode("utf-8", "replace"))).strip()


def _move(owner: gitdoor.Door, made: str, head: str) -> None:
    owner.ask("-c", "core.fsync=all", "update-ref", "-m", "agentctl: commit what the run left", "HEAD", made, head)


def _identities(kept: Kept, door: gitdoor.Door) -> dict[str, str]:
    """The worker is the author. It is the user, where git knows one, who has it committed."""
    worker = one_line(kept.author, 60) or "worker"
    name, mail = (filling.configured(door, key) for key in ("user.name", "user.email"))
    user = (name, mail) if name and mail else ("agentctl", "agentctl@" + _INVALID)
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    return dict(zip(names, (worker, "%s@%s" % (worker, _INVALID), *user)))


def hand_in(ours: str, theirs: str) -> None:
    """Our index in place of the worktree's, whose lock file we hold, as git does it."""
    fd = os.open(theirs + ".lock", os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        files.write_all(fd, files.read(ours, 1 << 30))
        os.fchmod(fd, stat.S_IMODE(os.lstat(theirs).st_mode) if os.path.exists(theirs) else 0o644)
    finally:
        os.close(fd)
    os.replace(theirs + ".lock", theirs)
