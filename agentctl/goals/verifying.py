"""Looking at claimed work: our own check, and verifiers who did not do it.

All of it happens in checkouts of our own, made of the commit that the checkpoint is, so
that nobody judges what is ignored, left over, or changed meanwhile, and nothing a tester
does reaches the work.
"""

from __future__ import annotations

import os
import shutil
import time

from .. import custody
from .. import files
from .. import gitdoor
from .. import paths
from ..branches import checkpoints
from ..branches import testbed
from ..branches.testbed import Testbed
from ..errors import AgentctlError
from ..measures import Limits
from ..merging.proving import Prover
from ..merging.proving import Step as Proved
from ..model import FINISHED
from ..model import Worktree
from ..text import one_line
from ..trees import including
from . import briefs
from . import deciding
from . import guarding
from . import manifests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..model import Result
    from ..signals import Alarm
    from ..store import Run
    from .goal import Goal
    from .team import Member

_MOST_STAT = 20_000
_SCRATCH = "git-goal-"


class Bench:
    """Where one goal's work is looked at. `close` leaves nothing behind but the refs of its checkpoints."""

    def __init__(self, goal: Goal, alarm: Alarm) -> None:
        self._goal = goal
        self._alarm = alarm
        self._scratch = os.path.join(goal.run.path, _SCRATCH + str(os.getpid()))
        self._beds: dict[str, Testbed] = {}
        files.private_folder(self._scratch)
        for run in goal.runs[:-1]:
            for left in os.listdir(run.path):
                if left.startswith(_SCRATCH):  # of a driver that was killed
                    shutil.rmtree(os.path.join(run.path, left), ignore_errors=True)

    def close(self) -> None:
        while self._beds:
            self._beds.popitem()[1].close()
        testbed.sweep_stale(self._goal.home)  # the checkout of a verifier that outlived an earlier driver
        shutil.rmtree(self._scratch, ignore_errors=True)

    @property
    def _kept(self) -> str:
        return os.path.join(self._goal.home.run(self._goal.root).path, "included")

    def keep_beginning(self) -> None:
        """Before anybody works: the commit that all is compared with, and what `.worktreeinclude` brings into
        every checkout of ours. git does not have that, so that nobody could tell what a worker made of it.

        Raises AgentctlError, OSError.
        """
        try:
            checkpoints.hold(self._goal.asked.common, "%s/0" % self._goal.root, self._goal.asked.base)
        except gitdoor.CannotError as e:
            raise AgentctlError("the beginning cannot be kept: %s" % one_line(e, 300)) from None
        if os.path.isdir(self._kept):
            return
        made = self._goal.spec.worktree
        aside = os.path.join(self._scratch, "included")
        files.private_folder(aside)
        source = made.source or self._goal.asked.top
        including.include(Worktree(source=source, path=aside), self._scratch, lambda: None)
        os.rename(aside, self._kept)

    def state(self) -> checkpoints.State:
        """The work as it lies there now. Raises AgentctlError."""
        made = self._goal.spec.worktree
        leave = custody.given(self._goal.home, made.run).included if made.run else ()
        try:
            return checkpoints.state(self._goal.spec.cwd, self._scratch, leave)
        except gitdoor.TROUBLE as e:
            raise AgentctlError("the work cannot be looked at: %s" % one_line(e, 300)) from None

    def checkpoint(self, cycle: int) -> dict[str, Any]:
        """Keep the work as a commit; what the journal says of it. Raises AgentctlError."""
        asked, at = self._goal.asked, self.state()
        name = "%s/%d" % (self._goal.root, cycle)
        try:
            commit = checkpoints.keep(at, self._scratch, name, "agentctl goal %s, cycle %d" % (self._goal.root, cycle))
            stat = checkpoints.stat(asked.common, self._scratch, asked.base, commit)
            changed = checkpoints.changed(asked.common, self._scratch, asked.base, commit)
        except gitdoor.TROUBLE as e:
            raise AgentctlError("the work cannot be kept: %s" % one_line(e, 300)) from None
        return {
            "commit": commit,
            "tree": at.tree,
            "files": len(changed),
            "diff_stat": stat[:_MOST_STAT],
            "note": at.note,
        }

    def check(self, of: str, commit: str) -> dict[str, Any]:
        """Run the check on a commit, or on it with the check's own files as they were; what the journal says of it.

        Raises AgentctlError; KeyboardInterrupt where we are to stop.
        """
        asked = self._goal.asked
        names: tuple[str, ...] = ()
        if of == deciding.GUARDED:
            commit, names = self._guarded(commit)
            if not names:
                return {"of": of, "command": asked.verify, "passed": True, "why": "none of its own files was changed"}
        bed = self._bed("check")
        left = float("inf") if asked.deadline is None else max(asked.deadline - time.time(), 0.0)
        steps = [Proved(command=asked.setup, seconds=min(asked.setup_timeout_s, left))] if asked.setup else []
        seconds = min(asked.verify_timeout_s, left)
        steps.append(Proved(inside=self._inside(), command=asked.verify, seconds=seconds))
        prover = Prover(self._goal.home, bed, self._alarm, self._goal.config, steps)
        try:
            proof = prover.prove(commit, "goal %s" % self._goal.root)
        finally:
            prover.end_log(False)
            self._release("check")
        found = {"of": of, "command": asked.verify, "passed": proof.green, "why": proof.why, "tail": proof.tail}
        return {**found, "files": list(names)}

    def _guarded(self, commit: str) -> tuple[str, tuple[str, ...]]:
        asked = self._goal.asked
        try:
            before = checkpoints.listing(asked.common, asked.base)
            wanted = guarding.wanted(
                asked, before, lambda names: checkpoints.contents(asked.common, asked.base, names), self._inside()
            )
            instead = self._manifests(commit, before)
            return checkpoints.put_back(asked.common, self._scratch, asked.base, commit, wanted, instead)
        except gitdoor.TROUBLE as e:
            raise AgentctlError("the check's own files cannot be put back: %s" % one_line(e, 300)) from None

    def _manifests(self, commit: str, before: Iterable[str]) -> dict[str, str]:
        """Each manifest that was changed, as the check has it: as it was, with what the work needs besides."""
        asked, names = self._goal.asked, manifests.among(before)
        then, now = (checkpoints.contents(asked.common, at, names) for at in (asked.base, commit))
        return manifests.kept(then, now)

    def verifier(self, member: Member, cycle: int, point: dict[str, Any], sharers: int) -> Run:
        """The staged run of a verifier, in a checkout of its own. Raises AgentctlError."""
        goal, asked = self._goal, self._goal.asked
        bed = self._bed(member.name)
        try:
            bed.lay_out(point["commit"])
            patch = checkpoints.patch(asked.common, self._scratch, asked.base, point["commit"], briefs.LONGEST_DIFF)
        except gitdoor.TROUBLE as e:
            raise AgentctlError("the work cannot be laid out: %s" % one_line(e, 300)) from None
        wished = Limits(timeout_s=member.timeout_s, max_turns=member.max_turns)
        request = goal.request(
            briefs.verify(goal.text, asked, member, point["diff_stat"], patch),
            "cycle-%d/verifies-%s" % (cycle, member.name),
        ).replace(
            cwd=os.path.normpath(os.path.join(bed.tree, self._inside())),
            within=Worktree(),
            title="verifies cycle %d" % cycle,
            role=member.role,
            profile=member.profile,
            backend=member.backend,
            model=member.model,
            effort=member.effort,
            instructions=_instructions(goal),
            schema=paths.asset("config", "verdict.schema.json"),
            limits=goal.limits(wished, sharers),
        )
        return goal.staged(request)

    def heard(self, name: str) -> None:
        """The verifier has ended: its checkout goes."""
        self._release(name)

    def _inside(self) -> str:
        """Where below the top the goal works."""
        at, top = self._goal.spec.cwd, self._goal.spec.worktree.path or self._goal.asked.top
        found = os.path.relpath(at, top)
        return "" if found == "." or found.startswith("..") else found

    def _bed(self, name: str) -> Testbed:
        self._release(name)
        source = self._goal.spec.worktree.source or self._goal.asked.top
        like = Worktree(common=self._goal.asked.common, source=source)
        self._beds[name] = Testbed(self._goal.home, like, self._kept)
        return self._beds[name]

    def _release(self, name: str) -> None:
        bed = self._beds.pop(name, None)
        if bed:
            bed.close()


def _instructions(goal: Goal) -> str:
    own = os.path.join(goal.home.prompts, "verify.md")
    path = own if os.path.isfile(own) else paths.asset("prompts", "verify.md")
    return files.read(path, 1 << 20).decode("utf-8", "replace")


def verdict(result: Result) -> dict[str, Any]:
    """What a verifier said, for the journal; `accept` is None where it gave no verdict. Pure."""
    report = result.report or {}
    accept = report.get("accept")
    if result.status != FINISHED or not isinstance(accept, bool):
        why = result.error or "it ended %s without a verdict" % result.status
        return {"run": result.run_id, "accept": None, "why": one_line(why, 500), "reasons": [], "evidence": []}
    said = {name: [str(word) for word in report.get(name) or ()][:50] for name in ("reasons", "evidence")}
    return {"run": result.run_id, "accept": accept, **said}
