"""The Messages API of Anthropic: requests out of a conversation, and what is read in its answers. Pure.

By platform.claude.com/docs, as of November 2026: `POST /v1/messages` with the headers x-api-key and
anthropic-version (API overview); results of all calls of a turn stand in one user message, before any
text ("Handle tool calls", "Parallel tool use"); a thinking block goes back unchanged ("Claude Opus 5.5":
it is bound to its conversation); `cache_control` on a block caches everything up to it, 4 at most ("Prompt
caching"); `tool_choice` none ("Define tools"); `output_config.effort` ("Effort"); stop reasons ("Stop reasons
and fallback"); errors, `retry-after` and `enforced_spend_limit_reached` ("Errors", "Rate limits").
claude-opus-5-5 is "the current Opus model" there. Not measured against the vendor itself.
"""

from __future__ import annotations

from ..backends import lines
from ..measures import Usage
from . import entries as words
from .entries import Call
from .entries import Entry
from .entries import Fault
from .entries import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any

    from .entries import Asking

MODEL = "claude-opus-5-5"
BASE, BASE_VARIABLE = "https://api.anthropic.com", "ANTHROPIC_BASE_URL"
LONGEST_REPLY = 20_000
"""Tokens of one answer: what stays well below ten minutes without streaming (as the vendor's own SDK has it)."""
_CACHED = {"cache_control": {"type": "ephemeral"}}
_STOPS = {
    "max_tokens": words.CUT,
    "refusal": words.REFUSED,
    "pause_turn": words.PAUSED,
    "model_context_window_exceeded": words.FULL,
}


def path(model: str) -> str:
    return "/v1/messages"


def headers(key: str) -> dict[str, str]:
    return {"x-api-key": key, "anthropic-version": "2023-06-01"}


def body(asking: Asking) -> dict[str, Any]:
    """The request."""
    made: dict[str, Any] = {
        "model": asking.model,
        "max_tokens": LONGEST_REPLY,
        "tools": [{"name": t.name, "description": t.description, "input_schema": t.schema} for t in asking.tools],
        "tool_choice": {"type": "auto" if asking.calling else "none"},
        "messages": _cached_to_the_end(messages(asking.entries)),
    }
    if asking.instructions.strip():
        made["system"] = [{"type": "text", "text": asking.instructions, **_CACHED}]
    if asking.effort:
        made["output_config"] = {"effort": asking.effort}
    return made


def messages(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The conversation, user and assistant by turns; the answers to a turn's calls directly after it."""
    found: list[dict[str, Any]] = []
    given, turn = words.answers(entries), 0
    for entry in entries:
        if entry.kind == words.SAID and entry.text.strip():
            _add(found, "user", [{"type": "text", "text": entry.text}])
        elif entry.kind == words.TURN:
            content = [block for block in entry.content or [] if block != {"type": "text", "text": ""}]
            _add(found, "assistant", content)
            called = calls(content)
            _add(found, "user", [_result(c, given.get((turn, n), words.LOST)) for n, c in enumerate(called)])
            turn += 1
    return found


def _add(found: list[dict[str, Any]], role: str, blocks: list[Any]) -> None:
    """To the last message, if it is of the same role; empty ones are refused by the vendor."""
    if blocks and found and found[-1]["role"] == role:
        found[-1] = {"role": role, "content": [*found[-1]["content"], *blocks]}
    elif blocks:
        found.append({"role": role, "content": blocks})


def _result(call: Call, answer: Entry) -> dict[str, Any]:
    made = {"type": "tool_result", "tool_use_id": call.id, "content": answer.text or "done"}
    return {**made, "is_error": True} if answer.error else made


def _cached_to_the_end(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is sent now need not be read again with the next request."""
    if not found or found[-1]["role"] != "user":
        return found
    *before, last = found[-1]["content"]
    return [*found[:-1], {"role": "user", "content": [*before, {**last, **_CACHED}]}]


def calls(content: Sequence[Any]) -> tuple[Call, ...]:
    """The tool calls in a turn's content."""
    used = [b for b in content if isinstance(b, dict) and b.get("type") == "tool_use"]
    return tuple(
        Call(
            id=lines.text(b, "id", 200),
            name=lines.text(b, "name", 200),
            arguments=b["input"] if isinstance(b.get("input"), dict) else None,
        )
        for b in used
    )


def reply(raw: object) -> Reply | None:
    """The answer, or None for what is none."""
    if not isinstance(raw, dict) or not isinstance(raw.get("content"), list):
        return None
    content = [b for b in raw["content"] if isinstance(b, dict)]
    said = [b["text"] for b in content if b.get("type") == "text" and isinstance(b.get("text"), str)]
    used, told = _used(lines.obj(raw, "usage")), lines.text(raw, "stop_reason", 60)
    return Reply(
        content=content,
        text="\n".join(said).strip(),
        calls=calls(content),
        stop=_STOPS.get(told, words.END),
        note=lines.text(lines.obj(raw, "stop_details"), "explanation") or told,
        model=lines.text(raw, "model", 120),
        used=used,
        context=lines.total(used.input, used.cached, used.output),
    )


def _used(raw: dict[str, Any]) -> Usage:
    """`input_tokens` are those after the last that came from, or went to, the cache."""
    fresh, written = lines.count(raw, "input_tokens"), lines.count(raw, "cache_creation_input_tokens")
    return Usage(
        input=lines.total(fresh, written),
        cached=lines.count(raw, "cache_read_input_tokens"),
        output=lines.count(raw, "output_tokens"),
    )


def fault(status: int, told: Mapping[str, str], raw: object) -> Fault:
    """What an answer with an error status means. `told` are its headers, their names in small letters."""
    error = lines.obj(raw, "error") if isinstance(raw, dict) else {}
    said = lines.text(error, "message", 500) or "no reason given"
    kind = _kind(status, lines.text(error, "type", 60), error, said, told)
    reset = told.get("anthropic-ratelimit-unified-reset", "")
    return Fault(
        kind=kind,
        words="%s (%d %s)" % (said, status, lines.text(error, "type", 60) or "error"),
        status=status,
        reset_at=float(reset) if kind == "usage" and reset.isdigit() else None,
    )


def _kind(status: int, name: str, error: dict[str, Any], said: str, told: Mapping[str, str]) -> str:
    spent = lines.obj(error, "details").get("error_code") == "enforced_spend_limit_reached"
    spent = spent or told.get("anthropic-ratelimit-unified-status") == "rejected" or name == "billing_error"
    if spent or status == 402 or status == 400 and ("credit balance" in said or "usage limit" in said.lower()):
        return "usage"
    if status in (401, 403):
        return "login"
    if status == 413 or "prompt is too long" in said:
        return "context"
    if status == 529 or name == "overloaded_error":
        return "overload"
    return "rate" if status == 429 else "server" if status >= 500 or status in (408, 409) else "request"
