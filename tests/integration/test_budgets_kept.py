"""Budgets of runs and days, with workers that tell a random cost for each turn."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import World
from conftest import eventually

WORKER = r"""
# A model in miniature: each turn takes a while, is noted in a file of its own, and tells what it cost.
import json, os, random, sys, time
dice = random.Random(os.environ["SEED"])
told = os.environ["TOLD"].split(",")
print(json.dumps({"kind": "session", "data": {"session_id": "s-1"}}), flush=True)
for number in range(60):
    time.sleep(dice.uniform(0.6, 1.2))
    used = {"cost": dice.uniform(0.05, 0.6), "input": dice.randrange(2000), "output": dice.randrange(200), "turns": 1}
    with open(os.environ["TURNS"], "a") as log:
        log.write(json.dumps(used) + "\n")
    print(json.dumps({"kind": "usage", "data": {"scope": "turn", **{n: used[n] for n in told}}}), flush=True)
"""
SEEDS = range(100 if os.environ.get("AGENTCTL_LONG") == "1" else 3)
ALL = "cost,input,output,turns"


def described(world: World, **settings: Any) -> None:
    worker = world.root / "worker.py"
    worker.write_text(WORKER)
    argv = [sys.executable, "-IS", str(worker), "{session_id}"]
    mine = {"argv": argv, "stream": "events", "stdin": False}
    world.config(backends={"mine": mine}, profiles={"mine": {"backends": [{"backend": "mine"}]}}, **settings)


def begin(world: World, name: str, *options: str, seed: int = 1, told: str = ALL) -> str:
    env = {"SEED": str(seed), "TOLD": told, "TURNS": str(world.root / name)}
    return world.ok("start", "--profile", "mine", "--no-pane", *options, stdin="do it", env=env)


def turns(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_is_at_most_one_turn_over_its_budget(world: World, seed: int) -> None:
    """By the worker's own account of what it did, which it goes on with until it is stopped."""
    described(world)
    dice = random.Random(seed)
    kind, most = [("cost", dice.uniform(0.3, 1.5)), ("tokens", dice.randrange(500, 5000)), ("turns", 2)][seed % 3]
    run = begin(world, "turns", "--max-" + kind, "%s" % most, seed=seed)
    result = world.result(run)
    done = turns(world.root / "turns")
    spent = {
        "cost": [t["cost"] for t in done],
        "tokens": [t["input"] + t["output"] for t in done],
        "turns": [1] * len(done),
    }
    assert sum(spent[kind][:-1]) <= most <= sum(spent[kind])
    assert (result["status"], result["session_id"]) == ("failed", "s-1"), "it can be resumed"
    assert result["error"].startswith("stopped at ")


def test_where_no_cost_is_told_the_turn_cap_stops_it_and_the_result_says_so(world: World) -> None:
    described(world)
    run = begin(world, "turns", "--max-cost", "0.1", "--max-turns", "2", told="turns")
    result = world.result(run)
    assert (result["status"], result["error"]) == ("failed", "stopped at 2 turns")
    assert len(turns(world.root / "turns")) == 3
    assert "the limit on cost was not watched: mine does not tell it" in result["warnings"]


def test_a_days_budget_stops_what_works_fails_what_waits_and_refuses_what_comes(world: World) -> None:
    described(world, day_limits={"turns": 4})
    works = [begin(world, "turns", seed=n) for n in range(2)]
    waits = begin(world, "none", "--after", world.shell("sleep 8", "--no-pane"))
    results = [world.result(run) for run in works]
    assert {r["status"] for r in results} == {"failed"}
    for result in results:
        assert result["error"].startswith("stopped: the day's budget of 4 turns is spent: ")
    assert 4 <= len(turns(world.root / "turns")) <= 4 + len(works)
    late = world.result(waits)
    assert late["status"] == "failed" and "the day's budget of 4 turns is spent" in late["error"]
    assert turns(world.root / "none") == []
    done = world.run("start", "--profile", "mine", "--no-pane", stdin="x")
    assert (
        done.returncode == 1 and "the day's budget of 4 turns is spent" in done.stderr and "day_limits" in done.stderr
    )
    assert world.result(world.shell("true", "--no-pane"))["status"] == "finished", "a command costs nothing"


@pytest.mark.parametrize("wrong", [5, {"usd": 1}, {"turns": 0}, {"turns": "many"}, {"cost_usd": True}])
def test_a_day_budget_that_makes_no_sense_is_refused(world: World, wrong: Any) -> None:
    described(world, day_limits=wrong)
    done = world.run("start", "--profile", "mine", "--no-pane", stdin="x")
    assert done.returncode == 1 and "`day_limits`" in done.stderr


def test_a_nearly_spent_budget_of_tokens_is_told(world: World) -> None:
    described(world)
    (world.home / "inbox" / "orch-aaaa").mkdir(0o700, parents=True)
    orch = {"AGENTCTL_ORCHESTRATOR": "orch-aaaa", "SEED": "1", "TOLD": ALL, "TURNS": str(world.root / "turns")}
    world.ok("start", "--profile", "mine", "--no-pane", "--max-tokens", "2500", stdin="do it", env=orch)
    env = {"AGENTCTL_ORCHESTRATOR": "orch-aaaa"}
    events = eventually(
        lambda: [e for e in json.loads(world.ok("inbox", "--json", env=env))["events"] if e["kind"] == "budget"],
        20,
        0.1,
    )
    assert "of 2500 tokens" in events[0]["text"]
