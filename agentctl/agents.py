"""Agents: named, lasting workers. An agent is a record and a chain of runs (fleet.py).

`send` stages a run that names the newest one as its parent, and notes it in the record,
under the agent's lock: so there is one order. The run's own runner waits for that parent
and sees which conversation to go on with (conversation.py).
"""

from __future__ import annotations

import os
import time

from . import birth
from . import capacity
from . import config as configuration
from . import environ
from . import files
from . import fleet
from . import followup
from . import launch
from . import listing
from . import planning
from . import projects
from . import roles
from .errors import AgentctlError
from .errors import usage_error
from .model import FORMAT
from .model import LIVE
from .model import QUEUED
from .model import Usage
from .request import Request
from .settings import Agent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from typing import Any
    from typing import Optional

    from .config import Config
    from .store import Home
    from .store import Run

_SECOND = len("20260215-143022")
"""Of an id, what says when its run began."""

# -- the records


def create(home: Home, agent: Agent) -> Agent:
    """Write a new agent's record. Raises AgentctlError where it cannot work, or the name is taken."""
    if not projects.NAME.match(agent.name):
        raise usage_error("`%s` is not an agent's name" % agent.name, "letters, digits, `.`, `_`, `-`; at most 64")
    _check(home, agent)
    fleet.forget_spent(home, agent.name)
    now = time.time()
    made = agent.replace(created_at=now, ephemeral_at=now if agent.ephemeral else None, last_run="", fresh_after="")
    with fleet.Holding(home, agent.name):
        if os.path.lexists(fleet.path(home, agent.name)):
            raise AgentctlError(
                "there is an agent `%s` already" % agent.name,
                "change it with `agentctl agent set %s`, or delete it first" % agent.name,
            )
        fleet.save(home, made)
    return made


def _check(home: Home, agent: Agent) -> None:
    """Raises AgentctlError for what no run could be started with."""
    config = configuration.sound(home)
    projects.named(home, agent.project)
    if agent.role:
        roles.named(home, agent.role)
    if agent.profile:
        configuration.profile(config, agent.profile)
    if agent.backend == "shell":
        raise usage_error(
            "a command has no conversation to go on with", "choose claude, codex, or a backend of your own"
        )
    if agent.backend:
        configuration.backend(config, agent.backend)
    for name, most in (("max_context_tokens", agent.max_context_tokens), ("max_turns", agent.max_turns)):
        if most is not None and not 0 < most < 1e9:
            raise usage_error("%s is a number above 0" % name)


def every(home: Home) -> dict[str, Agent]:
    """All agents by name; damaged records are left out: see `fleet.damage`."""
    known = {name: _found(home, name) for name in fleet.names(home) if projects.NAME.match(name)}
    return {name: agent for name, agent in known.items() if agent}


def named(home: Home, name: str) -> Agent:
    """An agent by name. Raises AgentctlError that names the closest one."""
    agent = _found(home, name) if projects.NAME.match(name) else None
    return agent or _known(home, name)


def _found(home: Home, name: str) -> Optional[Agent]:
    return None if fleet.forget_spent(home, name) else fleet.record(home, name)


def _known(home: Home, name: str) -> Agent:
    """As `named`, for the holder of the lock."""
    agent = fleet.record(home, name) if projects.NAME.match(name) else None
    if agent:
        return agent
    damage = fleet.damage(home, name) if projects.NAME.match(name) else None
    if damage:
        raise damage
    known = list(every(home))
    hint = configuration.meant(name, known) if known else "make one with `agentctl agent create NAME`"
    raise AgentctlError("no agent named `%s`" % name, hint)


def change(home: Home, name: str, **fields: Any) -> Agent:
    """Change fields of an agent's record; runs that are there already stay as they are. Raises AgentctlError."""
    _check(home, named(home, name).replace(**fields))
    with fleet.Holding(home, name):
        agent = _known(home, name)
        changed = agent.replace(**fields)
        if changed.ephemeral and not agent.ephemeral:
            changed = changed.replace(ephemeral_at=time.time())
        fleet.save(home, changed)
    return changed


def reset(home: Home, name: str) -> Agent:
    """Have the next prompt begin a fresh conversation, which is told nothing. Raises AgentctlError."""
    named(home, name)
    with fleet.Holding(home, name):
        agent = _known(home, name)
        changed = agent.replace(fresh_after=fleet.last_run(home, agent))
        fleet.save(home, changed)
    return changed


def delete(home: Home, name: str) -> None:
    """Remove all of an agent but its runs. Raises AgentctlError while it works."""
    if not projects.NAME.match(name) or not os.path.lexists(fleet.path(home, name)):
        named(home, name)
    with fleet.Holding(home, name):
        live = live_runs(home, fleet.record(home, name) or Agent(name=name))
        if live:
            raise AgentctlError(
                "agent `%s` works: run %s" % (name, live[-1]),
                "stop it with `agentctl stop %s`, or give --stop" % " ".join(live),
            )
        files.remove(fleet.path(home, name))


# -- the chain


def live_runs(home: Home, agent: Agent) -> list[str]:
    """Its runs that have not ended, newest first. Those before one that was at work have."""
    found = []
    for run in fleet.runs(home, agent):
        known = listing.known(run, time.time())
        if known["status"] in LIVE:
            found.append(run.id)
        elif known["started_at"]:
            break
    return found


def request_for(home: Home, agent: Agent, request: Request) -> Request:
    """The request of the agent's next run; what it already says itself wins. By who holds the lock."""
    last = fleet.last_run(home, agent)
    told = (agent.instructions, request.instructions)
    turns = agent.max_turns if request.limits.max_turns is None else request.limits.max_turns
    same = request.backend in ("", agent.backend)
    limit = agent.max_context_tokens if request.conversation_limit is None else request.conversation_limit
    return request.replace(
        agent=agent.name,
        parent=last,
        fresh=request.fresh or bool(last) and _forgotten(agent, last),
        role=request.role or agent.role,
        profile=request.profile or agent.profile,
        backend=request.backend or agent.backend,
        model=request.model or (agent.model if same else ""),
        project=agent.project,
        cwd=_place(home, agent),
        instructions="\n\n".join(words.strip() for words in told if words.strip()),
        limits=request.limits.replace(max_turns=turns),
        conversation_limit=limit,
        escalate=False,
    )


def _forgotten(agent: Agent, run_id: str) -> bool:
    """Whether the conversation of this run was ended on purpose; also where the runs after it were removed."""
    return run_id == agent.fresh_after or run_id[:_SECOND] < agent.fresh_after[:_SECOND]


def _place(home: Home, agent: Agent) -> str:
    path = projects.named(home, agent.project).path
    if not os.path.isdir(path):
        raise AgentctlError(
            "the directory of project `%s` is gone: %s" % (agent.project, path),
            "register it anew with `agentctl add-project %s PATH`" % agent.project,
        )
    return path


def staged(
    home: Home, name: str, stage: Callable[[Agent], Run], launched: Callable[[Run], None] = lambda run: None
) -> Run:
    """Stage the agent's next run by `stage`, note it as its newest, and give it a runner by `launched`.

    All under the agent's lock: its runs have one order. Where it cannot be noted or launched
    it is withdrawn, and the record names the run before it again. Raises AgentctlError, OSError.
    """
    named(home, name)
    with fleet.Holding(home, name):
        agent = _known(home, name)
        run = stage(agent)
        spec = run.spec()
        try:
            fleet.save(
                home, agent.replace(last_run=run.id, fresh_after=spec.parent if spec.fresh else agent.fresh_after)
            )
            launched(run)
        except BaseException:
            if birth.withdraw(run) or not run.exists():
                fleet.save(home, agent)
            raise
        return run


def send(
    home: Home, name: str, request: Request, env: Optional[Mapping[str, str]] = None, new_conversation: bool = False
) -> str:
    """Start a run in which the agent is told `request.prompt`, after those it was told before; its id."""
    env = os.environ if env is None else env
    config = configuration.sound(home)

    def stage(agent: Agent) -> Run:
        asked = request_for(home, agent, request.replace(fresh=request.fresh or new_conversation))
        plan = planning.plan(home, config, asked, projects.named(home, asked.project), env, time.time())
        capacity.check(home, config, plan.spec.worktree.path)
        return launch.stage(home, config, plan, env, environ.umask())

    return staged(home, name, stage, lambda run: launch.launch(home, config, run, env, request.pane)).id


def stage_continuation(run: Run, config: Config, env: Mapping[str, str]) -> Run:
    """Stage the run that goes on for one of an agent's that was interrupted, as its newest. Raises AgentctlError."""
    name, home = run.spec().agent, run.home
    if fleet.record(home, name) is None:
        return followup.stage_continuation(run, config, env)

    def stage(agent: Agent) -> Run:
        last = fleet.last_run(home, agent) or run.id
        return followup.stage_continuation(run, config, env, parent=last, instructions=agent.instructions)

    return staged(home, name, stage)


# -- what is known


def short(home: Home, agent: Agent) -> dict[str, Any]:
    """A row of `agent list`: the record, what the agent does now, and what its conversation has used."""
    found = []
    for run in fleet.runs(home, agent):
        found.append(listing.known(run, time.time()))
        if found[-1]["status"] not in LIVE and found[-1]["started_at"]:
            break
    return {**agent.to_json(), **_state(found)}


def known(home: Home, agent: Agent) -> dict[str, Any]:
    """All that is known of an agent: see `short`; its runs, newest first, and the sums of their usage."""
    found = [listing.known(run, time.time()) for run in fleet.runs(home, agent)]
    used = sum((Usage.from_json(one["usage"]) for one in found), Usage())
    rows = [listing.Row.from_json(one).to_json() for one in found]
    return {"format": FORMAT, **agent.to_json(), **_state(found), "usage": used.to_json(), "runs": rows}


def _state(found: list[dict[str, Any]]) -> dict[str, Any]:
    """From its runs, newest first, as far back as to one that was at work."""
    live = [one for one in found if one["status"] in LIVE]
    queued = [one for one in live if one["status"] == QUEUED]
    session = next((one for one in found if one["session_id"]), {})
    context = next((one for one in found if one["context_tokens"] is not None), {})
    return {
        "status": "working" if live else "idle",
        "working_on": next((one["run_id"] for one in live if one["status"] != QUEUED), None),
        "queued": len(queued),
        "session_id": session.get("session_id") or None,
        "context_tokens": context.get("context_tokens"),
        "context_window": context.get("context_window"),
    }
