"""What a model may ask of a run: the options of `start`, as JSON Schema and as a `Request`."""

from __future__ import annotations

from .. import text
from ..errors import usage_error
from ..model import Limits
from ..request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

LONGEST_S = 1e9
_TIME = ["string", "number"]


def object_of(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """The schema of a tool's arguments; an unknown one is an error, which a misspelt one should be."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def words(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def flag(description: str) -> dict[str, Any]:
    return {"type": "boolean", "description": description}


def many(description: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}, "description": description}


def number(description: str, least: int = 1) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "description": description}


def time(description: str) -> dict[str, Any]:
    return {"type": _TIME, "description": description + ": 90s, 30m, 8h, or seconds"}


IDS = many("run ids, unique prefixes of them, @last, or a workflow's id, which stands for all its steps")
TERMS: dict[str, Any] = {
    "title": words("a few words for lists (default: the prompt's first line)"),
    "timeout": time("stop it after this time"),
    "max_turns": number("stop it after this many model turns"),
    "max_cost": {"type": "number", "minimum": 0.000001, "description": "stop it when it has cost more, in USD"},
    "verify": words("a shell command run in its directory after it ended; exit code 0 is `passed`"),
}
WHO: dict[str, Any] = {
    "profile": words("spark (quick edits), deep (hard work), review (read-only), glance (a cheap look), or another"),
    "role": words("what it is asked to be: see the tool `roles`"),
    "backend": words("claude, codex, cursor, shell (default: the profile's first that is installed)"),
    "model": words("instead of the profile's"),
    "effort": words("instead of the profile's"),
    "escalate": flag("if the goal is not met or the check fails, start the profile's stronger one"),
}
PLACE: dict[str, Any] = {
    "project": words("a registered project (default: the one that contains the directory of this session)"),
    "after": many("run ids: start when these have ended well; skipped if one did not"),
    "worktree": flag("true: a git worktree and branch of its own; false: work in the project itself"),
    "base": words("where the worktree begins: a branch, tag, commit, or a run's id for its branch"),
    "touches": many("globs of what it is expected to change; live runs that touch the same are named"),
}


def request(given: dict[str, Any]) -> Request:
    """What the arguments say, with the directory of this session where no project is named."""
    return terms(given).replace(
        **{name: given.get(name, "") for name in ("prompt", "profile", "role", "backend", "model", "effort")},
        **{name: given.get(name, "") for name in ("project", "base")},
        **{name: tuple(given.get(name, ())) for name in ("after", "touches")},
        escalate=given.get("escalate"),
        worktree=given.get("worktree"),
    )


def terms(given: dict[str, Any]) -> Request:
    """What the arguments of TERMS say."""
    limits = Limits(
        timeout_s=seconds(given.get("timeout")), max_turns=given.get("max_turns"), max_cost_usd=given.get("max_cost")
    )
    return Request(
        prompt=given.get("prompt", ""), title=given.get("title", ""), limits=limits, verify=given.get("verify", "")
    )


def seconds(said: Any) -> Optional[float]:
    """A time as a model says it; None where it says none. Raises AgentctlError."""
    if said in (None, ""):
        return None
    try:
        return min(text.seconds(said) if isinstance(said, str) else float(said), LONGEST_S)
    except ValueError:
        raise usage_error("`%s` is not a time" % said, "write it as 90s, 30m or 8h") from None
