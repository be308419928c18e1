"""Conversations with a worker that a program holds in its hands: Session, and Agent on top of it.

Each turn is a run like any other, so it is listed, shown, stopped and paid for like any
other; what is kept here are only the ids of these runs. An agent that is to outlive the
program has a name: see named.py.
"""

from __future__ import annotations

import os
import threading

from .. import api
from .. import config as configuration
from .. import finding
from .. import followup
from .. import projects
from .. import spawning
from ..errors import AgentctlError
from ..errors import usage_error
from ..measures import Usage
from ..settings import Project
from . import runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from typing_extensions import Unpack

    from ..model import Result
    from ..request import Request
    from ..store import Home
    from .runs import AnyHome
    from .runs import Asked
    from .runs import Path


class Session:
    """A backend, and the conversation that is held with it: stateful, one turn at a time.

    `backend`, `model`, `effort` and `profile` as in `start`; "" is whatever the profile or
    the directory's project says. With the `shell` backend a turn is a command line, and
    there is no conversation. `trust`: the vendors may run what the directories' repositories
    configure. `runs` are the ids of its runs so far, the newest last, also of one at work.
    """

    def __init__(
        self,
        backend: str = "",
        model: str = "",
        *,
        effort: str = "",
        profile: str = "",
        trust: bool = False,
        home: AnyHome = None,
    ) -> None:
        self.backend, self.model, self.effort, self.profile = backend, model, effort, profile
        self.trust = trust
        self.runs: list[str] = []
        self._home = home
        self._last: dict[str, str] = {}
        self._turn = threading.Lock()

    @property
    def session_id(self) -> str:
        """The vendor's id of the conversation that the newest run was in; "" while there is none."""
        return self._known(self.runs[-1]).session_id if self.runs and self._last else ""

    @property
    def stats(self) -> Usage:
        """What its runs used so far, resets or not. What no run told stays None; what some did not tell is left out."""
        return sum((self._known(run_id).usage for run_id in self.runs), Usage())

    def reset(self) -> None:
        """Forget the conversation: the next turn begins another. Waits for a turn that is being taken."""
        with self._turn:
            self._last = {}

    def set_up(self, request: Request) -> Request:
        """The request as this session makes it: what it says itself wins."""
        own = {name: getattr(self, name) for name in ("backend", "model", "effort", "profile")}
        return request.replace(**{name: value for name, value in own.items() if value})

    def take_turn(self, request: Request, project_dir: Path, new_conversation: bool = False) -> Result:
        """One run in a directory, to its end: the next turn of the conversation had there, or its first.

        `request` is what `set_up` made. A conversation belongs to a directory, as it does to the
        vendors. Where the profile escalates, the result is that of the last run.
        Raises AgentctlError.
        """
        home, folder = runs.opened(self._home), _folder(project_dir)
        asked = request.replace(cwd=folder)
        with self._turn:
            if new_conversation:
                self._last.pop(folder, None)
            before = self._ended(home, folder) if folder in self._last else None
            with runs.STARTING:
                self._note(folder, self._started(home, before, asked))
            return self._ended(home, folder)

    def _started(self, home: Home, before: Optional[Result], asked: Request) -> str:
        """The id of the next run: it resumes the one before, if that left anything to resume."""
        if before and before.session_id:
            config = configuration.sound(home)
            parent = home.run(before.run_id)
            asked, project = followup.request_of(home, config, parent, asked, os.environ)
        else:
            config, project = configuration.sound(home), project_at(home, asked.cwd)
            [asked] = spawning.requests_of(asked, [asked.prompt], None)
        project = project.replace(trust=project.trust or self.trust)
        return followup.as_staged(home, config, asked, project, os.environ).id

    def _ended(self, home: Home, folder: str) -> Result:
        """The result of the last run in the directory, waited for; or of what it escalated to, or went on as."""
        while True:
            [result] = api.wait(home, [self._last[folder]])
            following = finding.next_of(home, result.run_id)
            if not following:
                return result
            self._note(folder, following)

    def _note(self, folder: str, run_id: str) -> None:
        self._last[folder] = run_id
        self.runs.append(run_id)

    def _known(self, run_id: str) -> Result:
        return runs.show(run_id, home=self._home)


class ClaudeSession(Session):
    """A conversation with Claude Code: `ClaudeSession(model="opus")`."""

    def __init__(
        self, model: str = "", *, effort: str = "", profile: str = "", trust: bool = False, home: AnyHome = None
    ) -> None:
        super().__init__("claude", model, effort=effort, profile=profile, trust=trust, home=home)


class CodexSession(Session):
    """A conversation with the Codex CLI: `CodexSession(model="gpt-5.5")`."""

    def __init__(
        self, model: str = "", *, effort: str = "", profile: str = "", trust: bool = False, home: AnyHome = None
    ) -> None:
        super().__init__("codex", model, effort=effort, profile=profile, trust=trust, home=home)


class CursorSession(Session):
    """A conversation with the Cursor CLI, which serves trusted directories only: `CursorSession(trust=True)`."""

    def __init__(
        self, model: str = "", *, effort: str = "", profile: str = "", trust: bool = False, home: AnyHome = None
    ) -> None:
        super().__init__("cursor", model, effort=effort, profile=profile, trust=trust, home=home)


class Agent:
    """Somebody with instructions, who is talked to in turns.

        from agentctl import Agent
        from agentctl import CodexSession

        scout = Agent(CodexSession(), "You look, and change nothing.", max_turns=20, profile="review")
        first = scout.run("Where are uploads limited?", project_dir=".")
        second = scout.run("And who calls that?", project_dir=".")  # it remembers the first
        print(second.summary, scout.session.session_id == first.session_id)

    `prompt` are its instructions, added to those of its role or profile; `max_turns` is how
    many steps of the model one run may take. Further options are those of `start`. Agents
    that share a session share its conversation.
    """

    def __init__(
        self, session: Session, prompt: str = "", max_turns: Optional[int] = None, **asked: Unpack[Asked]
    ) -> None:
        given = runs.request_of("", asked)
        limits = given.limits if max_turns is None else given.limits.replace(max_turns=max_turns)
        self.session = session
        self.prompt = prompt
        self._request = given.replace(instructions=prompt or given.instructions, limits=limits)

    def run(self, task: str, project_dir: Path = ".", new_conversation: bool = False) -> Result:
        """Have it do something in a directory, and wait for the result.

        The directory need not be registered: it is then a project without a name, for this
        run alone, and trusted only if the session is; projects.json does not change. Inside
        a registered project it has that project's settings. A ^C leaves the run at work: the
        next turn waits for it. Raises AgentctlError.
        """
        if not task.strip():
            raise usage_error("the prompt is empty", "say what is to be done")
        return self.session.take_turn(self.request(task), project_dir, new_conversation)

    def request(self, task: str) -> Request:
        """What `run` asks for, but for the directory."""
        return self.session.set_up(self._request.replace(prompt=task))


def project_at(home: Home, folder: str) -> Project:
    """The registered project that contains a directory, else one without a name, which is not registered.

    Without a name: with one it could be taken for a project of that name, and its trust, when it is resumed.
    """
    projects.every(home)  # a damaged file is no project at all: raises
    try:
        return projects.at(home, folder)
    except AgentctlError:
        return Project(path=folder)


def _folder(path: Path) -> str:
    folder = os.path.realpath(os.path.expanduser(os.fspath(path)))
    if not os.path.isdir(folder):
        raise usage_error("%s is not a directory" % folder, "give the directory that it is to work in")
    return folder
