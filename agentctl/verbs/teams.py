"""The verbs of who works and of many together: projects, roles, agents, workflows, stats."""

from __future__ import annotations

import os
import time

from .. import agents
from .. import fleet
from .. import flows
from .. import projects
from .. import roles
from .. import text
from ..errors import usage_error
from ..figures import cache
from ..figures import totals
from ..flows import Asked
from ..model import FORMAT
from ..settings import Agent
from ..workflows import composing
from ..workflows import definition
from ..workflows import showing
from ..workflows import starting
from . import asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..store import Home
    from ..toolset import Caller

_OF_AGENT = ("role", "profile", "backend", "model", "max_context_tokens", "max_turns")
_OF_ROLE = ("name", "profile", "permissions", "description")


def all_projects(home: Home, _env: Mapping[str, str], _given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    return {"format": FORMAT, "projects": [project.to_json() for project in projects.every(home).values()]}


def all_roles(home: Home, _env: Mapping[str, str], _given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    """The roles that can be used, and what is wrong with the others."""
    known, problems = roles.every(home)
    entries = [{name: getattr(role, name) for name in _OF_ROLE} for role in known]
    return {"format": FORMAT, "roles": entries, "problems": [str(problem) for problem in problems]}


def agent_create(home: Home, _env: Mapping[str, str], given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    said = {name: given[name] for name in _OF_AGENT if name in given}
    project = given.get("project") or projects.at(home, os.getcwd()).name
    instructions = given.get("instructions", "")
    made = agents.create(home, Agent(name=given["name"], project=project, instructions=instructions, **said))
    return text.public(agents.short(home, made))


def agent_list(home: Home, _env: Mapping[str, str], _given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    known = agents.every(home).values()
    return {"format": FORMAT, "agents": [text.public(agents.short(home, agent)) for agent in known]}


def agent_send(home: Home, env: Mapping[str, str], given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    """The id of the run that a prompt to an agent became."""
    if not given["prompt"].strip():
        raise usage_error("the prompt is empty", "write what the agent is to do")
    agents.named(home, given["name"])
    asked, fresh = asking.terms(given), given.get("new_conversation", False)
    run_id = agents.send(home, given["name"], asked, env, new_conversation=fresh)
    return {"run_id": run_id}


def workflow_list(home: Home, _env: Mapping[str, str], _given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    known, problems = definition.every(home)
    rows = [{"name": d.name, "description": d.description, "steps": [s.id for s in d.steps]} for d in known]
    return {"format": FORMAT, "workflows": rows, "problems": [str(problem) for problem in problems]}


def workflow_run(home: Home, env: Mapping[str, str], given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    """Start one by its name, or one put together of roles."""
    name, worktree = given["name"], given.get("worktree")
    wanted = Asked(
        **{key: given.get(key, "") for key in ("project", "profile", "backend", "model", "effort")},
        prompt=given["prompt"],
        cwd=os.getcwd(),
        sets=given.get("set", {}),
        limits=asking.terms(given).limits,
        worktree=worktree,
        sequential=given.get("mode") == "sequential",
    )
    if (name == definition.CUSTOM) != bool(given.get("roles")):
        raise usage_error("roles are of the workflow `custom`, and it needs some", "as ['planner', 'builder']")
    if name == definition.CUSTOM:
        meant = composing.of_roles(given["roles"], given.get("parallel", False), bool(worktree))
    else:
        meant = definition.named(home, name)
    return _runs_of(home, starting.start(home, meant, wanted, env))


def _runs_of(home: Home, workflow_id: str) -> dict[str, Any]:
    started = flows.load(home, workflow_id)
    return {"workflow": workflow_id, "runs": {step: started.of_step(step)[-1] for step in started.runs}}


def workflow_show(home: Home, _env: Mapping[str, str], given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    """The graph, with what became of each step."""
    known = showing.public(home, flows.load(home, flows.resolve(home, given["id"])), time.time())
    return {"format": FORMAT, **text.public(known), "steps": [text.public(step) for step in known["steps"]]}


def stats(home: Home, _env: Mapping[str, str], given: dict[str, Any], _caller: Caller) -> dict[str, Any]:
    """Sums over runs; an unknown figure is null and not 0."""
    now = time.time()
    ago, by, project = asking.seconds(given.get("since")), given.get("by", ""), given.get("project", "")
    since = 0.0 if ago is None else now - ago
    runs = [one for one in cache.every(home, now) if one.at >= since and project in ("", one.project)]
    groups = totals.grouped(runs, by) if by else []
    return {
        "format": FORMAT,
        "fleet": totals.fleet(runs, fleet.names(home)),
        "totals": totals.total(runs).to_json(),
        "groups": [{"key": key, **those.to_json()} for key, those in groups],
    }
