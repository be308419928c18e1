"""Many runs by one command: all of them planned and staged before the first begins.

A mistake in one of many prompts must not be found when half of them are at work.
"""

from __future__ import annotations

import time

from . import birth
from . import capacity
from . import environ
from . import launch
from . import planning
from . import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Optional

    from .config import Config
    from .errors import AgentctlError
    from .request import Request
    from .settings import Project
    from .store import Home
    from .store import Run

_TICK_S = 1e-5
"""Between the births of two runs, by which the queues are sorted."""


def prompts_of(text: str) -> list[str]:
    """The prompts of a file: one a line, without empty lines and those that begin with #.

    Where there is a line `---`, such lines separate prompts of any number of lines.
    """
    lines = text.splitlines()
    if "---" not in (line.rstrip() for line in lines):
        return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    found: list[list[str]] = [[]]
    for line in lines:
        if line.rstrip() == "---":
            found.append([])
        else:
            found[-1].append(line)
    return [prompt for prompt in ("\n".join(part).strip("\n") for part in found) if prompt.strip()]


def requests_of(common: Request, prompts: Sequence[str], parallel: Optional[int]) -> list[Request]:
    """A request for each prompt; with the shell backend each is a command line. At most `parallel` work at a time."""
    if parallel:
        common = common.replace(batch=store.new_id(time.time()), batch_parallel=parallel)
    many = len(prompts) > 1 and bool(common.title)
    titles = ["%s %d" % (common.title, n) if many else common.title for n in range(1, len(prompts) + 1)]
    return [_request(common.replace(title=title), prompt) for title, prompt in zip(titles, prompts)]


def _request(common: Request, prompt: str) -> Request:
    if common.backend != "shell":
        return common.replace(prompt=prompt)
    return common.replace(argv=("/bin/sh", "-c", prompt), title=common.title or prompt.strip().partition("\n")[0][:60])


def all_of(
    home: Home, config: Config, requests: Sequence[Request], project: Project, env: Mapping[str, str]
) -> tuple[list[str], Optional[AgentctlError]]:
    """Start a run for each request: their ids in order, and why there are not more of them.

    Raises AgentctlError, and starts none, where one of them cannot be planned or staged.
    """
    now = time.time()
    plans = [planning.plan(home, config, r, project, env, now + n * _TICK_S) for n, r in enumerate(requests)]
    capacity.check(home, config, plans[0].spec.worktree.path)
    runs: list[Run] = []
    renewed = time.monotonic()
    try:
        for plan in plans:
            runs.append(launch.stage(home, config, plan, env, environ.umask()))
            renewed = birth.renewed(runs, renewed)
    except BaseException:
        for run in runs:
            birth.withdraw(run)
        raise
    problem = launch.launch_all(home, config, runs, env, requests[0].pane)
    return [run.id for run in runs if run.exists()], problem
