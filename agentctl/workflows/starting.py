"""Starting a workflow: all of it checked, then recorded, then staged, then launched.

A mistake in the last step must not be found when the first one has worked for an hour.
"""

from __future__ import annotations

import os
import time

from .. import capacity
from .. import config as configuration
from .. import flows
from .. import locks
from .. import projects
from .. import store
from ..errors import AgentctlError
from ..errors import usage_error
from ..flows import Started
from . import graph
from . import template
from .staging import Staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..flows import Asked
    from ..settings import Project
    from ..store import Home
    from .choosing import Choice
    from .definition import Definition


def start(
    home: Home, definition: Definition, asked: Asked, env: Mapping[str, str], choice: Choice | None = None
) -> str:
    """Start a workflow and return its id at once. Raises AgentctlError, and then nothing of it runs."""
    staging = planned(home, definition, asked, env)
    if choice:
        staging.started = staging.started.replace(why=choice.why, chosen_by=choice.run_id)
    capacity.check(home, staging.config, home.worktrees if any(staging.housed.values()) else "")
    workflow_id = staging.started.id
    with locks.holding(flows.lock(home, workflow_id)):
        flows.save(home, staging.started)
        try:
            for step_id in staging.order:
                staging.begin(step_id)
        except BaseException:
            staging.withdraw()
            flows.forget(home, workflow_id)
            raise
        problem = staging.launch()
    if problem:
        raise _half(home, staging, problem)
    return workflow_id


def planned(home: Home, definition: Definition, asked: Asked, env: Mapping[str, str]) -> Staging:
    """The workflow as it would be started, every step of it planned. Raises AgentctlError for whatever is wrong."""
    graph.check(definition)
    _check_sets(definition, asked)
    config = configuration.sound(home)
    project = project_of(home, asked)
    now, wished = time.time(), asked.worktree
    placed = asked.replace(
        project=project.name, cwd=project.path, worktree=project.worktree if wished is None else wished
    )
    started = Started(
        id=flows.new_id(now),
        name=definition.name,
        source=definition.source,
        definition=definition.raw,
        asked=placed,
        batch=store.new_id(now) if asked.sequential else "",
        created_at=now,
    )
    staging = Staging(home, config, started, definition, project, env)
    staging.plans()
    return staging


def project_of(home: Home, asked: Asked) -> Project:
    """The project asked for, else the one that contains the caller's directory. Raises AgentctlError."""
    project = projects.named(home, asked.project) if asked.project else projects.at(home, asked.cwd or os.getcwd())
    if not os.path.isdir(project.path):
        raise AgentctlError(
            "the directory of project `%s` is gone: %s" % (project.name, project.path),
            "register it anew with `agentctl add-project %s PATH`" % project.name,
        )
    return project


def _check_sets(definition: Definition, asked: Asked) -> None:
    """Every value that a template names is given, and none that no template names."""
    wanted = {key: step.id for step in definition.steps for key in sorted(template.keys(step.prompt))}
    for key, step_id in wanted.items():
        if key not in asked.sets:
            raise usage_error(
                "step `%s` uses {{set.%s}}, which has no value" % (step_id, key), "give it: `--set %s=…`" % key
            )
    for key in asked.sets:
        if key not in wanted:
            known = ", ".join(sorted(wanted)) or "none"
            raise usage_error("no step of %s uses {{set.%s}}" % (definition.name, key), "known: %s" % known)


def _half(home: Home, staging: Staging, problem: AgentctlError) -> AgentctlError:
    """Some runners came and one did not: those that came are stopped, having had no time for much."""
    from .. import api

    begun = [run.id for run in staging.new if run.exists()]
    if not begun:
        flows.forget(home, staging.started.id)
        return problem
    api.stop(home, begun)
    return AgentctlError(
        "%s: %d of %d steps were started, and stopped again" % (problem, len(begun), len(staging.new)),
        "go on with `agentctl workflow resume %s`" % staging.started.id,
    )
