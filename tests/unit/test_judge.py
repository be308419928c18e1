from __future__ import annotations

import pytest

from agentctl import doubts
from agentctl import judge
from agentctl.judge import Ended
from agentctl.model import Event
from agentctl.model import Git
from agentctl.model import Result
from agentctl.model import Spec
from agentctl.progress import Progress
from agentctl.progress import fold

GOOD = {"goal_met": True, "summary": "made it so", "followup_prompt": "", "notes": ""}
CLAUDE, SHELL = Spec(id="r", backend="claude"), Spec(id="r", backend="shell")
OK = Event(kind="report", data={"ok": True, "report": GOOD})


def told(*events: Event) -> Progress:
    return fold(events)


def result(ended: Ended, progress: Progress, report: object = GOOD, spec: Spec = CLAUDE) -> Result:
    return judge.judge(spec, progress, ended, report, "" if report else "none")  # type: ignore[arg-type]


def test_success_needs_a_good_end_and_a_report() -> None:
    done = result(Ended(exit_code=0), told(OK))
    assert (done.status, done.goal_met, done.summary, done.error) == ("finished", True, "made it so", "")


@pytest.mark.parametrize(
    ("ended", "events", "report", "status"),
    [
        (Ended(exit_code=1), [OK], GOOD, "failed"),
        (Ended(signal=9), [OK], GOOD, "failed"),
        (Ended(exit_code=0), [Event(kind="report", data={"ok": False, "report": GOOD})], GOOD, "failed"),
        (Ended(exit_code=0), [OK, Event(kind="error", text="broke", data={"fatal": True})], GOOD, "failed"),
        (Ended(exit_code=0), [OK], None, "failed"),
        (Ended(cause=judge.STOP, exit_code=0), [OK], GOOD, "stopped"),
        (Ended(cause=judge.TIMEOUT, signal=15), [OK], GOOD, "timed_out"),
        (Ended(cause=judge.IDLE, signal=15), [OK], GOOD, "timed_out"),
        (Ended(cause=judge.LIMIT, signal=15), [OK], GOOD, "failed"),
    ],
    ids=["exit code", "signal", "vendor says error", "fatal", "no report", "stopped", "timeout", "idle", "limit"],
)
def test_no_claim_is_believed_of_a_bad_end(ended: Ended, events: list[Event], report: object, status: str) -> None:
    """No false success: a crash, a timeout, a stop, an error or a missing report leave goal_met unknown."""
    seen = result(ended, told(*events), report)
    assert (seen.status, seen.goal_met) == (status, None)
    if status == "failed" and ended.cause == judge.OWN:
        assert seen.error


def test_a_worker_that_reported_and_lingers_has_finished() -> None:
    assert result(Ended(cause=judge.LINGERED, signal=15), told(OK)).status == "finished"


@pytest.mark.parametrize(
    ("ended", "status", "met"),
    [
        (Ended(exit_code=0), "finished", True),
        (Ended(exit_code=3), "finished", False),
        (Ended(signal=11), "failed", None),
        (Ended(cause=judge.STOP, exit_code=0), "stopped", None),
        (Ended(cause=judge.LIMIT, exit_code=127, error="cannot start x"), "failed", None),
    ],
)
def test_the_exit_code_of_a_command_is_its_claim(ended: Ended, status: str, met: object) -> None:
    seen = result(ended, told(Event(kind="message", text="last", data={"line": True})), None, SHELL)
    assert (seen.status, seen.goal_met) == (status, met)
    assert seen.summary == ("last" if status == "finished" else "")


@pytest.mark.parametrize(("status", "code", "sign"), [(0, 0, None), (256, 1, None), (9, None, 9), (0x8B, None, 11)])
def test_a_wait_status_is_a_code_or_a_signal(status: int, code: object, sign: object) -> None:
    ended = judge.ended_by(status, judge.OWN, "")
    assert (ended.exit_code, ended.signal) == (code, sign)


@pytest.mark.parametrize("summary", sorted(doubts.PLACEHOLDERS))
def test_a_report_that_says_nothing_never_counts_as_verified(summary: str) -> None:
    seen = Result(status="finished", goal_met=True, summary=summary, report=GOOD)
    doubted = seen.replace(warnings=doubts.remarks(CLAUDE, seen, Git()))
    assert judge.checked(doubted, "passed", "").verified == "none"
    assert judge.checked(doubted, "failed", "").verified == "failed"
    stopped = judge.checked(doubted, "passed", "stopped on request")
    assert (stopped.status, stopped.goal_met, stopped.verified) == ("stopped", None, "none")


def test_promised_edits_without_a_change_are_doubted() -> None:
    seen = Result(status="finished", goal_met=True, summary="The bug is fixed now", report=GOOD)
    assert doubts.remarks(CLAUDE, seen, Git(base="abc"))[0].startswith(judge.DEGENERATE)
    assert doubts.remarks(CLAUDE, seen, Git(base="abc", files=("a",))) == ()
    assert doubts.remarks(CLAUDE, seen.replace(tool_calls={"Bash": 1}), Git(base="abc")) == ()


@pytest.mark.parametrize(
    ("status", "met", "verified", "code"),
    [
        ("finished", True, "none", 0),
        ("finished", None, "none", 0),
        ("finished", False, "none", 3),
        ("finished", True, "failed", 3),
        ("failed", None, "none", 4),
        ("lost", None, "none", 4),
        ("stopped", None, "none", 4),
        ("nonsense", True, "passed", 4),
    ],
)
def test_the_verdict_of_wait(status: str, met: object, verified: str, code: int) -> None:
    one = Result(status=status, goal_met=met, verified=verified)  # type: ignore[arg-type]
    assert judge.exit_code([one]) == code
    assert judge.exit_code([one, Result(status="finished", goal_met=True)]) == code
    assert judge.exit_code([]) == 0


def test_a_headline_has_no_control_characters_of_a_worker() -> None:
    line = judge.headline(Result(status="failed", error="a\x1b[31m\nb\u202e"))
    assert line == "failed · a[31m b"
