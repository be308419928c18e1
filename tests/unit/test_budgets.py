"""Budgets: sums, what is left, a day's; and that no run is ever more than one turn over."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any
from typing import Optional

import pytest

from agentctl import budgets
from agentctl import judge
from agentctl import store
from agentctl import watch
from agentctl.config import Config
from agentctl.errors import AgentctlError
from agentctl.model import Event
from agentctl.model import Limits
from agentctl.model import Usage
from agentctl.progress import Progress
from agentctl.store import Run

NOON = time.mktime((2026, 2, 15, 12, 0, 0, 0, 0, -1))


@pytest.fixture
def home(tmp_path: Path) -> store.Home:
    return store.create_home(str(tmp_path / "home"))


def run_at(home: store.Home, at: float, ended: bool = True, **used: Any) -> Run:
    """A run that began at a moment, and what it used."""
    run = Run(home, store.new_id(at))
    folder = Path(home.runs, run.id)
    folder.mkdir()
    said = {"usage": Usage(**used).to_json()}
    (folder / ("result.json" if ended else "status.json")).write_text(json.dumps(said))
    with open(home.journal, "a", encoding="ascii") as journal:
        journal.write("%s\tp\n" % run.id)
    return run


def test_what_runs_used_adds_up(home: store.Home) -> None:
    runs = [
        run_at(home, NOON, input=10, output=1, turns=2, cost_usd=0.5),
        run_at(home, NOON + 1, ended=False, input=5, turns=1, virtual_usd=0.25),
        run_at(home, NOON + 2),
    ]
    used = budgets.spent(runs)
    assert (used.tokens, used.turns, used.cost_usd, used.virtual_usd) == (16, 3, 0.5, 0.25)
    assert budgets.spent([]) == budgets.counted([]) == Usage()
    assert (budgets.counted(runs).money, budgets.counted(runs[2:]).money) == (0.75, None)


def test_a_billed_cent_hides_nothing_that_a_subscription_covered(home: store.Home) -> None:
    limits = Limits(max_cost_usd=3.0)
    runs = [run_at(home, NOON, virtual_usd=2.0), run_at(home, NOON + 1, cost_usd=0.01, virtual_usd=9.0)]
    assert budgets.exhausted(limits, budgets.counted(runs)) == ""
    assert budgets.left(limits, budgets.counted(runs)).max_cost_usd == pytest.approx(0.99)
    day = budgets.Day(home, limits, NOON)
    assert day.over(Usage(), NOON) == "" and day.over(Usage(virtual_usd=1.0), NOON) != ""
    own = run_at(home, NOON + 2, ended=False, virtual_usd=1.0)
    assert budgets.exhausted(limits, budgets.counted([*runs, own])) == "the budget of $3.00 is spent: $3.01"
    assert budgets.Day(home, limits, NOON).over(Usage(cost_usd=0.01), NOON) != ""


@pytest.mark.parametrize(
    ("limits", "used", "words"),
    [
        (Limits(), Usage(turns=9, cost_usd=9.0), ""),
        (Limits(max_turns=3), Usage(turns=2), ""),
        (Limits(max_turns=3), Usage(turns=3), "the budget of 3 turns is spent: 3 turns"),
        (Limits(max_cost_usd=2.0), Usage(cost_usd=2.5), "the budget of $2.00 is spent: $2.50"),
        (Limits(max_cost_usd=2.0), Usage(virtual_usd=2.5), "the budget of $2.00 is spent: $2.50"),
        (Limits(max_cost_usd=2.0), Usage(turns=99), ""),
        (Limits(max_tokens=10), Usage(input=8, output=2), "the budget of 10 tokens is spent: 10 tokens"),
    ],
)
def test_a_spent_budget_is_said(limits: Limits, used: Usage, words: str) -> None:
    assert budgets.exhausted(limits, used) == words


def test_what_is_left_becomes_the_next_runs_limits() -> None:
    limits = Limits(max_turns=10, max_cost_usd=2.0, max_tokens=100, timeout_s=60.0)
    left = budgets.left(limits, Usage(turns=4, cost_usd=0.5, input=30))
    assert left == Limits(max_turns=6, max_cost_usd=1.5, max_tokens=70, timeout_s=60.0)
    assert budgets.left(limits, Usage()) == limits
    assert budgets.left(Limits(), Usage(turns=4)) == Limits()
    over = budgets.left(limits, Usage(turns=40, cost_usd=5.0, input=300))
    assert (over.max_turns, over.max_cost_usd, over.max_tokens) == (1, 0.01, 1), "0 would be no limit to a vendor"


def test_a_day_is_from_midnight_to_midnight(home: store.Home) -> None:
    midnight = NOON - 12 * 3600
    for at in (midnight - 30, midnight + 30, NOON, midnight + 86400 - 30, midnight + 86400 + 30):
        run_at(home, at, cost_usd=1.0, turns=2)
    limits = Limits(max_cost_usd=3.0)
    assert budgets.Day(home, limits, NOON).over(Usage(), NOON) == "the day's budget of $3.00 is spent: $3.00"
    own = run_at(home, NOON + 5, ended=False, cost_usd=50.0)
    day = budgets.Day(home, Limits(max_cost_usd=3.5), NOON, own.id)
    assert day.over(Usage(cost_usd=0.4), NOON) == ""
    assert day.over(Usage(cost_usd=0.6), NOON) != "", "its own figures are taken at each look"
    run_at(home, NOON + 6, cost_usd=0.3)
    assert day.over(Usage(cost_usd=0.4), NOON + 0.5) == ""
    assert day.over(Usage(cost_usd=0.4), NOON + 2) != "", "those of others once a second"


def test_a_day_has_the_runs_below_an_older_line(home: store.Home) -> None:
    run_at(home, NOON, cost_usd=2.0)
    run_at(home, NOON - 3 * 86400, cost_usd=9.0)
    assert budgets.Day(home, Limits(max_cost_usd=2.0), NOON).over(Usage(), NOON) != ""
    assert budgets.Day(home, Limits(max_cost_usd=2.5), NOON).over(Usage(), NOON) == ""


def test_a_day_without_money_left_refuses(home: store.Home) -> None:
    budgets.check_day(home, Config(day_limits={"turns": 3}))
    run_at(home, time.time(), turns=3)
    with pytest.raises(AgentctlError, match="the day's budget of 3 turns is spent: 3 turns") as raised:
        budgets.check_day(home, Config(day_limits={"turns": 3}))
    assert "day_limits" in raised.value.hint
    budgets.check_day(home, Config(day_limits={"cost_usd": 0.1}))


def stopped_after(dice: random.Random, limits: Limits, told: tuple[str, ...], day: Limits) -> tuple[int, list[Any]]:
    """How many turns a worker with random costs has done when it is stopped, and what they used."""
    progress, turns = Progress(), []
    for number in range(1, 1000):
        used = {"cost": dice.uniform(0, 2), "input": dice.randrange(5000), "output": dice.randrange(500), "turns": 1}
        turns.append(used)
        progress.add(Event(kind="usage", data={"scope": "turn", **{n: v for n, v in used.items() if n in told}}))
        over = budgets.exhausted(day, progress.usage, "the day's")
        why = watch.why_stop(watch.Facts(day_over=over), limits, 15.0, progress)
        if why:
            assert why[0] == judge.LIMIT and why[1].startswith("stopped")
            return number, turns
    raise AssertionError("it was never stopped")


@pytest.mark.parametrize("seed", range(100))
def test_no_more_than_one_turn_over_the_budget(seed: int) -> None:
    dice = random.Random(seed)
    most = {"cost": dice.uniform(0.1, 20), "tokens": dice.randrange(1, 50_000), "turns": dice.randrange(1, 40)}
    by: Optional[str] = dice.choice(list(most))
    kinds = {"cost": "max_cost_usd", "tokens": "max_tokens", "turns": "max_turns"}
    limits = Limits.from_json({kinds[str(by)]: most[str(by)]})
    ours, day = (limits, Limits()) if dice.random() < 0.7 else (Limits(), limits)
    _, turns = stopped_after(dice, ours, ("cost", "input", "output", "turns"), day)

    def spent(some: list[Any]) -> float:
        sums = {n: sum(t[n] for t in some) for n in ("cost", "input", "output", "turns")}
        return float({"cost": sums["cost"], "tokens": sums["input"] + sums["output"], "turns": sums["turns"]}[str(by)])

    assert spent(turns[:-1]) <= most[str(by)] <= spent(turns)


@pytest.mark.parametrize("seed", range(20))
def test_where_no_cost_is_told_the_turn_cap_stops_it(seed: int) -> None:
    dice = random.Random(seed)
    turns = dice.randrange(1, 30)
    done, _ = stopped_after(dice, Limits(max_cost_usd=0.01, max_turns=turns), ("input", "output", "turns"), Limits())
    assert done == turns + 1
