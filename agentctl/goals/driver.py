"""The driver of a goal: the worker of its run, started by `agentctl _goal`.

A loop: what is next (deciding.py)? do it; write it down (journal.py). Each step is
on the disk before the next begins, a run's id before the run is launched. Its exit
code is the verdict: 0 accepted, 3 not; the rest of its output is for people.
"""

from __future__ import annotations

import os
import threading
import time

from .. import api
from .. import awake
from .. import signals
from .. import waiting
from ..branches import testbed
from ..errors import AgentctlError
from ..model import LOST
from ..model import Result
from ..store import Run
from ..text import one_line
from . import claims
from . import deciding
from . import directing
from . import journal
from . import kin
from . import verifying
from .goal import Goal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..store import Home
    from .deciding import Step
    from .journal import Entry

NOT_ACCEPTED = 3
STOPPED = 130
_LOOK_S = 2.0


class _StoppedError(Exception):
    """We were told to end: the run is stopped, and stays resumable."""


def main(home: Home, run_id: str, fd: int, env: Mapping[str, str]) -> int:
    """Drive the goal of this run until it is over; our exit code. Raises AgentctlError, OSError."""
    alarm = signals.Alarm()
    testbed.sweep_stale(home)
    driver = Driver(Goal(home, run_id, env), fd, alarm)
    wakeful = driver.wakeful(env)
    try:
        return driver.drive()
    except (_StoppedError, KeyboardInterrupt):
        driver.stop_all()
        return STOPPED
    except (AgentctlError, OSError):
        driver.stop_all()  # nobody would hear what they answer
        raise
    finally:
        wakeful.release()
        driver.bench.close()


class Driver:
    """One goal under way. `fd` is where its journal goes."""

    def __init__(self, goal: Goal, fd: int, alarm: signals.Alarm) -> None:
        self.goal = goal
        self.bench = verifying.Bench(goal, alarm)
        self._fd = fd
        self._alarm = alarm
        self._history = journal.believed(journal.entries(goal.runs[:-1]))

    def wakeful(self, env: Mapping[str, str]) -> awake.Awake:
        """Keep the machine awake as long as we live, where the user wants that; how, or why not, is said."""
        if not self.goal.config.keep_awake:
            return awake.Awake("the machine may fall asleep: keep_awake is false")
        kept = awake.kept(env, "goal %s is at work" % self.goal.root)
        journal.write(self._fd, "message", kept.words, {})
        return kept

    def drive(self) -> int:
        """Until it is over."""
        before = self.goal.runs[-2].id if len(self.goal.runs) > 1 else ""
        self._write(journal.BEGUN, "goes on from %s" % before if before else "begins", resumed=before)
        while True:
            self._look()
            step = deciding.next_step(self.goal.asked, self._history)
            if step.do == deciding.OVER:
                return self._over(step)
            _DOES[step.do](self, step)

    def _write(self, step: str, text: str, **data: Any) -> None:
        entry: Entry = {"step": step, **data}
        journal.write(self._fd, "step", text, entry)
        self._history.append({**entry, "text": text})

    def _news(self, words: str) -> None:
        """For the inbox of whoever set the goal."""
        journal.write(self._fd, "news", one_line(words, 400), {})

    # -- the steps

    def _begin(self, step: Step) -> None:
        if step.cycle == 1:
            self.bench.keep_beginning()
        self._write(journal.CYCLE, "cycle %d" % step.cycle, cycle=step.cycle)

    def _orchestrate(self, step: Step) -> None:
        summary, reasons = self._before()
        request = directing.fresh(self.goal, step.cycle, summary, reasons)
        if step.run:
            request = directing.after(self.goal, Run(self.goal.home, step.run), request)
        run = self.goal.staged(request)
        who = self.goal.asked.orchestrator
        self._begun(run, "%s directs: run %s" % (who, run.id), cycle=step.cycle, part=journal.ORCHESTRATOR, who=who)

    def _begun(self, run: Run, text: str, **data: Any) -> None:
        """Its id is written down before it is launched: who comes after us finds it."""
        self._write(journal.RUN, text, run=run.id, **data)
        self.goal.launched(run)

    def _before(self) -> tuple[str, list[str]]:
        """What the last cycle's orchestrator said, and why its work was rejected."""
        known = deciding.cycles(self._history)[:-1]
        if not known:
            return "", []
        reasons = known[-1].judged.get("reasons") if known[-1].judged.get("accepted") is False else None
        return str(known[-1].ended.get("summary") or ""), list(reasons or ())

    def _await(self, step: Step) -> None:
        result = self._result(step.run)
        claim = claims.read(Run(self.goal.home, step.run))
        if not claim.claim:  # another vendor may have gone on for it, and claimed
            claim = claims.read(Run(self.goal.home, result.run_id))
        summary = claim.summary or result.summary
        words = "says: %s" % {"done": "done", "give_up": "it cannot be done"}.get(claim.claim, "nothing")
        self._write(
            journal.ENDED,
            "the orchestrator ended %s and %s" % (result.status, words),
            cycle=step.cycle,
            part=journal.ORCHESTRATOR,
            who=self.goal.asked.orchestrator,
            run=step.run,
            status=result.status,
            claim=claim.claim,
            summary=summary,
            error=result.error,
        )

    def _checkpoint(self, step: Step) -> None:
        found = self.bench.checkpoint(step.cycle)
        words = "the work is commit %s: %d files differ from the beginning" % (found["commit"][:12], found["files"])
        self._write(journal.CHECKPOINT, words, cycle=step.cycle, **found)

    def _check(self, step: Step) -> None:
        commit = deciding.cycles(self._history)[-1].checkpoint["commit"]
        found = self.bench.check(step.of, commit)
        deadline = self.goal.asked.deadline
        if deadline is not None and time.time() >= deadline and not found["passed"]:
            return  # it was cut short, and tells nothing
        what = "the check" if step.of == deciding.WORK else "the check, with its own files as they were,"
        words = "%s %s" % (what, "passes" if found["passed"] else "fails: %s" % found["why"])
        self._write(journal.CHECK, words, cycle=step.cycle, **found)

    def _verify(self, step: Step) -> None:
        """Ask the verifiers that were not asked yet about this work; or one of them once more."""
        now = deciding.cycles(self._history)[-1]
        names = [name for name in deciding.verifiers(self.goal.asked) if not deciding.runs_of(now, name)]
        names = [step.who] if step.who else names
        for name in names:
            run = self.bench.verifier(self.goal.team[name], step.cycle, now.checkpoint, len(names))
            words, tree = "%s verifies: run %s" % (name, run.id), now.checkpoint["tree"]
            self._begun(run, words, cycle=step.cycle, part=journal.VERIFIER, who=name, tree=tree)

    def _hear(self, step: Step) -> None:
        found = {**verifying.verdict(self._result(step.run)), "run": step.run}
        self.bench.heard(step.who)
        said = {True: "accepts", False: "rejects", None: "gives no verdict"}[found["accept"]]
        words = "%s %s: %s" % (step.who, said, one_line("; ".join(found["reasons"]) or found.get("why", ""), 300))
        self._write(journal.VERDICT, words, cycle=step.cycle, who=step.who, **found)

    def _judge(self, step: Step) -> None:
        accepted, reasons = step.accepted, list(step.reasons)
        checkpoint = deciding.cycles(self._history)[-1].checkpoint
        if accepted and self.bench.state().tree != checkpoint["tree"]:
            accepted, reasons = False, ["the work was changed while it was being verified"]
        words = "ACCEPTED" if accepted else "REJECTED: %s" % "; ".join(reasons)
        data = {"cycle": step.cycle, "accepted": accepted, "reasons": reasons, "key": deciding.key(reasons)}
        self._write(journal.JUDGED, one_line(words, 2000), **data)
        self._news("cycle %d: %s" % (step.cycle, words))

    def _over(self, step: Step) -> int:
        accepted = step.outcome == journal.ACCEPTED
        self._write(journal.OVER, "%s: %s" % (step.outcome, step.why), outcome=step.outcome, why=step.why)
        self.stop_all()
        if not accepted:
            self._news("the goal ends: %s, %s" % (step.outcome, step.why))
        known = deciding.cycles(self._history)
        summary = str(known[-1].ended.get("summary") or "") if known else ""
        hint = "" if accepted else "go on with: agentctl goal resume %s" % self.goal.root
        report = {
            "goal_met": accepted,
            "summary": summary if accepted else "%s: %s" % (step.outcome.replace("_", " "), step.why),
            "followup_prompt": "",
            "notes": hint or step.why,
            "checked": bool(accepted and self.goal.asked.verify),
        }
        journal.write(self._fd, "report", step.outcome, {"ok": True, "report": report})
        return 0 if accepted else NOT_ACCEPTED

    # -- waiting

    def _result(self, run_id: str) -> Result:
        """What became of a run of ours, or of the one that went on for it.

        One that is gone, or was never launched by whoever staged it, is seen to.
        """
        try:
            run = self.goal.home.run(run_id)
        except AgentctlError as e:
            return Result(run_id=run_id, status=LOST, error=str(e))
        if run.staged():
            self.goal.launched(run)
        result = self._ended(run_id)
        while result.successor:
            result = self._ended(result.successor)
        return result

    def _ended(self, run_id: str) -> Result:
        """Blocked on its lock, in a thread, so that a request to stop and the goal's limits are seen to."""
        answers: list[Any] = []
        read, write = os.pipe()

        def ask() -> None:
            try:
                answers.append(waiting.until_ended(self.goal.home, run_id))
            except (AgentctlError, OSError) as e:
                answers.append(e)
            os.write(write, b".")

        threading.Thread(target=ask, daemon=True).start()
        while not answers:
            self._alarm.sleep(_LOOK_S, also=(read,))
            self._look()
        for end in (read, write):
            os.close(end)
        if isinstance(answers[0], Exception):
            raise answers[0]
        result: Result = answers[0]
        return result

    def _look(self) -> None:
        """Were we told to end? Is a limit of the goal reached? Then all that works for it is stopped, in order."""
        if self._alarm.take(signals.STOPPING):
            raise _StoppedError
        if any(entry["step"] == journal.SPENT for entry in self._history):
            return
        what, words = self.goal.overspent(time.time())
        if what:
            self._write(journal.SPENT, "%s: all that works for the goal is stopped" % words, what=what, words=words)
            self.stop_all()

    def stop_all(self) -> None:
        """Ask all that works for the goal to end; what they did stays, and can be gone on from."""
        for run in kin.live(self.goal.home, self.goal.root):
            api.ask_to_stop(run)


_DOES = {
    deciding.BEGIN: Driver._begin,
    deciding.ORCHESTRATE: Driver._orchestrate,
    deciding.AWAIT: Driver._await,
    deciding.CHECKPOINT: Driver._checkpoint,
    deciding.CHECK: Driver._check,
    deciding.VERIFY: Driver._verify,
    deciding.HEAR: Driver._hear,
    deciding.JUDGE: Driver._judge,
}
