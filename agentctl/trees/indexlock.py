"""The lock of a checkout's index, taken as git takes it: meanwhile no git command commits or stages there.

Ours is a link that leads to a name of ours: it appears whole, or not at all. Whoever takes one
holds the repository's lock (making.lock) for as long. So one that is found under that
lock is left over from a process that was killed, and is free to be taken.
"""

from __future__ import annotations

import os
import stat
import time

from .. import files
from .. import gitdoor
from .. import locks
from . import making

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS = "held-by-agentctl"
_PATIENCE_S = 2.0


def take(own: str) -> None:
    """Hold the lock of the index in this git directory. The caller holds the repository's lock.

    git is quick with its own; what takes longer is left over from one that was ended: raises gitdoor.CannotError then.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while not _tried(own):
        if time.monotonic() > deadline:
            raise gitdoor.CannotError("git is at work there, or was ended: %s" % _path(own))
        time.sleep(0.02)


def _tried(own: str) -> bool:
    try:
        os.symlink(_OURS, _path(own))
    except FileExistsError:
        return _is_ours(own)
    return True


def put(index: str, own: str) -> None:
    """Have this file be the index, by who holds the lock. It keeps its time, by which git tells what may have been
    edited unseen."""
    theirs = os.path.join(own, "index")
    aside = theirs + ".agentctl"
    files.remove(aside)
    gitdoor.copy(index, aside)
    os.chmod(aside, stat.S_IMODE(os.stat(theirs).st_mode) if os.path.exists(theirs) else 0o644)
    os.replace(aside, theirs)


def free(own: str) -> None:
    """Give the lock back; nothing where it is another's."""
    if _is_ours(own):
        files.remove(_path(own))


def sweep(common: str) -> None:
    """Take away those of a repository that are left over; waits for whoever is at work with them."""
    if left(common):
        with locks.holding(making.lock(common)):
            for own in left(common):
                free(own)


def left(common: str) -> list[str]:
    """The git directories of a repository in which a lock of ours is: left over, for who holds the repository's."""
    return [own for own in _owns(common) if _is_ours(own)]


def _owns(common: str) -> Iterator[str]:
    yield common
    folder = os.path.join(common, "worktrees")
    yield from (os.path.join(folder, name) for name in (os.listdir(folder) if os.path.isdir(folder) else ()))


def _is_ours(own: str) -> bool:
    try:
        return os.readlink(_path(own)) == _OURS
    except OSError:
        return False  # none is there, or git's


def _path(own: str) -> str:
    return os.path.join(own, "index.lock")
