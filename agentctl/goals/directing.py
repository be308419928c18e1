"""The run of a goal's orchestrator: one for each cycle, and one more each time it was interrupted."""

from __future__ import annotations

from .. import backends
from .. import conversation
from .. import followup
from .. import paths
from .. import prompting
from ..measures import Limits
from ..request import Request
from ..store import Run
from . import briefs
from . import kin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from .goal import Goal

ROLE = "director"
_LONGEST_S = 7 * 86400.0
_MOST_TURNS = 400
_MOST_CONTEXT = 160_000
"""Tokens: within the window of every model that the APIs offer today."""


def step_of(cycle: int) -> str:
    """What the orchestrator's run of a cycle is called; the step of what it asks begins with the same word."""
    return "cycle-%d/orchestrator" % cycle


def fresh(goal: Goal, cycle: int, summary: str, reasons: Sequence[str]) -> Request:
    """The run that begins a cycle."""
    told = briefs.cycle(goal.text, goal.asked, goal.team, cycle, summary, reasons)
    server = (*paths.PROGRAM, "--home", goal.home.path, "mcp", "--goal", goal.root)
    return goal.request(told, step_of(cycle)).replace(
        role=ROLE,
        backend=goal.asked.orchestrator,
        model=goal.asked.model,
        effort=goal.asked.effort,
        title="directs cycle %d" % cycle,
        mcp=server,
        limits=goal.limits(_bounds(goal)),
    )


def _bounds(goal: Goal) -> Limits:
    """It waits for others most of its time: not the profile's time holds for it, but the goal's, and turns.

    The programs of the vendors make room in a full context by themselves; a loop of ours has to end.
    """
    api = goal.asked.orchestrator in backends.OURS
    return Limits(timeout_s=_LONGEST_S, max_turns=_MOST_TURNS, max_context_tokens=_MOST_CONTEXT if api else None)


def after(goal: Goal, before: Run, request: Request) -> Request:
    """As `request`, going on from a run that was interrupted: in its conversation where it has one that we can have.

    Raises AgentctlError.
    """
    result = before.result()
    if result is None or not conversation.answered(result):
        return request.replace(parent=before.id)
    told = briefs.interrupted(_asked_by(goal, before))
    if request.backend != before.spec().backend:
        return request.replace(parent=before.id, prompt="%s\n\n# What has happened\n\n%s" % (request.prompt, told))
    asked = request.replace(prompt=told)
    resumed, _ = followup.request_of(goal.home, goal.config, before, asked, goal.env)
    return resumed


def _asked_by(goal: Goal, before: Run) -> Iterator[str]:
    """A line for each run that was begun in the cycle of this one."""
    step = before.spec().step
    for run in kin.members(goal.home, goal.root):
        spec = run.spec()
        if spec.wake.run and Run(goal.home, spec.wake.run).spec().step == step and kin.name_of(run):
            words = prompting.shortened(" ".join(run.text("prompt.md", 2000).split()), 160)
            yield "- %s, run %s, %s: %s" % (kin.name_of(run), run.id, kin.known(run)["status"], words)
