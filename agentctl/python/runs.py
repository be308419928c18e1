"""Runs from Python: what `start`, `spawn`, `resume`, `wait`, `stop` and `show` do, as functions.

Options have the names and the sense of the fields of Request. Nothing here decides
anything that the command line decides otherwise: both call api.py.
"""

from __future__ import annotations

import os
import threading
import time

from .. import api
from .. import paths
from .. import store
from ..errors import AgentctlError
from ..errors import usage_error
from ..model import Result
from ..request import Request
from ..store import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional
    from typing import Union

    from typing_extensions import TypedDict
    from typing_extensions import Unpack

    from ..model import Limits

    Path = Union[str, os.PathLike[str]]
    AnyHome = Union[Home, Path, None]

    class Asked(TypedDict, total=False):
        """What may be asked besides the prompt: fields of Request, which says what they mean."""

        project: str
        cwd: str
        profile: str
        role: str
        instructions: str
        backend: str
        model: str
        effort: str
        title: str
        after: Sequence[str]
        limits: Limits
        schema: str
        verify: str
        escalate: Optional[bool]
        pane: bool
        argv: Sequence[str]
        worktree: Optional[bool]
        base: str
        touches: Sequence[str]
        fallback: Sequence[str]


_LISTS = ("after", "argv", "touches", "fallback")
STARTING = threading.Lock()
"""One start at a time in a process: files are named by process, and not every system tells the umask unchanged."""


class PartlyStarted(AgentctlError):
    """Some of many runs were started, then one could not be: `ids` are those that were."""

    def __init__(self, problem: AgentctlError, ids: Sequence[str]) -> None:
        super().__init__(str(problem), problem.hint, problem.code)
        self.ids = tuple(ids)


def create_home(path: Path = "") -> Home:
    """Make a home, as `agentctl init` does; one that is there stays as it is."""
    return store.create_home(paths.home_folder(os.fspath(path), os.environ))


def opened(home: AnyHome) -> Home:
    """A home from whatever names one; None: the one that a command would use. Raises AgentctlError."""
    return api.home(home.path if isinstance(home, Home) else os.fspath(home or ""))


def request_of(prompt: Union[str, Request], asked: Mapping[str, Any]) -> Request:
    """The request that the words and options make.

    Raises TypeError for an option there is none of; AgentctlError for a word in place of a list, which is one to
    Python and to type checkers.
    """
    fields: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in asked.items()}
    for name in _LISTS:
        if isinstance(fields.get(name), str):
            raise usage_error("`%s` is a list of words" % name, "put it in brackets: %s=[…]" % name)
    return (prompt if isinstance(prompt, Request) else Request(prompt=prompt)).replace(**fields)


def with_words(request: Request) -> Request:
    """The request. Raises AgentctlError where it says nothing that a worker could do."""
    if not request.argv and not request.prompt.strip():
        raise usage_error("the prompt is empty", "say what is to be done")
    return request


def start(prompt: Union[str, Request] = "", *, home: AnyHome = None, **asked: Unpack[Asked]) -> str:
    """Start a run and return its id at once. Without a project, the one that contains `cwd`.

    `start("Fix the typo in README.md", project="shop", verify="make test")` gives it to a worker;
    `start(argv=["make", "test"])` runs a command. Raises AgentctlError, and starts nothing.
    """
    request = with_words(request_of(prompt, asked))
    with STARTING:
        return api.start(opened(home), request)


def spawn(
    prompts: Sequence[str], *, parallel: Optional[int] = None, home: AnyHome = None, **asked: Unpack[Asked]
) -> list[str]:
    """Start a run for each prompt, at most `parallel` of them at work at a time; their ids in order.

    With the shell backend a prompt is a command line. Raises AgentctlError, and starts none, where
    one of them cannot be planned; PartlyStarted where the system refused after some were started.
    """
    if isinstance(prompts, str):
        raise usage_error("`prompts` is a list of prompts", "for one run there is `start`")
    if parallel is not None and parallel < 1:
        raise usage_error("`parallel` wants a number above 0")
    request, place = request_of("", asked), opened(home)
    if not all(prompt.strip() for prompt in prompts):
        raise usage_error("a prompt is empty", "say what is to be done")
    if not prompts:
        return []
    with STARTING:
        ids, problem = api.spawn(place, request, prompts, parallel)
    if problem:
        raise PartlyStarted(problem, ids)
    return ids


def resume(parent: str, prompt: Union[str, Request], *, home: AnyHome = None, **asked: Unpack[Asked]) -> str:
    """Start a run that goes on from an ended one, in its conversation; its id. Raises AgentctlError."""
    request = with_words(request_of(prompt, asked))
    with STARTING:
        return api.resume(opened(home), parent, request)


def wait(*run_ids: str, timeout: Optional[float] = None, home: AnyHome = None) -> Iterator[Result]:
    """The results in order of ending; fewer than asked for when `timeout` seconds are over.

    `[result] = wait(run_id)` for one, `for result in wait(*run_ids)` for many. A ^C, or a loop
    that is left, ends the waiting and no run.
    """
    return api.wait(opened(home), run_ids, timeout)


def stop(*run_ids: str, home: AnyHome = None) -> list[Result]:
    """Ask runs to end and wait until they have; their results. They stay resumable."""
    return api.stop(opened(home), run_ids)


def show(run_id: str, *, home: AnyHome = None) -> Result:
    """What is known of a run now: its result, or while it lives as much of it as there is.

    `status` is then `queued`, `running` or `paused`. Raises AgentctlError where there is no such run.
    """
    from .. import finding
    from .. import listing

    place = opened(home)
    return Result.from_json(listing.known(place.run(finding.resolve(place, run_id)), time.time()))
