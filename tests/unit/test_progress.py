from __future__ import annotations

import json

import pytest

from agentctl import progress
from agentctl import reports
from agentctl.model import Event
from agentctl.model import Spec
from agentctl.model import Usage

SCHEMA = {"type": "object", "properties": {"goal_met": {"type": "boolean"}, "summary": {"type": "string"}}}


def event(kind: str, words: str = "", **data: object) -> Event:
    return Event(kind=kind, text=words, data=data)


def test_nothing_is_known_of_nothing() -> None:
    p = progress.fold([])
    assert p.usage == Usage() and p.turns is None and p.ok is None and not p.reported
    assert reports.report_of(p, SCHEMA) == (None, "no report: the last message holds no JSON object")


def test_one_response_counts_once() -> None:
    told = [event("usage", scope="message", id=i, input=10, context_tokens=n) for n, i in enumerate("aabba", 1)]
    p = progress.fold(told)
    assert (p.usage.input, p.usage.output, p.turns, p.context_tokens) == (20, None, 2, 5)


def test_the_vendors_total_wins_over_the_sum() -> None:
    p = progress.fold(
        [event("usage", scope="message", id="a", input=10), event("usage", scope="run", input=17, turns=3)]
    )
    assert (p.usage.input, p.usage.turns) == (17, 3)


def test_a_total_that_leaves_a_response_out_is_mended() -> None:
    told = [event("usage", scope="message", id=i, input=10, cached=2) for i in "ab"]
    some = progress.fold([*told, event("usage", scope="run", input=10, cached=2, output=5, cost=0.5)])
    assert some.usage == Usage(input=20, cached=4, output=5, turns=2, cost_usd=0.5)
    none = progress.fold([*told, event("usage", scope="run", input=0, cached=0, output=0, cost=0)])
    assert none.usage == Usage(input=20, cached=4, turns=2), "nothing is no figure where something was told"
    free = progress.fold([event("usage", scope="run", input=0, cached=0, output=0, cost=0)])
    assert (free.usage.input, free.usage.output, free.usage.cost_usd) == (0, 0, 0.0)


def test_turns_of_one_run_add_up() -> None:
    p = progress.fold([event("usage", scope="turn", input=n, output=1) for n in (10, 20)])
    assert (p.usage.input, p.usage.cached, p.usage.output) == (30, None, 2)


def test_what_the_worker_said_is_counted() -> None:
    said = [event("message", "mine"), event("message", "a subagent's", parent="toolu_1"), event("message", "mine")]
    assert progress.fold(said).messages == 2
    assert progress.fold([event("session", session_id="s")]).messages == 0
    assert progress.fold([event("message", "a line", line=True)]).messages is None
    assert progress.fold([]).messages is None, "nothing was begun"


@pytest.mark.parametrize(
    "before, resumed, grown",
    [(Usage(), False, 100), (Usage(input=60), True, 40), (Usage(input=60), False, 40), (Usage(), True, None)],
)
def test_a_cumulative_figure(before: Usage, resumed: bool, grown: object) -> None:
    p = progress.fold([event("usage", scope="session", input=100)], before, resumed)
    assert p.usage.input == grown and p.usage_session.input == 100


def test_a_spec_knows_what_was_used_before() -> None:
    p = progress.of_spec(Spec(resume=True, usage_before=Usage(input=60)))
    p.add(event("usage", scope="session", input=100))
    assert p.usage.input == 40


@pytest.mark.parametrize("billing, cost, virtual", [("api", 2.0, None), ("", 2.0, None), ("subscription", None, 2.0)])
def test_cost_is_billed_or_covered(billing: str, cost: object, virtual: object) -> None:
    p = progress.fold([event("session", billing=billing), event("usage", scope="run", cost=2.0)])
    assert (p.usage.cost_usd, p.usage.virtual_usd) == (cost, virtual)


def test_a_subagents_words_are_not_the_workers() -> None:
    p = progress.fold([event("message", "mine"), event("message", '{"goal_met": true}', parent="toolu_1")])
    assert p.last_message == "mine" and reports.report_of(p, SCHEMA)[0] is None


def test_no_price_is_unknown_not_nothing() -> None:
    assert progress.fold([event("usage", scope="run", input=1)]).usage.cost_usd is None


def test_memory_is_flat() -> None:
    p = progress.Progress()
    for n in range(20_000):
        p.add(event("file_write", path="/f%d" % n))
        p.add(event("denied", name="t%d" % n))
        p.add(event("tool_call", name="t%d" % n))
        p.add(event("message", "l%d" % n, line=True))
        p.add(event("usage", scope="message", id=str(n), input=1))
    assert (len(p.files_written), len(p.denied)) == (progress.MOST_FILES, progress.MOST_DENIED)
    assert sum(p.tool_calls.values()) == 20_000 and len(p.tool_calls) == progress.MOST_TOOLS + 1
    assert p.tail[-1] == "l19999" and len(p.tail) == progress.MOST_TAIL and p.usage.input == 20_000
    assert len(json.dumps(p.snapshot())) < 10_000


def test_files_are_told_once_in_order() -> None:
    p = progress.fold(event("file_read", path=path) for path in ("b", "a", "b", ""))
    assert p.files_read == ["b", "a"]


def test_a_later_turn_without_an_object_keeps_the_report() -> None:
    p = progress.fold([event("report", ok=True, report={"goal_met": True}), event("report", "x", ok=False, reason="r")])
    assert p.report == {"goal_met": True} and (p.ok, p.reason) == (False, "r")


def test_success_takes_back_what_was_fatal() -> None:
    p = progress.fold([event("error", "e", fatal=True), event("report", ok=True)])
    assert (p.fatal, p.error) == ("", "e")


def test_doing() -> None:
    p = progress.Progress()
    for given, said in (
        (event("tool_call", "ls  -la\nx", name="Bash"), "Bash: ls -la x"),
        (event("thinking"), "thinking"),
        (event("message", "I  will\nwrite"), "I will write"),
        (event("report", ok=True), ""),
    ):
        p.add(given)
        assert p.doing == said


def test_data_of_another_type_is_left_out() -> None:
    bad = {"scope": "run", "input": "9", "cost": "free", "session_id": 4, "path": [], "name": {}, "report": [], "ok": 1}
    kinds = ("session", "usage", "file_write", "denied", "report")
    p = progress.fold(Event(kind=kind, data=dict(bad)) for kind in kinds)
    assert p.usage.input is None and p.ok is False and p.report is None and not p.files_written


@pytest.mark.parametrize("goal, claimed", [(True, True), (False, False)])
def test_a_claim_is_true_or_false(goal: bool, claimed: object) -> None:
    found, problem = reports.report_of(progress.fold([event("report", ok=True, report={"goal_met": goal})]), SCHEMA)
    assert not problem and found == {"goal_met": claimed, "summary": "", "followup_prompt": "", "notes": ""}


@pytest.mark.parametrize("goal", ["true", 1, None, [], "yes"])
def test_any_other_claim_is_no_report(goal: object) -> None:
    p = progress.fold([event("report", ok=True, report={"goal_met": goal})])
    found, problem = reports.report_of(p, SCHEMA)
    if goal is None:  # null stands for an optional field left out
        assert found is not None and found["goal_met"] is None
    else:
        assert found is None and "$.goal_met" in problem


def test_fields_are_cut() -> None:
    p = progress.fold([event("report", ok=True, report={"summary": "x" * 9000})])
    found, _ = reports.report_of(p, SCHEMA)
    assert found is not None and len(found["summary"]) == reports.LONGEST_FIELD


def test_a_report_is_found_in_the_lines_of_a_text_stream() -> None:
    lines = ["working", "{", '"goal_met": true,', '"summary": "s"', "}", ""]
    p = progress.fold(event("message", line, line=True) for line in lines)
    assert reports.report_of(p, SCHEMA)[0] is not None


def test_a_users_own_fields_stay() -> None:
    own = {"type": "object", "properties": {"answer": {"type": "integer"}}}
    p = progress.fold([event("report", ok=True, report={"answer": 42})])
    found, _ = reports.report_of(p, own)
    assert found == {"answer": 42, "goal_met": None, "summary": "", "followup_prompt": "", "notes": ""}


def test_what_several_workers_of_a_run_used_adds_up() -> None:
    """Each tells the total of its own process; how the one before it ended counts no longer."""
    usage = Event(kind="usage", data={"scope": "run", "input": 10, "output": 2, "cost": 0.5})
    turns = Event(kind="usage", data={"scope": "turn", "turns": 2})
    limit = Event(kind="limit", text="l", data={"reason": "usage", "reset_at": "3pm"})
    failed = Event(kind="report", data={"ok": False, "reason": "r"})
    fatal = Event(kind="error", text="e", data={"fatal": True})
    first = [Event(kind="started"), usage, turns, limit, fatal, failed]
    folded = progress.fold([*first, Event(kind="started")])
    assert (folded.reported, folded.ok, folded.fatal, folded.limit) == (False, None, "", None)
    folded = progress.fold(
        [*first, Event(kind="started"), usage, usage, turns, Event(kind="report", data={"ok": True})]
    )
    used = folded.usage
    assert (used.input, used.output, used.turns, used.cost_usd) == (20, 4, 4, 1.0)


def test_a_limit_told_twice_keeps_its_end() -> None:
    known = Event(kind="limit", text="k", data={"reason": "usage", "reset_at": 1767222000.0})
    less = Event(kind="limit", text="t", data={"reason": "rate"})
    for told in ([known, less], [less, known]):
        assert progress.fold(told).limit == {"reason": "usage", "reset_at": 1767222000.0, "text": "k"}
    assert (progress.fold([less]).limit or {})["reason"] == "rate"
