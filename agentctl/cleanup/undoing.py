"""Removed worktrees: brought back, listed, and let go of for good."""

from __future__ import annotations

import os

from .. import custody
from .. import gitdoor
from ..errors import AgentctlError
from ..keeping import removal
from ..keeping import rescue
from ..keeping import reviving
from ..record import Record
from ..text import one_line
from . import cleaning
from . import clearing
from . import holding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..custody import Kept
    from ..keeping.rescue import Rescue
    from ..keeping.rescue import Stored
    from ..store import Home


class Row(Record):
    """A rescue, as it is listed. `files`: how many are beyond HEAD; `restored`: the worktree stands again."""

    run_id: str = ""
    saved_at: float = 0.0
    title: str = ""
    project: str = ""
    branch: str = ""
    path: str = ""
    repository: str = ""
    commit: str = ""
    files: int = 0
    restored: bool = False
    problem: str = ""


def undo(home: Home, word: str) -> Kept:
    """Bring a removed worktree back: the one of a run, or for "" the one that was removed last."""
    found = _record(home, word) if word else _newest(home)
    lock = holding.seized(home, found.worktree.run)
    if lock is None:
        raise AgentctlError("somebody is at work in the worktree of run %s" % found.worktree.run, "try again later")
    try:
        return _undone(home, custody.load(home, found.worktree.run) or found)
    except (gitdoor.CannotError, OSError) as e:
        raise AgentctlError(
            "the worktree of run %s cannot be brought back: %s" % (found.worktree.run, one_line(e, 300)),
            "nothing is lost: `agentctl rescue show %s`" % found.worktree.run,
        ) from None
    finally:
        os.close(lock)


def _undone(home: Home, kept: Kept) -> Kept:
    """By whoever holds it alone, and after one who was killed."""
    removal.take_back(kept)
    whole = kept.replace(rescue="", removed_at=0.0)
    if not removal.restored(kept):
        if removal.begun(kept):
            clearing.finish(home, kept)
        elif not kept.removed_at:
            raise AgentctlError(
                "the worktree of run %s was not removed" % kept.worktree.run, "see `agentctl rescue list`"
            )
        if os.path.lexists(kept.worktree.path):
            raise AgentctlError("something else stands at %s" % kept.worktree.path, "move it away, then undo again")
        removal.make_way(kept)
        with holding.Scratch(home, kept) as scratch:
            reviving.restore(kept, _commit(kept), scratch)
    custody.save(home, whole)
    return whole


def _newest(home: Home) -> Kept:
    found = [kept for kept in custody.every(home) if kept.removed_at and not removal.restored(kept)]
    if not found:
        raise AgentctlError("no worktree was removed", "see `agentctl rescue list`")
    return max(found, key=lambda kept: kept.removed_at)


def _record(home: Home, word: str) -> Kept:
    """The record of the worktree that a run worked in."""
    run_id = cleaning.resolve(home, word)
    kept = custody.load(home, cleaning.worktree_of(home, run_id) or run_id)
    if kept is None:
        raise AgentctlError("run %s had no worktree" % run_id, "see `agentctl rescue list`")
    return kept


def _commit(kept: Kept) -> str:
    """Its rescue commit. Raises AgentctlError where there is none."""
    common = kept.worktree.common
    if not os.path.isdir(common):
        raise AgentctlError("the repository of run %s is gone: %s" % (kept.worktree.run, common))
    commit = rescue.commit_of(rescue.references(common, 60), rescue.ref(kept.worktree.run))
    if not commit:
        raise AgentctlError("nothing is kept of run %s" % kept.worktree.run, "see `agentctl rescue list`")
    return commit


def rows(home: Home) -> Iterator[Row]:
    """All rescues of this home's worktrees, oldest first."""
    known = {kept.worktree.run: kept for kept in custody.every(home)}
    kept_in: dict[str, dict[str, str]] = {}
    for run_id, kept in known.items():
        common = kept.worktree.common
        if common not in kept_in:
            kept_in[common] = rescue.every(common) if os.path.isdir(common) else {}
        if run_id in kept_in[common]:
            yield _row(home, kept, kept_in[common][run_id])


def _row(home: Home, kept: Kept, commit: str) -> Row:
    made = kept.worktree
    row = Row(
        run_id=made.run,
        title=kept.title,
        project=kept.project,
        branch=made.branch,
        path=made.path,
        repository=made.source or made.common,
        commit=commit,
        restored=not kept.removed_at,
    )
    try:
        saved, files = _read(home, kept, commit)
    except gitdoor.TROUBLE as e:
        return row.replace(problem=one_line(e, 200))
    return row.replace(saved_at=saved.about.saved_at, files=len(files))


def _read(home: Home, kept: Kept, commit: str) -> tuple[Rescue, list[Stored]]:
    with holding.Reading(home) as scratch:
        door = rescue.objects(kept.worktree.common, scratch, 60)
        saved = rescue.load(door, commit)
        return saved, rescue.beyond_head(door, saved)


def shown(home: Home, word: str) -> tuple[Row, list[Stored]]:
    """A rescue and its files beyond HEAD."""
    kept = _record(home, word)
    commit = _commit(kept)
    try:
        return _row(home, kept, commit), _read(home, kept, commit)[1]
    except gitdoor.TROUBLE as e:
        raise AgentctlError("the rescue of run %s cannot be read: %s" % (kept.worktree.run, one_line(e, 200))) from None


def droppable(home: Home, word: str) -> Row:
    """The rescue that `drop` would let go of."""
    kept = _record(home, word)
    return _row(home, kept, _commit(kept))


def drop(home: Home, row: Row) -> None:
    """Let go of a rescue, if it is still that commit; of a worktree that is gone the record goes too."""
    kept = _record(home, row.run_id)
    lock = holding.seized(home, row.run_id)
    if lock is None:
        raise AgentctlError("somebody is at work in the worktree of run %s" % row.run_id, "try again later")
    try:
        rescue.drop(kept.worktree.common, row.run_id, row.commit)
        if kept.removed_at and not removal.restored(kept) and not removal.begun(kept):
            custody.forget(home, row.run_id)
    except gitdoor.CannotError as e:
        raise AgentctlError("the rescue of run %s stays: %s" % (row.run_id, one_line(e, 200))) from None
    finally:
        os.close(lock)
