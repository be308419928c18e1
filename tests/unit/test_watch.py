from __future__ import annotations

import pytest

from agentctl import judge
from agentctl import watch
from agentctl.model import Event
from agentctl.model import Limits
from agentctl.progress import Progress
from agentctl.progress import fold
from agentctl.watch import Facts

NOTHING = Progress()


def why(facts: Facts, limits: Limits, progress: Progress = NOTHING) -> str:
    answer = watch.why_stop(facts, limits, 15.0, progress)
    return answer[0] if answer else ""


def test_without_limits_nothing_is_stopped() -> None:
    assert why(Facts(now=1e9, started=0, last_output=0, output_bytes=1 << 60), Limits()) == ""


@pytest.mark.parametrize(
    ("facts", "limits", "cause"),
    [
        (Facts(now=10.1), Limits(timeout_s=10), judge.TIMEOUT),
        (Facts(now=9.9), Limits(timeout_s=10), ""),
        (Facts(now=100, last_output=89), Limits(idle_timeout_s=10), judge.IDLE),
        (Facts(now=100, last_output=91), Limits(idle_timeout_s=10), ""),
        (Facts(now=1, output_bytes=101), Limits(max_output_bytes=100), judge.LIMIT),
        (Facts(now=1, output_bytes=100), Limits(max_output_bytes=100), ""),
        (Facts(now=1, stop_asked="please"), Limits(timeout_s=0.5), judge.STOP),
        (Facts(now=40, reported=20, last_output=20), Limits(), judge.LINGERED),
        (Facts(now=40, reported=20, last_output=30), Limits(), ""),
        (Facts(now=40, reported=0.0, last_output=0), Limits(timeout_s=30), judge.LINGERED),
    ],
)
def test_each_limit_has_its_cause_and_its_edge(facts: Facts, limits: Limits, cause: str) -> None:
    assert why(facts, limits) == cause


@pytest.mark.parametrize(
    ("limits", "cause"),
    [
        (Limits(max_turns=2), judge.LIMIT),
        (Limits(max_turns=3), ""),
        (Limits(max_cost_usd=0.4), judge.LIMIT),
        (Limits(max_cost_usd=0.6), ""),
        (Limits(max_context_tokens=900), judge.LIMIT),
        (Limits(max_context_tokens=1100), ""),
    ],
)
def test_budgets_are_held_while_it_works(limits: Limits, cause: str) -> None:
    used = fold([Event(kind="usage", data={"scope": "run", "turns": 3, "cost": 0.5, "context_tokens": 1000})])
    assert why(Facts(now=1), limits, used) == cause
    used.add(Event(kind="report", data={"ok": True}))
    assert why(Facts(now=1, reported=1.0), limits, used) == ""


def test_what_a_subscription_covered_counts_as_cost() -> None:
    used = fold(
        [
            Event(kind="session", data={"billing": "subscription"}),
            Event(kind="usage", data={"scope": "run", "turns": 1, "cost": 0.5}),
        ]
    )
    assert why(Facts(now=1), Limits(max_cost_usd=0.4), used) == judge.LIMIT


def test_unknown_usage_is_within_every_budget() -> None:
    assert why(Facts(now=1), Limits(max_turns=1, max_cost_usd=0.01, max_context_tokens=1)) == ""
