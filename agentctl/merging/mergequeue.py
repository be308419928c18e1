"""The verified queue: branches land together, checked as a whole, or not at all.

The works are stacked on the target, pinned to its commit; the tip is checked in a
temporary worktree; a red one is searched for its culprit (bisecting.py), which is
left out. Then the target moves, by compare-and-swap from the pinned commit. If
somebody else moved it meanwhile all begins anew. At any moment the target is the old
one or a new one that was checked.
"""

from __future__ import annotations

import os
import time

from .. import config as configuration
from .. import custody
from .. import locks
from .. import signals
from ..branches import landing
from ..branches import testbed
from ..branches.landing import Site
from ..branches.landing import Work
from ..branches.testbed import Testbed
from ..errors import AgentctlError
from ..text import one_line
from ..trees import gitlinks
from ..trees import worktree
from . import arriving
from . import bisecting
from . import harvest
from .fates import ALREADY
from .fates import APART
from .fates import CONFLICT
from .fates import CULPRIT
from .fates import LANDED
from .fates import WAITING
from .fates import Fate
from .fates import Report
from .fates import Wish
from .proving import Proof
from .proving import Prover
from .proving import Step
from .stacking import Stack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Sequence
    from typing import Optional

    from ..config import Config
    from ..store import Home
    from .bisecting import Verdict
    from .harvest import Sheaf

    Say = Callable[[str], None]

_TRIES = 4
"""The first, and three more where the target moved meanwhile."""


def merge(home: Home, ids: Sequence[str], wish: Wish, say: Say) -> Report:
    """Land what these runs left. `say` is told of what takes time, and of what a user must know.

    Raises AgentctlError where nothing could be tried, and where the target itself fails the check.
    """
    configuration.sound(home)
    sheaves = harvest.to_land(home, ids)
    common = sheaves[0].kept.worktree.common
    landing.require_merge_tree(common)
    lock = _one_at_a_time(common, say)
    testbed.sweep_stale(home)
    sheaves = harvest.to_land(home, ids)  # who held the lock may have landed some of them
    held: list[int] = []
    bed = Testbed(home, sheaves[0].kept.worktree)
    try:
        sheaves = harvest.seize_all(home, sheaves, held)
        arriving.bring_along(home, common, bed.scratch, say)
        return _Merge(home, sheaves, wish, bed, say).report()
    finally:
        bed.close()
        for fd in (*held, lock):
            os.close(fd)


def give_back(home: Home) -> None:
    """The last will of a merge that was killed: the place where it worked."""
    testbed.sweep_stale(home)


def _one_at_a_time(common: str, say: Say) -> int:
    path = os.path.join(common, "agentctl-merge.lock")
    lock = locks.try_take(path)
    if lock is None:
        say("waits for another merge into this repository")
        lock = locks.take(path)
    return lock


def target_of(sheaf: Sheaf, wished: str) -> str:
    """The branch to land on. Raises AgentctlError where it is not said and there is none to take."""
    wished = wished[len(landing.HEADS) :] if wished.startswith(landing.HEADS) else wished
    into = wished or worktree.default_target(sheaf.kept)
    if not into:
        raise AgentctlError("the project's checkout is on no branch, or is gone", "say where to: `--into BRANCH`")
    return into


class _Merge:
    """One merge under way."""

    def __init__(self, home: Home, sheaves: list[Sheaf], wish: Wish, bed: Testbed, say: Say) -> None:
        self.home = home
        self.say = say
        self.wish = wish
        self.bed = bed
        self.site = Site(bed.common, bed.scratch)
        self.into = landing.resolved(self.site, target_of(sheaves[0], wish.into))
        self.old = self._target()
        self.fates: dict[str, Fate] = {}
        self.sheaves = {sheaf.run_id: sheaf for sheaf in sheaves}
        self.works = {sheaf.run_id: self._work(sheaf) for sheaf in sheaves}
        self.left_out = set(self.fates)
        self.alarm = signals.Alarm()
        self.checks = _checks(sheaves, wish, configuration.load(home)[0])
        self.prover = self._prover()
        self.proven = 0
        self.proofs: dict[tuple[str, ...], Proof] = {}
        self.arrived = arriving.Arrival()
        self.new = ""

    def _target(self) -> str:
        found = landing.tip(self.site, self.into)
        if not found:
            raise AgentctlError("no branch `%s` to merge into" % self.into, "make it: `git branch %s`" % self.into)
        return found

    def _work(self, sheaf: Sheaf) -> Work:
        """What is to land of it. It has its fate already where that cannot be."""
        if sheaf.kept.worktree.branch == self.into:
            words = "the branch of run %s, %s, is what to merge into" % (sheaf.run_id, self.into)
            raise AgentctlError(words, "see `agentctl worktrees`")
        work = harvest.work(self.home, sheaf, self.say)
        if not work.tip:
            self._meet(sheaf, work.branch, APART, harvest.apart(sheaf.kept))
            return work
        missing = gitlinks.bring(sheaf.kept, self.old, work.tip, self.bed.scratch)
        if missing:
            self._meet(sheaf, work.branch, WAITING, missing)
        doubt = _fate(sheaf, work.branch).doubt
        if doubt:
            self.say("run %s: %s; it was asked for by name, so what it left is merged all the same" % (work.run, doubt))
        return work

    def _prover(self) -> Optional[Prover]:
        if not self.checks:
            return None
        config = configuration.load(self.home)[0]
        before = _setups(list(self.sheaves.values()), config)
        return Prover(self.home, self.bed, self.alarm, config, (*before, *self.checks))

    def report(self) -> Report:
        """Try until it is landed, or cannot be."""
        for _ in range(_TRIES):
            stack = Stack(self.site, self.old, self.works, self.wish.strategy)
            verdict = self._verdict(stack)
            self._judge(stack, verdict)
            if not verdict.good or self._land(stack.commit(verdict.good), verdict.good):
                break
            self.old = self._target()
            self.say("%s has moved: stacked and verified again" % self.into)
        else:
            for name in verdict.good:
                self._end(name, WAITING, "%s moved each time while this was verified: try again" % self.into)
        return self._told()

    def _told(self) -> Report:
        log = self.prover.end_log(any(not proof.green for proof in self.proofs.values())) if self.prover else ""
        return Report(
            into=self.into,
            old=self.old,
            new=self.new or self.old,
            strategy=self.wish.strategy,
            verify=tuple(dict.fromkeys(step.command for step in self.checks)),
            verifications=self.proven,
            log=log,
            kept=self.arrived.ref,
            next=self.arrived.command,
            behind=self.arrived.behind,
            runs=tuple(self.fates[run_id] for run_id in self.works),
        )

    def _verdict(self, stack: Stack) -> Verdict:
        """What may land together. Raises AgentctlError where the target itself is red."""
        names = tuple(name for name in self.works if name not in self.left_out)
        if not self.prover:
            return bisecting.Verdict(good=stack.fitting(names))
        self.proofs = {}
        search = bisecting.sound(names, stack.fitting)
        try:
            question = next(search)
            while True:
                question = search.send(self._green(stack, question))
        except StopIteration as end:
            verdict: Verdict = end.value
        if verdict.red:
            proof = self.proofs[()]
            raise AgentctlError("%s itself fails the check: %s" % (self.into, proof.why), "see %s" % self.prover.log)
        return verdict

    def _green(self, stack: Stack, names: tuple[str, ...]) -> bool:
        assert self.prover
        words = "%s with %d of %d" % (self.into, len(names), len(self.works))
        self.say("verifies " + words)
        self.proven += 1
        proof = self.proofs[names] = self.prover.prove(stack.commit(names), words)
        return proof.green

    def _judge(self, stack: Stack, verdict: Verdict) -> None:
        """A fate for all that are left out."""
        for name in verdict.culprits:
            red = min((a for a, proof in self.proofs.items() if a[-1:] == (name,) and not proof.green), key=len)
            why = "with it the check fails: " + self.proofs[red].why
            self._end(name, CULPRIT, why, log_tail=self.proofs[red].tail)
            self.left_out.add(name)
        for name, made in stack.left.items():
            why = made.problem or "conflict in " + ", ".join(map(one_line, made.conflicts))
            self._end(name, CONFLICT, why, files=made.conflicts)
        for name in stack.idle:
            self._end(name, ALREADY, "%s has all of it" % self.into)

    def _end(self, name: str, outcome: str, why: str, files: tuple[str, ...] = (), log_tail: str = "") -> None:
        self._meet(self.sheaves[name], self.works[name].branch, outcome, why)
        self.fates[name] = self.fates[name].replace(files=files, log_tail=log_tail)

    def _meet(self, sheaf: Sheaf, branch: str, outcome: str, why: str) -> None:
        self.fates[sheaf.run_id] = _fate(sheaf, branch).replace(outcome=outcome, why=why)

    def _land(self, new: str, names: tuple[str, ...]) -> bool:
        """Whether it is over: landed, or to be landed by the user. False where the target has moved."""
        if self.alarm.take(signals.STOPPING):
            raise KeyboardInterrupt
        ours = {sheaf.kept.worktree.run for sheaf in self.sheaves.values()}
        ways = (self.old, new)
        arrived = arriving.land(self.home, self.site, self.bed.scratch, self.into, ways, ours, self.say)
        if arrived.moved_by_others:
            return False
        self.arrived, self.new = arrived, "" if arrived.blocked else new
        if not (self.checks or arrived.blocked):
            self.say("no check was asked for and the runs had none: landed unchecked (`--verify CMD`)")
        for name in names:
            if arrived.blocked:
                self._end(name, WAITING, arrived.blocked)
                continue
            self._end(name, LANDED, "landed in %s at %s" % (self.into, new[:12]))
            kept, tip = self.sheaves[name].kept, self.works[name].tip
            landed = kept.replace(into=self.into, landed=new, landed_tip=tip, landed_at=time.time())
            custody.save(self.home, landed)
        return True


def _fate(sheaf: Sheaf, branch: str) -> Fate:
    result = sheaf.result
    return Fate(
        run_id=sheaf.run_id,
        branch=branch,
        title=sheaf.spec.title or sheaf.kept.title or branch,
        backend=sheaf.spec.backend,
        status=result.status,
        goal_met=result.goal_met,
        verified=result.verified,
    )


def _checks(sheaves: list[Sheaf], wish: Wish, config: Config) -> tuple[Step, ...]:
    """The check asked for, where all the projects are; else those of the runs, where each stood, each once."""
    seconds = wish.timeout_s or config.verify_timeout_s
    if wish.verify:
        where = os.path.commonpath([sheaf.kept.worktree.inside for sheaf in sheaves])
        return (Step(inside=where, command=wish.verify, seconds=seconds),)
    return _each((sheaf.kept.worktree.inside, sheaf.spec.verify, seconds) for sheaf in sheaves)


def _setups(sheaves: list[Sheaf], config: Config) -> tuple[Step, ...]:
    seconds = config.setup_timeout_s
    return _each((sheaf.kept.worktree.inside, sheaf.spec.setup, seconds) for sheaf in sheaves)


def _each(steps: Iterable[tuple[str, str, float]]) -> tuple[Step, ...]:
    return tuple(Step(inside=where, command=words, seconds=s) for where, words, s in dict.fromkeys(steps) if words)
