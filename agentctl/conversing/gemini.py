"""generateContent of the Gemini API: requests out of a conversation, and what is read in its answers. Pure.

By ai.google.dev, as of November 2026: `POST /v1beta/models/MODEL:generateContent` with the header x-goog-api-key;
`parameters` of a function take a part of JSON Schema (api/caching#Schema), of an object never an empty one; a part's
`thoughtSignature` goes back exactly as it came, or a Gemini 3 or 4 refuses the request ("Thought signatures");
the id of a functionCall, where there is one, stands in its functionResponse, whose `response` has `output` or `error`
("Function calling"); promptTokenCount includes what came from the cache, thoughts count beside candidates
(UsageMetadata); errors are google.rpc.Status with RetryInfo, QuotaFailure and ErrorInfo ("Troubleshooting"); a
quotaId says what its period is. gemini-4-argon is "our latest and most capable model" there ("Latest model").
Not measured against the vendor itself.
"""

from __future__ import annotations

import re

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
    from typing import Optional

    from .entries import Asking

MODEL = "gemini-4-argon"
BASE, BASE_VARIABLE = "https://generativelanguage.googleapis.com", "GEMINI_BASE_URL"
LONGEST_REPLY = 32_768
_STOPS = {"": words.END, "STOP": words.END, "MAX_TOKENS": words.CUT}
_UNREADABLE = (
    *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"),
    *("MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE"),
)
_KEPT = frozenset(
    ("type", "description", "nullable", "enum", "items", "properties", "required", "anyOf")
    + ("minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "pattern")
)
_DELAY = re.compile(r"(\d{1,7}(?:\.\d{1,9})?)s\Z")


def path(model: str) -> str:
    return "/v1beta/models/%s:generateContent" % model


def headers(key: str) -> dict[str, str]:
    return {"x-goog-api-key": key}


def body(asking: Asking) -> dict[str, Any]:
    """The request."""
    thinking = {"thinkingConfig": {"thinkingLevel": asking.effort}} if asking.effort else {}
    made: dict[str, Any] = {
        "contents": contents(asking.entries),
        "tools": [{"functionDeclarations": [_declared(t.name, t.description, t.schema) for t in asking.tools]}],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO" if asking.calling else "NONE"}},
        "generationConfig": {"maxOutputTokens": LONGEST_REPLY, **thinking},
    }
    if asking.instructions.strip():
        made["systemInstruction"] = {"parts": [{"text": asking.instructions}]}
    return made


def _declared(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    known = accepted(schema)
    return {"name": name, "description": description, **({"parameters": known} if known.get("properties") else {})}


def accepted(schema: object) -> dict[str, Any]:
    """Of a JSON Schema what the vendor takes; the rest only narrows, and the tool checks its arguments itself."""
    if not isinstance(schema, dict):
        return {}
    kept = {name: value for name, value in schema.items() if name in _KEPT}
    kinds = schema.get("type")
    if isinstance(kinds, list):
        plain = [kind for kind in kinds if kind != "null"]
        kept.update({"type": plain[0] if plain else "string"}, **({"nullable": True} if "null" in kinds else {}))
    if not all(isinstance(word, str) for word in kept.get("enum", ())):
        del kept["enum"]  # only words may stand there
    if isinstance(schema.get("const"), str):
        kept["enum"] = [schema["const"]]
    if isinstance(kept.get("properties"), dict):
        kept["properties"] = {name: accepted(value) for name, value in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = accepted(kept["items"])
    if isinstance(kept.get("anyOf"), list):
        kept["anyOf"] = [accepted(value) for value in kept["anyOf"]]
    return kept


def contents(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The conversation. Responses to calls stand alone, directly after the turn with the calls."""
    found: list[dict[str, Any]] = []
    given, turn = words.answers(entries), 0
    for entry in entries:
        if entry.kind == words.SAID and entry.text.strip():
            found.append({"role": "user", "parts": [{"text": entry.text}]})
        elif entry.kind == words.TURN:
            called = calls(entry.content or [])
            results = [_response(c, given.get((turn, n), words.LOST)) for n, c in enumerate(called)]
            found += [{"role": "model", "parts": entry.content}] if entry.content else []
            found += [{"role": "user", "parts": results}] if results else []
            turn += 1
    return found


def _response(call: Call, answer: Entry) -> dict[str, Any]:
    known = {"id": call.id} if call.id else {}
    told = {"error" if answer.error else "output": answer.text or "done"}
    return {"functionResponse": {**known, "name": call.name, "response": told}}


def calls(content: Sequence[Any]) -> tuple[Call, ...]:
    """The function calls in a turn's parts."""
    asked = [lines.obj(part, "functionCall") for part in content if isinstance(part, dict) and "functionCall" in part]
    return tuple(
        Call(id=lines.text(c, "id", 200), name=lines.text(c, "name", 200), arguments=_arguments(c)) for c in asked
    )


def _arguments(call: dict[str, Any]) -> Optional[dict[str, Any]]:
    given = call.get("args", {})  # absent where there are none
    return given if isinstance(given, dict) else None


def reply(raw: object) -> Reply | None:
    """The answer, or None for what is none."""
    if not isinstance(raw, dict) or not ({"candidates", "promptFeedback"} & raw.keys()):
        return None
    candidate = next(iter(lines.objects(raw, "candidates", 1)), {})
    told = lines.text(candidate, "finishReason", 60)
    blocked = lines.text(lines.obj(raw, "promptFeedback"), "blockReason", 60) if not candidate else ""
    stop = words.REFUSED if blocked else _stop(told)
    parts = lines.objects(lines.obj(candidate, "content"), "parts", 10_000) if stop != words.MALFORMED else []
    said = [p["text"] for p in parts if isinstance(p.get("text"), str) and p.get("thought") is not True]
    used = lines.obj(raw, "usageMetadata")
    return Reply(
        content=parts,
        text="".join(said).strip(),
        calls=calls(parts),
        stop=stop,
        note=lines.text(candidate, "finishMessage", 500) or blocked or told,
        model=lines.text(raw, "modelVersion", 120),
        used=_used(used),
        context=lines.total(lines.count(used, "promptTokenCount"), _out(used)),
    )


def _stop(told: str) -> str:
    return words.MALFORMED if told in _UNREADABLE else _STOPS.get(told, words.REFUSED)


def _used(raw: dict[str, Any]) -> Usage:
    sent, cached = lines.count(raw, "promptTokenCount"), lines.count(raw, "cachedContentTokenCount")
    fresh = None if sent is None else max(sent - (cached or 0), 0)
    return Usage(input=lines.total(fresh, lines.count(raw, "toolUsePromptTokenCount")), cached=cached, output=_out(raw))


def _out(raw: dict[str, Any]) -> Optional[int]:
    return lines.total(lines.count(raw, "candidatesTokenCount"), lines.count(raw, "thoughtsTokenCount"))


def fault(status: int, told: Mapping[str, str], raw: object) -> Fault:
    """What an answer with an error status means."""
    if isinstance(raw, list) and raw:
        raw = raw[0]  # as some of the vendor's front ends have it
    error = lines.obj(raw, "error") if isinstance(raw, dict) else {}
    said, name = lines.text(error, "message", 500) or "no reason given", lines.text(error, "status", 60)
    details = lines.objects(error, "details")
    waits = [_DELAY.match(lines.text(d, "retryDelay", 40)) for d in details]
    return Fault(
        kind=_kind(status, said, details),
        words="%s (%d %s)" % (said.partition("\n")[0], status, name or "error"),
        status=status,
        wait_s=next((float(found.group(1)) for found in waits if found), None),
    )


def _kind(status: int, said: str, details: list[dict[str, Any]]) -> str:
    broken = [lines.text(v, "quotaId", 200) for d in details for v in lines.objects(d, "violations")]
    if status == 402 or status == 429 and any("PerDay" in quota for quota in broken):
        return "usage"
    if status in (401, 403) or any(d.get("reason") == "API_KEY_INVALID" for d in details):
        return "login"
    if "exceeds the maximum number of tokens" in said:
        return "context"
    if status == 503:
        return "overload"
    return "rate" if status == 429 else "server" if status >= 500 or status == 408 else "request"
