"""The Gemini API (generateContent, v1beta) as far as agentctl uses it. Pure: bodies in, bodies out.

By its documentation (ai.google.dev): the model stands in the path; the first functionCall of an answer
carries a thoughtSignature, and a request that does not bring it back is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .stub_scenarios import INPUT_TOKENS
from .stub_scenarios import OUTPUT_TOKENS
from .stub_scenarios import Step
from .stub_turn import Failure
from .stub_turn import Sent
from .stub_turn import Turn

PATH = re.compile(r"/v1beta/models/([^/:]+):generateContent\Z")
SIGNATURE = "c3R1Yi1zaWduYXR1cmU="
_TYPE = "type.googleapis.com/google.rpc."


def _detail(kind: str, **what: Any) -> dict[str, Any]:
    return {"details": [{"@type": _TYPE + kind, **what}]}


FAILURES = {
    "bad_request": Failure(400, "INVALID_ARGUMENT", "stub: bad request"),
    "unauthorized": Failure(
        400,
        "INVALID_ARGUMENT",
        "API key not valid. Please pass a valid API key.",
        extra=_detail("ErrorInfo", reason="API_KEY_INVALID"),
    ),
    "no_model": Failure(404, "NOT_FOUND", "models/no-such-model is not found"),
    "rate_limit": Failure(
        429, "RESOURCE_EXHAUSTED", "stub: too many requests", extra=_detail("RetryInfo", retryDelay="1s")
    ),
    "usage_limit": Failure(
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota.",
        extra=_detail("QuotaFailure", violations=[{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]),
    ),
    "too_long": Failure(400, "INVALID_ARGUMENT", "The input token count exceeds the maximum number of tokens allowed."),
    "server_error": Failure(500, "INTERNAL", "stub: internal error"),
    "overloaded": Failure(503, "UNAVAILABLE", "The model is overloaded."),
}


def read(body: dict[str, Any], headers: dict[str, str]) -> Turn:
    """What the client asks. The model is in the path: the server sets it."""
    declared = [d for t in body.get("tools") or [] for d in t.get("functionDeclarations") or []]
    asked = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    config = body.get("generationConfig") or {}
    return Turn(
        vendor="gemini",
        model="",
        session="",
        said=[_said(str(c.get("role")), p) for c in body.get("contents") or [] for p in c.get("parts") or []],
        tools=[str(d.get("name")) for d in declared] if asked.get("mode") != "NONE" else [],
        schema=None,
        effort=str((config.get("thinkingConfig") or {}).get("thinkingLevel", "")),
        instructions="\n".join(p.get("text", "") for p in (body.get("systemInstruction") or {}).get("parts") or []),
        side=False,
    )


def _said(role: str, part: dict[str, Any]) -> tuple[str, str]:
    if "functionResponse" in part:
        return "tool", json.dumps(part["functionResponse"].get("response"))
    if "functionCall" in part:
        return "assistant", json.dumps(part["functionCall"].get("args"))
    return "assistant" if role == "model" else role, str(part.get("text", ""))


def wrong_with(body: dict[str, Any]) -> str:
    """What the real API refuses, of what a client with tools gets wrong most easily."""
    for content, after in zip(body["contents"], [*body["contents"][1:], {"parts": []}]):
        calls = [p for p in content["parts"] if "functionCall" in p]
        answers = [p for p in after["parts"] if "functionResponse" in p]
        if content["role"] == "model" and calls:
            if calls[0].get("thoughtSignature") != SIGNATURE:
                return "Function call is missing a thought_signature in functionCall parts."
            if [c["functionCall"].get("id") for c in calls] != [a["functionResponse"].get("id") for a in answers]:
                return "Please ensure that the function responses match the function calls of the turn before."
    return ""


def failure(step: Step, number: int) -> Sent:
    """An error as the API words it."""
    wrong = FAILURES[step["fail"]]
    error = {"code": wrong.status, "message": step.get("message", wrong.message), "status": wrong.kind, **wrong.extra}
    return Sent(wrong.status, {**wrong.headers, **step.get("headers", {})}, {"error": error})


def answer(step: Step, turn: Turn, number: int) -> dict[str, Any]:
    """The whole response."""
    used = step.get("usage", {})
    sent, out = used.get("input", INPUT_TOKENS) + used.get("cached", 0), used.get("output", OUTPUT_TOKENS)
    parts = list(_parts(step, number))
    content = {"content": {"role": "model", "parts": parts}} if parts else {}
    return {
        "candidates": [{**content, "finishReason": step.get("stop") or "STOP", "index": 0}],
        "usageMetadata": {
            "promptTokenCount": sent,
            "cachedContentTokenCount": used.get("cached", 0),
            "candidatesTokenCount": out,
            "totalTokenCount": sent + out,
        },
        "modelVersion": turn.model,
        "responseId": "resp_%06d" % number,
    }


def _parts(step: Step, number: int) -> Iterator[dict[str, Any]]:
    if "thinking" in step:
        yield {"text": step["thinking"], "thought": True}
    said = [step["text"]] if "text" in step else []
    said += [json.dumps(step["report"])] if "report" in step else []
    for text in said:
        yield {"text": text}
    for index, call in enumerate(step.get("tools", ())):
        signed = {"thoughtSignature": SIGNATURE} if index == 0 else {}
        made = {"name": call["name"], "args": call["input"], "id": "call_%06d_%d" % (number, index)}
        yield {"functionCall": made, **signed}
