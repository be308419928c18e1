"""The two dialects of the API orchestrators, what comes next, keys, waits: tables without a network."""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agentctl import apidoor
from agentctl import credentials
from agentctl import store
from agentctl.backends import anthropic as anthropic_adapter
from agentctl.backends import events
from agentctl.backends import gemini as gemini_adapter
from agentctl.conversing import anthropic
from agentctl.conversing import deciding
from agentctl.conversing import gemini
from agentctl.conversing import journal
from agentctl.conversing import patience
from agentctl.conversing.deciding import State
from agentctl.conversing.deciding import next_move
from agentctl.conversing.entries import Asking
from agentctl.conversing.entries import Entry
from agentctl.conversing.entries import Fault
from agentctl.errors import AgentctlError
from agentctl.measures import Limits
from agentctl.measures import Usage
from agentctl.model import RunFiles
from agentctl.model import Spec
from agentctl.toolset import Tool

SCHEMA = {
    "type": "object",
    "properties": {
        "to": {"type": "string", "enum": ["a", "b"], "default": "a"},
        "fresh": {"type": ["boolean", "null"]},
        "asks": {"type": "array", "items": {"type": "object", "properties": {"n": {"const": "x"}, "k": {"enum": [1]}}}},
    },
    "required": ["to"],
    "additionalProperties": False,
}
TOOLS = (Tool(name="ask", description="Ask.", schema=SCHEMA), Tool(name="show", schema={"type": "object"}))
SAID = Entry(kind="said", text="do it")
USE = [
    {"type": "thinking", "thinking": "", "signature": "s"},
    {"type": "text", "text": ""},
    {"type": "tool_use", "id": "t1", "name": "ask", "input": {"to": "a"}},
    {"type": "tool_use", "id": "t2", "name": "ask", "input": {"to": "b"}},
]
PARTS = [
    {"functionCall": {"id": "f1", "name": "ask", "args": {"to": "a"}}, "thoughtSignature": "s"},
    {"functionCall": {"name": "show"}},
]
ANSWERS = (
    Entry(kind="answer", turn=0, call=1, text="no", error=True),
    Entry(kind="answer", turn=0, call=0, text="yes"),
    Entry(kind="answer", turn=0, call=0, text="twice"),
)
CACHED = {"cache_control": {"type": "ephemeral"}}


def asked(dialect: ModuleType, *entries: Entry, **more: Any) -> Any:
    return dialect.body(Asking(model="m", tools=TOOLS, entries=entries, **more))


# -- anthropic


def test_anthropic_request() -> None:
    body = asked(anthropic, SAID, instructions="Lead.", effort="high")
    assert body["system"] == [{"type": "text", "text": "Lead.", **CACHED}]
    assert body["tools"][0] == {"name": "ask", "description": "Ask.", "input_schema": SCHEMA}
    assert (body["model"], body["max_tokens"], body["tool_choice"]) == ("m", 20_000, {"type": "auto"})
    assert body["output_config"] == {"effort": "high"}
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "do it", **CACHED}]}]
    bare = asked(anthropic, SAID, calling=False)
    assert bare["tool_choice"] == {"type": "none"}
    assert bare.keys() & {"system", "output_config"} == set()
    assert anthropic.headers("k") == {"x-api-key": "k", "anthropic-version": "2023-06-01"}


def test_anthropic_answers_stand_in_the_order_of_the_calls_before_any_text() -> None:
    said = Entry(kind="said", text="and now?")
    found = anthropic.messages([SAID, Entry(kind="turn", content=USE), said, *ANSWERS])
    assert [m["role"] for m in found] == ["user", "assistant", "user"]
    assert found[1]["content"] == [USE[0], USE[2], USE[3]]
    assert found[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "t1", "content": "yes"},
        {"type": "tool_result", "tool_use_id": "t2", "content": "no", "is_error": True},
        {"type": "text", "text": "and now?"},
    ]


def test_anthropic_nothing_said_is_no_message() -> None:
    found = anthropic.messages([SAID, Entry(kind="turn", content=[]), Entry(kind="said", text=" "), SAID])
    assert [m["role"] for m in found] == ["user"]
    open_call = anthropic.messages([SAID, Entry(kind="turn", content=USE[2:3])])
    assert open_call[-1]["content"][0]["is_error"] is True


@pytest.mark.parametrize(
    ("told", "stop"),
    [
        ("end_turn", "end"),
        ("tool_use", "end"),
        ("stop_sequence", "end"),
        ("max_tokens", "cut"),
        ("refusal", "refused"),
        ("pause_turn", "paused"),
        ("model_context_window_exceeded", "full"),
        ("some day", "end"),
        (None, "end"),
    ],
)
def test_anthropic_stops(told: object, stop: str) -> None:
    reply = anthropic.reply({"content": [], "stop_reason": told})
    assert reply is not None and reply.stop == stop


def test_anthropic_reply() -> None:
    usage = {"input_tokens": 5, "cache_creation_input_tokens": 7, "cache_read_input_tokens": 11, "output_tokens": 13}
    reply = anthropic.reply({"content": [*USE, {"type": "text", "text": " hi "}], "model": "m-1", "usage": usage})
    assert reply is not None
    assert (reply.text, reply.model, reply.context) == ("hi", "m-1", 36)
    assert reply.used == Usage(input=12, cached=11, output=13)
    assert [(c.id, c.name, c.arguments) for c in reply.calls] == [
        ("t1", "ask", {"to": "a"}),
        ("t2", "ask", {"to": "b"}),
    ]
    assert reply.content[0] is not None and reply.content[0]["signature"] == "s"
    unknown = anthropic.reply({"content": []})
    assert unknown is not None and unknown.used == Usage() and unknown.context is None


def anthropic_fault(status: int, kind: str, message: str = "m", told: Any = None, **more: Any) -> Fault:
    return anthropic.fault(status, told or {}, {"type": "error", "error": {"type": kind, "message": message, **more}})


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (anthropic_fault(400, "invalid_request_error"), "request"),
        (anthropic_fault(400, "invalid_request_error", "Your credit balance is too low to access"), "usage"),
        (anthropic_fault(400, "invalid_request_error", "You have reached your specified API usage limits."), "usage"),
        (anthropic_fault(400, "invalid_request_error", "prompt is too long: 3 tokens > 2 maximum"), "context"),
        (anthropic_fault(401, "authentication_error"), "login"),
        (anthropic_fault(402, "billing_error"), "usage"),
        (anthropic_fault(403, "permission_error"), "login"),
        (anthropic_fault(404, "not_found_error"), "request"),
        (anthropic_fault(413, "request_too_large"), "context"),
        (anthropic_fault(429, "rate_limit_error"), "rate"),
        (anthropic_fault(429, "x", details={"error_code": "enforced_spend_limit_reached"}), "usage"),
        (anthropic_fault(429, "x", told={"anthropic-ratelimit-unified-status": "rejected"}), "usage"),
        (anthropic_fault(500, "api_error"), "server"),
        (anthropic_fault(529, "overloaded_error"), "overload"),
        (anthropic.fault(502, {}, None), "server"),
    ],
)
def test_anthropic_faults(fault: Fault, kind: str) -> None:
    assert fault.kind == kind
    assert "(%d " % fault.status in fault.words


# -- gemini


def test_gemini_request() -> None:
    body = asked(gemini, SAID, instructions="Lead.", effort="high")
    (tools,) = body["tools"]
    assert tools["functionDeclarations"][1] == {"name": "show", "description": ""}
    assert tools["functionDeclarations"][0]["parameters"] == {
        "type": "object",
        "properties": {
            "to": {"type": "string", "enum": ["a", "b"]},
            "fresh": {"type": "boolean", "nullable": True},
            "asks": {"type": "array", "items": {"type": "object", "properties": {"n": {"enum": ["x"]}, "k": {}}}},
        },
        "required": ["to"],
    }
    assert body["systemInstruction"] == {"parts": [{"text": "Lead."}]}
    assert body["generationConfig"] == {"maxOutputTokens": 32_768, "thinkingConfig": {"thinkingLevel": "high"}}
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "AUTO"}}
    assert asked(gemini, SAID, calling=False)["toolConfig"]["functionCallingConfig"]["mode"] == "NONE"
    assert gemini.path("g-4") == "/v1beta/models/g-4:generateContent"
    assert gemini.headers("k") == {"x-goog-api-key": "k"}


def test_gemini_parts_go_back_as_they_came_and_responses_by_their_ids() -> None:
    found = gemini.contents([SAID, Entry(kind="turn", content=PARTS), Entry(kind="said", text="and?"), *ANSWERS])
    assert found == [
        {"role": "user", "parts": [{"text": "do it"}]},
        {"role": "model", "parts": PARTS},
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "f1", "name": "ask", "response": {"output": "yes"}}},
                {"functionResponse": {"name": "show", "response": {"error": "no"}}},
            ],
        },
        {"role": "user", "parts": [{"text": "and?"}]},
    ]


@pytest.mark.parametrize(
    ("told", "stop", "kept"),
    [
        ("STOP", "end", 2),
        ("MAX_TOKENS", "cut", 2),
        ("SAFETY", "refused", 2),
        ("PROHIBITED_CONTENT", "refused", 2),
        ("MALFORMED_FUNCTION_CALL", "malformed", 0),
        ("UNEXPECTED_TOOL_CALL", "malformed", 0),
        (None, "end", 2),
    ],
)
def test_gemini_stops(told: object, stop: str, kept: int) -> None:
    reply = gemini.reply({"candidates": [{"content": {"parts": PARTS}, "finishReason": told}]})
    assert reply is not None and (reply.stop, len(reply.content)) == (stop, kept)


def test_gemini_reply() -> None:
    usage = {
        "promptTokenCount": 100,
        "cachedContentTokenCount": 40,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 3,
        "toolUsePromptTokenCount": 1,
    }
    parts = [{"text": "hm", "thought": True}, {"text": "a"}, {"text": "b", "thoughtSignature": "z"}, *PARTS]
    reply = gemini.reply({"candidates": [{"content": {"parts": parts}}], "usageMetadata": usage, "modelVersion": "g"})
    assert reply is not None
    assert (reply.text, reply.content, reply.context) == ("ab", parts, 108)
    assert reply.used == Usage(input=61, cached=40, output=8)
    assert [(c.id, c.name, c.arguments) for c in reply.calls] == [("f1", "ask", {"to": "a"}), ("", "show", {})]
    blocked = gemini.reply({"promptFeedback": {"blockReason": "OTHER"}})
    assert blocked is not None and (blocked.stop, blocked.note) == ("refused", "OTHER")
    assert gemini.reply({"usageMetadata": {}}) is None


def gemini_fault(status: int, message: str, *details: dict[str, Any]) -> Fault:
    return gemini.fault(status, {}, {"error": {"message": message, "status": "S", "details": list(details)}})


@pytest.mark.parametrize(
    ("fault", "kind", "wait"),
    [
        (gemini_fault(400, "m"), "request", None),
        (gemini_fault(400, "API key not valid.", {"reason": "API_KEY_INVALID"}), "login", None),
        (
            gemini_fault(400, "The input token count (9) exceeds the maximum number of tokens allowed (8)."),
            "context",
            None,
        ),
        (gemini_fault(402, "m"), "usage", None),
        (gemini_fault(403, "m"), "login", None),
        (gemini_fault(404, "m"), "request", None),
        (gemini_fault(429, "m", {"retryDelay": "22s"}), "rate", 22.0),
        (gemini_fault(429, "m", {"retryDelay": "8.941621227s"}), "rate", 8.941621227),
        (gemini_fault(429, "m", {"violations": [{"quotaId": "GenerateRequestsPerDayPerProject"}]}), "usage", None),
        (gemini_fault(429, "m", {"violations": [{"quotaId": "GenerateRequestsPerMinute"}]}), "rate", None),
        (gemini_fault(500, "m"), "server", None),
        (gemini_fault(503, "m"), "overload", None),
        (gemini.fault(429, {}, [{"error": {"message": "m"}}]), "rate", None),
    ],
)
def test_gemini_faults(fault: Fault, kind: str, wait: object) -> None:
    assert (fault.kind, fault.wait_s) == (kind, wait)


@pytest.mark.parametrize("dialect", [anthropic, gemini])
def test_nothing_a_server_says_breaks_a_dialect(dialect: ModuleType) -> None:
    dice = random.Random(7)
    junk: list[Any] = [None, True, -1, 1.5, "", "x", [], {}, [[]], [{}], {"type": 3}, {"text": 1}, "tool_use"]
    keys = (
        *("content", "candidates", "parts", "functionCall", "type", "usage", "usageMetadata", "error", "details"),
        *("text", "violations", "finishReason", "stop_reason", "promptFeedback", "input", "args", "name", "message"),
    )

    def made(depth: int) -> Any:
        if depth == 0 or dice.random() < 0.2:
            return dice.choice(junk)
        if dice.random() < 0.3:
            return [made(depth - 1) for _ in range(dice.randrange(3))]
        return {dice.choice(keys): made(depth - 1) for _ in range(dice.randrange(5))}

    for _ in range(4000):
        raw = made(5)
        dialect.fault(dice.choice((400, 429, 500)), {"retry-after": "x"}, raw)
        reply = dialect.reply(raw)
        if reply is not None:
            json.dumps(asked(dialect, SAID, Entry(kind="turn", content=reply.content)))


# -- what comes next


def state(*entries: Entry, **more: Any) -> State:
    return State(entries=entries, **more)


TURN = Entry(kind="turn", stop="end")
ANSWER = Entry(kind="answer", text="x")
LAST = Entry(kind="said", note="turns", text="last")
NUDGE = Entry(kind="said", note="nudge", text="go on")


@pytest.mark.parametrize(
    ("now", "kind", "note"),
    [
        (state(SAID), "ask", ""),
        (state(SAID, TURN, text="fine"), "finish", ""),
        (state(SAID, TURN, unanswered=(0,)), "call", ""),
        (state(SAID, TURN, ANSWER, text="fine"), "ask", ""),
        (state(SAID, TURN, ANSWER.replace(over=True)), "finish", ""),
        (state(SAID, TURN, ANSWER.replace(over=True), SAID, began=3), "ask", ""),
        (state(SAID, TURN), "ask", "nudge"),
        (state(SAID, TURN.replace(stop="paused"), text="x"), "ask", "nudge"),
        (state(SAID, TURN, NUDGE, TURN, NUDGE, TURN, NUDGE, TURN), "fail", ""),
        (state(SAID, TURN.replace(stop="cut"), unanswered=(0,)), "decline", ""),
        (state(SAID, TURN.replace(stop="refused"), text="I cannot"), "fail", ""),
        (state(SAID, TURN.replace(stop="full"), text="half"), "finish", "context"),
        (state(SAID, limits=Limits(max_turns=1)), "ask", ""),
        (state(SAID, TURN, ANSWER, turns=1, limits=Limits(max_turns=2)), "ask", "turns"),
        (state(SAID, TURN, ANSWER, LAST, turns=1, limits=Limits(max_turns=2)), "ask", "turns"),
        (state(SAID, TURN, ANSWER, LAST, TURN, turns=2, limits=Limits(max_turns=2)), "finish", "turns"),
        (state(SAID, TURN, ANSWER, LAST, TURN, unanswered=(0,), turns=2), "decline", ""),
        (state(SAID, TURN, ANSWER, LAST, TURN, ANSWER, turns=2, limits=Limits(max_turns=2)), "finish", "turns"),
        (state(SAID, TURN, ANSWER, turns=2, limits=Limits(max_turns=2)), "finish", "turns"),
        (state(SAID, TURN, ANSWER, turns=1, context=99, limits=Limits(max_context_tokens=100)), "ask", ""),
        (state(SAID, TURN, ANSWER, turns=1, context=100, limits=Limits(max_context_tokens=100)), "ask", "context"),
        (state(SAID, TURN, ANSWER, turns=1, context=None, limits=Limits(max_context_tokens=100)), "ask", ""),
        (state(SAID, TURN, ANSWER, turns=1, cost=1.0, limits=Limits(max_cost_usd=1.0)), "finish", "budget"),
        (state(SAID, TURN, ANSWER, turns=1, cost=None, limits=Limits(max_cost_usd=1.0)), "ask", ""),
        (state(SAID, TURN, unanswered=(0,), turns=1, cost=1.0, limits=Limits(max_cost_usd=1.0)), "decline", ""),
        (state(SAID, LAST, SAID, began=2, limits=Limits(max_turns=5)), "ask", ""),
    ],
)
def test_next_move(now: State, kind: str, note: str) -> None:
    move = next_move(now)
    assert (move.kind, move.note) == (kind, note)
    assert move.calling == (note not in ("turns", "context") or kind != deciding.ASK)


@pytest.mark.parametrize(
    ("attempt", "fault", "least", "most"),
    [
        (1, Fault(kind="overload"), 0.5, 1.0),
        (4, Fault(kind="server"), 4.0, 8.0),
        (7, Fault(kind="connection"), 30.0, 60.0),
        (1, Fault(kind="rate", wait_s=30.0), 30.0, 33.0),
        (1, Fault(kind="rate", wait_s=0.0), 0.5, 1.0),
    ],
)
def test_waits(attempt: int, fault: Fault, least: float, most: float) -> None:
    waits = [patience.wait_before(attempt, fault, chance) for chance in (0.0, 0.5, 1.0)]
    assert all(w is not None and least <= w <= most for w in waits)
    assert len(set(waits)) == 3


@pytest.mark.parametrize(
    ("attempt", "fault"),
    [
        (8, Fault(kind="overload")),
        (1, Fault(kind="login")),
        (1, Fault(kind="usage")),
        (1, Fault(kind="request")),
        (1, Fault(kind="context")),
        (1, Fault(kind="rate", wait_s=121.0)),
    ],
)
def test_what_is_not_waited_for(attempt: int, fault: Fault) -> None:
    assert patience.wait_before(attempt, fault, 0.5) is None


def test_a_retry_after() -> None:
    told = [patience.told(word) for word in ("7", "0.5", "-1", "nan", "Wed, 21 Oct 2026 07:28:00 GMT", "", "1e99")]
    assert told == [7.0, 0.5, None, None, None, None, None]


# -- keys and addresses


def test_a_dotenv() -> None:
    words = (
        '# KEY=no\nA=plain\n export B = \'single # x\' # note\nC="dou\\"ble"\nD=a b # c\nE=a#b\n'
        "F=\n1G=no\nnothing\nH=  spaced  \nI='open\n\xffJ=x"
    )
    assert credentials.parsed(words) == {
        "A": "plain",
        "B": "single # x",
        "C": 'dou"ble',
        "D": "a b",
        "E": "a#b",
        "F": "",
        "H": "spaced",
        "I": "'open",
    }


def test_a_key_is_of_the_environment_then_of_the_file(tmp_path: Path) -> None:
    home = store.create_home(str(tmp_path / "h"))
    with pytest.raises(AgentctlError, match="no API key: ONE or TWO is not set") as caught:
        credentials.key(("ONE", "TWO"), {"ONE": " "}, home)
    assert caught.value.hint == "set it, or write ONE=… into %s" % home.dotenv
    path = Path(home.dotenv)
    path.write_text("TWO=of-the-file\n")
    path.chmod(0o600)
    assert credentials.key(("ONE", "TWO"), {}, home) == "of-the-file"
    assert credentials.key(("ONE", "TWO"), {"TWO": "of-the-env\n"}, home) == "of-the-env"
    path.chmod(0o604)
    assert credentials.key(("ONE", "TWO"), {"TWO": "of-the-env"}, home) == "of-the-env"
    with pytest.raises(AgentctlError, match="may be read by others"):
        credentials.key(("ONE", "TWO"), {}, home)
    with pytest.raises(AgentctlError, match="cannot be an API key") as caught:
        credentials.key(("ONE",), {"ONE": "secret\nX-Evil: 1"}, home)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("https://api.anthropic.com", ""),
        ("https://gateway.example.org:8443/anthropic", ""),
        ("http://127.0.0.1:80", ""),
        ("http://127.8.8.8", ""),
        ("http://[::1]:80", ""),
        ("http://localhost:1234/x", ""),
        ("http://api.anthropic.com", "https:// only"),
        ("http://127.0.0.1.example.org", "https:// only"),
        ("http://localhost.example.org", "https:// only"),
        ("http://127.0.0.1@example.org", "more than a host"),
        ("https://k@example.org", "more than a host"),
        ("https://example.org/?x=1", "more than a host"),
        ("ftp://example.org", "of the form"),
        ("example.org", "of the form"),
        ("https://", "of the form"),
        ("https://example.org:99999", "no address"),
        ("https://exa mple.org", "characters"),
    ],
)
def test_where_a_key_may_go(url: str, wrong: str) -> None:
    said = apidoor.wrong_with(url)
    assert wrong in said and bool(wrong) == bool(said)


# -- lines


def test_entries_are_lines_and_lines_are_entries() -> None:
    made = [SAID, Entry(kind="turn", content=USE, stop="cut", note="max_tokens"), *ANSWERS]
    raw = b"".join(json.dumps(journal.line_of(e)).encode() + b"\n" for e in made)
    mixed = b'junk\n{"kind": "message", "text": "x"}\n{"kind": "turn"}\n' + raw + raw[:40]
    assert journal.entries(mixed) == made


def test_what_a_run_has_come_to() -> None:
    said = [journal.event("usage", "", scope="turn", turns=1, cost=cost) for cost in (None, 0.5, 0.25)]
    full = [journal.event("usage", "", scope="message", context_tokens=n) for n in (7, 9)]
    lines = [journal.line_of(SAID), journal.line_of(TURN), *said, *full]
    raw = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    assert journal.begun(raw + raw[:30]) == journal.Begun(entries=(SAID, TURN), cost=0.75, context=9)
    assert journal.begun(b"junk\n") == journal.Begun()


@pytest.mark.parametrize("adapter", [anthropic_adapter, gemini_adapter])
def test_what_the_adapters_make_of_a_spec_and_of_lines(adapter: ModuleType) -> None:
    spec = Spec(backend="anthropic", goal="g", argv=("python", "_converse"), session_id="s-1")
    assert adapter.refuse(spec) == ""
    assert adapter.refuse(spec.replace(goal="")) == "the backend anthropic serves as a goal's orchestrator only"
    for bad in ({"model": "a/b"}, {"model": "a?key=1"}, {"effort": "x y"}, {"session_id": "--x"}):
        assert adapter.refuse(spec.replace(**bad))
    command = adapter.command(spec, RunFiles(input="/r/input.md"))
    assert (command.argv, command.stdin, command.env) == (("python", "_converse"), "/r/input.md", ())
    for entry in (SAID, TURN, ANSWER):
        assert adapter.parse(json.dumps(journal.line_of(entry)).encode()) == []
    (made,) = adapter.parse(json.dumps(journal.event("limit", "late", reason="usage")).encode())
    assert (made.kind, made.text, made.data) == ("limit", "late", {"reason": "usage"})
    for junk in (b"", b"\xff", b"[]", b'{"kind": []}', b'{"kind": "step"}', b'{"kind": "news"}'):
        assert [e.kind for e in adapter.parse(junk)] == ["other"]
    assert [e.kind for e in events.parse(b'{"kind": "news"}')] == ["news"]
