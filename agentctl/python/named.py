"""Named agents from Python: they outlive the program, and any process may talk to them.

Thin over agents.py, as `agentctl agent` is.
"""

from __future__ import annotations

import os

from .. import projects
from ..errors import usage_error
from ..settings import Agent as NamedAgent
from . import runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Literal
    from typing import Optional
    from typing import Union
    from typing import overload

    from typing_extensions import Unpack

    from ..model import Result
    from .runs import AnyHome
    from .runs import Asked


def create_agent(
    name: str,
    *,
    role: str = "",
    profile: str = "",
    backend: str = "",
    model: str = "",
    project: str = "",
    instructions: str = "",
    max_context_tokens: Optional[int] = None,
    max_turns: Optional[int] = None,
    ephemeral: bool = False,
    home: AnyHome = None,
) -> NamedAgent:
    """Make an agent; nothing runs yet. Without a project, the one that contains the current directory.

    `instructions` are added to its role's. A conversation that has used more than
    `max_context_tokens` is followed by a fresh one, which is told the last report. An
    `ephemeral` agent is gone after its first answer. Raises AgentctlError.
    """
    from .. import agents

    place = runs.opened(home)
    made = NamedAgent(
        name=name,
        role=role,
        profile=profile,
        backend=backend,
        model=model,
        project=project or projects.at(place, os.getcwd()).name,
        instructions=instructions,
        max_context_tokens=max_context_tokens,
        max_turns=max_turns,
        ephemeral=ephemeral,
    )
    return agents.create(place, made)


def get_agent(name: str, *, home: AnyHome = None) -> NamedAgent:
    """An agent's record. Raises AgentctlError that names the closest one."""
    from .. import agents

    return agents.named(runs.opened(home), name)


def list_agents(*, home: AnyHome = None) -> list[NamedAgent]:
    """The records of all agents, by name."""
    from .. import agents

    return [agent for _, agent in sorted(agents.every(runs.opened(home)).items())]


def show_agent(name: str, *, home: AnyHome = None) -> dict[str, Any]:
    """All that is known of an agent, as `agentctl agent show --json` prints it: also its usage and its runs."""
    from .. import agents

    place = runs.opened(home)
    return agents.known(place, agents.named(place, name))


def reset_agent(name: str, *, home: AnyHome = None) -> NamedAgent:
    """Have the next prompt begin a fresh conversation, which is told nothing. Raises AgentctlError."""
    from .. import agents

    return agents.reset(runs.opened(home), name)


def delete_agent(name: str, *, home: AnyHome = None) -> None:
    """Remove all of an agent but its runs. Raises AgentctlError while it works."""
    from .. import agents

    agents.delete(runs.opened(home), name)


if TYPE_CHECKING:

    @overload
    def send(
        name: str,
        prompt: str,
        *,
        wait: Literal[True] = True,
        new_conversation: bool = False,
        home: AnyHome = None,
        **asked: Unpack[Asked],
    ) -> Result:
        """Its answer."""

    @overload
    def send(
        name: str,
        prompt: str,
        *,
        wait: Literal[False],
        new_conversation: bool = False,
        home: AnyHome = None,
        **asked: Unpack[Asked],
    ) -> str:
        """The run's id."""


def send(
    name: str,
    prompt: str,
    *,
    wait: bool = True,
    new_conversation: bool = False,
    home: AnyHome = None,
    **asked: Unpack[Asked],
) -> Union[Result, str]:
    """Tell an agent something, after whatever it was told before; its answer, or the run's id without `wait`.

    While it works, what it is told is queued, in order. Raises AgentctlError.
    """
    from .. import agents
    from .. import fleet

    place = runs.opened(home)
    if wait and fleet.works_for(place, name, os.environ):
        raise usage_error("agent `%s` would wait for itself" % name, "send without waiting")
    request = runs.with_words(runs.request_of(prompt, asked))
    with runs.STARTING:
        run_id = agents.send(place, name, request, new_conversation=new_conversation)
    return next(runs.wait(run_id, home=place)) if wait else run_id
