"""`agentctl _converse`: the worker of a run whose backend is an API. It finds its run in its environment."""

from __future__ import annotations

import os
import signal
import sys
import time

from .. import credentials
from .. import files
from .. import prompting
from .. import schema as schemas
from .. import store
from ..errors import AgentctlError
from ..figures import costs
from . import asking
from . import journal
from . import loop
from .journal import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..model import Spec
    from ..store import Home
    from ..store import Run
    from ..toolset import Toolset

MOST_TURNS = 400
"""Of a run without a limit of its own: no loop is endless."""
_LONGEST_PROMPT = 16 << 20


def main(env: Mapping[str, str]) -> int:
    """Hold the conversation that the run asks for; whatever hinders it is an event."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    stream = Stream(sys.stdout.fileno())
    try:
        run = _own_run(env)
        spec = run.spec()
        place, key = _place(run.home, spec, env)
        if place is None:
            stream.show(journal.event("limit", key, reason="login"), journal.event("error", key, fatal=True))
            return 1
        stream = Stream(sys.stdout.fileno(), key)
        tools = _tools(run.home, spec, env)
        talk = _talk(run, spec, sys.stdin.buffer.read(_LONGEST_PROMPT))
        return loop.converse(talk.replace(place=place), tools, stream)
    except AgentctlError as e:
        said = "%s (%s)" % (e, e.hint) if e.hint else str(e)
        stream.show(journal.event("error", said, fatal=True))
        return 1


def _leave(number: int, _frame: object) -> None:
    """At once: all that is known has been written, and what is called has a life of its own."""
    os._exit(128 + number)


def _own_run(env: Mapping[str, str]) -> Run:
    run_id, home = env.get("AGENTCTL_RUN_ID", ""), env.get("AI_ORCH_HOME", "")
    if not run_id or not home:
        raise AgentctlError("not started by a run: AGENTCTL_RUN_ID and AI_ORCH_HOME say which")
    return store.Home(home).run(run_id)


def _place(home: Home, spec: Spec, env: Mapping[str, str]) -> tuple[asking.Place | None, str]:
    """Where the model is asked, and the key; or None and why there is no key."""
    dialect = asking.DIALECTS.get(spec.backend)
    if dialect is None:
        raise AgentctlError("run %s is of the backend `%s`, which is no API" % (spec.id, spec.backend))
    base = credentials.base(dialect.BASE_VARIABLE, dialect.BASE, env, home)
    try:
        key = credentials.key(credentials.KEYS[spec.backend], env, home)
    except AgentctlError as e:
        return None, "%s (%s)" % (e, e.hint)
    return asking.Place(dialect=spec.backend, base=base, headers=dialect.headers(key)), key


def _tools(home: Home, spec: Spec, env: Mapping[str, str]) -> Toolset:
    """What the goal offers to its orchestrators."""
    if not spec.goal:
        raise AgentctlError("run %s is of no goal: it has no tools" % spec.id, "see `agentctl help backends`")
    from ..goals import tools  # which a run without a goal has not

    return tools.of_goal(home, spec.goal, spec.id, env)


def _talk(run: Run, spec: Spec, asked: bytes) -> loop.Talk:
    """What the run asks for, with the conversation that it goes on with."""
    prompt, text = asked.decode("utf-8", "replace"), run.text("schema.json")
    shape: Any = files.load(run.file("schema.json")) or {}
    if schemas.problems(loop.report_of("", "", {}), shape):
        prompt = prompting.compose_input(prompt, "", text)
    model = spec.model or asking.DIALECTS[spec.backend].MODEL
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return loop.Talk(
        session_id=spec.session_id,
        model=model,
        effort=spec.effort,
        instructions=run.text("instructions.md"),
        prompt=prompt,
        schema=shape if isinstance(shape, dict) else {},
        price=costs.entry(costs.table(run.home), model, day) or {},
        limits=spec.limits.replace(max_turns=spec.limits.max_turns or MOST_TURNS),
        earlier=tuple(journal.earlier(run.home, spec)) if spec.resume else (),
        begun=journal.so_far(run),
    )
