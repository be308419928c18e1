"""A cleanup carried out: saved first, then removed, and to be finished by the next one where we are killed.

A worktree's record tells that it was removed as soon as its directory has left its
place, by when all of it is in its rescue; what follows can be done again.
"""

from __future__ import annotations

import os
import time

from .. import custody
from .. import files
from .. import finding
from .. import gitdoor
from .. import locks
from .. import panes
from ..branches import checkpoints
from ..branches import testbed
from ..goals import asked
from ..keeping import removal
from ..keeping import rescue
from ..keeping import reviving
from ..keeping import saving
from ..keeping import walking
from ..record import Record
from ..store import ID
from ..store import Run
from ..text import one_line
from . import cleaning
from . import holding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config import Config
    from ..custody import Kept
    from ..store import Home
    from .cleaning import Facts
    from .cleaning import Item

_TRIES = 3
_OLD_S = 3600.0
_GOING = ".removing-"


class Outcome(Record):
    """What became of an item: what was `removed`, in words; the `rescue` commit; what `stays`, and why."""

    run_id: str = ""
    removed: tuple[str, ...] = ()
    rescue: str = ""
    stays: tuple[str, ...] = ()


def sweep(home: Home, now: float) -> None:
    """Finish what cleanups and merges that were killed had begun."""
    testbed.sweep_stale(home)
    for kept in custody.every(home):
        if removal.begun(kept) or removal.left(kept) or reviving.left(kept):
            _finish_if_free(home, kept)
    for name in os.listdir(home.runs):
        if name.startswith(_GOING) and ID.match(name[len(_GOING) :]):
            _remove_if_it_can_be(os.path.join(home.runs, name))
    for name in os.listdir(home.custody):
        path = os.path.join(home.custody, name)
        if name.startswith(holding.READING) and (files.mtime(path) or now) < now - _OLD_S:
            _remove_if_it_can_be(path)


def _remove_if_it_can_be(path: str) -> None:
    try:
        walking.remove(path)
    except OSError:
        pass  # another user's files are in it, say: no reason to leave all else as it is


def _finish_if_free(home: Home, kept: Kept) -> None:
    """What is left of a worktree that has left its place, was to leave it, or had not come back to it."""
    lock = holding.seized(home, kept.worktree.run)
    if lock is None:
        return
    try:
        kept = custody.load(home, kept.worktree.run) or kept
        reviving.clear(kept)
        removal.take_back(kept)
        if removal.begun(kept):
            finish(home, kept)
        else:
            removal.make_way(kept)
        removal.clear(kept)
    except gitdoor.TROUBLE:
        pass  # its repository is gone: nothing waits for it; or files still cannot be deleted: the next one tries
    finally:
        os.close(lock)


def carry_out(home: Home, config: Config, facts: Facts, item: Item) -> Outcome:
    """Remove what the plan says. What cannot be saved or removed stays, with the reason in the answer."""
    removed, stays, commit = [], list(item.stays), ""
    if item.worktree:
        try:
            commit, left = remove_worktree(home, config, facts.kept)
        except gitdoor.TROUBLE as e:
            stays.append("the worktree at %s: %s" % (item.worktree, one_line(e, 200)))
            return Outcome(run_id=item.run_id, stays=tuple(stays))
        removed.append("worktree")
        stays += left
    if item.pane:
        panes.close(facts.socket, facts.pane, facts.pane_pid)
        removed.append("pane")
    if item.folder:
        why = _remove_folder(home, item.folder)
        if why:
            stays.append("its run folder: " + why)
        else:
            removed.append("run folder")
    return Outcome(run_id=item.run_id, removed=tuple(removed), rescue=commit, stays=tuple(stays))


def remove_worktree(home: Home, config: Config, known: Kept) -> tuple[str, list[str]]:
    """Save a worktree and remove it; the rescue commit, and what stays in words.

    Raises what gitdoor.TROUBLE names, with the reason; then it stands as it did.
    """
    lock = holding.seized(home, known.worktree.run)
    if lock is None or _used(home, known):
        if lock is not None:
            os.close(lock)
        raise gitdoor.CannotError("somebody is at work in it")
    try:
        kept = custody.load(home, known.worktree.run) or known
        if kept.removed_at and not removal.begun(kept) and not removal.restored(kept):
            return kept.rescue, []  # by another cleanup meanwhile
        removal.take_back(kept)
        if not removal.begun(kept):
            with holding.Scratch(home, kept) as scratch:
                _saved_and_moved(kept, scratch, cleaning.wants(config))
        return finish(home, kept)
    finally:
        os.close(lock)


def _used(home: Home, kept: Kept) -> bool:
    """Whether a run that is not over works in it, or is to: one that was staged since the plan was made."""
    runs = [Run(home, run_id) for run_id in finding.live(home)]
    return any(run.spec().worktree.run == kept.worktree.run and run.result() is None for run in runs)


def _saved_and_moved(kept: Kept, scratch: str, wants: saving.Wants) -> None:
    for _ in range(_TRIES):
        _, seen = saving.save(kept, scratch, wants)
        with removal.lock(kept):
            if removal.move_aside(kept, seen):
                return
    raise gitdoor.CannotError("it is written to all the time")


def finish(home: Home, kept: Kept) -> tuple[str, list[str]]:
    """The end of a removal, whose rescue is whole; may be repeated."""
    common = kept.worktree.common
    commit = rescue.commit_of(rescue.references(common, 60), rescue.ref(kept.worktree.run))
    with holding.Scratch(home, kept) as scratch:
        tip = rescue.load(rescue.objects(common, scratch, 60), commit).about.tip
    kept = kept.replace(rescue=commit, removed_at=kept.removed_at or time.time())
    custody.save(home, kept)
    left = []
    with removal.lock(kept):
        why = removal.drop_branch(kept, tip)
        if why:
            left.append("branch %s: %s" % (kept.worktree.branch, why))
        try:
            removal.finish(kept)
        except OSError as e:
            left.append("some files, for now: %s in %s" % (one_line(e, 200), ", ".join(removal.remains(kept))))
    return commit, left


def _forget_checkpoints(run: Run) -> None:
    """Of a goal, whose first run this is: nothing else names them once its folder has gone."""
    goal = asked.load(run)
    if goal.common and not goal.root:
        try:
            checkpoints.forget(goal.common, run.id)
        except gitdoor.TROUBLE:
            pass  # its repository is gone, or has none of them


def _remove_folder(home: Home, run_id: str) -> str:
    """Why it stays, or some of it, or "". It leaves its place by a rename: there is no half of a run."""
    run = Run(home, run_id)
    try:
        lock = locks.try_take_existing(run.file("lock"))
    except FileNotFoundError:
        return "it is damaged: its lock file is gone"
    if lock is None or run.staged() or run.result() is None:
        if lock is not None:
            os.close(lock)
        return "it is not over"
    going = os.path.join(home.runs, _GOING + run_id)
    try:
        _forget_checkpoints(run)
        os.rename(run.path, going)
        files.remove(os.path.join(home.active, run_id))
        walking.remove(going)
    except OSError as e:
        return "for now: %s" % one_line(e, 200)
    finally:
        os.close(lock)
    return ""
