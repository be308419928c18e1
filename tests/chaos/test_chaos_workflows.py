"""A sweep of kill -9 over whole workflows: of runners, of who starts them, of who resumes.

Whatever was killed, resuming completes the graph, and no step that had ended well is done
again. Seeded, as the other sweeps are: `AGENTCTL_SEED=<seed> AGENTCTL_ROUNDS=1` repeats a round.
"""

from __future__ import annotations

import json
import os
import random
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

from conftest import PROGRAM
from conftest import World
from conftest import kill
from conftest import runners

ROUNDS = int(os.environ.get("AGENTCTL_ROUNDS") or ("120" if os.environ.get("AGENTCTL_LONG") else "8"))
FIRST_SEED = int(os.environ.get("AGENTCTL_SEED") or "1")
MOST_RESUMES = 8
MINI = """#!/usr/bin/env python3
import json, os, sys, time
prompt, words = sys.stdin.read(), sys.argv[1:]
session = words[words.index("--session") + 1] if "--session" in words else "%08x-0000-4000-8000-%012d" % (
    int.from_bytes(os.urandom(4), "big"), os.getpid())
print(json.dumps({"type": "system", "subtype": "init", "session_id": session, "model": "m", "apiKeySource": "none"}))
sys.stdout.flush()
time.sleep(0.15)
report = {"goal_met": True, "summary": "done", "followup_prompt": "", "notes": ""}
print(json.dumps({"type": "result", "subtype": "success", "is_error": False, "session_id": session, "num_turns": 1,
                  "structured_output": report, "result": "done", "total_cost_usd": 0.5, "usage": {}}))
"""
STEPS = [
    {"id": "a", "prompt": "{{prompt}}"},
    {"id": "b", "prompt": "{{before}}", "after": ["a"]},
    {"id": "c", "command": "sleep 0.15", "after": ["a"]},
    {"id": "d", "prompt": "{{before}}", "after": ["b", "c"]},
    {"id": "e", "command": "sleep 0.05", "after": ["c"]},
]
VICTIMS = ("runner", "runner", "runner", "every runner", "starter")


def prepare(world: World) -> str:
    program = world.root / "mini"
    program.write_text(MINI)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    world.config(
        backends={"mini": {"argv": [str(program), "--session", "{session_id}"], "stdin": True, "stream": "claude"}},
        profiles={"mini": {"backends": [{"backend": "mini"}]}},
        default_profile="mini",
    )
    path = world.root / "diamond.json"
    path.write_text(json.dumps({"steps": STEPS}))
    return str(path)


def struck(world: World, dice: random.Random, words: tuple[str, ...]) -> None:
    """Run a command of agentctl, and kill something at a moment of it or shortly after."""
    delay, victim = dice.random() * dice.choice((0.15, 0.4, 0.9)), dice.choice(VICTIMS)
    process = subprocess.Popen(
        [*PROGRAM, *words], env=world.env, cwd=world.project, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    time.sleep(delay)
    if victim == "starter":
        process.kill()
    else:
        there = sorted(runners(str(world.home)))
        kill(there if victim == "every runner" else dice.sample(there, min(1, len(there))))
    _, err = process.communicate(timeout=60)
    assert b"Traceback" not in err and b"unexpected" not in err, err


def newest(world: World) -> str:
    """The workflow that was started, if its starter came so far as to note it."""
    rows = json.loads(world.ok("workflow", "list", "--started", "--json"))["workflows"]
    return str(rows[0]["workflow"]) if rows else ""


def well(run: dict[str, Any]) -> bool:
    return run["status"] == "finished" and run["goal_met"] is not False


def results(world: World, step: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of each run of a step that was born, the oldest first."""
    there = [run for run in step["runs"] if (Path(world.home) / "runs" / run / "result.json").exists()]
    return [json.loads((Path(world.home) / "runs" / run / "result.json").read_text()) for run in there]


def played(world: World, path: str, seed: int) -> int:
    """One round; how often it was resumed."""
    dice, before = random.Random(seed), newest(world)
    struck(world, dice, ("workflow", "run", path, "do it", "--no-pane"))
    workflow = newest(world)
    if workflow == before:
        return 0  # killed before anything was noted: nothing is left to go on with
    for _ in range(dice.randint(0, 2)):
        struck(world, dice, ("workflow", "resume", workflow))
    for number in range(1, MOST_RESUMES):
        done = world.run("workflow", "resume", workflow, "--wait", "--json", timeout=90)
        assert done.returncode in (0, 4), (seed, done.stderr)
        if done.returncode == 0:
            check(world, json.loads(done.stdout), seed)
            return number
    raise AssertionError("seed %d: not complete after %d resumes: %s" % (seed, MOST_RESUMES, done.stdout))


def check(world: World, shown: dict[str, Any], seed: int) -> None:
    for step in shown["steps"]:
        found = results(world, step)
        assert [well(run) for run in found] == [False] * (len(found) - 1) + [True], (seed, step["step"], found)
    again = world.run("workflow", "resume", shown["workflow"])
    assert again.stdout == "" and "nothing to resume" in again.stderr, (seed, again)


def test_resuming_completes_what_was_killed(world: World) -> None:
    path = prepare(world)
    resumed = [played(world, path, seed) for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS)]
    assert world.crash() == ""
    live = json.loads(world.ok("list", "--running", "--json"))["runs"]
    assert [run for run in live if run["status"] != "queued"] == []
    print("resumes per round: %s" % resumed)
