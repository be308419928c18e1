"""The OpenAI Responses API as far as Codex uses it. Pure: bodies in, bodies out.

Seen with codex-cli 0.169.0 and a provider of the user's own (`wire_api = "responses"`):
`POST /v1/responses`, always streaming, plain JSON bodies; the whole conversation is sent
each time; commands go by the function `exec_command`, edits by the custom tool `apply_patch`.
The tools of MCP servers are functions in a namespace, `mcp__NAME`, which are offered by
`tool_search` only, but can be called without having been searched for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .stub_scenarios import INPUT_TOKENS
from .stub_scenarios import OUTPUT_TOKENS
from .stub_scenarios import Step
from .stub_scenarios import pieces
from .stub_turn import Failure
from .stub_turn import Sent
from .stub_turn import Turn

PATH = "/v1/responses"
FAR_AWAY = 4102444800  # 2100-01-01: when the usage limit of these tests ends
OF_MODEL = ("function_call", "custom_tool_call", "tool_search_call", "reasoning")

FAILURES = {
    "bad_request": Failure(400, "invalid_request_error", "stub: bad request"),
    "unauthorized": Failure(401, "invalid_request_error", "Incorrect API key provided", "invalid_api_key"),
    "no_model": Failure(404, "invalid_request_error", "The model `no-such-model` does not exist", "model_not_found"),
    "rate_limit": Failure(
        429,
        "rate_limit_exceeded",
        "Rate limit reached. Please try again in 1s.",
        "rate_limit_exceeded",
        {"retry-after": "1"},
    ),
    "usage_limit": Failure(
        429,
        "usage_limit_reached",
        "The usage limit has been reached",
        extra={"plan_type": "plus", "resets_at": FAR_AWAY},
    ),
    "too_long": Failure(
        400, "invalid_request_error", "Your input exceeds the context window of this model.", "context_length_exceeded"
    ),
    "server_error": Failure(500, "server_error", "stub: internal error"),
    "overloaded": Failure(503, "server_error", "overloaded"),
}


def read(body: dict[str, Any], headers: dict[str, str]) -> Turn:
    """What the client asks."""
    items = [i for i in body.get("input") or [] if isinstance(i, dict)]
    form = (body.get("text") or {}).get("format") or {}
    return Turn(
        vendor="openai",
        model=str(body.get("model")),
        session=headers.get("session-id") or headers.get("session_id") or str(body.get("prompt_cache_key", "")),
        said=[(_role(i), text) for i in items for text in _texts(i)],
        tools=[str(t.get("name") or t.get("type")) for t in body.get("tools") or []],
        schema=form.get("schema"),
        effort=str((body.get("reasoning") or {}).get("effort", "")),
        instructions=str(body.get("instructions", "")),
        side=False,
    )


def _role(item: dict[str, Any]) -> str:
    if item.get("type") in OF_MODEL:
        return "assistant"
    return str(item.get("role") or "tool")


def _texts(item: dict[str, Any]) -> list[str]:
    """The texts of one item, a tool's output included; an item without any counts as one empty text."""
    if item.get("type") == "tool_search_output":
        return [json.dumps(item.get("tools"))]
    content = item.get("content") or item.get("output") or item.get("arguments") or item.get("input")
    if isinstance(content, list):
        return [str(c.get("text", "")) for c in content if isinstance(c, dict)] or [""]
    return [str(content or "")]


def failure(step: Step, number: int) -> Sent:
    """An error as the API words it."""
    wrong = FAILURES[step["fail"]]
    words = step.get("message", wrong.message)
    error = {"message": words, "type": wrong.kind, "code": wrong.code or None, "param": None}
    extra = {**wrong.extra, **({"resets_at": step["resets"]} if "resets" in step else {})}
    return Sent(wrong.status, {**wrong.headers, **step.get("headers", {})}, {"error": {**error, **extra}})


def answer(step: Step, turn: Turn, number: int) -> dict[str, Any]:
    """The whole response; `events` cuts it into a stream."""
    used = step.get("usage", {})
    taken, given = used.get("input", INPUT_TOKENS), used.get("output", OUTPUT_TOKENS)
    return {
        "id": "resp_%06d" % number,
        "object": "response",
        "created_at": int(turn.at),
        "status": "completed",
        "model": turn.model,
        "output": list(_items(step, number)),
        "usage": {
            "input_tokens": taken,
            "input_tokens_details": {"cached_tokens": used.get("cached", 0)},
            "output_tokens": given,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": taken + given,
        },
    }


def _items(step: Step, number: int) -> Iterator[dict[str, Any]]:
    if "thinking" in step:
        summary = [{"type": "summary_text", "text": step["thinking"]}]
        yield {"type": "reasoning", "id": "rs_%06d" % number, "summary": summary, "encrypted_content": None}
    said = [step["text"]] if "text" in step else []
    said += [json.dumps(step["report"])] if "report" in step else []
    for index, text in enumerate(said):
        content = [{"type": "output_text", "text": text, "annotations": []}]
        yield {
            "type": "message",
            "id": "msg_%06d_%d" % (number, index),
            "role": "assistant",
            "status": "completed",
            "content": content,
        }
    for index, call in enumerate(_calls(step)):
        name = "%06d_%d" % (number, index)
        yield {"id": "item_" + name, "call_id": "call_" + name, "status": "completed", **call}


def _calls(step: Step) -> Iterator[dict[str, Any]]:
    for path in step.get("read", ()):
        yield _command("cat %s" % path)
    changes = [_added(path, text) for path, text in step.get("write", {}).items()]
    changes += [_updated(path, old, new) for path, (old, new) in step.get("edit", {}).items()]
    if changes:
        patch = "*** Begin Patch\n%s*** End Patch\n" % "".join(changes)
        yield {"type": "custom_tool_call", "name": "apply_patch", "input": patch}
    if "run" in step:
        yield _command(step["run"])
    if "search" in step:
        arguments = {"query": step["search"], "limit": 50}
        yield {"type": "tool_search_call", "execution": "client", "arguments": arguments}
    for call in step.get("tools", ()):
        named = {"namespace": call["namespace"]} if "namespace" in call else {}
        yield {"type": "function_call", "name": call["name"], "arguments": json.dumps(call["input"]), **named}


def _command(command: str) -> dict[str, Any]:
    # Without yield_time_ms Codex hands a command over to the background after some seconds.
    arguments = json.dumps({"cmd": command, "yield_time_ms": 120000})
    return {"type": "function_call", "name": "exec_command", "arguments": arguments}


def _added(path: str, text: str) -> str:
    return "*** Add File: %s\n%s" % (path, "".join("+%s\n" % line for line in text.splitlines()))


def _updated(path: str, old: str, new: str) -> str:
    removed = "".join("-%s\n" % line for line in old.splitlines())
    return "*** Update File: %s\n@@\n%s%s" % (path, removed, "".join("+%s\n" % line for line in new.splitlines()))


def events(response: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The response as server-sent events; each names itself by its `type`."""
    unfinished = {**response, "status": "in_progress", "output": []}
    yield {"type": "response.created", "response": unfinished}
    for index, item in enumerate(response["output"]):
        for event in _item_events(item):
            yield {**event, "output_index": index}
    yield {"type": "response.completed", "response": response}


def _item_events(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if item["type"] == "message":
        yield {"type": "response.output_item.added", "item": {**item, "status": "in_progress", "content": []}}
        for piece in pieces(item["content"][0]["text"], 4):
            yield {"type": "response.output_text.delta", "item_id": item["id"], "content_index": 0, "delta": piece}
    else:
        yield {"type": "response.output_item.added", "item": item}
    yield {"type": "response.output_item.done", "item": item}


def is_piece(event: dict[str, Any]) -> bool:
    """Whether this event carries a part of the text: where a step pauses, hangs or is cut."""
    return bool(event["type"] == "response.output_text.delta")
