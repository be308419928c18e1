"""Runs that follow another: resume by hand, escalation by the runner.

A finished run never changes; what follows it is a new run that names its parent.
On the same backend it goes on with the vendor's conversation; on another one it
begins afresh and is handed the parent's prompt, summary and diff as data.
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any
    from typing import Optional

    from .config import Config
    from .model import Result
    from .model import Spec
    from .store import Home
    from .store import Run


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

    told = prompting.handoff(parent.text("prompt.md"), result.summary, parent.text("diff.patch", 1 << 20))
    return "%s\n\n---\n%s" % (prompt.rstrip("\n"), told)


def stage_escalation(run: Run, spec: Spec, result: Result, env: Mapping[str, str]) -> str:
    """Stage the run with the stronger profile that follows this one; its id. Raises AgentctlError."""
    from . import prompting

    config, _ = configuration.load(run.home)
    reasons = tuple(r for r in (result.error, _unmet(result), result.notes) if r)
    request = Request(
        **place(run.home, spec),
        prompt=prompting.escalation(run.text("prompt.md"), result.report, reasons),
        profile=spec.escalate_to,
        role=spec.role,
        workflow=spec.workflow,
        step=spec.step,
        continue_on=spec.continue_on,
        backend=spec.asked_backend,
        limits=spec.asked_limits,
        title=spec.title,
        parent=run.id,
        verify=spec.verify,
        pane=spec.pane,
        schema=_schema(run, spec),
        mcp=spec.mcp,
        escalated_from=(*spec.escalated_from, spec.profile),
        batch=spec.batch,
        batch_parallel=spec.batch_parallel,
    )
    plan = planning.plan(run.home, config, request, project_of(run.home, spec), env, time.time())
    child = launch.stage(run.home, config, plan, env, environ.umask())
    run.note_child(child.id)
    return child.id


def stage_continuation(run: Run, config: Config, env: Mapping[str, str], **more: Any) -> Run:
    """Stage the run that goes on where an ended one was interrupted, as it was asked for. Raises AgentctlError.

    An agent's sees when its turn comes which session it goes on with; `more` is what else its request says.
    """
    from . import prompting

    spec = run.spec()
    request = Request(
        prompt=prompting.CONTINUATION,
        workflow=spec.workflow,
        step=spec.step,
        continue_on=spec.continue_on,
        backend=spec.backend,
        effort=spec.effort,
        limits=spec.asked_limits,
        escalate=bool(spec.escalate_to),
        escalated_from=spec.escalated_from,
        pane=spec.pane,
        touches=spec.touches,
        batch=spec.batch,
        batch_parallel=spec.batch_parallel,
    )
    asked, project = request_of(run.home, config, run, request, env)
    if spec.agent:
        own = {"agent": spec.agent, "conversation_limit": spec.conversation_limit, "session_id": "", **more}
        asked = asked.replace(**own)
    plan = planning.plan(run.home, config, asked, project, env, time.time())
    return launch.stage(run.home, config, plan, env, environ.umask())


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
