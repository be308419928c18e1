"""Asking a member of the team: a run in its conversation, begun for the goal.

An orchestrator that was interrupted and goes on asks again what it had asked; it is then
given the run that was begun for those words, at work or finished, once for each: nothing
that a child did is done twice.
"""

from __future__ import annotations

import os

from .. import finding
from .. import locks
from ..errors import AgentctlError
from ..errors import usage_error
from ..measures import Limits
from ..model import FINISHED
from ..model import LIVE
from ..record import Record
from ..store import Run
from . import kin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .goal import Goal
    from .team import Member

_ADOPTABLE = (*LIVE, FINISHED)


class Ask(Record):
    """One thing asked of one member."""

    to: str = ""
    prompt: str = ""
    new_conversation: bool = False


class Asker:
    """An orchestrator's run, and what it has adopted of those that were interrupted before it in its cycle."""

    def __init__(self, goal: Goal, caller: str) -> None:
        self.goal = goal
        self.run = Run(goal.home, caller)
        self._adopted: set[str] = set()

    def ask(self, ask: Ask, sharers: int = 1) -> tuple[Run, bool]:
        """The run that answers, and whether it was begun before. Raises AgentctlError, OSError."""
        member = self._member(ask)
        with locks.holding(os.path.join(Run(self.goal.home, self.goal.root).path, "asks.lock")):
            before = self._begun_before(ask)
            if before is not None:
                self._adopted.add(before.id)
                return before, True
            self._refuse()
            run = self.goal.staged(self._request(member, ask, sharers))
        self.goal.launched(run)
        return run, False

    def _member(self, ask: Ask) -> Member:
        member = self.goal.team.get(ask.to)
        if member is None:
            known = ", ".join(self.goal.team)
            raise usage_error("nobody in the team is called `%s`" % ask.to, "ask one of: %s" % known)
        if not ask.prompt.strip():
            raise usage_error("the prompt is empty", "say what is to be done")
        return member

    def _refuse(self) -> None:
        """Raises AgentctlError where the goal has nothing left to spend."""
        import time

        what, words = self.goal.overspent(time.time())
        if what:
            raise AgentctlError("the goal's limit of %s is reached: %s" % (what, words), "end with your report")

    def _request(self, member: Member, ask: Ask, sharers: int) -> Any:
        agent = kin.agent_of(self.goal.root, member.name)
        runs = [run for run in kin.members(self.goal.home, self.goal.root) if run.spec().agent == agent]
        wished = Limits(timeout_s=member.timeout_s, max_turns=member.max_turns)
        step = self.run.spec().step.partition("/")[0]
        return self.goal.request(ask.prompt, "%s/%s" % (step, member.name)).replace(
            agent=agent,
            parent=runs[-1].id if runs else "",
            fresh=ask.new_conversation,
            role=member.role,
            profile=member.profile,
            backend=member.backend,
            model=member.model,
            effort=member.effort,
            conversation_limit=member.max_context_tokens,
            limits=self.goal.limits(wished, sharers),
        )

    def _begun_before(self, ask: Ask) -> Run | None:
        """A run that an interrupted attempt of this cycle had begun for the same words."""
        agent, step = kin.agent_of(self.goal.root, ask.to), self.run.spec().step
        for run in kin.members(self.goal.home, self.goal.root):
            spec = run.spec()
            if spec.agent != agent or spec.wake.run in ("", self.run.id) or run.id in self._adopted:
                continue
            if Run(self.goal.home, spec.wake.run).spec().step != step or run.text("prompt.md") != ask.prompt:
                continue
            last = Run(self.goal.home, finding.last_of(self.goal.home, run.id))
            if kin.known(last)["status"] in _ADOPTABLE:
                return run
        return None
