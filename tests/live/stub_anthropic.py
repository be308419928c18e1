"""The Anthropic Messages API as far as Claude Code uses it. Pure: bodies in, bodies out.

Seen with Claude Code 2.1.197: `POST /v1/messages?beta=true`, always streaming; the
conversation may hold messages of role `system` in its middle; a prompt shares its user
message with `<system-reminder>` blocks; side calls (titles, quota probes) offer no tools.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

from .stub_scenarios import INPUT_TOKENS
from .stub_scenarios import OUTPUT_TOKENS
from .stub_scenarios import Step
from .stub_scenarios import pieces
from .stub_turn import Failure
from .stub_turn import Sent
from .stub_turn import Turn

PATH = "/v1/messages"
DIRECTORY = re.compile(r"(?:Primary working|Working) directory: (/[^\n]+)")
FAR_AWAY = 4102444800  # 2100-01-01: when the usage limit of these tests ends

FAILURES = {
    "bad_request": Failure(400, "invalid_request_error", "stub: bad request"),
    "unauthorized": Failure(401, "authentication_error", "invalid x-api-key"),
    "no_model": Failure(404, "not_found_error", "model: no-such-model"),
    "rate_limit": Failure(429, "rate_limit_error", "stub: too many requests", headers={"retry-after": "1"}),
    "usage_limit": Failure(
        429,
        "rate_limit_error",
        "stub: usage limit reached",
        headers={
            "retry-after": "3600",
            "anthropic-ratelimit-unified-status": "rejected",
            "anthropic-ratelimit-unified-reset": str(FAR_AWAY),
            "anthropic-ratelimit-unified-representative-claim": "five_hour",
        },
    ),
    "too_long": Failure(400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
    "server_error": Failure(500, "api_error", "Internal server error"),
    "overloaded": Failure(529, "overloaded_error", "Overloaded"),
}


def read(body: dict[str, Any], headers: dict[str, str]) -> Turn:
    """What the client asks."""
    tools = body.get("tools") or []
    schemas = [t.get("input_schema") for t in tools if t.get("name") == "StructuredOutput"]
    return Turn(
        vendor="anthropic",
        model=str(body.get("model")),
        session=headers.get("x-claude-code-session-id", ""),
        said=[pair for m in body.get("messages") or [] for pair in _said(str(m.get("role")), m.get("content"))],
        tools=[str(t.get("name")) for t in tools],
        schema=schemas[0] if schemas else None,
        effort=str((body.get("output_config") or {}).get("effort", "")),
        instructions="\n".join(text for _, text in _said("system", body.get("system"))),
        side=not tools,
    )


def _said(role: str, content: Any) -> list[tuple[str, str]]:
    """(role, text) for each block of a message."""
    if isinstance(content, str):
        return [(role, content)]
    return [(_role(role, b), _text(b)) for b in content or [] if isinstance(b, dict)]


def _role(role: str, block: dict[str, Any]) -> str:
    return "tool" if block.get("type") == "tool_result" else role


def _text(block: dict[str, Any]) -> str:
    if block.get("type") == "tool_use":
        return json.dumps(block.get("input"))
    if block.get("type") == "tool_result":
        return "\n".join(text for _, text in _said("tool", block.get("content")))
    return str(block.get("text", ""))


def failure(step: Step, number: int) -> Sent:
    """An error as the API words it."""
    wrong = FAILURES[step["fail"]]
    ends = "|%d" % step["resets"] if "resets" in step else ""
    error = {"type": wrong.kind, "message": step.get("message", wrong.message) + ends}
    body = {"type": "error", "error": error, "request_id": "req_%06d" % number}
    return Sent(wrong.status, {**wrong.headers, **step.get("headers", {})}, body)


def answer(step: Step, turn: Turn, number: int) -> dict[str, Any]:
    """The whole message; `events` cuts it into a stream."""
    blocks = list(_blocks(step, turn, number))
    used = step.get("usage", {})
    return {
        "id": "msg_%06d" % number,
        "type": "message",
        "role": "assistant",
        "model": turn.model,
        "content": blocks,
        "stop_sequence": None,
        "stop_reason": step.get("stop") or ("tool_use" if blocks and blocks[-1]["type"] == "tool_use" else "end_turn"),
        "usage": {
            "input_tokens": used.get("input", INPUT_TOKENS),
            "output_tokens": used.get("output", OUTPUT_TOKENS),
            "cache_read_input_tokens": used.get("cached", 0),
            "cache_creation_input_tokens": 0,
        },
    }


def _blocks(step: Step, turn: Turn, number: int) -> Iterator[dict[str, Any]]:
    if turn.side:
        yield {"type": "text", "text": "OK"}
        return
    calls = list(_calls(step, _directory(turn)))
    if "thinking" in step:
        yield {"type": "thinking", "thinking": step["thinking"], "signature": "c3R1Yg=="}
    if "text" in step:
        yield {"type": "text", "text": step["text"]}
    if "report" in step and turn.schema is not None:
        calls.append(("StructuredOutput", step["report"]))
    elif "report" in step:
        yield {"type": "text", "text": json.dumps(step["report"])}
    for index, (name, given) in enumerate(calls):
        yield {"type": "tool_use", "id": "toolu_%06d_%d" % (number, index), "name": name, "input": given}


def _directory(turn: Turn) -> str:
    """Where the client works: its models name files by absolute paths, so ours does."""
    found = DIRECTORY.search(turn.instructions)
    return found.group(1).strip() if found else "."


def _calls(step: Step, directory: str) -> Iterator[tuple[str, Any]]:
    for path in step.get("read", ()):
        yield "Read", {"file_path": os.path.join(directory, path)}
    for path, content in step.get("write", {}).items():
        yield "Write", {"file_path": os.path.join(directory, path), "content": content}
    for path, (old, new) in step.get("edit", {}).items():
        yield "Edit", {"file_path": os.path.join(directory, path), "old_string": old, "new_string": new}
    if "run" in step:
        yield "Bash", {"command": step["run"], "description": "Run a command", "timeout": 120000}
    for call in step.get("tools", ()):
        yield call["name"], call["input"]


def events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The message as server-sent events; each names itself by its `type`."""
    begun = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(message["content"]):
        yield {"type": "content_block_start", "index": index, "content_block": _empty(block)}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": message["usage"]}
    yield {"type": "message_stop"}


def _empty(block: dict[str, Any]) -> dict[str, Any]:
    empty = {"text": "", "thinking": "", "signature": "", "input": {}}
    return {key: empty.get(key, value) if key != "type" else value for key, value in block.items()}


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        for piece in pieces(block["text"], 4):
            yield {"type": "text_delta", "text": piece}
    elif block["type"] == "thinking":
        yield {"type": "thinking_delta", "thinking": block["thinking"]}
        yield {"type": "signature_delta", "signature": block["signature"]}
    else:
        for piece in pieces(json.dumps(block["input"]), 3):
            yield {"type": "input_json_delta", "partial_json": piece}


def is_piece(event: dict[str, Any]) -> bool:
    """Whether this event carries a part of the text: where a step pauses, hangs or is cut."""
    return bool(event["type"] == "content_block_delta")
