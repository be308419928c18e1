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

from . import arriving
from . import bisecting
from . import config as configuration
from . import custody
from . import harvest
from . import landing
from . import locks
from . import signals
from . import worktree
from .errors import AgentctlError
from .landing import Site
from .landing import Work
from .proving import Proof
from .proving import Prover
from .record import Record
from .stacking import Stack
from .testbed import Testbed
from .text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence
    from typing import Optional

    from .bisecting import Verdict
    from .harvest import Sheaf
    from .store import Home

    Say = Callable[[str], None]

LANDED, ALREADY, CONFLICT, CULPRIT, WAITING = "landed", "already_in", "conflict", "check_failed", "not_landed"
_TRIES = 4
"""The first, and three more where the target moved meanwhile."""


class Wish(Record):
    """How to merge. `into` "": what the project's checkout is on. `verify` "": what the runs' own checks were."""

    into: str = ""
    verify: str = ""
    strategy: str = "merge"
    timeout_s: Optional[float] = None


class Fate(Record):
    """What became of one run: `outcome`, `why`, the `files` in conflict, and the end of the check's output."""

    run_id: str = ""
    branch: str = ""
    title: str = ""
    backend: str = ""
    outcome: str = ""
    why: str = ""
    files: tuple[str, ...] = ()
    log_tail: str = ""


class Report(Record):
    """A merge that is over: the target was `old` and is `new`. `kept` is the ref of what was verified and could
    not be landed, `next` the command that lands it."""

    format: int = 1
    into: str = ""
    old: str = ""
    new: str = ""
    strategy: str = ""
    verify: tuple[str, ...] = ()
    verifications: int = 0
    log: str = ""
    kept: str = ""
    next: str = ""
    runs: tuple[Fate, ...] = ()


def merge(home: Home, ids: Sequence[str], wish: Wish, say: Say) -> Report:
    """Land what these runs left. `say` is told of what takes time, and of what a user must know.

    Raises AgentctlError where nothing could be tried, and where the target itself fails the check.
    """
    configuration.sound(home)
    sheaves = harvest.to_land(home, ids)
    common = sheaves[0].kept.worktree.common
    landing.require_merge_tree(common)
    lock = _one_at_a_time(common, say)
    landing.sweep_stale(home)
    sheaves = harvest.to_land(home, ids)  # who held the lock may have landed some of them
    held: list[int] = []
    bed = Testbed(home, sheaves[0].kept.worktree)
    try:
        held = [harvest.seize(home, sheaf) for sheaf in sheaves]
        arriving.bring_along(home, common, bed.scratch, say)
        return _Merge(home, sheaves, wish, bed, say).report()
    finally:
        bed.close()
        for fd in (*held, lock):
            os.close(fd)


def sweep(home: Home) -> None:
    """The last will of a merge that was killed: its place is given back."""
    landing.sweep_stale(home)


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
        raise AgentctlError("the project's checkout is on no branch", "say where to: `--into BRANCH`")
    return into


class _Merge:
    """One merge under way."""

    def __init__(self, home: Home, sheaves: list[Sheaf], wish: Wish, bed: Testbed, say: Say) -> None:
        self.home = home
        self.say = say
        self.wish = wish
        self.bed = bed
        self.site = Site(bed.common, bed.scratch)
        self.into = target_of(sheaves[0], wish.into)
        self.old = self._target()
        self.sheaves = {sheaf.run_id: sheaf for sheaf in sheaves}
        self.works = {sheaf.run_id: self._work(sheaf) for sheaf in sheaves}
        self.commands = _commands(sheaves, wish)
        self.alarm = signals.Alarm()
        self.prover = self._prover()
        self.checks = 0
        self.proofs: dict[tuple[str, ...], Proof] = {}
        self.fates: dict[str, Fate] = {}
        self.blocked = arriving.Arrival()
        self.new = ""

    def _target(self) -> str:
        found = landing.tip(self.site, self.into)
        if not found:
            raise AgentctlError("no branch `%s` to merge into" % self.into, "make it: `git branch %s`" % self.into)
        return found

    def _work(self, sheaf: Sheaf) -> Work:
        """Its branch, with what was left uncommitted."""
        kept = sheaf.kept
        committed = harvest.commit_leftover(self.home, sheaf)
        if committed:
            self.say("run %s: committed what was left uncommitted as %s" % (sheaf.run_id, committed[:12]))
        branch = kept.worktree.branch
        tip = landing.tip(self.site, branch)
        if not tip or branch == self.into:
            what = "is what to merge into" if tip else "is gone"
            raise AgentctlError(
                "the branch of run %s, %s, %s" % (sheaf.run_id, branch, what), "see `agentctl worktrees`"
            )
        head = landing.head_of(self.site, worktree.admin(kept.worktree))
        if head and not landing.is_ancestor(self.site, head, tip):
            self.say("run %s: its worktree is not on its branch: commit %s is not merged" % (sheaf.run_id, head[:12]))
        title = sheaf.spec.title or kept.title or branch
        return Work(run=sheaf.run_id, branch=branch, tip=tip, title=title, author=kept.author)

    def _prover(self) -> Optional[Prover]:
        if not self.commands:
            self.say("no check was asked for and the runs had none: lands unchecked (`--verify CMD`)")
            return None
        config = configuration.load(self.home)[0]
        setup = next((sheaf.spec.setup for sheaf in self.sheaves.values() if sheaf.spec.setup), "")
        seconds = self.wish.timeout_s or config.verify_timeout_s
        return Prover(self.home, self.bed, self.alarm, config, setup, self.commands, seconds)

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
                self._meet(name, WAITING, "%s moved each time while this was verified: try again" % self.into)
        return self._told()

    def _told(self) -> Report:
        log = self.prover.end_log(any(not proof.green for proof in self.proofs.values())) if self.prover else ""
        return Report(
            into=self.into,
            old=self.old,
            new=self.new or self.old,
            strategy=self.wish.strategy,
            verify=self.commands,
            verifications=self.checks,
            log=log,
            kept=self.blocked.ref,
            next=self.blocked.command,
            runs=tuple(self.fates[run_id] for run_id in self.works),
        )

    def _verdict(self, stack: Stack) -> Verdict:
        """What may land together. Raises AgentctlError where the target itself is red."""
        names = tuple(name for name in self.works if name not in self.fates or self.fates[name].outcome != CULPRIT)
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
        self.checks += 1
        proof = self.proofs[names] = self.prover.prove(stack.commit(names), words)
        return proof.green

    def _judge(self, stack: Stack, verdict: Verdict) -> None:
        """A fate for all that are left out."""
        for name in verdict.culprits:
            red = min(
                (asked for asked, proof in self.proofs.items() if asked[-1:] == (name,) and not proof.green), key=len
            )
            self._meet(
                name, CULPRIT, "with it the check fails: " + self.proofs[red].why, log_tail=self.proofs[red].tail
            )
        for name, made in stack.left.items():
            why = made.problem or "conflict in " + ", ".join(map(one_line, made.conflicts))
            self._meet(name, CONFLICT, why, files=made.conflicts)
        for name in stack.idle:
            self._meet(name, ALREADY, "%s has all of it" % self.into)

    def _meet(self, name: str, outcome: str, why: str, files: tuple[str, ...] = (), log_tail: str = "") -> None:
        work = self.works[name]
        backend = self.sheaves[name].spec.backend
        self.fates[name] = Fate(
            run_id=name,
            branch=work.branch,
            title=work.title,
            backend=backend,
            outcome=outcome,
            why=why,
            files=files,
            log_tail=log_tail,
        )

    def _land(self, new: str, names: tuple[str, ...]) -> bool:
        """Whether it is over: landed, or to be landed by the user. False where the target has moved."""
        if self.alarm.take(signals.STOPPING):
            raise KeyboardInterrupt
        arrived = arriving.land(self.home, self.site, self.bed.scratch, self.into, (self.old, new), self.say)
        if arrived.moved_by_others:
            return False
        self.blocked, self.new = arrived, "" if arrived.blocked else new
        for name in names:
            if arrived.blocked:
                self._meet(name, WAITING, arrived.blocked)
                continue
            self._meet(name, LANDED, "landed in %s at %s" % (self.into, new[:12]))
            kept = self.sheaves[name].kept
            custody.save(self.home, kept.replace(into=self.into, landed=new, landed_at=time.time()))
        return True


def _commands(sheaves: list[Sheaf], wish: Wish) -> tuple[str, ...]:
    """The check asked for, else those of the runs, each once."""
    own = (wish.verify,) if wish.verify else (sheaf.spec.verify for sheaf in sheaves)
    return tuple(dict.fromkeys(command for command in own if command))
