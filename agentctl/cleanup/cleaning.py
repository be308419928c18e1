"""What a cleanup would remove and save, told before anything is done: facts, then a pure plan.

Nothing is removed that is not saved, that somebody works in, or that nobody was told of.
"""

from __future__ import annotations

import os
import time

from .. import conversation
from .. import custody
from .. import finding
from .. import gitdoor
from .. import inbox
from .. import panes
from .. import settle
from .. import text
from ..config import Config
from ..custody import Kept
from ..errors import AgentctlError
from ..errors import usage_error
from ..goals import asked
from ..keeping import removal
from ..keeping import saving
from ..keeping.saving import Saved
from ..record import Record
from ..store import Run
from ..trees import leftover
from ..trees import worktree
from . import holding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from typing import Optional

    from ..model import Result
    from ..store import Home


class Wanted(Record):
    """Which runs: `ids`, or all that ended, or those of them that are `merged` and that ended before `before`.
    `folders`: their run folders too."""

    ids: tuple[str, ...] = ()
    every: bool = False
    merged: bool = False
    before: float = 0.0
    project: str = ""
    folders: bool = False


class Facts(Record):
    """A run as a cleanup finds it. `live`: the run that is not over, itself or one that works in its worktree.
    `agent`: whose conversation is known by this run.
    `trouble`: why the worktree cannot be saved; `half`: a removal of it was begun and is to be finished."""

    run_id: str = ""
    title: str = ""
    project: str = ""
    live: str = ""
    kept: Kept = Kept()
    half: bool = False
    saved: Saved = Saved()
    trouble: str = ""
    pane: str = ""
    socket: str = ""
    pane_pid: int = 0
    folder: bool = False
    told: bool = False
    unread: bool = False
    needed: str = ""
    agent: str = ""


class Item(Record):
    """What is to become of one run. `worktree`, `branch`, `pane`, `folder`: what is removed ("" where nothing is);
    `stays`: why something that was asked for is not removed."""

    run_id: str = ""
    title: str = ""
    project: str = ""
    worktree: str = ""
    branch: str = ""
    pane: str = ""
    folder: str = ""
    saved: Saved = Saved()
    stays: tuple[str, ...] = ()

    def removes(self) -> bool:
        return bool(self.worktree or self.pane or self.folder)


def planned(facts: Facts, folders: bool) -> Item:
    """The plan for a run. Pure."""
    item = Item(run_id=facts.run_id, title=facts.title, project=facts.project)
    has_worktree = bool(facts.kept.worktree.run) and (not facts.kept.removed_at or facts.half)
    if facts.live:
        who = "it is" if facts.live == facts.run_id else "run %s is" % facts.live
        return item.replace(stays=("%s not over" % who,))
    if facts.pane:
        item = item.replace(pane=facts.pane)
    if has_worktree and facts.trouble:
        return item.replace(stays=("the worktree at %s: %s" % (facts.kept.worktree.path, facts.trouble),))
    if has_worktree:
        made = facts.kept.worktree
        item = item.replace(worktree=made.path, branch=made.branch if facts.saved.tip else "", saved=facts.saved)
    if folders and facts.folder:
        why = _why_folder_stays(facts)
        item = item.replace(stays=("its run folder: %s" % why,)) if why else item.replace(folder=facts.run_id)
    return item


def _why_folder_stays(facts: Facts) -> str:
    if not facts.told:
        return "notify.log does not have its end yet"
    if facts.unread:
        return "nobody has acknowledged its event: see `agentctl inbox`"
    if facts.agent:
        return "agent `%s` goes on from it" % facts.agent
    return "run %s, which is not over, follows it" % facts.needed if facts.needed else ""


class Survey:
    """A home as a cleanup finds it: what is asked once, for all runs."""

    def __init__(self, home: Home, config: Config, wanted: Wanted, now: float) -> None:
        self.home, self.config, self.wanted, self.now = home, config, wanted, now
        self.panes = panes.Standing()
        self._seen: set[str] = set()
        self.unread = {entry.run_id for name in inbox.names(home) for entry in inbox.pending(home, name)}
        specs = [Run(home, run_id).spec() for run_id in finding.live(home) if not self._ended(run_id)]
        self.users = {spec.worktree.run: spec.id for spec in specs if spec.worktree.run}
        self.agents = conversation.remembered(home) if wanted.folders else {}
        self.needs = {before: spec.id for spec in specs for before in (*spec.after, spec.parent) if before}
        self.goals = {asked.root_of(home, spec.id): spec.id for spec in specs}
        self.used = _used_since(home, wanted.before) if wanted.before else set()

    def facts(self) -> Iterator[Facts]:
        """Of each run that is meant."""
        for run_id in self._candidates():
            found = self._of(run_id)
            if self.wanted.ids or self._meant(found):
                yield self._with_worktree(found)

    def _ended(self, run_id: str) -> Optional[Result]:
        run = Run(self.home, run_id)
        try:
            return settle.settled(run, self.now) if run.exists() else None
        except (AgentctlError, OSError):
            return None  # damaged: nobody can tell that it ended

    def _candidates(self) -> Iterable[str]:
        """By the words of the command line; or all that anything is left of, oldest first."""
        if self.wanted.ids:
            return dict.fromkeys(resolve(self.home, word) for word in self.wanted.ids)
        kept = {k.worktree.run for k in custody.every(self.home) if not k.removed_at or removal.begun(k)}
        return sorted(kept | set(finding.newest(self.home)))

    def _of(self, run_id: str) -> Facts:
        """A run that went on in the worktree of another one leaves that to the other one, unless it was named."""
        run = Run(self.home, run_id)
        spec, result = run.spec(), self._ended(run_id)
        gone = not run.exists()
        owner = (spec.worktree.run or run_id) if self.wanted.ids else run_id
        kept = custody.load(self.home, owner) or Kept()
        found = Facts(run_id=run_id, title=spec.title or kept.title, project=spec.project or kept.project, kept=kept)
        if not gone and result is None:
            return found.replace(live=run_id)
        if owner in self.users:
            return found.replace(live=self.users[owner])
        told = self.wanted.folders and not gone and bool(holding.soon(run.told))
        found = found.replace(folder=not gone, told=told, unread=run_id in self.unread)
        goal = "" if gone else asked.root_of(self.home, run_id)
        needed = self.needs.get(run_id) or (self.goals.get(goal) if goal else "") or ""
        found = found.replace(needed=needed, agent=self.agents.get(run_id, ""))
        if not gone:
            pane, socket, pid = self.panes.of(run)
            found = found.replace(pane=pane, socket=socket, pane_pid=pid)
        return found

    def _with_worktree(self, found: Facts) -> Facts:
        if found.live or not found.kept.worktree.run:
            return found
        if found.kept.worktree.run in self._seen:
            return found.replace(kept=Kept())  # it goes with the run that was named before
        self._seen.add(found.kept.worktree.run)
        half = removal.begun(found.kept)
        if half or found.kept.removed_at:
            return found.replace(half=half)
        lock = holding.seized(self.home, found.kept.worktree.run)
        if lock is None:
            return found.replace(trouble="somebody is at work in it")
        try:
            return found.replace(saved=measured(self.home, self.config, found.kept))
        except gitdoor.TROUBLE as e:
            return found.replace(trouble=text.one_line(e, 200))
        finally:
            os.close(lock)

    def _meant(self, found: Facts) -> bool:
        """By the filters."""
        if self.wanted.project not in ("", found.project) or not self._wanted_by_age(found):
            return False
        if self.wanted.merged:
            return bool(found.kept.worktree.run) and _merged(self.home, found.kept)
        return not found.live or bool(found.kept.worktree.run)

    def _wanted_by_age(self, found: Facts) -> bool:
        if not self.wanted.before or self.wanted.ids:
            return True
        result = Run(self.home, found.run_id).result()
        ended = result.finished_at if result else found.kept.made_at
        return 0 < ended < self.wanted.before and found.kept.worktree.run not in self.used


def _used_since(home: Home, moment: float) -> set[str]:
    """The worktrees that runs which were born after this went on in."""
    ids = finding.between(home, time.strftime("%Y%m%d-%H%M%S", time.gmtime(moment)))
    return {Run(home, run_id).spec().worktree.run for run_id in ids} - {""}


def _merged(home: Home, kept: Kept) -> bool:
    """Whether its project's branch has all of it: nothing uncommitted either."""
    target = worktree.default_target(kept)
    try:
        return bool(target) and worktree.merged(kept, target) and not leftover.dirty(home, kept)
    except AgentctlError:
        return False  # what cannot be told is not merged


def measured(home: Home, config: Config, kept: Kept) -> Saved:
    """What there is to save. Raises what gitdoor.TROUBLE names."""
    removal.take_back(kept)
    with holding.Scratch(home, kept) as scratch:
        return saving.measure(kept, scratch, wants(config))


def wants(config: Config) -> saving.Wants:
    return saving.Wants(ignored=config.rescue_ignored, limit=config.rescue_limit_mb << 20)


def resolve(home: Home, word: str) -> str:
    """A run's id by a word of the command line; also of one whose folder is gone, by its worktree's record."""
    try:
        return finding.resolve(home, word)
    except AgentctlError as e:
        found = [kept.worktree.run for kept in custody.every(home) if kept.worktree.run.startswith(word)]
        if len(found) != 1 or e.code == 2:
            raise
        return found[0]


def worktree_of(home: Home, run_id: str) -> str:
    """The run whose worktree a run worked in, its own or another's; "" where it had none, or is gone."""
    return Run(home, run_id).spec().worktree.run


def check(wanted: Wanted) -> None:
    """Raises AgentctlError where nothing was selected, or in two ways that do not go together."""
    filters = wanted.merged or wanted.before or wanted.every
    if not wanted.ids and not filters:
        raise usage_error("nothing is selected", "name runs, or give --merged, --older-than 7d or --all")
    if wanted.ids and (filters or wanted.project):
        raise usage_error("runs by id and --merged, --older-than, --all or --project do not go together")
