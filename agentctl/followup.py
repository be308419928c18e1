"""Runs that follow another: resume by hand, escalation by the runner.

A finished run never changes; what follows it is a new run that names its parent.
On the same backend it goes on with the vendor's conversation; on another one it
begins afresh and is handed the parent's request, summary and diff as data.
"""

from __future__ import annotations

import os
import time

from . import capacity
from . import config as configuration
from . import environ
from . import launch
from . import planning
from . import projects
from .errors import AgentctlError
from .model import CHECK_FAILED
from .request import Request
from .settings import Project
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from typing import Any
    from typing import Optional

    from .config import Config
    from .model import Result
    from .model import Spec
    from .store import Home


def request_of(
    home: Home, config: Config, parent: Run, request: Request, env: Mapping[str, str]
) -> tuple[Request, Project]:
    """The request of a run that goes on from `parent`. Raises AgentctlError with the reason why it cannot."""
    spec, result = parent.spec(), parent.result()
    if result is None:
        raise AgentctlError("run %s has not ended" % parent.id, "wait for it: `agentctl wait %s`" % parent.id)
    if spec.backend == "shell":
        raise AgentctlError(
            "run %s was a command: it has no session to go on with" % parent.id, "start it again with `agentctl start`"
        )
    if not spec.worktree.run and not os.path.isdir(spec.cwd):
        raise AgentctlError(
            "the directory of run %s is gone: %s" % (parent.id, spec.cwd), "start a new run with `agentctl start`"
        )
    project = project_of(home, spec)
    asked = request.replace(
        **place(home, spec),
        parent=parent.id,
        profile=request.profile or spec.profile,
        role=request.role or spec.role,
        title=request.title or spec.title,
        verify=request.verify or spec.verify,
        schema=request.schema or _schema(parent, spec),
        mcp=request.mcp or spec.mcp,
    )
    asked = asked.replace(backend=request.backend or _same_backend(config, asked.profile, spec))
    backend = planning.plan(home, config, asked, project, env, time.time()).spec.backend
    if backend != spec.backend:
        return asked.replace(prompt=_handed_over(parent, result, request.prompt)), project
    if not result.session_id:
        raise AgentctlError(
            "run %s has no session to resume" % parent.id,
            "start a new run, or resume with another profile's backend: `--backend`",
        )
    return asked.replace(
        session_id=result.session_id,
        usage_before=result.usage_session,
        model=request.model or (spec.model if asked.profile == spec.profile else ""),
    ), project


def place(home: Home, spec: Spec) -> dict[str, Any]:
    """Where a follower of the run works: in its worktree, if it had one. Raises AgentctlError."""
    if not spec.worktree.run:
        return {"worktree": False, "cwd": spec.cwd}
    from . import custody
    from .trees import worktree

    kept = custody.load(home, spec.worktree.run)
    if kept is None:  # it was never made
        return {"worktree": True, "base": spec.worktree.base, "cwd": project_of(home, spec).path}
    if kept.removed_at or not worktree.exists(kept.worktree):
        raise AgentctlError(
            "the worktree of run %s was removed: %s" % (spec.id, kept.worktree.path),
            "bring it back with `agentctl undo %s`" % kept.worktree.run,
        )
    return {"within": kept.worktree, "cwd": spec.cwd}


def _same_backend(config: Config, profile: str, spec: Spec) -> str:
    """The parent's backend where the profile has it; else as the profile prefers."""
    if profile == spec.profile:
        return spec.backend
    choices = configuration.profile(config, profile).backends
    return spec.backend if any(c.backend == spec.backend for c in choices) else ""


def project_of(home: Home, spec: Spec) -> Project:
    """The run's project, or one made of its spec where it is no longer registered."""
    known = projects.every(home).get(spec.project)
    source = os.path.join(spec.worktree.source or spec.worktree.common, spec.worktree.inside)
    return known or Project(name=spec.project, path=os.path.normpath(source) if spec.worktree.run else spec.cwd)


def _handed_over(parent: Run, result: Result, prompt: str) -> str:
    from . import prompting

    told = prompting.handoff(request_in(parent), result.summary, parent.text("diff.patch", 1 << 20))
    return "%s\n\n---\n%s" % (prompt.rstrip("\n"), told)


def request_in(run: Run) -> str:
    """What a run was asked, for who does not have its conversation: all that was asked in that, as one request."""
    from . import prompting

    asked = [prompt for prompt in _prompts(run) if prompt.strip() != prompting.CONTINUATION]
    return prompting.conversed(asked[::-1] or [run.text("prompt.md")])


def _prompts(run: Run) -> Iterator[str]:
    """Of a run and of those before it in its conversation, newest first.

    An agent's conversation goes from one thing to the next: of its runs only those that it was interrupted in.
    """
    from . import prompting

    seen: set[str] = set()  # nobody's work but a person's: a chain that leads into itself
    while run.id and run.id not in seen and run.exists():
        seen.add(run.id)
        spec, prompt = run.spec(), run.text("prompt.md")
        yield prompt
        if prompt.strip() != prompting.CONTINUATION and (spec.agent or not spec.resume):
            return
        run = Run(run.home, spec.parent)


def stage_escalation(run: Run, spec: Spec, result: Result, env: Mapping[str, str]) -> str:
    """Stage the run with the stronger profile that follows this one; its id. Raises AgentctlError."""
    from . import prompting

    config, _ = configuration.load(run.home)
    reasons = tuple(r for r in (result.error, _unmet(result), result.notes) if r)
    request = Request(
        **place(run.home, spec),
        **_of_chain(spec),
        prompt=prompting.escalation(request_in(run), result.report, reasons),
        profile=spec.escalate_to,
        role=spec.role,
        backend=spec.asked_backend,
        title=spec.title,
        parent=run.id,
        verify=spec.verify,
        schema=_schema(run, spec),
        escalated_from=(*spec.escalated_from, spec.profile),
        fallback=spec.fallback,
    )
    plan = planning.plan(run.home, config, request, project_of(run.home, spec), env, time.time())
    return _staged_child(run, config, plan, env)


def _of_chain(spec: Spec) -> dict[str, Any]:
    """What a request keeps of the run before it, whoever goes on."""
    names = ("workflow", "step", "continue_on", "goal", "mcp", "pane", "touches", "batch", "batch_parallel")
    return {"limits": spec.asked_limits, **{name: getattr(spec, name) for name in names}}


def _staged_child(run: Run, config: Config, plan: planning.Plan, env: Mapping[str, str]) -> str:
    child = launch.stage(run.home, config, plan, env, environ.umask())
    run.note_child(child.id)
    return child.id


def plan_fallback(run: Run, spec: Spec, backend: str, prompt: str, env: Mapping[str, str]) -> planning.Plan:
    """The run in the same place, with another backend, that goes on for one whose vendor has no more to give.

    Raises AgentctlError where that backend is not installed, or cannot serve it.
    """
    config, _ = configuration.load(run.home)
    request = Request(
        **place(run.home, spec),
        **_of_chain(spec),
        prompt=prompt,
        profile=spec.profile,
        role=spec.role,
        backend=backend,
        title=spec.title,
        parent=run.id,
        verify=spec.verify,
        schema=_schema(run, spec),
        escalate=bool(spec.escalate_to),
        escalated_from=spec.escalated_from,
        fallback=spec.fallback,
        fallen_from=(*spec.fallen_from, spec.backend),
        agent=spec.agent,
        instructions=_added_instructions(run, spec),
        conversation_limit=spec.conversation_limit,
    )
    return planning.plan(run.home, config, request, project_of(run.home, spec), env, time.time())


def stage_fallback(run: Run, spec: Spec, backend: str, said: str, env: Mapping[str, str]) -> str:
    """Stage that run, which is told what was asked, `said` and changed; its id. Raises AgentctlError."""
    from . import prompting

    prompt = prompting.fallback(request_in(run), said, run.text("diff.patch", 1 << 20))
    config, _ = configuration.load(run.home)
    return _staged_child(run, config, plan_fallback(run, spec, backend, prompt, env), env)


def _added_instructions(run: Run, spec: Spec) -> str:
    """What the run was told beyond its role or profile."""
    config, _ = configuration.load(run.home)
    return planning.added_instructions(run.home, config, spec, run.text("instructions.md"))


def stage_continuation(run: Run, config: Config, env: Mapping[str, str], **more: Any) -> Run:
    """Stage the run that goes on where an ended one was interrupted, as it was asked for. Raises AgentctlError.

    An agent's sees when its turn comes which session it goes on with; `more` is what else its request says.
    """
    spec = run.spec()
    asked, project = _continued(run, spec, config, env)
    if spec.agent:
        own = {"agent": spec.agent, "conversation_limit": spec.conversation_limit, "session_id": "", **more}
        asked = asked.replace(**own)
    plan = planning.plan(run.home, config, asked, project, env, time.time())
    return launch.stage(run.home, config, plan, env, environ.umask())


def _continued(run: Run, spec: Spec, config: Config, env: Mapping[str, str]) -> tuple[Request, Project]:
    """In its session; from the start where it was held at its vendor's limit and had got no answer."""
    from . import prompting

    request = Request(
        **_of_chain(spec),
        backend=spec.backend,
        effort=spec.effort,
        escalate=bool(spec.escalate_to),
        escalated_from=spec.escalated_from,
        fallback=spec.fallback,
        fallen_from=spec.fallen_from,
    )
    result = run.result()
    if spec.resume or not os.path.exists(run.file("held")) or (result and (result.messages or result.tool_calls)):
        return request_of(run.home, config, run, request.replace(prompt=prompting.CONTINUATION), env)
    again = request.replace(
        **place(run.home, spec),
        prompt=run.text("prompt.md"),
        parent=run.id,
        profile=spec.profile,
        role=spec.role,
        model=spec.model,
        title=spec.title,
        verify=spec.verify,
        schema=_schema(run, spec),
        instructions=_added_instructions(run, spec),
    )
    return again, project_of(run.home, spec)


def _schema(run: Run, spec: Spec) -> str:
    """The schema file that a follower keeps; "" for the default one."""
    return "" if spec.default_schema else run.file("schema.json")


def _unmet(result: Result) -> str:
    if result.verified == CHECK_FAILED:
        return "the check failed"
    return "it says itself that the goal is not met" if result.goal_met is False else ""


def launch_staged(home: Home, config: Config, run_id: str, env: Mapping[str, str]) -> None:
    """Give a staged run its runner, beside our own pane where we have one. Raises AgentctlError."""
    run = home.run(run_id)
    here: Mapping[str, str] = {**env, **{k: v for k, v in os.environ.items() if k.startswith("TMUX")}}
    launch.launch_surely(home, config, run, here, run.spec().pane)


def as_staged(
    home: Home, config: Config, request: Request, project: Project, env: Mapping[str, str], now: Optional[float] = None
) -> Run:
    """Plan, stage and launch: the one way a run begins."""
    plan = planning.plan(home, config, request, project, env, now or time.time())
    capacity.check(home, config, plan.spec.worktree.path)
    run = launch.stage(home, config, plan, env, environ.umask())
    launch.launch(home, config, run, env, request.pane)
    return run
