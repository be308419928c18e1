"""Door to git: a worktree that was made, and what is in it that is nowhere else.

Where it is comes from its record, never from the `.git` file in it, which a worker
may have written. What looks at content does so in a private git directory, on a
copy of its index (gitdoor.py says why); what we commit is added to that copy, which
then takes the index's place.
"""

from __future__ import annotations

import os
import stat
import time

from . import files
from . import gitdoor
from . import mending
from .errors import AgentctlError
from .text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable
    from typing import TypeVar

    from .custody import Kept
    from .model import Spec
    from .model import Worktree
    from .store import Home

    T = TypeVar("T")

_SECONDS = 60.0
_COMMITTING_S = 300.0
_IN_PROGRESS = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "BISECT_LOG")
_INVALID = "agentctl.invalid"


def admin(worktree: Worktree) -> str:
    """The worktree's own git directory: what git calls its administrative files."""
    return os.path.join(worktree.common, "worktrees", worktree.run)


def exists(worktree: Worktree) -> bool:
    """Whether the files and git's entry of it are there."""
    return os.path.isdir(worktree.path) and os.path.isfile(os.path.join(admin(worktree), "HEAD"))


def default_target(kept: Kept) -> str:
    """The branch that the project's own checkout is on, by its short name; "" where HEAD is detached."""
    return _or_else(lambda: _branch_of(kept.worktree.common, own_of_source(kept.worktree)), "")


def ahead_behind(kept: Kept, target: str = "") -> tuple[int, int]:
    """Commits that only the worktree's branch has, and that only the branch `target` has ("": the base)."""
    against = _ref(target) if target else kept.worktree.base
    return _or_else(lambda: _apart(kept.worktree, against), (0, 0))


def merged(kept: Kept, target: str) -> bool:
    """Whether the branch `target` has all that the worktree's branch has: as an ancestor, or
    because merging it would change nothing. False where that cannot be told."""
    if not target:
        return False
    if _or_else(lambda: _apart(kept.worktree, _ref(target))[0] == 0, False):
        return True
    return _or_else(lambda: _merging_changes_nothing(kept.worktree, _ref(target)), False)


def dirty(kept: Kept) -> bool:
    """Whether there is anything uncommitted in it, untracked files included, ignored ones not.
    Raises AgentctlError where that cannot be told."""
    if not exists(kept.worktree):
        return False
    with _Scratch(kept.worktree) as scratch:
        return _said(lambda: _is_dirty(kept.worktree, scratch), kept)


def size(kept: Kept) -> int:
    """Bytes that its files take on the disk."""
    found = ((top, [*folders, *names]) for top, folders, names in os.walk(kept.worktree.path))
    return sum(_bytes_of(os.path.join(top, name)) for top, names in found for name in names)


def commit_leftover(home: Home, kept: Kept, spec: Spec) -> str:
    """Commit what is uncommitted in the worktree to what its HEAD is on; the new commit, "" where there was nothing.

    The author is the worker. The caller holds the worktree alone. Raises AgentctlError with
    the reason where it cannot be done: a merge in progress, a locked index, an unreadable file.
    """
    worktree = kept.worktree
    if not exists(worktree):
        return ""
    mending.mend(worktree.path, admin(worktree))
    for name in _IN_PROGRESS:
        if os.path.lexists(os.path.join(admin(worktree), name)):
            raise _left(kept, "%s in its git directory: a merge or the like is in progress" % name)
    with _Scratch(worktree) as scratch:
        return _said(lambda: _committed(kept, spec, scratch), kept)


class _Scratch:
    """A folder beside the worktree, out of its worker's reach, for as long as we look."""

    def __init__(self, worktree: Worktree) -> None:
        self._path = os.path.join(os.path.dirname(worktree.path), ".scratch-" + os.urandom(6).hex())

    def __enter__(self) -> str:
        files.private_folder(self._path)
        return self._path

    def __exit__(self, *_: object) -> None:
        import shutil

        shutil.rmtree(self._path, ignore_errors=True)


def _or_else(ask: Callable[[], T], otherwise: T) -> T:
    """What git says, or what stands for its not knowing: a branch or a repository that is gone."""
    try:
        return ask()
    except gitdoor.TROUBLE:
        return otherwise


def _said(ask: Callable[[], T], kept: Kept) -> T:
    try:
        return ask()
    except (gitdoor.CannotError, OSError) as e:
        raise _left(kept, one_line(e, 300)) from None


def _left(kept: Kept, reason: str) -> AgentctlError:
    words = "the worktree of run %s is left as it is: %s" % (kept.worktree.run, reason)
    return AgentctlError(words, "look at it: `git -C %s status`" % kept.worktree.path)


# -- refs


def _ref(branch: str) -> str:
    return branch if branch.startswith("refs/") else "refs/heads/" + branch


def _commit(door: gitdoor.Door, name: str) -> str:
    return door.line("rev-parse", "--quiet", "--verify", name + "^{commit}")


def _apart(worktree: Worktree, against: str) -> tuple[int, int]:
    both = "%s...%s" % (_ref(worktree.branch), against)
    ours, theirs = gitdoor.shared(worktree.common, _SECONDS).line("rev-list", "--left-right", "--count", both).split()
    return int(ours), int(theirs)


def _branch_of(common: str, own: str) -> str:
    name = gitdoor.linked(common, own, _SECONDS).line("symbolic-ref", "--quiet", "HEAD")
    return name[len("refs/heads/") :] if name.startswith("refs/heads/") else ""


def own_of_source(worktree: Worktree) -> str:
    """The git directory of the checkout it was asked from: by git's own list, not by the checkout's word."""
    dot_git = os.path.join(worktree.source, ".git")
    entries = os.path.join(worktree.common, "worktrees")
    for name in os.listdir(entries) if worktree.source and not os.path.isdir(dot_git) else ():
        if _content(os.path.join(entries, name, "gitdir")) == dot_git:
            return os.path.join(entries, name)
    return worktree.common


def _content(path: str) -> str:
    try:
        return os.fsdecode(files.read(path, 1 << 14)).rstrip("\n")
    except OSError:
        return ""  # git prunes entries while we read them


def _merging_changes_nothing(worktree: Worktree, target: str) -> bool:
    """By `git merge-tree --write-tree` (git 2.38), whose objects go with the scratch folder."""
    shared = gitdoor.shared(worktree.common, _SECONDS)
    into, ours = _commit(shared, target), _commit(shared, _ref(worktree.branch))
    with _Scratch(worktree) as scratch:
        empty = os.path.join(scratch, "empty")
        files.private_folder(empty)
        made = _private(worktree, empty, empty, scratch).line("merge-tree", "--write-tree", into, ours)
    return made == shared.line("rev-parse", into + "^{tree}")


# -- content


def _private(worktree: Worktree, own: str, top: str, scratch: str) -> gitdoor.Door:
    deadline = time.monotonic() + _COMMITTING_S
    return gitdoor.private(gitdoor.known(worktree.common, own, top, deadline), scratch, deadline)


def _is_dirty(worktree: Worktree, scratch: str) -> bool:
    door = _private(worktree, admin(worktree), worktree.path, scratch)
    head = _head(worktree)
    staged = door.ask("diff-index", "--cached", "--name-only", "-z", "--no-ext-diff", "--ignore-submodules=all", head)
    return bool(staged or any(_uncommitted(door)))


def _head(worktree: Worktree) -> str:
    said = _content(os.path.join(admin(worktree), "HEAD"))
    name = said[len("ref: ") :] if said.startswith("ref: refs/") else said
    return _commit(gitdoor.shared(worktree.common, _SECONDS), name)


def _uncommitted(door: gitdoor.Door) -> tuple[list[bytes], list[bytes]]:
    """Names gone, and names edited or new, against the index. Repositories inside are not looked into."""
    listing = door.ask("diff-files", "--name-status", "-z", "--no-ext-diff", "--ignore-submodules=all").split(b"\0")
    pairs = list(zip(listing[0::2], listing[1::2]))
    new = [n for n in door.ask("ls-files", "--others", "--exclude-standard", "-z").split(b"\0") if n]
    changed = [n for s, n in pairs if s != b"D"] + [n for n in new if not n.endswith(b"/")]
    return [n for s, n in pairs if s == b"D"], changed


def _committed(kept: Kept, spec: Spec, scratch: str) -> str:
    """Under the index's own lock, so that no git command of anybody changes it meanwhile."""
    worktree = kept.worktree
    index = os.path.join(admin(worktree), "index")
    try:
        files.create(index + ".lock", b"")
    except FileExistsError:
        raise _left(kept, "its index is locked by another git, or by one that was killed") from None
    try:
        door = _private(worktree, admin(worktree), worktree.path, scratch)
        if door.ask("ls-files", "--unmerged", "-z"):
            raise _left(kept, "there are unmerged files in its index")
        made = _recorded(kept, spec, door)
        if made:
            _hand_in(os.path.join(door.env["GIT_DIR"], "index"), index)
        return made
    finally:
        files.remove(index + ".lock")


def _refuse_others(kept: Kept) -> None:
    """HEAD may be on any branch, by the worker's doing, but not on one that is checked out elsewhere too."""
    common, own = kept.worktree.common, admin(kept.worktree)
    here = _content(os.path.join(own, "HEAD"))
    entries = [os.path.join(common, "worktrees", name) for name in os.listdir(os.path.join(common, "worktrees"))]
    others = [_content(os.path.join(folder, "HEAD")) for folder in (common, *entries) if folder != own]
    if here.startswith("ref: ") and here in others:
        raise _left(kept, "its HEAD is on %s, which is checked out elsewhere" % here[len("ref: ") :])


def _recorded(kept: Kept, spec: Spec, door: gitdoor.Door) -> str:
    """The commit on HEAD; "" where HEAD has it all. Objects go to the repository, to the disk."""
    worktree, head = kept.worktree, _head(kept.worktree)
    del door.env["GIT_ALTERNATE_OBJECT_DIRECTORIES"]
    door.env["GIT_OBJECT_DIRECTORY"] = os.path.join(worktree.common, "objects")
    door.argv += ["-c", "core.fsync=all", "-c", "core.compression=-1"]
    gone, changed = _uncommitted(door)
    if gone:
        door.ask("update-index", "-z", "--force-remove", "--stdin", stdin=b"\0".join(gone))
    if changed:
        door.ask("update-index", "-z", "--add", "--remove", "--stdin", stdin=b"\0".join(changed))
    tree = door.line("write-tree")
    owner = gitdoor.linked(worktree.common, admin(worktree), _SECONDS)
    if tree == owner.line("rev-parse", head + "^{tree}"):
        return ""
    people = _identities(kept, owner)
    door.env.update(people)
    owner.env.update(people)
    _refuse_others(kept)
    title = one_line(spec.title or kept.title, 200) or "what was left"
    words = "%s\n\nagentctl run %s\n" % (title, spec.id or worktree.run)
    made = os.fsdecode(door.ask("commit-tree", tree, "-p", head, stdin=words.encode("utf-8", "replace"))).strip()
    owner.ask("-c", "core.fsync=all", "update-ref", "-m", "agentctl: commit what the run left", "HEAD", made, head)
    return made


def _identities(kept: Kept, door: gitdoor.Door) -> dict[str, str]:
    """The worker is the author. It is the user, where git knows one, who has it committed."""
    worker = one_line(kept.author, 60) or "worker"
    name = _or_else(lambda: door.line("config", "user.name"), "")
    mail = _or_else(lambda: door.line("config", "user.email"), "")
    user = (name, mail) if name and mail else ("agentctl", "agentctl@" + _INVALID)
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    return dict(zip(names, (worker, "%s@%s" % (worker, _INVALID), *user)))


def _hand_in(ours: str, theirs: str) -> None:
    """Our index in place of the worktree's, whose lock file we hold, as git does it."""
    fd = os.open(theirs + ".lock", os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        files.write_all(fd, files.read(ours, 1 << 30))
        os.fchmod(fd, stat.S_IMODE(os.lstat(theirs).st_mode) if os.path.exists(theirs) else 0o644)
    finally:
        os.close(fd)
    os.replace(theirs + ".lock", theirs)


def _bytes_of(path: str) -> int:
    try:
        return os.lstat(path).st_blocks * 512
    except OSError:
        return 0  # gone meanwhile
