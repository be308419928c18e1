"""What a user sets up, as values: profiles, roles, projects and agents. Pure."""

from __future__ import annotations

from .model import EDIT
from .model import Limits
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional


class Choice(Record):
    """One backend a profile would take, with the model and effort for it."""

    backend: str = ""
    model: str = ""
    effort: str = ""


class Profile(Record):
    """Backend + model + effort + permissions + limits under a name.

    `backends` are in order of preference: the first that is installed serves.
    `prompt` names the instructions in prompts/; `escalate_to` the stronger profile;
    `fallback` the backends that go on, in order, where the vendor has no more to give.
    """

    name: str = ""
    description: str = ""
    backends: tuple[Choice, ...] = ()
    permissions: str = EDIT
    allow: tuple[str, ...] = ()
    prompt: str = ""
    limits: Limits = Limits()
    escalate_to: str = ""
    escalate: bool = False
    fallback: tuple[str, ...] = ()
    env: Optional[dict[str, str]] = None
    worktree: Optional[bool] = None


class Role(Record):
    """What one is asked to be: instructions under a name.

    `profile` serves it where nobody names another; `permissions` are the most that it
    gets, "" being whatever the profile has. `path` is the file it was read from.
    """

    name: str = ""
    description: str = ""
    profile: str = ""
    permissions: str = ""
    text: str = ""
    path: str = ""


class Project(Record):
    """A registered directory. `trust`: the vendors may run what the repository configures.

    `worktree`: its runs work in worktrees of their own, in each of which `setup`, a shell
    command, is run first.
    """

    name: str = ""
    path: str = ""
    default_profile: str = ""
    trust: bool = False
    worktree: bool = False
    setup: str = ""


class Agent(Record):
    """A named, lasting worker: how it works, and the newest run of its chain.

    `instructions` are added to its role's; `max_context_tokens` is what a conversation may
    use before a fresh one begins; `max_turns` holds for each of its runs. An `ephemeral` one
    is gone after its first answer since `ephemeral_at`. What follows the run `fresh_after`,
    or an older one, begins afresh.
    """

    name: str = ""
    role: str = ""
    profile: str = ""
    backend: str = ""
    model: str = ""
    project: str = ""
    instructions: str = ""
    max_context_tokens: Optional[int] = None
    max_turns: Optional[int] = None
    ephemeral: bool = False
    ephemeral_at: Optional[float] = None
    created_at: float = 0.0
    last_run: str = ""
    fresh_after: str = ""
