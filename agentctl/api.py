"""The service layer: what every face does, as functions on plain values.

The command line, and any program that imports agentctl, call these; none of them
prints, parses arguments, or exits. All raise AgentctlError (message, hint, code).

    from agentctl import api
    home = api.home()
    run_id = api.start(home, api.Request(prompt="Fix the typo in README.md", project="shop"))
    for result in api.wait(home, [run_id]):
        print(result.goal_met, result.summary)
"""

from __future__ import annotations

import os
import time

from . import config as configuration
from . import files
from . import finding
from . import paths
from . import projects
from . import store
from .errors import AgentctlError
from .request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Optional

    from .model import Result
    from .settings import Project
    from .store import Home
    from .store import Run

__all__ = ["AgentctlError", "Request", "home", "resume", "spawn", "start", "stop", "wait"]


def home(path: str = "", env: Optional[Mapping[str, str]] = None) -> Home:
    """The home that a command would use: --home, $AI_ORCH_HOME, beside bin/, ~/.ai-orch."""
    return store.open_home(paths.home_folder(path, os.environ if env is None else env))


def start(home: Home, request: Request, env: Optional[Mapping[str, str]] = None) -> str:
    """Start a run and return its id at once. Without a project, the one that contains `request.cwd`."""
    from . import followup

    env = os.environ if env is None else env
    config = configuration.sound(home)
    placed, project = _placed(home, request)
    return followup.as_staged(home, config, placed, project, env).id


def spawn(
    home: Home,
    request: Request,
    prompts: Sequence[str],
    parallel: Optional[int] = None,
    env: Optional[Mapping[str, str]] = None,
) -> tuple[list[str], Optional[AgentctlError]]:
    """Start a run per prompt, all as `request` says, at most `parallel` of them at work at a time.

    Their ids in order, and why there are not more of them. With the shell backend a
    prompt is a command line. Raises AgentctlError, and starts none, where one of them
    cannot be started.
    """
    from . import spawning

    env = os.environ if env is None else env
    config = configuration.sound(home)
    placed, project = _placed(home, request)
    requests = spawning.requests_of(placed, prompts, parallel or config.default_parallel)
    return spawning.all_of(home, config, requests, project, env)


def _placed(home: Home, request: Request) -> tuple[Request, Project]:
    """The request in the directory of its project, with the ids of what it is to come after."""
    if request.project:
        project = projects.named(home, request.project)
    else:
        project = projects.at(home, request.cwd or os.getcwd())
    if not os.path.isdir(project.path):
        raise AgentctlError(
            "the directory of project `%s` is gone: %s" % (project.name, project.path),
            "register it anew with `agentctl add-project %s PATH`" % project.name,
        )
    after = tuple(finding.resolve(home, word) for word in request.after)
    return request.replace(cwd=project.path, after=after), project


def resume(home: Home, parent: str, request: Request, env: Optional[Mapping[str, str]] = None) -> str:
    """Start a run that goes on from an ended one; returns its id."""
    from . import followup

    env = os.environ if env is None else env
    config = configuration.sound(home)
    asked, project = followup.request_of(home, config, home.run(finding.resolve(home, parent)), request, env)
    return followup.as_staged(home, config, asked, project, env).id


def wait(
    home: Home, ids: Sequence[str], timeout: Optional[float] = None, wanted: Optional[Callable[[], bool]] = None
) -> Iterator[Result]:
    """The results in order of ending; fewer than asked for when `timeout` seconds are over.

    `wanted` is asked about every second: whether anybody still waits.
    """
    from . import lending
    from . import waiting

    resolved = finding.expand(home, ids)
    lending.lend(home, resolved, os.environ, timeout)
    if wanted:
        return waiting.each_while(home, resolved, timeout, wanted)
    return waiting.each(home, resolved, timeout)


def stop(home: Home, ids: Iterable[str]) -> list[Result]:
    """Ask runs to end and wait until they have. One that ended already is as wished."""
    from . import waiting

    patience = 20.0 + 2 * configuration.load(home)[0].stop_grace_s

    runs = [home.run(run_id) for run_id in finding.expand(home, ids)]
    for run in runs:
        if run.result() is None or run.runner_alive():  # a result under its lock may be the worker's own words
            ask_to_stop(run)
    ids = [run.id for run in runs]
    results = list(waiting.each(home, list(dict.fromkeys(ids)), patience))
    missing = sorted(set(ids) - {r.run_id for r in results})
    if missing:
        raise AgentctlError(
            "run %s does not stop: its runner gives no answer" % missing[0],
            "look at its pane: `agentctl attach %s`" % missing[0],
        )
    return results


def ask_to_stop(run: Run) -> None:
    """A request for its runner, at once; at birth, if it is only staged."""
    from . import bell

    for _ in range(3):
        try:
            files.create(run.file("stop"), b"%d\n" % time.time())
        except FileExistsError:
            pass  # asked before: rung again, should that ring have been lost
        except FileNotFoundError:
            continue  # born between the look and the write: its folder has another name now
        bell.ring_all(run.file(bell.OF_RUN))
        return
