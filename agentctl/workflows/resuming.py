"""Going on with a workflow after whatever ended some of it: nothing that is done is done again.

Under the workflow's lock, step by step in order:
  kept      a run that ended well, or in a way that its step tolerates; one that lives; and
            what comes before one that ended well, also where its folder was removed since
  goes on   one that was lost, stopped or timed out after its worker's first answer: only
            then its vendor has a conversation of it
  anew      any other, and what comes after a step that is not kept: it can only have been skipped
A live run that waits for one which is no more would end as skipped by itself, once it has
seen the others it waits for; having done nothing, it is stopped.
"""

from __future__ import annotations

import time

from .. import api
from .. import birth
from .. import capacity
from .. import config as configuration
from .. import conversation
from .. import custody
from .. import finding
from .. import flows
from .. import locks
from .. import supervise
from .. import waiting
from ..errors import AgentctlError
from ..model import LOST
from ..model import QUEUED
from ..model import STOPPED
from ..model import TIMED_OUT
from ..record import Record
from ..store import Run
from ..trees import worktree
from . import graph
from . import showing
from . import starting
from .staging import Staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..store import Home
    from .showing import State

_SETTLING_S = 15.0
_INTERRUPTED = (LOST, STOPPED, TIMED_OUT)


class Step(Record):
    """A step that has a new run. `goes_on`: with the session of the run `instead_of`; else it begins anew."""

    step: str = ""
    run_id: str = ""
    instead_of: str = ""
    goes_on: bool = False


def resume(home: Home, workflow_id: str, env: Mapping[str, str]) -> list[Step]:
    """Start what is missing of a workflow; [] where nothing is. Raises AgentctlError, having started nothing."""
    config = configuration.sound(home)
    with locks.holding(flows.lock(home, workflow_id)):
        before = flows.load(home, workflow_id)
        _withdraw_unknown(home, before)
        _await_settling(home, before)
        staging = Staging(
            home, config, before, showing.definition_of(before), starting.project_of(home, before.asked), env
        )
        found = {state.step: state for state in showing.states(home, before, time.time())}
        again = _again(staging, found)
        if again:
            capacity.check(home, config, home.worktrees if any(staging.housed.values()) else "")
            _make_way(home, [found[step] for step in again])
        made = _staged(staging, found, again)
        staging.new = [
            *(Run(home, s.run_id) for s in found.values() if _unborn(home, s) and s.step not in again),
            *staging.new,
        ]
        problem = staging.launch()
    if problem:
        raise AgentctlError(str(problem), "try again: `agentctl workflow resume %s`" % workflow_id)
    return made


def _withdraw_unknown(home: Home, started: flows.Started) -> None:
    """Runs that were staged by somebody who was killed before he could note them."""
    known = {run_id for step in started.runs for run_id in started.of_step(step)}
    known.update(finding.last_of_step(home, started, step) for step in started.runs)
    for run_id in finding.live(home):
        run = Run(home, run_id)
        if run_id in known or not run.staged() or run.spec().workflow != started.id:
            continue
        parent = Run(home, run.spec().parent or run_id)
        if not parent.runner_alive():  # else it is an escalation, which its parent's result is about to name
            birth.withdraw(run)


def _await_settling(home: Home, started: flows.Started) -> None:
    """A run whose runner is gone, and whose lock is held: somebody is about to write down that it is lost.

    Its runner's number in the lock file is a hint: where it misleads, we wait for nothing, for a moment.
    """
    runs = [Run(home, finding.last_of_step(home, started, step)) for step in started.runs]
    ending = [run.id for run in runs if run.id and run.result() is None and run.runner_alive() and _runner_gone(run)]
    for _ in waiting.each(home, ending, _SETTLING_S):
        pass


def _runner_gone(run: Run) -> bool:
    pid = run.text("lock", 100).partition(" ")[0]
    return pid.isdigit() and not supervise.alive(int(pid))


def _again(staging: Staging, found: Mapping[str, State]) -> list[str]:
    """The steps that are to have a new run, in order."""
    again: list[str] = []
    well = [step_id for step_id in staging.order if found[step_id].well()]
    done = set(well).union(*(graph.earlier(staging.after, step_id) for step_id in well))
    for step_id in staging.order:
        state = found[step_id]
        if step_id in done:
            continue
        blocked = any(other in again for other in staging.after[step_id])
        if blocked or not (state.lives() or state.well()) or _behind(staging, state, found):
            again.append(step_id)
    return again


def _behind(staging: Staging, state: State, found: Mapping[str, State]) -> bool:
    """Whether it waits for a run that another has taken the place of, by a resume that was killed half-way."""
    if state.status != QUEUED:
        return False
    after = Run(staging.home, state.run_id).spec().after
    ends = {finding.last_of(staging.home, run_id) for run_id in after}
    return bool(ends) and any(found[other].run_id not in ends for other in staging.after[state.step])


def _make_way(home: Home, states: list[State]) -> None:
    """What still waits for a run that is no more has done nothing: it is withdrawn, or stopped."""
    idle = [state.run_id for state in states if state.lives() and not birth.withdraw(Run(home, state.run_id))]
    api.stop(home, idle)


def _unborn(home: Home, state: State) -> bool:
    """Staged by somebody who was killed before its runner came. A second runner does no harm."""
    return state.lives() and Run(home, state.run_id).staged()


def _staged(staging: Staging, found: Mapping[str, State], again: list[str]) -> list[Step]:
    """All of it or nothing."""
    made: list[Step] = []
    try:
        for step_id in staging.order:
            state = found[step_id]
            _lend_worktree(staging, state)
            if step_id in again:
                made.append(_new_run(staging, state))
            else:
                _keep(staging, state)
    except BaseException:
        staging.withdraw()
        raise
    return made


def _keep(staging: Staging, state: State) -> None:
    """What ended made its worktree or never will; what lives still may."""
    if state.lives() or state.well():  # else it is gone, and nothing can wait for it
        staging.runs[state.step] = state.run_id
    if state.lives():
        staging.lend(state.step, Run(staging.home, state.run_id).spec())


def _new_run(staging: Staging, state: State) -> Step:
    home = staging.home
    result = Run(home, state.run_id).result() if state.run_id else None
    spec = Run(home, state.run_id).spec()
    interrupted = result is not None and result.status in _INTERRUPTED and conversation.answered(result)
    goes_on = interrupted and not spec.agent and spec.backend != "shell"
    if goes_on:
        staging.go_on(state.step, Run(home, state.run_id))
    else:
        staging.begin(state.step)
    return Step(step=state.step, run_id=staging.runs[state.step], instead_of=state.run_id, goes_on=goes_on)


def _lend_worktree(staging: Staging, state: State) -> None:
    """The worktree that the step's runs had so far, where it is there to go on in.

    Raises AgentctlError where it was removed: what the earlier steps did is in there.
    """
    house = staging.housed[state.step]
    if not house or house in staging.trees:
        return
    for run_id in reversed(state.runs):
        spec = Run(staging.home, run_id).spec()
        kept = custody.load(staging.home, spec.worktree.run) if spec.worktree.run else None
        if kept is None or not kept.filled_at:
            continue
        if kept.removed_at or not worktree.exists(kept.worktree):
            raise AgentctlError(
                "the worktree of run %s was removed: %s" % (run_id, kept.worktree.path),
                "bring it back with `agentctl undo %s`" % kept.worktree.run,
            )
        staging.trees[house] = (kept.worktree, spec.cwd)
        return
