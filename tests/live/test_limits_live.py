"""Limits of the real CLIs: held, gone on with in the same session, or by the other vendor."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import pytest

from .arrow import Arrow
from .stub_scenarios import GOOD
from .stub_scenarios import marker

pytestmark = pytest.mark.live

VENDORS = ["claude", "codex"]
WORDS = {"usage-limit": "usage limit", "rate-limit": "rate limit", "overloaded": "overload"}


def settings(arrow: Arrow, **more: Any) -> None:
    path = arrow.home / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **more}))


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("answered", [True, False])
def test_a_run_at_its_usage_limit_goes_on_after_the_reset(arrow: Arrow, vendor: str, answered: bool) -> None:
    """In the same session where that got an answer. Codex tells the reset by the minute only: then it is tried."""
    settings(arrow, hold_first_s=1.0)
    name = "held-%s-%s" % (vendor, answered)
    resets = math.ceil(time.time()) + 6
    limited = {"fail": "usage_limit", "times": 1, "counted": name, "resets": resets, **GOOD}
    steps = [{"write": {"hello.txt": "hello\n"}}, limited, GOOD] if answered else [limited, GOOD]
    run = arrow.start("remember %s %s" % (name, marker(*steps)), vendor)
    result = arrow.wait(run)[0]
    assert (result["status"], result["goal_met"]) == ("finished", True)
    turns = arrow.stub.asked(name)
    failed = [turn for turn in turns if turn.status == 429]
    later = [turn for turn in turns if turn.at > failed[-1].at]
    assert failed and later
    if vendor == "claude":
        assert all(turn.at >= resets for turn in later), "no call comes inside the hold"
    assert [turn.session for turn in later] == [result["session_id"]] * len(later)
    if answered:
        assert {turn.session for turn in turns} == {result["session_id"]}
        assert later[0].heard("You were interrupted")
        assert result["usage"]["input"] == 100 * (len(turns) - len(failed)), "the usage of both turns"
    assert json.loads(arrow.agentctl("replay", run, "--json"))["agrees"]


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("scenario", sorted(WORDS))
def test_a_limit_is_told_as_what_it_is(arrow: Arrow, vendor: str, scenario: str) -> None:
    """Where nothing may be waited for, the run fails with the words of its hold."""
    settings(arrow, hold_at_most_s=0.5)
    result = arrow.done("@@stub:%s@@" % scenario, vendor, codes=(4,))
    assert result["status"] == "failed"
    assert "held until" in result["error"] and WORDS[scenario] in result["error"], result["error"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_refused_login_is_told_as_what_it_is(arrow: Arrow, vendor: str) -> None:
    result = arrow.done("@@stub:unauthorized@@", vendor, codes=(4,))
    assert (result["status"], result["limit"]["reason"]) == ("failed", "login")
    assert any("log in again" in warning for warning in result["warnings"])


@pytest.mark.parametrize(("first", "second"), [("claude", "codex"), ("codex", "claude")])
def test_the_other_vendor_finishes_the_same_work(arrow: Arrow, first: str, second: str) -> None:
    """In the same worktree; both sessions stand in the lineage; the result is valid."""
    name = "falls-%s" % first
    api = {"claude": "anthropic", "codex": "openai"}[first]
    steps = marker(
        {"write": {"%s.txt" % first: "half\n"}, "text": "I write"}, {"fail": "usage_limit", "of": api, **GOOD}
    )
    prompt = "remember %s %s" % (name, steps)
    run = arrow.start(prompt, first, "--fallback", second, "--worktree", "--verify", "test -f %s.txt" % first)
    result = arrow.wait(run, codes=(4,))[0]
    child = arrow.wait(result["fell_back_to"])[0]
    assert (child["status"], child["backend"], child["verified"]) == ("finished", second, "passed")
    assert (child["parent"], child["worktree"], child["branch"]) == (run, result["worktree"], result["branch"])
    assert result["session_id"] and child["session_id"] and child["session_id"] != result["session_id"]
    told = arrow.stub.asked(name, {"claude": "anthropic", "codex": "openai"}[second])[0]
    assert told.heard("its vendor stopped it at a limit") and told.heard("half")
