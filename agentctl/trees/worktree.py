"""Door to git: a worktree that was made, where it stands, and what of it has landed.

Where it is comes from its record, never from the `.git` file in it, which a worker
may have written. A worker may also have gone to another branch, or to none: all that
is asked here is asked of its branch and of what its HEAD is on.
"""

from __future__ import annotations

import os
import time

from .. import files
from .. import gitdoor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable
    from typing import TypeVar

    from ..custody import Kept
    from ..model import Worktree

    T = TypeVar("T")

_SECONDS = 60.0
_CONTENT_S = 300.0


def admin(worktree: Worktree) -> str:
    """The worktree's own git directory: what git calls its administrative files."""
    return os.path.join(worktree.common, "worktrees", worktree.run)


def exists(worktree: Worktree) -> bool:
    """Whether the files and git's entry of it are there."""
    return os.path.isdir(worktree.path) and os.path.isfile(os.path.join(admin(worktree), "HEAD"))


def default_target(kept: Kept) -> str:
    """The branch that the project's own checkout is on, by its short name; "" where HEAD is detached, or the
    checkout is gone."""

    def told() -> str:
        own = own_of_source(kept.worktree)
        return _branch_of(kept.worktree.common, own) if own else ""

    return _or_else(told, "")


def ahead_behind(kept: Kept, target: str = "") -> tuple[int, int]:
    """Commits that only the worktree's branch has, and that only the branch `target` has ("": the base)."""
    against = _ref(target) if target else kept.worktree.base
    return _or_else(lambda: _apart(kept.worktree, against), (0, 0))


def head(kept: Kept) -> str:
    """The commit that the worktree stands on, whatever branch that is; "" where it is gone or cannot be told."""
    return _or_else(lambda: commit_of(kept.worktree.common, admin(kept.worktree)), "") if exists(kept.worktree) else ""


def tip(kept: Kept) -> str:
    """The commit of the worktree's branch; "" where the branch is gone."""
    return _at(kept, kept.worktree.branch)


def landing_tip(kept: Kept) -> str:
    """The commit with all that was committed there: the newer of its branch's and of what it stands on.
    "" where the branch is gone, or the two have gone apart: then no one commit has it all."""
    here, named = head(kept), tip(kept)
    if not here or not named or contains(kept, named, here):
        return named
    return here if contains(kept, here, named) and its_own(kept, here, named) else ""


def its_own(kept: Kept, here: str, named: str) -> bool:
    """Whether no branch of others has any of the commits from `named` to `here`: a worker may have gone to one.

    A branch that its worktree is on and that was not there before it is the worker's.
    """

    def told() -> bool:
        common = kept.worktree.common
        own = _or_else(lambda: _branch_of(common, admin(kept.worktree)), "")
        mine = ("--exclude=" + own,) if own and _began(common, own) >= int(kept.made_at) else ()
        new = ("rev-list", "--count", here, "^" + named)
        door = gitdoor.shared(common, _SECONDS)
        return door.line(*new) == door.line(*new, "--not", *mine, "--branches", "--remotes")

    return _or_else(told, False)


def _began(common: str, branch: str) -> float:
    """When a branch was made, by its reflog; 0.0 where that cannot be told."""
    try:
        first = files.read(os.path.join(common, "logs", "refs", "heads", branch), 4096).partition(b"\n")[0]
    except OSError:
        return 0.0
    words = first.partition(b"\t")[0].split()
    return float(words[-2]) if len(words) > 2 and words[-2].isdigit() else 0.0


def contains(kept: Kept, new: str, old: str) -> bool:
    """Whether commit `new` is, or comes after, commit `old`. False where that cannot be told."""
    return new == old or _or_else(lambda: _is_ancestor(kept.worktree.common, old, new), False)


def landed(kept: Kept) -> bool:
    """Whether `agentctl merge` has landed all that is committed there by now, and its branch still has that."""
    if not kept.landed or not all(contains(kept, kept.landed_tip, commit) for commit in _tips(kept)):
        return False
    into = _at(kept, kept.into)
    return bool(into) and contains(kept, into, kept.landed)


def merged(kept: Kept, target: str) -> bool:
    """Whether all that is committed there has landed, or the branch `target` has it: as an ancestor,
    or because merging it would change nothing. False where that cannot be told."""
    if landed(kept):
        return True
    tips = _tips(kept) if target else []
    return bool(tips) and all(_has(kept, _ref(target), commit) for commit in tips)


def size(kept: Kept) -> int:
    """Bytes that its files take on the disk."""
    found = ((top, [*folders, *names]) for top, folders, names in os.walk(kept.worktree.path))
    return sum(_bytes_of(os.path.join(top, name)) for top, names in found for name in names)


class Scratch:
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


# -- refs


def _ref(branch: str) -> str:
    return branch if branch.startswith("refs/") else "refs/heads/" + branch


def _at(kept: Kept, branch: str) -> str:
    """The commit of a branch; "" where it is gone."""
    return _or_else(lambda: _commit(gitdoor.shared(kept.worktree.common, _SECONDS), _ref(branch)), "")


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
    """The git directory of the checkout it was asked from: by git's own list, not by the checkout's word.
    "" where it is gone from both: it may have been on any branch."""
    dot_git = os.path.join(worktree.source, ".git")
    entries = os.path.join(worktree.common, "worktrees")
    for name in os.listdir(entries) if worktree.source and not os.path.isdir(dot_git) else ():
        own = os.path.join(entries, name)
        said = line_of(os.path.join(own, "gitdir"))  # relative, by worktree.useRelativePaths of git 2.48
        if said and os.path.realpath(os.path.join(own, said)) == os.path.realpath(dot_git):
            return own
    return worktree.common if not worktree.source or leads_to(worktree.source, worktree.common) else ""


def leads_to(folder: str, common: str) -> bool:
    """Whether the `.git` in a folder is this very git directory, or a link or a file that leads there."""
    dot_git = os.path.join(folder, ".git")
    said = line_of(dot_git) if os.path.isfile(dot_git) else ""
    there = os.path.join(folder, said[len("gitdir: ") :]) if said.startswith("gitdir: ") else dot_git
    return os.path.realpath(there) == os.path.realpath(common)


def line_of(path: str) -> str:
    """The content of one of git's small files, of one line; "" where it cannot be read."""
    try:
        return os.fsdecode(files.read(path, 1 << 14)).rstrip("\n")
    except OSError:
        return ""  # git prunes entries while we read them


def _is_ancestor(common: str, old: str, new: str) -> bool:
    return gitdoor.shared(common, _SECONDS).line("merge-base", old, new) == old


def _tips(kept: Kept) -> list[str]:
    """The commits that hold its work: its branch's and what it stands on, which may be elsewhere."""
    return [commit for commit in dict.fromkeys((tip(kept), head(kept))) if commit]


def _has(kept: Kept, target: str, commit: str) -> bool:
    into = _at(kept, target)
    return bool(into) and (
        contains(kept, into, commit) or _or_else(lambda: _merging_changes_nothing(kept.worktree, into, commit), False)
    )


def _merging_changes_nothing(worktree: Worktree, into: str, ours: str) -> bool:
    """By `git merge-tree --write-tree` (git 2.38), whose objects go with the scratch folder."""
    shared = gitdoor.shared(worktree.common, _SECONDS)
    with Scratch(worktree) as scratch:
        empty = os.path.join(scratch, "empty")
        files.private_folder(empty)
        made = private(worktree, empty, empty, scratch).line("merge-tree", "--write-tree", into, ours)
    return made == shared.line("rev-parse", into + "^{tree}")


def private(worktree: Worktree, own: str, top: str, scratch: str) -> gitdoor.Door:
    """For contents: what it writes goes with the scratch folder."""
    deadline = time.monotonic() + _CONTENT_S
    return gitdoor.private(gitdoor.known(worktree.common, own, top, deadline), scratch, deadline)


def commit_of(common: str, own: str) -> str:
    """The commit that the HEAD in a git directory is on. Raises what gitdoor.TROUBLE names."""
    said = line_of(os.path.join(own, "HEAD"))
    name = said[len("ref: ") :] if said.startswith("ref: refs/") else said
    return _commit(gitdoor.shared(common, _SECONDS), name)


def _bytes_of(path: str) -> int:
    try:
        return os.lstat(path).st_blocks * 512
    except OSError:
        return 0  # gone meanwhile
