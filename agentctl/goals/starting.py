"""Setting a goal, going on with one, stopping one: what the faces call.

Everything that can be wrong is said before anything starts: a dirty repository, nobody who
could direct or work, nothing that would verify.
"""

from __future__ import annotations

import os
import shutil
import time

from .. import api
from .. import backends
from .. import capacity
from .. import config as configuration
from .. import credentials
from .. import environ
from .. import files
from .. import followup
from .. import gitdoor
from .. import launch
from .. import locks
from .. import paths
from .. import planning
from .. import projects
from ..branches import checkpoints
from ..errors import AgentctlError
from ..errors import usage_error
from ..measures import Limits
from ..model import LIVE
from ..record import Record
from ..request import Request
from ..settings import Project
from ..text import one_line
from . import asked as asking
from . import kin
from . import sense
from . import team
from .asked import GoalAsked
from .goal import Goal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from typing import Any
    from typing import Optional
    from typing import TypeVar

    from ..config import Config
    from ..planning import Plan
    from ..store import Home

    T = TypeVar("T")

BESIDE, COMMIT = "worktree", "commit"
ORCHESTRATORS = ("claude", "codex", "anthropic", "gemini")
_LATE_S = 300.0
_MOST_NAMED = 5
_SWEEPS = 5  # whoever was being started while we looked is seen the next time


class Wish(Record):
    """What the caller wants; "" and None mean: as the configuration, the project or the shipped team says.

    `place` says what becomes of uncommitted changes: "" refuses to begin beside any, `commit` commits them first,
    `worktree` works from the last commit in a worktree. `members` are a team in place of a file's.
    """

    text: str = ""
    title: str = ""
    project: str = ""
    cwd: str = ""
    team: str = ""
    place: str = ""
    pane: bool = True
    members: Optional[dict[str, Any]] = None
    asked: GoalAsked = GoalAsked()


class Planned(Record):
    """A goal that could be set: what it would be, who of the team cannot work here, what is uncommitted."""

    wish: Wish = Wish()
    project: Project = Project()
    asked: GoalAsked = GoalAsked()
    left_out: tuple[str, ...] = ()
    uncommitted: tuple[str, ...] = ()


def planned(home: Home, wish: Wish, env: Mapping[str, str], where: Optional[Project] = None) -> Planned:
    """Look everything up, and change nothing. Raises AgentctlError for whatever is in the way.

    `where` stands for the project that the wish names, or its directory is in.
    """
    config = configuration.sound(home)
    if not wish.text.strip():
        raise usage_error("the goal is empty", "say what is to be reached")
    project = where or (
        projects.named(home, wish.project) if wish.project else projects.at(home, wish.cwd or os.getcwd())
    )
    at, names = _repository(home, project)
    if names and wish.place not in (BESIDE, COMMIT) and not project.worktree:
        some = ", ".join(one_line(name, 60) for name in names[:_MOST_NAMED])
        more = " and %d more" % (len(names) - _MOST_NAMED) if len(names) > _MOST_NAMED else ""
        raise AgentctlError(
            "there are uncommitted changes: %s%s" % (some, more),
            "`--commit` commits them first, `--worktree` works beside them from the last commit",
        )
    if wish.place != BESIDE and not project.worktree:
        _refuse_beside(home, at.top, "")
    wanted = team.read(home, wish.team) if wish.members is None else team.parsed(wish.members, "that was given")
    members, left_out = team.gathered(home, config, wanted, project, env)
    asked = wish.asked.replace(
        orchestrator=_orchestrator(home, config, wish.asked.orchestrator, project, env),
        team={name: member.to_json() for name, member in members.items()},
        setup=project.setup,
        setup_timeout_s=config.setup_timeout_s,
        verify_timeout_s=config.verify_timeout_s,
        base=at.head,
        top=at.top,
        common=at.common,
    )
    sense.check(asked, left_out)
    return Planned(wish=wish, project=project, asked=asked, left_out=tuple(left_out), uncommitted=names)


def _refuse_beside(home: Home, top: str, root: str) -> None:
    """Raises AgentctlError where another goal is at work in a checkout: neither could tell whose work is whose."""
    others = [other for other in kin.working_in(home, top) if other != root]
    if others:
        hint = "wait for it, or have this one work beside it with `--worktree`"
        raise AgentctlError("goal %s is at work in %s" % (others[0], top), hint)


def _repository(home: Home, project: Project) -> tuple[checkpoints.State, tuple[str, ...]]:
    """The project's checkout, and what is uncommitted in it. Raises AgentctlError."""
    if not os.path.isdir(project.path):
        raise AgentctlError(
            "the directory of project `%s` is gone: %s" % (project.name, project.path),
            "register it anew with `agentctl add-project %s PATH`" % project.name,
        )
    try:
        return _in_scratch(home, lambda scratch: checkpoints.uncommitted(project.path, scratch))
    except gitdoor.TROUBLE as e:
        raise AgentctlError(
            "a goal needs a git repository with a commit, to tell what was done: %s" % one_line(e, 200),
            "make one in %s: `git init && git add -A && git commit -m begin`" % project.path,
        ) from None


def _in_scratch(home: Home, look: Callable[[str], T]) -> T:
    folder = os.path.join(home.custody, "goal-" + os.urandom(4).hex())
    files.private_folder(folder)
    try:
        return look(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _orchestrator(home: Home, config: Config, wished: str, project: Project, env: Mapping[str, str]) -> str:
    """The one asked for, else the first that can work here. Raises AgentctlError."""
    found = {name: refusal(home, config, name, project, env) for name in ([wished] if wished else ORCHESTRATORS)}
    served = next((name for name, why in found.items() if not why), "")
    if not served:
        raise AgentctlError(
            "nobody can direct the work: %s" % "; ".join("%s: %s" % pair for pair in found.items()),
            "install claude or codex, or set ANTHROPIC_API_KEY or GEMINI_API_KEY",
        )
    return served


def refusal(home: Home, config: Config, name: str, project: Project, env: Mapping[str, str]) -> str:
    """Why a backend cannot direct a goal, or ""."""
    if name not in ORCHESTRATORS:
        return "it is none of %s" % ", ".join(ORCHESTRATORS)
    if name in backends.OURS:
        return _without_key(home, name, env)
    return team.refusal(config, name, project, env)


def _without_key(home: Home, name: str, env: Mapping[str, str]) -> str:
    """Why an API cannot be asked, or ""."""
    try:
        credentials.key(credentials.KEYS[name], env, home)
        return ""
    except AgentctlError as e:
        return str(e)


def start(home: Home, plan: Planned, env: Mapping[str, str]) -> str:
    """Set the goal: its run's id, at once. Raises AgentctlError."""
    wish, asked = plan.wish, plan.asked
    if plan.uncommitted and wish.place == COMMIT:
        try:
            words = "Before a goal of agentctl: what was uncommitted"
            commit = _in_scratch(home, lambda scratch: checkpoints.commit_all(plan.project.path, scratch, words))
        except gitdoor.TROUBLE as e:
            raise AgentctlError("what is uncommitted cannot be committed: %s" % one_line(e, 300)) from None
        asked = asked.replace(base=commit)
    request = Request(
        prompt=wish.text,
        title=wish.title,
        worktree=True if wish.place == BESIDE else None,
        pane=wish.pane,
        **_driven(asked, plan.project),
    )
    return _launched(home, request, plan.project, asked, env)


def _driven(asked: GoalAsked, project: Project) -> dict[str, Any]:
    """What a goal's own run is started with: our driver as its worker, and an end if that should hang."""
    late = None if asked.deadline is None else max(asked.deadline - time.time(), 0.0) + _LATE_S
    return {
        "project": project.name,
        "backend": "goal",
        "argv": (*paths.PROGRAM, "_goal"),
        "step": "goal",
        "limits": Limits(timeout_s=late),
    }


def _launched(home: Home, request: Request, project: Project, asked: GoalAsked, env: Mapping[str, str]) -> str:
    config = configuration.sound(home)
    placed = request.replace(cwd=request.cwd or project.path)
    plan = planning.plan(home, config, placed, project, env, time.time())
    if plan.spec.worktree.base and not asked.root:
        asked = asked.replace(base=plan.spec.worktree.base)
    capacity.check(home, config, plan.spec.worktree.path)
    run = launch.stage(home, config, _with(plan, asked), env, environ.umask())
    launch.launch(home, config, run, env, request.pane)
    return run.id


def _with(plan: Plan, asked: GoalAsked) -> Plan:
    return plan.replace(texts={**plan.texts, asking.FILE: files.dump(asked.to_json())})


def resume(home: Home, word: str, changes: Mapping[str, Any], env: Mapping[str, str]) -> str:
    """Go on with a goal that ended without acceptance, or was lost: a new run of it, at once. Raises AgentctlError.

    `changes` are fields of GoalAsked: a limit that is raised, another orchestrator.
    """
    goal = Goal(home, word, env)
    with locks.holding(os.path.join(home.run(goal.root).path, "asks.lock")):
        goal = Goal(home, goal.root, env)
        known = kin.known(goal.run)
        if known["status"] in LIVE:
            raise AgentctlError("goal %s is at work" % goal.root, "see `agentctl goal show %s`" % goal.root)
        if known["goal_met"] is True:
            raise AgentctlError("goal %s was accepted" % goal.root, "see `agentctl report %s`" % goal.root)
        asked = goal.asked.replace(root=goal.root, **{k: v for k, v in changes.items() if v is not None})
        sense.check(asked, [])
        sense.check_left(asked, goal.runs)
        if not goal.spec.worktree.path:
            _refuse_beside(home, asked.top, goal.root)
        project = followup.project_of(home, goal.spec)
        request = Request(
            **followup.place(home, goal.spec),
            prompt=goal.text,
            title=goal.spec.title,
            parent=goal.run.id,
            pane=goal.spec.pane,
            **_driven(asked, project),
        )
        return _launched(home, request, project, asked, env)


def stop(home: Home, word: str, env: Mapping[str, str]) -> list[str]:
    """End a goal and all that works for it; the ids that were live. It stays resumable. Raises AgentctlError."""
    goal = Goal(home, word, env)
    own = [goal.run] if kin.known(goal.run)["status"] in LIVE else []
    if own:
        api.stop(home, [goal.run.id])
    ended = [run.id for run in own]
    for _ in range(_SWEEPS):
        left = [run.id for run in kin.live(home, goal.root) if run.id not in ended]
        if not left:
            break
        api.stop(home, left)
        ended += left
    return ended


def deadline(max_time: Optional[float], until: Optional[float], now: float) -> Optional[float]:
    """The earlier of the two ends, in seconds since the epoch."""
    ends = [end for end in (None if max_time is None else now + max_time, until) if end is not None]
    return min(ends, default=None)
