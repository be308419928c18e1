"""From steps to runs: planned all together, staged in order, launched when all are there.

Each run is noted in the record of the workflow as soon as it is staged, and launched only
then: so whoever is killed on the way leaves a record that names all that could run.
"""

from __future__ import annotations

import time

from .. import agents
from .. import birth
from .. import environ
from .. import flows
from .. import followup
from .. import launch
from .. import planning
from .. import projects
from ..errors import AgentctlError
from ..errors import usage_error
from ..model import Limits
from ..model import Worktree
from ..request import Request
from . import graph
from . import template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any
    from typing import Optional

    from ..config import Config
    from ..flows import Started
    from ..model import Spec
    from ..planning import Plan
    from ..settings import Agent
    from ..settings import Project
    from ..store import Home
    from ..store import Run
    from .definition import Definition
    from .definition import Step

_TICK_S = 1e-5
"""Between the births of two runs, by which the queues are sorted."""


def houses(definition: Definition, shared: bool) -> dict[str, str]:
    """By step, the step that makes the worktree it works in; "" where it works in the project's directory.

    `shared`: the steps that say nothing of it have one in common, which the first of them
    makes. An agent works where it always does. Raises AgentctlError.
    """
    found: dict[str, str] = {}
    silent = [s.id for s in definition.steps if not (s.own_worktree or s.within or s.agent)]
    steps = graph.order(graph.edges(definition))
    maker = next((step for step in steps if step in silent), "") if shared else ""
    for step in (definition.step(step_id) for step_id in steps):
        house = (
            step.id if step.own_worktree else found[step.within] if step.within else maker if step.id in silent else ""
        )
        if step.within and not house:
            raise AgentctlError(
                "%s: step `%s` goes on in the worktree of `%s`, which has none"
                % (definition.source, step.id, step.within),
                'give it one: "worktree": true',
            )
        found[step.id] = house
    return found


def edges(definition: Definition, housed: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """By step, those that it comes after; and who has to make its worktree before."""
    after = graph.edges(definition)
    return {
        step: (*others, *((housed[step],) if housed[step] not in ("", step, *graph.earlier(after, step)) else ()))
        for step, others in after.items()
    }


class Staging:
    """The runs of one workflow on their way into the world; by who holds its lock.

    `runs` are, by step, those that others come after; `trees` the worktrees that are made or
    planned, by the step that makes them, with the directory in them.
    """

    def __init__(
        self,
        home: Home,
        config: Config,
        started: Started,
        definition: Definition,
        project: Project,
        env: Mapping[str, str],
    ) -> None:
        self.home, self.config, self.started, self.definition = home, config, started, definition
        self.project, self.env = project, env
        self.housed = houses(definition, bool(started.asked.worktree))
        self.after = edges(definition, self.housed)
        self.order = graph.order(self.after)
        self.runs: dict[str, str] = {}
        self.trees: dict[str, tuple[Worktree, str]] = {}
        self.new: list[Run] = []
        self._now = time.time()

    def plans(self) -> dict[str, Plan]:
        """Each step as it would be started. Raises AgentctlError that names the step."""
        return {step_id: self._planned(self.definition.step(step_id)) for step_id in self.order}

    def begin(self, step_id: str) -> None:
        """Stage the step's run; of an agent, as the next of its chain. Raises AgentctlError, OSError."""
        step = self.definition.step(step_id)

        def stage(plan: Plan) -> Run:
            return launch.stage(self.home, self.config, plan, self.env, environ.umask())

        if step.agent:
            run = agents.staged(self.home, step.agent, lambda agent: stage(self._planned_for(agent, step)), _later)
        else:
            run = stage(self._planned(step))
        self.note(step_id, run)

    def go_on(self, step_id: str, run: Run) -> None:
        """Stage the run that goes on with the session of one that was interrupted. Raises as `begin`."""
        self.note(step_id, followup.stage_continuation(run, self.config, self.env))

    def note(self, step_id: str, run: Run) -> None:
        """On record, before anybody launches it."""
        self.new.append(run)
        self.started = self.started.with_run(step_id, run.id)
        flows.save(self.home, self.started)
        self.runs[step_id] = run.id
        self.lend(step_id, run.spec())

    def lend(self, step_id: str, spec: Spec) -> None:
        """Have the steps that share its worktree work where this run does."""
        if self.housed[step_id] and spec.worktree.run:
            self.trees.setdefault(self.housed[step_id], (spec.worktree, spec.cwd))

    def launch(self) -> Optional[AgentctlError]:
        """Give each a runner; why some have none, which are withdrawn then."""
        return launch.launch_all(self.home, self.config, self.new, self.env, self.started.asked.pane)

    def withdraw(self) -> None:
        for run in self.new:
            birth.withdraw(run)

    def _planned(self, step: Step) -> Plan:
        try:
            if step.agent:
                return self._planned_for(agents.named(self.home, step.agent), step)
            return self._plan(self._request(step), self.project)
        except AgentctlError as e:
            raise AgentctlError("step `%s`: %s" % (step.id, e), e.hint, e.code) from None

    def _planned_for(self, agent: Agent, step: Step) -> Plan:
        request = agents.request_for(self.home, agent, self._request(step))
        return self._plan(request, projects.named(self.home, request.project))

    def _plan(self, request: Request, project: Project) -> Plan:
        if not (request.prompt.strip() or request.argv):
            raise usage_error("the prompt is empty", "give it words that say what is to be done")
        self._now += _TICK_S
        return planning.plan(self.home, self.config, request, project, self.env, self._now)

    def _request(self, step: Step) -> Request:
        asked = self.started.asked
        made = template.parts(step.prompt, asked.prompt, asked.sets, step.after)
        request = Request(
            prompt=template.readable(made),
            parts=template.bound(made, self.runs) if any("step" in part for part in made) else None,
            title=step.title or "%s: %s" % (self.definition.name, step.id),
            verify=step.verify,
            limits=_limits(step.limits, asked.limits),
            pane=asked.pane,
            workflow=self.started.id,
            step=step.id,
            after=tuple(self.runs[other] for other in self.after[step.id] if other in self.runs),
            continue_on=step.continue_on,
            batch=self.started.batch,
            batch_parallel=1 if self.started.batch else None,
            **self._place(step),
        )
        if step.agent:
            return request
        if step.command:
            return request.replace(argv=("/bin/sh", "-c", step.command))
        return request.replace(
            role=step.role,
            profile=step.profile or asked.profile,
            backend=step.backend or asked.backend,
            model=step.model or (asked.model if step.backend in ("", asked.backend) else ""),
            effort=step.effort or asked.effort,
            escalate=step.escalate,
        )

    def _place(self, step: Step) -> dict[str, Any]:
        """Where it works: the first that needs a worktree makes it, the others go on in it."""
        house = self.housed[step.id]
        if house not in self.trees:
            return {"cwd": self.project.path, "worktree": house == step.id or bool(house and self.runs)}
        tree, cwd = self.trees[house]
        return {"worktree": False, "within": tree, "cwd": cwd}


def _limits(own: Limits, asked: Limits) -> Limits:
    """The step's, else those asked for."""
    theirs = asked.to_json()
    return Limits(**{name: theirs[name] if value is None else value for name, value in own.to_json().items()})


def _later(_run: Run) -> None:
    """It is launched when all the steps are there."""
