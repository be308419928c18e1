"""What ended runs brought: their reports, what they changed, where that will not fit together.

What is left uncommitted in a worktree is committed to its branch first, so that it is
seen and cannot be lost. Conflicts are forecast with the target and between runs that
changed the same files, before anybody merges. Nothing is merged here.
"""

from __future__ import annotations

import os

from .. import gitdoor
from ..branches import landing
from ..branches import testbed
from ..branches.landing import Site
from ..branches.testbed import Testbed
from ..errors import AgentctlError
from ..model import Worktree
from ..record import Record
from ..text import one_line
from ..trees import worktree
from . import arriving
from . import harvest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Sequence
    from typing import Optional

    from ..custody import Kept
    from ..store import Home
    from .harvest import Sheaf

    Say = Callable[[str], None]

_MOST_PAIRS = 500


class Brought(Record):
    """One run. `conflicts` are files that would conflict with `target`: None where that was not forecast.
    `leftover` is the commit that we made of what was uncommitted; `note` what could not be told, and why, or what
    is to be known before it is merged; `ready` says that there is something to merge and nothing in its way."""

    run_id: str = ""
    title: str = ""
    project: str = ""
    status: str = ""
    goal_met: Optional[bool] = None
    verified: str = ""
    summary: str = ""
    notes: str = ""
    in_use: bool = False
    worktree: str = ""
    branch: str = ""
    base: str = ""
    tip: str = ""
    commits: tuple[str, ...] = ()
    diff_stat: str = ""
    files: tuple[str, ...] = ()
    leftover: str = ""
    target: str = ""
    conflicts: Optional[list[str]] = None
    landed: str = ""
    note: str = ""
    ready: bool = False


class Overlap(Record):
    """Two runs that changed the same files, and those in which they would conflict (None: not forecast)."""

    runs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    conflicts: Optional[list[str]] = None


class Collection(Record):
    """All of it. `next` is the command that merges what can be merged."""

    format: int = 1
    runs: tuple[Brought, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    next: str = ""


def collect(home: Home, words: Sequence[str], project: str, say: Say) -> Collection:
    """Of the named runs, else of all that ended in worktrees that were not cleaned. Raises AgentctlError."""
    sheaves = (
        [harvest.named(home, word) for word in dict.fromkeys(words)] if words else harvest.all_ended(home, project)
    )
    testbed.sweep_stale(home)
    bed = Testbed(home, Worktree())
    try:
        arriving.bring_all_along(home, bed.scratch, say)
        sites = _Sites(bed.scratch)
        found = tuple(_brought(home, sheaf, sites) for sheaf in sheaves)
        overlaps = tuple(_overlaps(found, {s.run_id: s.kept.worktree.common for s in sheaves}, sites))
    finally:
        bed.close()
    return Collection(runs=found, overlaps=overlaps, next=_next(found))


class _Sites:
    """One site for each repository: to make one is a few calls of git."""

    def __init__(self, scratch: str) -> None:
        self._scratch = scratch
        self._made: dict[str, Site] = {}
        self._attributes: dict[str, str] = {}

    def at(self, common: str, target: str = "") -> Site:
        """The site, with the attributes of a target where one is given."""
        if common not in self._made:
            folder = os.path.join(self._scratch, "site-%d" % len(self._made))
            os.mkdir(folder, 0o700)
            self._made[common] = Site(common, folder)
            self._made[common].write_elsewhere()
        if target and self._attributes.get(common) != target:
            self._made[common].take_attributes(target)
            self._attributes[common] = target
        return self._made[common]


def _brought(home: Home, sheaf: Sheaf, sites: _Sites) -> Brought:
    brought = _reported(sheaf)
    if not sheaf.kept.worktree.run or sheaf.kept.removed_at:
        return (
            brought.replace(note="its worktree was removed: `agentctl undo %s`" % sheaf.run_id)
            if brought.branch
            else brought
        )
    if not sheaf.ended:
        return brought.replace(in_use=True)
    try:
        lock = harvest.seize(home, sheaf)
    except AgentctlError:
        return brought.replace(in_use=True)
    try:
        return _measured(home, harvest.refreshed(home, sheaf), brought, sites)
    except gitdoor.TROUBLE as e:
        return brought.replace(note=one_line(e, 300))
    finally:
        os.close(lock)


def _reported(sheaf: Sheaf) -> Brought:
    """What the run's own result says; for one without a worktree that is all there is."""
    result, kept = sheaf.result, sheaf.kept
    told = Brought(
        run_id=sheaf.run_id,
        title=sheaf.spec.title or kept.title,
        project=sheaf.spec.project or kept.project,
        worktree=kept.worktree.path,
        branch=kept.worktree.branch,
        landed=kept.landed,
    )
    if not result.status:
        return told.replace(status="" if sheaf.gone else "running", in_use=not sheaf.gone)
    return told.replace(
        status=result.status,
        goal_met=result.goal_met,
        verified=result.verified,
        summary=result.summary,
        notes=result.notes,
        base=result.git_base,
        tip=result.git_head,
        diff_stat=result.git_diff_stat,
        files=result.git_files,
    )


def _measured(home: Home, sheaf: Sheaf, brought: Brought, sites: _Sites) -> Brought:
    """The facts of its branch as they are now."""
    kept, note = sheaf.kept, ""
    try:
        leftover = harvest.commit_leftover(home, sheaf)
    except AgentctlError as e:
        leftover, note = "", str(e)
    common, into = kept.worktree.common, worktree.default_target(kept)
    target = landing.tip(sites.at(common), into) if into else ""
    site = sites.at(common, target)
    tip = harvest.tip_of(kept)
    if not tip:
        return brought.replace(leftover=leftover, note="; ".join(filter(None, [note, harvest.apart(kept)])))
    remarks = [note, _elsewhere(kept, tip), *([] if note else harvest.untaken(home, kept))]
    base = _base(site, kept.worktree.base, target, tip)
    made = landing.commits(site, base, tip) if base != tip else []
    landed = kept.landed if worktree.landed(kept) else ""
    return brought.replace(
        leftover=leftover,
        note="; ".join(filter(None, remarks)),
        ready=bool(made) and not note and not landed,
        landed=landed,
        base=base,
        tip=tip,
        commits=tuple("%s %s" % (commit[:12], subject) for commit, subject in made),
        files=landing.changed_files(site, base, tip),
        diff_stat=landing.diff_stat(site, base, tip),
        target=into,
        conflicts=_forecast(site, target, tip),
    )


def _elsewhere(kept: Kept, tip: str) -> str:
    words = "its worktree is not on its branch: what is merged is where it stands, commit %s"
    return words % tip[:12] if tip != worktree.tip(kept) else ""


def _base(site: Site, planned: str, target: str, tip: str) -> str:
    """Where its own work begins: a worker may have rebased on what the target is by now."""
    base = landing.merge_base(site, target, tip) if target else ""
    return base if base and base != tip else planned


def _forecast(site: Site, one: str, other: str) -> Optional[list[str]]:
    """The files in conflict; None where git is too old to tell, or cannot."""
    if not one:
        return None
    try:
        return list(landing.forecast(site, one, other))
    except gitdoor.TROUBLE:
        return None  # before git 2.38, or no common history


def _overlaps(found: Sequence[Brought], commons: dict[str, str], sites: _Sites) -> Iterable[Overlap]:
    import itertools

    open_ones = [brought for brought in found if brought.tip and brought.branch and not brought.landed]
    pairs = 0
    for one, other in itertools.combinations(open_ones, 2):
        both = sorted(set(one.files) & set(other.files))
        common = commons[one.run_id]
        if both and common == commons[other.run_id]:
            pairs += 1
            forecast = _forecast(sites.at(common), one.tip, other.tip) if pairs <= _MOST_PAIRS else None
            yield Overlap(runs=(one.run_id, other.run_id), files=tuple(both), conflicts=forecast)


def _next(found: Sequence[Brought]) -> str:
    """The command that merges what has anything to merge, of the first repository that has."""
    ready = [brought for brought in found if brought.ready]
    ready = [b for b in ready if b.project == ready[0].project]
    return "agentctl merge %s" % " ".join(b.run_id for b in ready) if ready else ""
