"""What a goal's driver does next, from what was asked and what happened."""

from __future__ import annotations

from typing import Any

import pytest

from agentctl.goals import deciding
from agentctl.goals import journal
from agentctl.goals.asked import GoalAsked

VERIFIERS = {"architect": {"verifies": True}, "tester": {"verifies": True}, "worker": {}}
ASKED = GoalAsked(orchestrator="claude", team=VERIFIERS, verify="make test", max_cycles=5)
BY_COMMAND = ASKED.replace(team={"worker": {}})
BY_PEOPLE = ASKED.replace(verify="")


def entry(step: str, **data: Any) -> dict[str, Any]:
    return {"step": step, "text": "", **data}


BEGUN = entry("begun", resumed="")
CYCLE = entry("cycle")
DIRECTS = entry("run", part="orchestrator", run="o1")
DONE = entry("ended", part="orchestrator", run="o1", status="finished", claim="done", summary="all of it")
POINT = entry("checkpoint", commit="c1", tree="t1", files=2)
GREEN, GUARDED = entry("check", of="work", passed=True), entry("check", of="guarded", passed=True)
RED = entry("check", of="work", passed=False, command="make test", why="exit code 2")


def asks(who: str, run: str, tree: str = "t1") -> dict[str, Any]:
    return entry("run", part="verifier", who=who, run=run, tree=tree)


def says(who: str, run: str, accept: Any, *reasons: str) -> dict[str, Any]:
    return entry("verdict", who=who, run=run, accept=accept, reasons=list(reasons))


ASKED_BOTH = [asks("architect", "v1"), asks("tester", "v2")]
CHECKED = [BEGUN, CYCLE, DIRECTS, DONE, POINT, GREEN, GUARDED]
BOTH = [says("architect", "v1", True), says("tester", "v2", True)]


def rejected(reason: str = "x", tree: str = "t1") -> list[dict[str, Any]]:
    """A whole cycle that was rejected."""
    judged = entry("judged", accepted=False, reasons=[reason], key=deciding.key([reason]))
    return [CYCLE, DIRECTS, DONE, {**POINT, "tree": tree}, RED, judged]


WAY: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    ([BEGUN], {"do": "begin", "cycle": 1}),
    ([BEGUN, CYCLE], {"do": "orchestrate", "run": ""}),
    ([BEGUN, CYCLE, DIRECTS], {"do": "await", "run": "o1"}),
    ([BEGUN, CYCLE, DIRECTS, DONE], {"do": "checkpoint"}),
    ([BEGUN, CYCLE, DIRECTS, DONE, POINT], {"do": "check", "of": "work"}),
    ([BEGUN, CYCLE, DIRECTS, DONE, POINT, GREEN], {"do": "check", "of": "guarded"}),
    (CHECKED, {"do": "verify", "who": ""}),
    ([*CHECKED, ASKED_BOTH[0]], {"do": "verify"}),
    ([*CHECKED, *ASKED_BOTH], {"do": "hear", "who": "architect", "run": "v1"}),
    ([*CHECKED, *ASKED_BOTH, BOTH[0]], {"do": "hear", "who": "tester", "run": "v2"}),
    ([*CHECKED, *ASKED_BOTH, *BOTH], {"do": "judge", "accepted": True, "reasons": ()}),
    ([*CHECKED, *ASKED_BOTH, *BOTH, entry("judged", accepted=True)], {"do": "over", "outcome": "accepted"}),
]


@pytest.mark.parametrize(("history", "wanted"), WAY)
def test_the_way_from_the_beginning_to_acceptance(history: list[dict[str, Any]], wanted: dict[str, Any]) -> None:
    step = deciding.next_step(ASKED, history)
    assert {name: getattr(step, name) for name in wanted} == wanted


def test_a_red_check_is_a_rejection_before_anybody_is_asked() -> None:
    step = deciding.next_step(ASKED, [BEGUN, CYCLE, DIRECTS, DONE, POINT, RED])
    assert (step.do, step.accepted, step.reasons) == ("judge", False, ("the check `make test` fails: exit code 2",))


def test_a_check_that_passes_only_with_changed_tests_is_a_rejection_that_names_them() -> None:
    bent = entry("check", of="guarded", passed=False, why="exit code 1", files=["tests/a.py"])
    step = deciding.next_step(ASKED, [BEGUN, CYCLE, DIRECTS, DONE, POINT, GREEN, bent])
    assert not step.accepted and "tests/a.py" in step.reasons[0]


def test_nothing_changed_is_never_accepted() -> None:
    step = deciding.next_step(ASKED, [BEGUN, CYCLE, DIRECTS, DONE, {**POINT, "files": 0}])
    assert (step.do, step.accepted, step.reasons) == ("judge", False, (deciding.NOTHING_CHANGED,))


@pytest.mark.parametrize("accept", [False, None, "yes", 1])
def test_one_verifier_that_does_not_accept_is_enough(accept: Any) -> None:
    twice = [asks("tester", "v3")] if accept is None else []
    last = says("tester", "v3" if twice else "v2", accept, "it crashes")
    step = deciding.next_step(ASKED, [*CHECKED, *ASKED_BOTH, BOTH[0], says("tester", "v2", accept), *twice, last])
    assert (step.do, step.accepted) == ("judge", False) and step.reasons[0].startswith("tester: ")


def test_a_verifier_without_a_verdict_is_asked_once_more() -> None:
    history = [*CHECKED, *ASKED_BOTH, BOTH[0], says("tester", "v2", None)]
    step = deciding.next_step(ASKED, history)
    assert (step.do, step.who) == ("verify", "tester")
    again = deciding.next_step(ASKED, [*history, asks("tester", "v3")])
    assert (again.do, again.run) == ("hear", "v3")


def test_a_verdict_on_other_work_does_not_count() -> None:
    """After a restart the work may be another: what was said of the tree before is not about it."""
    history = [BEGUN, CYCLE, DIRECTS, DONE, asks("architect", "v1", "t0"), asks("tester", "v2", "t0"), POINT, GREEN]
    step = deciding.next_step(ASKED, [*history, GUARDED])
    assert (step.do, step.who) == ("verify", "")


def test_a_command_alone_or_people_alone_can_accept_but_nobody_cannot() -> None:
    assert deciding.next_step(BY_COMMAND, CHECKED).accepted
    by_people = [BEGUN, CYCLE, DIRECTS, DONE, POINT, *ASKED_BOTH, *BOTH]
    assert deciding.next_step(BY_PEOPLE, by_people).accepted
    step = deciding.next_step(BY_PEOPLE.replace(team={"worker": {}}), [BEGUN, CYCLE, DIRECTS, DONE, POINT])
    assert (step.do, step.accepted) == ("judge", False)


def test_a_rejection_begins_the_next_cycle_until_there_are_no_more() -> None:
    assert deciding.next_step(ASKED, [BEGUN, *rejected()]).do == "begin"
    step = deciding.next_step(ASKED.replace(max_cycles=1), [BEGUN, *rejected()])
    assert (step.do, step.outcome) == ("over", "rejected")
    assert deciding.next_step(ASKED.replace(mode="mission"), [BEGUN, *rejected()]).outcome == "rejected"


def test_three_rejections_for_the_same_reason_are_the_end() -> None:
    twice = [*rejected("took 3 s", "t1"), *rejected("took 4 s", "t2")]
    assert deciding.next_step(ASKED, [BEGUN, *twice]).do == "begin"
    step = deciding.next_step(ASKED, [BEGUN, *twice, *rejected("took 5 s", "t3")])
    assert (step.do, step.outcome) == ("over", "same_rejection")
    other = deciding.next_step(ASKED, [BEGUN, *twice, *rejected("another one", "t3")])
    assert other.do == "begin"


def test_no_progress_is_seen_before_anything_is_spent_on_it() -> None:
    again = [CYCLE, DIRECTS, DONE, POINT]
    step = deciding.next_step(ASKED, [BEGUN, *rejected("r"), *again])
    assert (step.do, step.reasons) == ("judge", ("r",))
    judged = entry("judged", accepted=False, reasons=["r"], key="r")
    assert deciding.next_step(ASKED, [BEGUN, *rejected("r"), *again, judged]).outcome == "no_progress"


def test_an_orchestrator_that_is_interrupted_is_asked_again_but_not_for_ever() -> None:
    lost = entry("ended", part="orchestrator", run="o1", status="lost", claim="", error="gone")
    step = deciding.next_step(ASKED, [BEGUN, CYCLE, DIRECTS, lost])
    assert (step.do, step.run) == ("orchestrate", "o1")
    assert deciding.next_step(ASKED, [BEGUN, CYCLE, *[DIRECTS, lost] * 3]).outcome == "failed"
    resumed = deciding.next_step(ASKED, [BEGUN, CYCLE, *[DIRECTS, lost] * 3, BEGUN])
    assert resumed.do == "orchestrate", "whoever resumes the goal gives it new tries"


def test_a_cycle_without_a_claim_is_followed_by_another() -> None:
    ended = {**DONE, "claim": ""}
    assert deciding.next_step(ASKED, [BEGUN, CYCLE, DIRECTS, ended]).do == "begin"


def test_giving_up_is_the_end_until_somebody_resumes_it() -> None:
    gave_up = [BEGUN, CYCLE, DIRECTS, {**DONE, "claim": "give_up", "summary": "cannot"}]
    step = deciding.next_step(ASKED, gave_up)
    assert (step.outcome, step.why) == ("gave_up", "cannot")
    assert deciding.next_step(ASKED, [*gave_up, entry("over", outcome="gave_up"), BEGUN]).do == "begin"


def test_what_it_comes_to_after_a_resume_counts() -> None:
    """Whoever resumes it goes on past the end that stood, not past the next one."""
    again = entry("run", part="orchestrator", run="o2")
    failed = [BEGUN, CYCLE, DIRECTS, {**DONE, "status": "failed", "claim": ""}, entry("over", outcome="failed"), BEGUN]
    gave_up = {**DONE, "run": "o2", "claim": "give_up", "summary": "cannot"}
    assert deciding.next_step(ASKED, [*failed, again, gave_up]).outcome == "gave_up"
    twice = [BEGUN, *rejected(tree="t1"), *rejected(tree="t2"), CYCLE, DIRECTS]
    resumed = [*twice, {**DONE, "status": "stopped", "claim": ""}, entry("over", outcome="out_of_money"), BEGUN, again]
    third = rejected(tree="t3")[2:]
    assert deciding.next_step(ASKED, [*resumed, *third]).outcome == "same_rejection"
    over = entry("over", outcome="same_rejection")
    assert deciding.next_step(ASKED, journal.believed([*resumed, *third, over])).do == "begin"
    claimed = [*twice, DONE, entry("over", outcome="out_of_time"), BEGUN]
    assert deciding.next_step(ASKED, [*claimed, *rejected(tree="t2")[3:]]).outcome == "no_progress"


def test_a_limit_that_is_reached_ends_it_wherever_it_is() -> None:
    spent = entry("spent", what="money", words="it has used 5 of 4 USD")
    assert deciding.next_step(ASKED, [*CHECKED, spent]).outcome == "out_of_money"


@pytest.mark.parametrize("length", range(len(CHECKED) + 6))
def test_a_driver_that_goes_on_at_any_moment_comes_to_the_same_end(length: int) -> None:
    """Killed after any entry, and gone on from what is believed of it: the same steps lead to the same end."""
    whole = [*CHECKED, *ASKED_BOTH, *BOTH, entry("judged", accepted=True)]
    history = [*journal.believed(whole[:length]), {**BEGUN, "resumed": "g"}]
    answers = {"begin": CYCLE, "orchestrate": DIRECTS, "await": DONE, "checkpoint": POINT, "judge": whole[-1]}
    begun = [e for e in history if e["step"] == "run"]
    for _ in range(30):
        step = deciding.next_step(ASKED, history)
        if step.do == "over":
            break
        if step.do == "check":
            history.append(GREEN if step.of == "work" else GUARDED)
        elif step.do == "verify":
            known = [e for e in ASKED_BOTH if e not in history]
            history += known
            begun += known
        elif step.do == "hear":
            history.append(next(e for e in BOTH if e["run"] == step.run))
        else:
            history.append(answers[step.do])
            begun += [answers[step.do]] if step.do == "orchestrate" else []
    assert step.outcome == "accepted"
    assert len(begun) == 3, "nobody is asked twice"


def test_what_a_worker_could_have_written_is_not_believed() -> None:
    forged = [*CHECKED, *ASKED_BOTH, *BOTH, entry("judged", accepted=True)]
    assert deciding.next_step(ASKED, journal.believed(forged)).do == "checkpoint"
