"""What ended runs left in worktrees of their own: found by id, or all of it.

The record in custody tells what exists; the run's folder, which may be gone, what was
asked and what came of it. Several runs may have worked in one worktree: the one that
is named speaks for it, else the last.
"""

from __future__ import annotations

import os
import time

from .. import custody
from .. import files
from .. import finding
from .. import settle
from ..branches.landing import Work
from ..custody import Kept
from ..errors import AgentctlError
from ..model import Result
from ..model import Spec
from ..record import Record
from ..store import ID
from ..store import Run
from ..trees import leftover
from ..trees import worktree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

    from ..store import Home

_LEAVING_S = 2.0


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
    last = _last_in(home, {kept.worktree.run for kept in there})
    found = [named(home, last.get(kept.worktree.run, kept.worktree.run)) for kept in there]
    return sorted(found, key=lambda sheaf: sheaf.spec.created_at)


def _last_in(home: Home, worktrees: set[str]) -> dict[str, str]:
    """The last run that worked in each worktree: resumed ones came after the one it was made for."""
    found: dict[str, str] = {}
    for run_id in finding.back_to(home, worktrees):
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
    common = sheaf.kept.worktree.common
    if not os.path.lexists(os.path.join(common, "HEAD")):
        raise AgentctlError(
            "the repository of run %s is gone: %s" % (run_id, common), "it may have been moved: move it back"
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


def seize_all(home: Home, sheaves: list[Sheaf], held: list[int]) -> list[Sheaf]:
    """Hold all of them, and see them as they are then; `held` gets the locks, also where it raises AgentctlError."""
    fresh = []
    for sheaf in sheaves:
        held.append(seize(home, sheaf))
        fresh.append(refreshed(home, sheaf))
    return fresh


def refreshed(home: Home, sheaf: Sheaf) -> Sheaf:
    """With the record as it is now that its worktree is held: before, others may have landed or cleaned it.

    Raises AgentctlError where it cannot be landed any more.
    """
    now = sheaf.replace(kept=custody.load(home, sheaf.kept.worktree.run) or Kept())
    _check(now)
    return now


def commit_leftover(home: Home, sheaf: Sheaf) -> str:
    """As leftover.commit, by who holds the worktree alone.

    It holds the lock of the worktree's index meanwhile. A note tells the next one that
    we were killed in there: then that lock is left over, and is taken away.
    """
    note = os.path.join(home.custody, sheaf.kept.worktree.run + ".committing")
    if os.path.exists(note):
        files.remove(os.path.join(worktree.admin(sheaf.kept.worktree), "index.lock"))
    else:
        files.create(note, b"")
    try:
        return leftover.commit(home, sheaf.kept, sheaf.spec)
    finally:
        files.remove(note)


def work(home: Home, sheaf: Sheaf, say: Callable[[str], None]) -> Work:
    """All that was done there, with what was left uncommitted; `tip` is "" where no one commit has it all.

    By who holds the worktree alone. Raises AgentctlError.
    """
    kept = sheaf.kept
    committed = commit_leftover(home, sheaf)
    if committed:
        say("run %s: committed what was left uncommitted as %s" % (sheaf.run_id, committed[:12]))
    for note in untaken(home, kept):
        say("run %s: %s" % (sheaf.run_id, note))
    branch, tip = kept.worktree.branch, tip_of(kept)
    if tip and tip != worktree.tip(kept):
        words = "run %s: its worktree is not on its branch %s: what is merged is commit %s, where it stands"
        say(words % (sheaf.run_id, branch, tip[:12]))
    title = sheaf.spec.title or kept.title or branch
    return Work(run=sheaf.run_id, branch=branch, tip=tip, title=title, author=kept.author)


def untaken(home: Home, kept: Kept) -> list[str]:
    """What is in its worktree and will not come along, or why that cannot be told, in words for a user."""
    try:
        return leftover.notes(home, kept)
    except AgentctlError as e:
        return [str(e)]


def tip_of(kept: Kept) -> str:
    """The commit with all that was done there; "" where there is none. A worker may have renamed the branch."""
    named, here = worktree.tip(kept), worktree.head(kept)
    base = kept.worktree.base
    if not named and here and worktree.contains(kept, here, base) and worktree.its_own(kept, here, base):
        return here
    return worktree.landing_tip(kept)


def apart(kept: Kept) -> str:
    """Why there is none."""
    import shlex

    branch, named = kept.worktree.branch, worktree.tip(kept)
    if not named:
        return "its branch %s is gone, and its worktree does not go on from where it began" % branch
    here, path = worktree.head(kept), shlex.quote(kept.worktree.path)
    if worktree.contains(kept, here, named):
        words = "its worktree went to commit %s, which is on branches of others; go back there: `git -C %s checkout %s`"
        return words % (here[:12], path, branch)
    words = "its worktree stands on commit %s and its branch %s on %s: neither has what the other has; %s"
    hint = "bring them together there: `git -C %s merge %s`" % (path, named[:12])
    return words % (here[:12], branch, named[:12], hint)
