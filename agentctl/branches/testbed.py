"""A temporary worktree in which a commit is tried, made fresh for each trial.

    worktrees/merge-<random>        the working tree, detached
    worktrees/merge-<random>.git    our own folder: private git directories, the index that is believed
    worktrees/merge-<random>.lock   held by whoever works in them, names the repository: a free lock is left over

What is tried is the work of workers: it may change anything below the tree, and the
index that git shows it. So a fresh state is made by an index of our own, which goes by
the inode's change time; that cannot be set back. Where it does not succeed the tree is
made anew, and somewhere else where it cannot be removed either.
"""

from __future__ import annotations

import errno
import os
import shutil
import time

from .. import birth
from .. import files
from .. import gitdoor
from .. import locks
from .. import proc
from .. import supervise
from ..errors import AgentctlError
from ..model import Worktree
from ..store import Run
from ..text import one_line
from ..trees import including
from ..trees import making

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..store import Home

PREFIX = "merge-"
_SECONDS = 1800.0
_ADD_TRIES = 5
_OURS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What no commit brings about."""
_CHECKOUT = ("-c", "checkout.workers=0", "-c", "core.trustctime=true", "-c", "core.checkStat=default")


class UnfitError(gitdoor.CannotError):
    """A commit whose files git cannot lay out: the trouble is the commit's own."""


class Testbed:
    """A place that is ours until `close`, in the repository of the worktree it is `like`. `tree` is
    there once a commit was laid out in it. What `.worktreeinclude` names comes from `kept`, a folder
    with nothing else in it, or else from where that worktree has it from."""

    def __init__(self, home: Home, like: Worktree, kept: str = "") -> None:
        files.private_folder(home.worktrees)
        self.name = PREFIX + os.urandom(4).hex()
        self.tree = os.path.join(home.worktrees, self.name)
        self.scratch = self.tree + ".git"
        self.common = like.common
        self._source = like.source
        self._kept = kept
        self._locks: dict[str, int] = {}
        self._take_place()
        files.private_folder(self.scratch)

    def lay_out(self, commit: str) -> None:
        """Have the tree be this commit and nothing else. Raises gitdoor.TROUBLE, of it UnfitError for the commit's."""
        try:
            self._refresh(commit)
        except gitdoor.TROUBLE:
            self._remove_tree()
            if os.path.lexists(self.tree):  # it holds what is another user's, out of a container
                self.tree = os.path.join(os.path.dirname(self.tree), PREFIX + os.urandom(4).hex())
                self._take_place()
            self._make(commit)
            self._fill(commit)
        if self._kept:
            including.bring(self._kept, self.tree)
            return
        aside = os.path.join(self.scratch, "include-" + os.urandom(4).hex())
        files.private_folder(aside)
        including.include(self._as_made(commit), aside, lambda: None)

    def _as_made(self, commit: str) -> Worktree:
        return Worktree(
            run=os.path.basename(self.tree), path=self.tree, base=commit, common=self.common, source=self._source
        )

    def close(self) -> None:
        """Leave nothing behind but what cannot be removed; its lock file says that it is left over."""
        for tree, lock in self._locks.items():
            _reclaim(tree, self.common)
            os.close(lock)

    def _take_place(self) -> None:
        self._locks[self.tree] = lock = locks.take(self.tree + ".lock")
        files.write_all(lock, os.fsencode(self.common))

    @property
    def own(self) -> str:
        """git's own folder of the worktree."""
        return os.path.join(self.common, "worktrees", os.path.basename(self.tree))

    @property
    def _index(self) -> str:
        return os.path.join(self.scratch, "index")

    def _make(self, commit: str) -> None:
        with locks.holding(making.lock(self.common)):
            for tries in range(_ADD_TRIES):
                try:
                    door = gitdoor.shared(self.common, 60.0)
                    door.ask("worktree", "add", "--detach", "--no-checkout", "--force", self.tree, commit)
                    return
                except gitdoor.CannotError as e:
                    if "commondir" not in str(e) or tries == _ADD_TRIES - 1:  # another git adds one without our lock
                        raise
                    time.sleep(0.05)

    def _fill(self, commit: str) -> None:
        for order in making.orders(self._as_made(commit), self.scratch, []):
            done = proc.run(order.argv, env={**gitdoor.environment(), **dict(order.env)}, timeout=_SECONDS)
            if done.code:
                said = done.err.decode("utf-8", "replace")
                ours = any(os.strerror(number) in said for number in _OURS)
                raise (gitdoor.CannotError if ours else UnfitError)(one_line(said, 300) or order.words)
        gitdoor.copy(os.path.join(self.own, "index"), self._index)

    def _refresh(self, commit: str) -> None:
        """What a trial left is undone. Submodules are not: they are filled anew with all the rest."""
        if os.path.islink(self.tree) or not os.path.isdir(self.own) or not os.path.exists(self._index):
            raise gitdoor.CannotError("no worktree yet")
        self._point_back()
        gitdoor.linked(self.common, self.own, 60.0).ask("update-ref", "--no-deref", "HEAD", commit)
        door = gitdoor.content(self.common, self.tree, self._index, self.scratch, _SECONDS)
        door.ask(*_CHECKOUT, "read-tree", "--reset", "-u", commit)
        if os.path.lexists(os.path.join(self.tree, ".gitmodules")):
            raise gitdoor.CannotError("it has submodules")
        door.ask("clean", "-ffdxq")
        shown = os.path.join(self.own, "index")
        files.remove(shown)
        gitdoor.copy(self._index, shown)

    def _point_back(self) -> None:
        """The `.git` file, should the last trial have changed it: the next one's own git commands go by it."""
        pointer = os.path.join(self.tree, ".git")
        if os.path.isdir(pointer) and not os.path.islink(pointer):
            remove_tree(pointer)
        files.remove(pointer)
        files.create(pointer, b"gitdir: %s\n" % os.fsencode(self.own))

    def _remove_tree(self) -> None:
        files.remove(self._index)
        _forget_worktree(self.tree, self.common)
        if os.path.islink(self.tree):
            os.unlink(self.tree)
        remove_tree(self.tree)


def sweep_stale(home: Home) -> list[str]:
    """Reclaim the places whose owners were killed; their names.

    One in which a run is at work stays until that has ended: a goal's verifier outlives a
    driver that was killed, and its verdict is worth nothing once the tree has gone under it.
    """
    names = sorted(os.listdir(home.worktrees)) if os.path.isdir(home.worktrees) else []
    found = []
    for name in names:
        path = os.path.join(home.worktrees, name)
        lock = locks.try_take(path) if name.startswith(PREFIX) and name.endswith(".lock") else None
        if lock is None:
            continue
        if not _at_work_in(home, path[:-5]):
            supervise.end_group(0, name[:-5], grace=0.0)
            _reclaim(path[:-5], os.fsdecode(files.read(path, 1 << 14)))
            found.append(name[:-5])
        os.close(lock)
    return found


def _at_work_in(home: Home, tree: str) -> bool:
    """Whether a run is at work below this folder, or about to begin there."""
    below = os.path.realpath(tree) + "/"
    for name in os.listdir(home.active) if os.path.isdir(home.active) else ():
        run = Run(home, name)
        try:
            there = (os.path.realpath(run.spec().cwd) + "/").startswith(below)
        except AgentctlError:
            continue  # what cannot be read has no worker
        if there and (run.runner_alive() or run.staged() and birth.may_come(run, time.time())):
            return True
    return False


def _reclaim(tree: str, common: str) -> None:
    """The lock file goes last: while it is there, what is left can be found."""
    if common:
        _forget_worktree(tree, common)
    if os.path.islink(tree):
        os.unlink(tree)
    for path in (tree, tree + ".git"):
        remove_tree(path)
    if not os.path.lexists(tree):
        files.remove(tree + ".lock")


def _forget_worktree(tree: str, common: str) -> None:
    """git's entry of it, if it is its own."""
    own = os.path.join(common, "worktrees", os.path.basename(tree))
    if not os.path.isdir(own):
        return
    with locks.holding(making.lock(common)):
        remove_tree(own)


def remove_tree(path: str) -> None:
    """A folder and all below it, read-only folders too; symlinks are never followed."""
    for _ in range(3):
        if not os.path.isdir(path) or os.path.islink(path):
            return
        for folder, _, _ in os.walk(path):
            try:
                os.chmod(folder, files.FOLDER_MODE)
            except OSError:
                pass  # another user's, out of a container: it stays, and is found again by its lock file
        shutil.rmtree(path, ignore_errors=True)
        time.sleep(0 if not os.path.isdir(path) else 0.05)  # a process that is being ended may still write
