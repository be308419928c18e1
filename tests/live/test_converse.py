"""The API orchestrators against a model server on loopback: one table of scenarios for both vendors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentctl.conversing import journal
from agentctl.model import Limits

from . import stub_anthropic
from . import stub_gemini
from .converser import KEY
from .converser import Held
from .converser import Tools
from .converser import hold
from .stub_scenarios import Step
from .stub_scenarios import marker
from .stub_server import StubServer
from .stub_turn import Failure

VENDORS = ("anthropic", "gemini")


@pytest.fixture
def api() -> Iterator[StubServer]:
    """A server of the test's own: how often it failed is counted by it."""
    with StubServer() as server:
        yield server


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ask(prompt: str, to: str = "smart") -> dict[str, Any]:
    return {"name": "ask", "input": {"to": to, "prompt": prompt}}


DONE = {"name": "done", "input": {"summary": "all of it is done"}}
CALM = {"text": "The team says: fine."}


def test_several_turns_with_tools(api: StubServer, vendor: str, tmp_path: Path) -> None:
    steps: list[Step] = [{"text": "First I ask.", "tools": [ask("one")]}, {"tools": [ask("two")]}, {"tools": [DONE]}]
    held = hold(api.url, vendor, "lead " + marker(*steps), tmp_path)
    assert held.code == 0
    assert [name for name, _ in held.tools.called] == ["ask", "ask", "done"]
    assert held.report == {
        "goal_met": False,
        "summary": "all of it is done",
        "followup_prompt": "",
        "notes": "Claims are checked by the driver, and none is made here.",
    }
    assert held.lines[0]["kind"] == "session"
    assert held.of("session")[0]["billing"] == "api"
    assert [m["text"] for m in held.of("message")] == ["First I ask."]
    assert [(c["name"], bool(c["id"])) for c in held.of("tool_call")] == [("ask", True), ("ask", True), ("done", True)]
    turns = api.asked("lead", vendor)
    assert [t.ended for t in turns] == ["answered"] * 3
    assert turns[1].fresh()[0][0] == "tool"
    assert "answer to one" in turns[1].fresh()[0][1]
    assert turns[0].tools == ["ask", "show", "done"]
    assert turns[0].instructions == "You lead a team."


def test_a_turn_without_calls_ends_it(api: StubServer, vendor: str, tmp_path: Path) -> None:
    held = hold(api.url, vendor, "lead " + marker({"tools": [ask("x")]}, CALM), tmp_path)
    assert (held.code, held.report["summary"]) == (0, "The team says: fine.")


def test_usage_is_told_turn_by_turn(api: StubServer, vendor: str, tmp_path: Path) -> None:
    used = {"usage": {"input": 700, "cached": 300, "output": 50}}
    price = {"input": 10.0, "cached": 1.0, "output": 100.0}
    held = hold(api.url, vendor, marker({"tools": [ask("x")], **used}, {**CALM, **used}), tmp_path, price=price)
    figures = [u for u in held.of("usage") if u["scope"] == "turn"]
    assert [(u["input"], u["cached"], u["output"], u["turns"]) for u in figures] == [(700, 300, 50, 1)] * 2
    assert all(abs(u["cost"] - 0.0123) < 1e-9 for u in figures)
    assert [u["context_tokens"] for u in held.of("usage") if u["scope"] == "message"] == [1050, 1050]
    unpriced = hold(api.url, vendor, marker(CALM), tmp_path)
    assert all("cost" not in u for u in unpriced.of("usage"))


def test_calls_of_one_answer_work_side_by_side(api: StubServer, vendor: str, tmp_path: Path) -> None:
    calls = [ask("a", "together"), ask("b", "together"), ask("c", "together")]
    held = hold(api.url, vendor, "lead " + marker({"tools": calls}, CALM), tmp_path, Tools(party=3))
    assert held.code == 0
    answers = [text for role, text in api.asked("lead", vendor)[-1].fresh() if role == "tool"]
    assert ["a" in answers[0][-4:], "b" in answers[1][-4:], "c" in answers[2][-4:]] == [True] * 3


def test_a_tools_error_is_an_answer(api: StubServer, vendor: str, tmp_path: Path) -> None:
    calls = [ask("x", "nobody"), {"name": "rm", "input": {}}, {"name": "ask", "input": {"to": "smart", "prompt": "y"}}]
    held = hold(api.url, vendor, "lead " + marker({"tools": calls}, CALM), tmp_path)
    said = [text for role, text in api.asked("lead", vendor)[-1].fresh() if role == "tool"]
    assert "no agent named nobody (ask one of the team)" in said[0]
    assert "there is no tool `rm`; there are: ask, show, done" in said[1]
    assert [a["ok"] for a in sorted(held.of("tool_result"), key=lambda a: str(a["id"]))] == [False, False, True]
    assert held.code == 0


# -- what passes


@pytest.mark.parametrize(
    ("trouble", "status", "least"),
    [
        ({"fail": "rate_limit"}, 429, 1.0),
        ({"fail": "overloaded"}, 0, 0.5),
        ({"fail": "server_error"}, 500, 0.5),
        ({"cut": True}, 0, 0.5),
        ({"raw": '{"content": [tru'}, 200, 0.5),
        ({"raw": "[1, 2]"}, 200, 0.5),
        ({"more": 17 << 20}, 0, 0.5),
    ],
)
def test_trouble_that_passes_is_waited_out(
    api: StubServer, vendor: str, tmp_path: Path, trouble: dict[str, Any], status: int, least: float
) -> None:
    held = hold(api.url, vendor, marker({**CALM, **trouble, "times": 2}), tmp_path)
    assert held.code == 0, held.raw
    assert held.report["summary"] == "The team says: fine."
    retries = held.of("retry")
    assert [(r["attempt"], r["max"]) for r in retries] == [(1, 8), (2, 8)]
    assert retries[0].get("status", 0) in (status, 529 if vendor == "anthropic" else 503)
    assert len(held.naps) == 2
    assert held.naps[0] >= least
    assert held.naps[1] > 0.9


def test_silence_ends_by_our_clock(api: StubServer, vendor: str, tmp_path: Path) -> None:
    held = hold(api.url, vendor, marker({**CALM, "hang": 30.0, "times": 1}), tmp_path, seconds=0.5)
    assert held.code == 0
    assert [r["text"] for r in held.of("retry")] == ["no answer within 0.5 s"]


# -- what does not pass


@pytest.mark.parametrize(
    ("name", "reason", "words", "tries"),
    [
        ("unauthorized", "login", "does not accept the key", 1),
        ("usage_limit", "usage", "has no more to give", 1),
        ("too_long", "context", "finds the conversation too long", 1),
        ("bad_request", "", "refuses the request", 1),
        ("no_model", "", "no-such-model", 1),
        ("overloaded", "overload", "is overloaded", 8),
    ],
)
def test_trouble_that_stays_is_told_in_words(
    api: StubServer, vendor: str, tmp_path: Path, name: str, reason: str, words: str, tries: int
) -> None:
    held = hold(api.url, vendor, "lead " + marker({"fail": name}), tmp_path)
    assert held.code == 1
    (error,) = held.of("error")
    assert error["fatal"] is True
    assert words in error["text"]
    assert [found["reason"] for found in held.of("limit")] == ([reason] if reason else [])
    assert len(api.asked("lead", vendor)) == tries
    assert held.of("report") == []


def test_a_usage_limit_says_when_it_is_over(api: StubServer, tmp_path: Path) -> None:
    held = hold(api.url, "anthropic", marker({"fail": "usage_limit"}), tmp_path)
    assert held.of("limit")[0]["reset_at"] == 4102444800
    late = marker({"fail": "rate_limit", "headers": {"retry-after": "5000"}})
    held = hold(api.url, "anthropic", late, tmp_path)
    assert held.of("limit")[0]["reason"] == "usage"
    assert held.of("limit")[0]["reset_at"] > 5000
    assert held.naps == []


def test_nobody_there(tmp_path: Path, vendor: str) -> None:
    with StubServer() as gone:
        url = gone.url
    held = hold(url, vendor, "x", tmp_path)
    assert held.code == 1
    assert "cannot be reached: no connection: Connection refused" in held.of("error")[0]["text"]
    assert len(held.naps) == 7


def test_the_key_follows_no_redirect(api: StubServer, vendor: str, tmp_path: Path) -> None:
    with StubServer() as elsewhere:
        # urllib by itself follows it with all headers, though not with the body.
        api.plays.append(lambda _: {"fail": "moved"})
        moved = Failure(302, "moved", "go there", headers={"location": elsewhere.url + "/v1/messages"})
        dialect = stub_anthropic if vendor == "anthropic" else stub_gemini
        dialect.FAILURES["moved"] = moved
        try:
            held = hold(api.url, vendor, "x", tmp_path)
        finally:
            del dialect.FAILURES["moved"]
        assert held.code == 1
        assert "it sends elsewhere, which is not followed (302)" in held.of("error")[0]["text"]
        assert (list(elsewhere.turns), list(elsewhere.other)) == ([], [])


def test_the_key_is_in_nothing_that_is_printed(api: StubServer, vendor: str, tmp_path: Path) -> None:
    """Not even where the vendor, or the model, repeats it."""
    held = hold(
        api.url, vendor, marker({"tools": [ask("use %s" % KEY)]}, {"fail": "bad_request", "message": KEY}), tmp_path
    )
    assert held.code == 1
    assert KEY.encode() not in held.raw
    assert b"[key]" in held.raw


# -- limits and odd ends


def test_the_last_turn_is_a_summary(api: StubServer, vendor: str, tmp_path: Path) -> None:
    steps: list[Step] = [{"tools": [ask("one")]}, {"tools": [ask("two")]}, {"text": "Two are asked, one is left."}]
    held = hold(api.url, vendor, "lead " + marker(*steps), tmp_path, limits=Limits(max_turns=3))
    assert held.code == 0
    assert held.report["summary"] == "It used all of its 3 turns. Two are asked, one is left."
    assert held.of("limit")[0]["reason"] == "turns"
    turns = api.asked("lead", vendor)
    assert len(turns) == 3
    assert turns[2].heard("This is your last turn")


def test_calls_in_the_last_turn_are_declined(api: StubServer, vendor: str, tmp_path: Path) -> None:
    held = hold(api.url, vendor, marker({"tools": [ask("x")], "again": True}), tmp_path, limits=Limits(max_turns=2))
    assert (held.code, len(held.tools.called)) == (0, 1)
    assert held.of("answer")[-1]["text"] == "not called: this conversation ends here"
    assert held.report["summary"].startswith("It used all of its 2 turns.")


def test_a_full_context_ends_it_in_order(api: StubServer, vendor: str, tmp_path: Path) -> None:
    steps: list[Step] = [
        {"tools": [ask("one")], "usage": {"input": 900}},
        {"text": "Here I stand.", "usage": {"input": 1100}},
    ]
    held = hold(api.url, vendor, marker(*steps), tmp_path, limits=Limits(max_turns=9, max_context_tokens=800))
    assert held.report["summary"] == "Its context is full: 1110 tokens. Here I stand."
    assert held.of("limit")[0]["reason"] == "context"
    # What would have the runner stop it is told after the report.
    kinds = [line["kind"] for line in held.lines]
    (context,) = [n for n, line in enumerate(held.lines) if "context_tokens" in line["data"]]
    assert context > kinds.index("report")


def test_money_ends_it_after_the_turn_that_spent_it(api: StubServer, vendor: str, tmp_path: Path) -> None:
    price = {"input": 0.0, "output": 1e5}
    step = {"text": "On it.", "tools": [ask("one")], "usage": {"output": 10}, "again": True}
    limits = Limits(max_turns=9, max_cost_usd=1.5)
    held = hold(api.url, vendor, "lead " + marker(step), tmp_path, limits=limits, price=price)
    assert len(api.asked("lead", vendor)) == 2
    assert held.of("limit")[0] == {"text": "it used $2.00 of $1.50", "reason": "budget"}
    assert len(held.tools.called) == 1
    assert sum(u.get("cost", 0) for u in held.of("usage")) == 2.0


@pytest.mark.parametrize(
    ("vendor", "stop", "asked"),
    [
        ("anthropic", "max_tokens", "was too long"),
        ("gemini", "MAX_TOKENS", "was too long"),
        ("gemini", "MALFORMED_FUNCTION_CALL", "could not be read"),
    ],
)
def test_half_an_answer_is_asked_for_again(api: StubServer, vendor: str, tmp_path: Path, stop: str, asked: str) -> None:
    half = {"text": "I will", "stop": stop}
    told = [half, CALM]
    api.plays.append(lambda turn: told.pop(0) if turn.heard("lead") else None)
    held = hold(api.url, vendor, "lead", tmp_path)
    assert held.report["summary"] == "The team says: fine."
    assert api.asked("lead", vendor)[-1].heard(asked)
    stuck = hold(api.url, vendor, "stuck " + marker({**half, "again": True}), tmp_path)
    assert stuck.code == 1
    assert len(api.asked("stuck", vendor)) == 4
    assert "4 times in a row" in stuck.of("error")[0]["text"]


def test_a_cut_call_is_not_made(api: StubServer, vendor: str, tmp_path: Path) -> None:
    stop = {"anthropic": "max_tokens", "gemini": "MAX_TOKENS"}[vendor]
    held = hold(api.url, vendor, marker({"tools": [ask("hal")], "stop": stop}, CALM), tmp_path)
    assert (held.code, held.tools.called) == (0, [])


def test_a_refusal_is_a_failure(api: StubServer, vendor: str, tmp_path: Path) -> None:
    stop = {"anthropic": "refusal", "gemini": "SAFETY"}[vendor]
    held = hold(api.url, vendor, marker({"text": "", "stop": stop}), tmp_path)
    assert held.code == 1
    assert held.of("error")[0]["text"] == "the model refused to answer: %s" % stop


def test_another_schema_is_the_models_own_words(api: StubServer, vendor: str, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"accept": {"type": "boolean"}}, "required": ["accept"]}
    held = hold(api.url, vendor, marker({"report": {"accept": True}}), tmp_path, schema=schema)
    assert held.report == {"accept": True}


# -- going on


def go_on(api: StubServer, vendor: str, held: Held, prompt: str, folder: Path, cut: int = 0) -> Held:
    """The next run of the session, after what is left of the earlier one's lines."""
    left = held.raw[: len(held.raw) - cut] if cut else held.raw
    return hold(api.url, vendor, prompt, folder, earlier=tuple(journal.entries(left)))


def test_a_later_run_goes_on_with_the_conversation(api: StubServer, vendor: str, tmp_path: Path) -> None:
    first = hold(api.url, vendor, "plum " + marker({"tools": [ask("one")]}, {"tools": [DONE]}), tmp_path)
    then = go_on(api, vendor, first, "pear " + marker({"text": "Mended."}), tmp_path)
    assert (then.code, then.report["summary"]) == (0, "Mended.")
    turn = api.asked("pear", vendor)[-1]
    roles = [role for role, _ in turn.said]
    assert roles == ["user", "assistant", "tool", "assistant", "tool", "user"]
    assert turn.heard("plum")
    assert turn.heard("answer to one")


def test_a_run_that_is_started_again_goes_on_where_it_was(api: StubServer, vendor: str, tmp_path: Path) -> None:
    """Its turns count, and what it was told already is not said twice."""
    first = hold(api.url, vendor, "plum " + marker({"tools": [ask("one")]}, {"fail": "usage_limit"}), tmp_path)
    assert (first.code, first.of("limit")[0]["reason"]) == (1, "usage")
    begun = journal.begun(first.raw)
    then = hold(api.url, vendor, "pear " + marker(CALM), tmp_path, begun=begun, limits=Limits(max_turns=2))
    assert (then.code, then.of("limit")[0]["reason"]) == (0, "turns")
    turn = api.asked("pear", vendor)[-1]
    assert turn.heard("plum") and turn.heard("answer to one") and turn.heard("This is your last turn")
    once = hold(api.url, vendor, begun.entries[0].text, tmp_path, begun=begun.replace(entries=begun.entries[:1]))
    assert journal.entries(once.raw)[0].kind == "turn"


def test_any_torn_end_can_be_gone_on_from(api: StubServer, vendor: str, tmp_path: Path) -> None:
    """Wherever the bytes end: what is there is understood, and a call without an answer is made again."""
    steps: list[Step] = [{"text": "a", "tools": [ask("one"), ask("two")]}, {"tools": [ask("three")]}, {"text": "end"}]
    first = hold(api.url, vendor, "plum " + marker(*steps), tmp_path)
    step = max(len(first.raw) // 40, 1)
    for cut in range(1, len(first.raw), step):
        then = go_on(api, vendor, first, "pear " + marker({"text": "Mended."}), tmp_path, cut)
        assert (then.code, then.report["summary"]) == (0, "Mended."), (cut, then.raw)
        known = journal.entries(first.raw[: len(first.raw) - cut])
        called = sum(len(e.content or []) for e in known if e.kind == "turn")
        assert len(then.tools.called) <= called
