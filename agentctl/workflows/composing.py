"""A workflow put together of roles: one after the other, or side by side."""

from __future__ import annotations

from ..errors import usage_error
from . import definition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .definition import Definition

_AFTER = (
    "\n\n---\n\nOthers have worked on this before you, in the order below. Build on what they found and did;"
    " check what matters before you rely on it.\n\n"
)


def of_roles(roles: Sequence[str], parallel: bool, worktrees: bool) -> Definition:
    """A step for each role: each gets the prompt, and in a chain the reports of all before it.

    Side by side, each has a worktree of its own where `worktrees` are wished. Raises AgentctlError.
    """
    if not roles:
        raise usage_error("a custom workflow wants roles", "for example `--roles planner,builder,reviewer`")
    ids = [_id(roles, n) for n in range(len(roles))]
    steps = [_step(role, ids[n], [] if parallel else ids[:n]) for n, role in enumerate(roles)]
    if parallel and worktrees:
        steps = [{**step, "worktree": True} for step in steps]
    how = "side by side" if parallel else "one after the other"
    raw = {"format": 1, "name": definition.CUSTOM, "description": "%s, %s" % (", ".join(roles), how), "steps": steps}
    return definition.parsed(raw, definition.CUSTOM, "")


def _id(roles: Sequence[str], n: int) -> str:
    """The role's name; `builder-2` where it is there already."""
    before = list(roles[:n]).count(roles[n])
    return "%s-%d" % (roles[n], before + 1) if before else roles[n]


def _step(role: str, step_id: str, before: Sequence[str]) -> dict[str, Any]:
    told = "\n".join("{{steps.%s.report}}" % other for other in before)
    return {
        "id": step_id,
        "role": role,
        "prompt": "{{prompt}}" + (_AFTER + told if before else ""),
        "after": list(before[-1:]),
    }
