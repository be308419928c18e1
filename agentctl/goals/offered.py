"""What an orchestrator of a goal is told of its tools."""

from __future__ import annotations

from ..toolset import Tool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Schema = dict[str, Any]

PARTS = ("report", "prompt", "diff", "files")


def _said(kind: str, description: str = "", **more: Any) -> Schema:
    return {"type": kind, **({"description": description} if description else {}), **more}


def _object(properties: Schema, required: tuple[str, ...]) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


_ASK = {
    "to": _said("string", "A member of the team"),
    "prompt": _said("string", "What it is to do, for somebody who knows only the directory and these words"),
    "new_conversation": _said("boolean", "Have it forget what it was asked before"),
}
_WAIT = _said("boolean", "Wait for the report: true unless given. With false you get a run id at once")
_ASKS = _said("array", "One to sixteen", items=_object(_ASK, ("to", "prompt")))

TOOLS = (
    Tool(
        name="ask",
        description="Have a member of the team do something, and get its report.",
        schema=_object({**_ASK, "wait": _WAIT}, ("to", "prompt")),
    ),
    Tool(
        name="ask_many",
        description="Ask several at the same time, and get all their reports. They share one directory.",
        schema=_object({"asks": _ASKS, "wait": _WAIT}, ("asks",)),
    ),
    Tool(
        name="wait_any",
        description="The next report of those that were asked without waiting, and who is still at work.",
        schema=_object({"runs": _said("array", "Of these only", items=_said("string"))}, ()),
        reads=True,
    ),
    Tool(
        name="show",
        description="More of one run of this goal: its report, prompt, diff, or the files it touched.",
        schema=_object({"run": _said("string"), "part": _said("string", enum=list(PARTS))}, ("run",)),
        reads=True,
    ),
    Tool(
        name="done",
        description="Claim that the goal is reached. It is then verified by others. End your turn afterwards.",
        schema=_object({"summary": _said("string", "What is true now, what was decided, what is left")}, ("summary",)),
    ),
    Tool(
        name="give_up",
        description="Say that the goal cannot be reached, and why. End your turn afterwards.",
        schema=_object({"reason": _said("string")}, ("reason",)),
    ),
)
