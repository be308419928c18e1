"""A worktree made anew from its rescue commit, beside its place, and put there by two renames.

    .restoring-<run>                     beside its place: the directory, until it is whole
    <common>/agentctl-restoring-<run>    its own git directory, likewise

What the commit holds may have been written over by a worker: every path is checked,
nothing is written through a link, and where it goes is told by our own record.
"""

from __future__ import annotations

import os

from .. import files
from .. import gitdoor
from .. import locks
from ..errors import AgentctlError
from ..trees import making
from ..trees import worktree
from . import gitnames
from . import rescue
from . import walking
from .writing import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..custody import Kept
    from ..gitdoor import Door
    from .rescue import Rescue
    from .rescue import Stored

_SECONDS = 600.0
_WORDS = "agentctl undo"


def restore(kept: Kept, commit: str, scratch: str) -> None:
    """Bring the worktree back: directory, branch, HEAD, index, logs, submodules. May be repeated.

    The caller holds it alone, and has seen that its place is free. Raises AgentctlError
    with the remedy, and what gitdoor.TROUBLE names.
    """
    door = rescue.objects(kept.worktree.common, scratch, _SECONDS)
    saved = rescue.load(door, commit)
    _check_branch(kept, saved.about.tip)
    folder, own = _restoring(kept)
    clear(kept)
    kinds = _sorted(rescue.stored(door, saved.git))
    top = [*rescue.stored(door, commit), *kinds[rescue.KEPT]]
    Tree(door, scratch, folder, saved.about.top).write(top)
    Tree(door, scratch, own, saved.about.own).write(kinds[rescue.OWN])
    _complete(door, kept, saved, folder, own)
    with locks.holding(making.lock(kept.worktree.common)):
        _bring_branch(door, kept, saved, kinds[rescue.BRANCH])
        files.private_folder(os.path.dirname(worktree.admin(kept.worktree)))
        os.rename(own, worktree.admin(kept.worktree))
        os.rename(folder, kept.worktree.path)


def left(kept: Kept) -> bool:
    """Whether one was killed while he restored it, and left something."""
    return any(os.path.lexists(folder) for folder in _restoring(kept))


def clear(kept: Kept) -> None:
    """Remove what one left who was killed while he restored."""
    for folder in _restoring(kept):
        walking.remove(folder)


def _restoring(kept: Kept) -> tuple[str, str]:
    name = "restoring-" + kept.worktree.run
    beside = os.path.join(os.path.dirname(kept.worktree.path), "." + name)
    return beside, os.path.join(kept.worktree.common, "agentctl-" + name)


def _sorted(found: Iterator[Stored]) -> dict[bytes, list[Stored]]:
    """The blobs of the git commit by the part they belong to, under the names that they had."""
    parts: dict[bytes, list[Stored]] = {rescue.OWN: [], rescue.KEPT: [], rescue.BRANCH: []}
    for blob in found:
        path = os.fsencode(blob.path)
        if path == rescue.BRANCH:
            parts[rescue.BRANCH].append(blob)
        for part in (rescue.OWN, rescue.KEPT):
            if path.startswith(part):
                parts[part].append(blob.replace(path=os.fsdecode(gitnames.decoded(path[len(part) :]))))
    return parts


def _check_branch(kept: Kept, tip: str) -> str:
    """Where the branch is. Raises where that is not where it was."""
    branch = kept.worktree.branch
    now = rescue.commit_of(gitdoor.shared(kept.worktree.common, 60), "refs/heads/" + branch)
    if now and now != tip:
        raise AgentctlError(
            "there is another branch %s by now, at %s" % (branch, now[:12]),
            "rename it, then undo again: `git branch -m %s %s-new`" % (branch, branch),
        )
    return now


def _bring_branch(door: Door, kept: Kept, saved: Rescue, log: list[Stored]) -> None:
    """The branch at its commit, with its reflog."""
    tip, branch = saved.about.tip, kept.worktree.branch
    if not tip or not branch:
        return
    if not _check_branch(kept, tip):
        refs = rescue.references(kept.worktree.common, 60)
        refs.ask("update-ref", "-m", _WORDS, "refs/heads/" + branch, tip, "0" * len(tip))
    path = rescue.branch_log(kept)
    if log and _below(kept.worktree.common, os.path.dirname(path)) and _is_ours(path):
        files.replace(path, door.ask("cat-file", "blob", log[0].oid))


def _is_ours(log: str) -> bool:
    """Whether nothing but an undo wrote this reflog: this one, or one that was killed before it could go on."""
    if os.path.islink(log):
        return False
    lines = files.read(log, 1 << 16).splitlines() if os.path.isfile(log) else []
    return all(line.endswith(b"\t" + _WORDS.encode()) for line in lines)


def _below(common: str, folder: str) -> bool:
    """Whether a folder is there and no link leads out on the way to it."""
    while len(folder) > len(common):
        if not walking.is_folder(folder):
            return False
        folder = os.path.dirname(folder)
    return True


def _complete(door: Door, kept: Kept, saved: Rescue, folder: str, own: str) -> None:
    """Where parts of the worktree had been removed by others before it was saved: as git makes them."""
    if saved.about.missing:
        files.replace(os.path.join(folder, ".git"), os.fsencode("gitdir: %s\n" % worktree.admin(kept.worktree)))
    if os.path.lexists(os.path.join(own, "HEAD")):
        return
    head = "ref: refs/heads/%s" % kept.worktree.branch if saved.about.tip else saved.head or kept.worktree.base
    texts = {"HEAD": head, "commondir": "../..", "gitdir": os.path.join(kept.worktree.path, ".git")}
    for name, words in texts.items():
        files.replace(os.path.join(own, name), os.fsencode(words + "\n"))
    door.env["GIT_INDEX_FILE"] = os.path.join(own, "index")
    door.ask("read-tree", saved.head or kept.worktree.base)
