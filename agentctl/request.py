"""What a caller asks for, before anything of it is looked up."""

from __future__ import annotations

from .model import Limits
from .model import Usage
from .model import Worktree
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional


class Request(Record):
    """What a caller of `start` asked for; "" and None mean: as the profile says.

    `within` is the worktree, made for another run, that this one goes on in.
    `instructions` are added to those of the role or profile. `parts`, where there are
    any, are what the prompt is put together of when the run's turn has come (briefing.py).
    """

    prompt: str = ""
    project: str = ""
    cwd: str = ""
    profile: str = ""
    role: str = ""
    agent: str = ""
    instructions: str = ""
    backend: str = ""
    model: str = ""
    effort: str = ""
    title: str = ""
    after: tuple[str, ...] = ()
    limits: Limits = Limits()
    schema: str = ""
    verify: str = ""
    escalate: Optional[bool] = None
    pane: bool = True
    argv: tuple[str, ...] = ()
    parent: str = ""
    session_id: str = ""
    usage_before: Usage = Usage()
    escalated_from: tuple[str, ...] = ()
    worktree: Optional[bool] = None
    within: Worktree = Worktree()
    base: str = ""
    touches: tuple[str, ...] = ()
    batch: str = ""
    batch_parallel: Optional[int] = None
    workflow: str = ""
    step: str = ""
    continue_on: tuple[str, ...] = ()
    parts: Optional[list[dict[str, str]]] = None
    goal: str = ""
    mcp: tuple[str, ...] = ()
    fallback: tuple[str, ...] = ()
    fallen_from: tuple[str, ...] = ()
    fresh: bool = False
    conversation_limit: Optional[int] = None
