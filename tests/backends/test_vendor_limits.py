"""Usage limits, rate limits, overload and refused logins, of each vendor, as `limit` events."""

from __future__ import annotations

import json
from typing import Any

import pytest
import transcripts

from agentctl import backends
from agentctl.model import Event

RECORDED = {
    "claude/auto-compact": ("context", None),
    "claude/context-overflow": ("context", None),
    "claude/error-401-max-retries-0": ("login", None),
    "claude/error-429-retry-after": ("rate", None),
    "claude/error-429-unified": ("rate", None),
    "claude/error-529-max-retries-2": ("overload", None),
    "claude/max-turns": ("turns", None),
    "codex/context-overflow": ("context", None),
    "codex/error-401": ("login", None),
    "codex/error-429-exhausted": ("rate", None),
    "codex/error-usage-limit-429": ("usage", "10:20 AM"),
}
CLAUDE = {
    "Claude AI usage limit reached|1767222000": ("usage", "1767222000"),
    "You've hit your limit · resets 3am (Europe/Berlin)": ("usage", "3am (Europe/Berlin)"),
    "You've hit your session limit · resets 3:30pm": ("usage", "3:30pm"),
    "You've reached your Fable 5 limit.": ("usage", None),
    "You've hit your monthly spend limit.": ("usage", None),
    "You're out of extra usage · resets Feb 20 at 3pm (UTC)": ("usage", "Feb 20 at 3pm (UTC)"),
    "Credit balance is too low": ("usage", None),
    "Invalid API key · Please run /login": ("login", None),
    "Not logged in · Please run /login": ("login", None),
    "OAuth token has expired. Please obtain a new token": ("login", None),
    "Failed to authenticate. API Error: 403 stub: forbidden": ("login", None),
}
CODEX = {
    "You’ve hit your usage limit. Try again in 2 days 3 hours 5 minutes.": ("usage", "2 days 3 hours 5 minutes"),
    "You’ve hit your usage limit. … or try again at Feb 20th, 2026 10:20 AM.": ("usage", "Feb 20th, 2026 10:20 AM"),
    "Quota exceeded. Check your plan and billing details.": ("usage", None),
    "You're out of credits. Your workspace is out of credits. Add credits to continue.": ("usage", None),
    "stream disconnected before completion: Rate limit reached for gpt-5.5. Please try again in 11.054s.": (
        "rate",
        "11.054s",
    ),
    "exceeded retry limit, last status: 429 Too Many Requests, request id: r": ("rate", None),
    "Your access token could not be refreshed because your refresh token has expired.": ("login", None),
    "Your access token could not be refreshed because you have since logged out. Please sign in again.": (
        "login",
        None,
    ),
    "We’re currently experiencing high demand, which may cause temporary errors.": ("overload", None),
    "Selected model is at capacity. Please try a different model.": ("overload", None),
    "unexpected status 503 Service Unavailable: overloaded, url: u": ("overload", None),
}
CURSOR = {
    "You've hit your usage limit. Try again on Feb 20.": ("usage", "Feb 20"),
    "Rate limit exceeded": ("rate", None),
    "Authentication required. Please run 'agent login' first.": ("login", None),
    "The model is overloaded": ("overload", None),
}
NO_LIMIT = {
    "claude": "There's an issue with the selected model (no-such-model).",
    "codex": "stream disconnected before completion: stub: response.failed",
    "cursor": "Something went wrong",
}


def line_of(vendor: str, words: str) -> bytes:
    """How the vendor's stream ends with these words."""
    lines: dict[str, dict[str, Any]] = {
        "claude": {"type": "result", "subtype": "success", "is_error": True, "result": words},
        "codex": {"type": "turn.failed", "error": {"message": words}},
        "cursor": {"type": "result", "subtype": "error", "is_error": True, "result": words},
    }
    return json.dumps(lines[vendor]).encode()


def limits(events: list[Event]) -> list[tuple[str, object]]:
    return [(e.data.get("reason", ""), e.data.get("reset_at")) for e in events if e.kind == "limit"]


@pytest.mark.parametrize("case", sorted(RECORDED))
def test_a_recorded_limit_is_one(case: str) -> None:
    assert limits(transcripts.events_of(case)) == [RECORDED[case]]


def test_no_other_recording_has_one() -> None:
    others = {case: limits(transcripts.events_of(case)) for case in transcripts.CASES if case not in RECORDED}
    assert {case: found for case, found in others.items() if found} == {}


@pytest.mark.parametrize(
    ("vendor", "words", "told"),
    [
        (vendor, words, told)
        for vendor, table in (("claude", CLAUDE), ("codex", CODEX), ("cursor", CURSOR))
        for words, told in table.items()
    ],
)
def test_words_that_speak_of_one(vendor: str, words: str, told: tuple[str, object]) -> None:
    events = backends.adapter(vendor).parse(line_of(vendor, words))
    assert limits(events) == [told]
    assert [e.data["fatal"] for e in events if e.kind == "error"] == [True]


@pytest.mark.parametrize("vendor", sorted(NO_LIMIT))
def test_another_failure_is_none(vendor: str) -> None:
    assert limits(backends.adapter(vendor).parse(line_of(vendor, NO_LIMIT[vendor]))) == []


OF_STATUS = [(401, "login"), (403, "login"), (429, "rate"), (529, "overload"), (500, "")]


@pytest.mark.parametrize(("status", "reason"), OF_STATUS)
def test_claudes_status_tells_where_its_words_do_not(status: int, reason: str) -> None:
    line = {"type": "result", "subtype": "success", "is_error": True, "api_error_status": status, "result": "x"}
    found = limits(backends.adapter("claude").parse(json.dumps(line).encode()))
    assert found == ([(reason, None)] if reason else [])


def test_a_rejected_rate_limit_event_tells_the_moment() -> None:
    info = {"status": "rejected", "resetsAt": 1767222000, "rateLimitType": "five_hour"}
    line = {"type": "rate_limit_event", "rate_limit_info": info}
    assert limits(backends.adapter("claude").parse(json.dumps(line).encode())) == [("usage", 1767222000.0)]
