"""What ended runs left in worktrees of their own: found by id, or all of it.

The record in custody tells what exists; the run's folder, which may be gone, what was
asked and what came of it. Several runs may have worked in one worktree: the one that
is named speaks for it, else the last.
"""

from __future__ import annotations

import os
import time

from . import custody
from . import files
from . import finding
from . import settle
from . import worktree
from .custody import Kept
from .errors import AgentctlError
from .model import Result
from .model import Spec
from .record import Record
from .store import ID
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .store import Home

_LEAVING_S = 2.0
_SECOND = len("20260215-143022")


class Sheaf(Record):
    """A run and what it left. `result` has no status while it has not ended, or where its folder is gone (`gone`).
    `kept.worktree.run` is "" where it had no worktree of its own."""

    run_id: str = ""
    spec: Spec = Spec()
    result: Result = Result()
    kept: Kept = Kept()
    gone: bool = False

    @property
    def ended(self) -> bool:
        return self.gone or bool(self.result.status)


def named(home: Home, word: str) -> Sheaf:
    """The run that a word means, also one whose folder is gone. Raises AgentctlError."""
    try:
        run = home.run(finding.resolve(home, word))
    except AgentctlError:
        kept = custody.load(home, word) if ID.match(word) else None
        if kept is None:
            raise
        return Sheaf(run_id=word, spec=Spec(id=word, title=kept.title, backend=kept.author), kept=kept, gone=True)
    spec = run.spec()
    record = custody.load(home, spec.worktree.run) if spec.worktree.run else None
    return Sheaf(run_id=run.id, spec=spec, result=settle.settled(run, time.time()) or Result(), kept=record or Kept())


def all_ended(home: Home, project: str) -> list[Sheaf]:
    """Those with a worktree that was not cleaned, oldest first."""
    there = [kept for kept in custody.every(home) if not kept.removed_at and project in ("", kept.project)]
    there = sorted((kept for kept in there if worktree.exists(kept.worktree)), key=lambda kept: kept.made_at)
    last = _last_in(home, project, {kept.worktree.run for kept in there})
    return [named(home, last.get(kept.worktree.run, kept.worktree.run)) for kept in there]


def _last_in(home: Home, project: str, worktrees: set[str]) -> dict[str, str]:
    """The last run that worked in each worktree: resumed ones came after the one it was made for."""
    found: dict[str, str] = {}
    oldest = min(worktrees, default="~")[:_SECOND]
    for run_id in finding.newest(home, project):
        if run_id[:_SECOND] < oldest:
            break
        found.setdefault(Run(home, run_id).spec().worktree.run, run_id)
    return found


def to_land(home: Home, words: Iterable[str]) -> list[Sheaf]:
    """The named runs, one for each worktree, in that order. Raises AgentctlError for any that cannot be landed."""
    found: dict[str, Sheaf] = {}
    for word in words:
        sheaf = named(home, word)
        _check(sheaf)
        found.setdefault(sheaf.kept.worktree.run, sheaf)
    sheaves = list(found.values())
    for sheaf in sheaves[1:]:
        if sheaf.kept.worktree.common != sheaves[0].kept.worktree.common:
            raise AgentctlError(
                "runs %s and %s are of two repositories" % (sheaves[0].run_id, sheaf.run_id),
                "merge those of one repository at a time",
            )
    return sheaves


def _check(sheaf: Sheaf) -> None:
    run_id = sheaf.run_id
    if not sheaf.ended:
        raise AgentctlError("run %s has not ended" % run_id, "wait for it: `agentctl wait %s`" % run_id)
    if not sheaf.kept.worktree.run:
        raise AgentctlError(
            "run %s had no worktree of its own" % run_id,
            "what it did is in %s already" % (sheaf.spec.cwd or "its directory"),
        )
    if sheaf.kept.removed_at:
        raise AgentctlError("the worktree of run %s was removed" % run_id, "bring it back: `agentctl undo %s`" % run_id)


def seize(home: Home, sheaf: Sheaf) -> int:
    """Hold its worktree alone. Raises AgentctlError while somebody works in it.

    A runner that has just told of its end may need a moment to be gone.
    """
    deadline = time.monotonic() + _LEAVING_S
    lock = custody.seize(home, sheaf.kept.worktree.run)
    while lock is None and time.monotonic() < deadline:
        time.sleep(0.02)
        lock = custody.seize(home, sheaf.kept.worktree.run)
    if lock is None:
        raise AgentctlError(
            "the worktree of run %s is in use" % sheaf.run_id, "see who works there: `agentctl list --running`"
        )
    return lock


def commit_leftover(home: Home, sheaf: Sheaf) -> str:
    """As worktree.commit_leftover, by who holds the worktree alone.

    It holds the lock of the worktree's index meanwhile. A note tells the next one that
    we were killed in there: then that lock is left over, and is taken away.
    """
    note = os.path.join(home.custody, sheaf.kept.worktree.run + ".committing")
    if os.path.exists(note):
        files.remove(os.path.join(worktree.admin(sheaf.kept.worktree), "index.lock"))
    else:
        files.create(note, b"")
    try:
        return worktree.commit_leftover(home, sheaf.kept, sheaf.spec)
    finally:
        files.remove(note)
