"""A run that goes on with a conversation, whoever began it.

Where a run of this home worked in it, the new one follows that run: in its worktree, with its
profile. Else it is a run in the directory of the conversation, whose project must be known:
what a worker may load and do there is the project's to say.
"""

from __future__ import annotations

import os

from .. import config as configuration
from .. import followup
from .. import projects
from ..errors import AgentctlError
from . import finding
from . import ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Optional

    from ..config import Config
    from ..request import Request
    from ..settings import Project
    from ..store import Home
    from .session import Session


def adopt(home: Home, word: str, request: Request, env: Optional[Mapping[str, str]] = None) -> str:
    """Start a run that goes on with the session `word`; its id. Raises AgentctlError with the reason why it cannot."""
    env = os.environ if env is None else env
    config = configuration.sound(home)
    found = finding.one(home, word, request.backend, env)
    _refuse(home, found)
    asked, project = _request(home, config, found, request, env)
    return followup.as_staged(home, config, asked, project, env).id


def _refuse(home: Home, found: Session) -> None:
    """Raises AgentctlError: two that go on with one conversation would lose turns of each other's."""
    run_id = ours.live(home, found.session_id)
    if run_id:
        raise AgentctlError(
            "run %s works in session %s" % (run_id, found.session_id), "wait for it: `agentctl wait %s`" % run_id
        )
    if found.live:
        raise AgentctlError(
            "session %s is open: %s has it now" % (found.session_id, found.backend), "leave it there first, then resume"
        )
    if not found.cwd:
        raise AgentctlError(
            "nobody knows the directory of session %s" % found.session_id,
            "open that directory in %s once, or go on there by hand" % found.backend,
        )
    if not os.path.isdir(found.cwd):
        raise AgentctlError(
            "the directory of session %s is gone: %s" % (found.session_id, found.cwd),
            "start a new run with `agentctl start`",
        )


def _request(
    home: Home, config: Config, found: Session, request: Request, env: Mapping[str, str]
) -> tuple[Request, Project]:
    """The request of the run, and its project. What the conversation has used by now is the vendor's word."""
    own = {"session_id": found.session_id, "usage_before": found.usage}
    if found.ours:
        _demand(home, found, request.project)
        asked, project = followup.request_of(
            home, config, home.run(found.run_id), request.replace(backend=found.backend), env
        )
        return asked.replace(**own), project
    project = _project(home, found, request.project)
    asked = request.replace(
        **own,
        cwd=os.path.realpath(found.cwd),
        worktree=False,
        backend=found.backend,
        model=request.model or ("" if request.profile else found.model),
        title=request.title or found.title,
    )
    return asked, project


def _demand(home: Home, found: Session, name: str) -> None:
    """Raises AgentctlError where another project is named than that of the run that had it."""
    if name and projects.named(home, name).name != found.project:
        raise AgentctlError(
            "session %s is of project `%s`, by run %s" % (found.session_id, found.project, found.run_id),
            "leave out --project",
        )


def _project(home: Home, found: Session, name: str) -> Project:
    """That of the session's directory, which is the one that was named, if one was."""
    if not name:
        return projects.at(home, found.cwd)
    project, here = projects.named(home, name), os.path.realpath(found.cwd)
    if here != project.path and not here.startswith(project.path.rstrip("/") + "/"):
        raise AgentctlError(
            "session %s is not of project `%s`: its directory is %s" % (found.session_id, name, found.cwd),
            "leave out --project, or register that directory",
        )
    return project
