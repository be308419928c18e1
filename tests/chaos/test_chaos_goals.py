"""A sweep of kill -9 over whole goals: of the driver, the orchestrator, any worker, the tmux server.

Whatever was killed whenever, resuming reaches the same end, nothing that a worker had
finished is done again, and nobody is left. Seeded, as the other sweeps are:
`AGENTCTL_SEED=<seed> AGENTCTL_ROUNDS=1` repeats a round.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

from conftest import World
from conftest import eventually
from conftest import git
from conftest import runners
from goals import Stage

ROUNDS = int(os.environ.get("AGENTCTL_ROUNDS") or ("100" if os.environ.get("AGENTCTL_LONG") else "4"))
FIRST_SEED = int(os.environ.get("AGENTCTL_SEED") or "1")
MOST_RESUMES = 12
CYCLES = [
    [["ask_many", ["worker", "do: sleep 0.2; echo a > a"], ["other", "do: sleep 0.1; echo b > b"]], ["done", "one"]],
    [["ask", "worker", "do: sleep 0.2; echo yes > want"], ["sleep", 0.1], ["done", "two"]],
]
VICTIMS = ("driver", "driver", "orchestrator", "worker", "anybody", "every runner", "model", "tmux server")


def kill(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it ended by itself meanwhile


def at_work(world: World) -> dict[int, str]:
    """The runners, each with its run. A tmux server has the words of the client that began it: it is none."""
    found = {}
    for pid in sorted(runners(str(world.home))):
        try:
            words = Path("/proc/%d/cmdline" % pid).read_bytes().split(b"\0")
        except OSError:
            continue  # it ended between the look and the question
        if b"_run" in words and b"tmux" not in words[0]:
            found[pid] = words[words.index(b"_run") + 2].decode()
    return found


def step_of(world: World, run: str) -> str:
    try:
        spec: dict[str, Any] = json.loads((world.folder(run) / "meta.json").read_text())
    except OSError:
        return ""
    return str(spec["step"])


def strike(world: World, dice: random.Random) -> str:
    """Kill one, or some, of those that are at work now; whom."""
    victim = dice.choice(VICTIMS)
    if victim == "tmux server":
        world.tmux("kill-server")
        return victim
    there = [(pid, step_of(world, run)) for pid, run in at_work(world).items()]
    chosen = {
        "driver": [pid for pid, step in there if step == "goal"],
        "orchestrator": [pid for pid, step in there if step.endswith("orchestrator")],
        "worker": [pid for pid, step in there if step.endswith(("worker", "other"))],
        "every runner": [pid for pid, _ in there],
        "model": [pid for run in running(world) for pid in world.marked(run)],
    }.get(victim, [pid for pid, _ in there])
    if victim in ("anybody", "model") and chosen:
        chosen = [dice.choice(chosen)]
    kill(chosen)
    return victim


def running(world: World) -> list[str]:
    rows = json.loads(world.ok("list", "--running", "--json"))["runs"]
    return [row["run_id"] for row in rows if row["backend"] != "goal"]


def reached(stage: Stage, run: str, dice: random.Random, strikes: int) -> dict[str, Any]:
    """Resume until the goal ends by itself, striking a few times on the way."""
    world = stage.world
    for _ in range(MOST_RESUMES):
        for _ in range(strikes):
            time.sleep(dice.random() * dice.choice((0.5, 2.0, 6.0)))
            strike(world, dice)
            strikes -= 1
        world.result(run, "90")
        known: dict[str, Any] = json.loads(world.ok("goal", "show", run, "--json"))
        if known["outcome"]:
            return known
        run = world.ok("goal", "resume", run)
    raise AssertionError("not reached after %d resumes: %s" % (MOST_RESUMES, known))


def play_round(stage: Stage, seed: int) -> None:
    world, dice = stage.world, random.Random(seed)
    run = stage.set("--verify", "sh check.sh", "--max-cycles", "4")
    known = reached(stage, run, dice, dice.choice((1, 1, 2, 3)))
    assert (known["outcome"], (stage.repo / "want").read_text()) == ("accepted", "yes\n"), (seed, known)
    asked = {call["run"]: call["prompt"] for call in stage.calls() if call["prompt"].startswith("do:")}
    ended = [member["run"] for member in known["members"] if member["status"] == "finished"]
    finished = Counter(asked[run] for run in ended if run in asked)
    assert set(finished.values()) == {1}, (seed, finished)
    assert len(finished) == 3, (seed, finished)
    eventually(lambda: not at_work(world), 20)
    assert json.loads(world.ok("list", "--running", "--json"))["runs"] == [], seed


def test_whatever_is_killed_the_same_end_is_reached(world: World) -> None:
    stage = Stage(world, cycles=CYCLES, cost=0.01)
    for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
        play_round(stage, seed)
        git(stage.repo, "checkout", "-q", ".")
        git(stage.repo, "clean", "-fdq")
        for path in stage.folder.glob("session-*"):
            path.unlink()
        (stage.folder / "calls.jsonl").unlink()
