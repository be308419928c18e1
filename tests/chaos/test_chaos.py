"""A sweep of kills at random moments: every run ends once, truthfully, and leaves nothing.

Seeded, so that a failure comes back: each round's seed is in the message, and
`AGENTCTL_SEED=<seed> AGENTCTL_ROUNDS=1` repeats that round alone. A sweep that was
cut short goes on with the seed after the last one it printed.

    tests/run tests/chaos                        25 rounds
    AGENTCTL_LONG=1 (tests/run long)             200 rounds
    AGENTCTL_ROUNDS=1000 tests/run tests/chaos   as many as you like
"""

from __future__ import annotations

import collections
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any
from typing import Callable

import pytest

from conftest import World
from conftest import eventually

ROUNDS = int(os.environ.get("AGENTCTL_ROUNDS") or ("200" if os.environ.get("AGENTCTL_LONG") else "25"))
FIRST_SEED = int(os.environ.get("AGENTCTL_SEED") or "1")
WORKERS = {
    "quick": ("echo said", True),
    "steady": ("i=0; while [ $i -lt 6 ]; do i=$((i+1)); echo line $i; sleep 0.1; done", True),
    "unmet": ("sleep 0.3; exit 3", False),
    "stubborn": ("trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM HUP; sleep 60' &) ; sleep 0.4; echo done", True),
    "endless": ("trap '' TERM; sleep 300 & sleep 300; sleep 300", None),
}
"""Name: a shell script, and the claim it ends with if nobody disturbs it (None: it does not end)."""
VICTIMS = (
    "runner",
    "worker",
    "pane",
    "sentinel",
    "server",
    "runner and sentinel",
    "runner and worker",
    "stop",
    "nobody",
)
DELAYS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7)


def processes(world: World, run: str) -> list[int]:
    """The runner and the sentinel, which has its command line; the runner first."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"_run" in words and run.encode() in words and str(world.home).encode() in words:
                found.append(int(name))
    return sorted(found, key=started)


def started(pid: int) -> tuple[int, int]:
    """When a process was started, and its number: a parent comes before its fork."""
    try:
        return int(Path("/proc/%d/stat" % pid).read_bytes().rpartition(b")")[2].split()[19]), pid
    except OSError:
        return 0, pid


def kill(pids: list[int], number: int = signal.SIGKILL) -> bool:
    done = False
    for pid in pids:
        try:
            os.kill(pid, number)
            done = True
        except ProcessLookupError:
            pass  # it ended by itself meanwhile
    return done


def strike(world: World, run: str, victim: str) -> bool:
    """Kill the victim; False where it was not there (any more, or yet)."""
    if victim == "nobody":
        return True
    if victim == "stop":
        subprocess.run(["touch", str(world.folder(run) / "stop")], stderr=subprocess.DEVNULL)
        return True
    if victim == "server":
        pid = world.tmux("display-message", "-p", "#{pid}").strip()
        return bool(pid) and kill([int(pid)])
    if victim == "pane":
        pane = world.status(run).get("pane") or newest_pane(world)
        return (
            bool(pane)
            and subprocess.run(["tmux", "-L", world.socket, "kill-pane", "-t", pane], capture_output=True).returncode
            == 0
        )
    if victim == "worker":
        return kill([int(world.status(run).get("worker") or 0) or -1][:1]) if world.status(run).get("worker") else False
    ours = processes(world, run)
    chosen = {"runner": ours[:1], "sentinel": ours[1:], "runner and sentinel": ours, "runner and worker": ours[:1]}[
        victim
    ]
    worker = world.status(run).get("worker")
    if victim == "runner and worker" and worker:
        chosen.append(int(worker))
    return kill(chosen)


def newest_pane(world: World) -> str:
    panes = [
        p
        for p in world.tmux("list-panes", "-s", "-t", "=ai:", "-F", "#{pane_id} #{pane_start_command}").splitlines()
        if "_run" in p
    ]
    return panes[-1].split()[0] if panes else ""


def keep_server(world: World) -> None:
    """Somebody else's pane, so that closing the run's pane is not the end of the server."""
    subprocess.run(
        [
            "tmux",
            "-L",
            world.socket,
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-s",
            "ai",
            "-x",
            "200",
            "-y",
            "50",
            "sleep 3600",
        ],
        env=world.env,
        capture_output=True,
        timeout=20,
    )


def allowed(script: str, victim: str, pane: bool, hit: bool) -> set[tuple[str, Any]]:
    """The ends (status, goal_met) that are true after this was done to this worker."""
    claim = WORKERS[script][1]
    own = {("finished", claim)} if claim is not None else set()
    lost, stopped, failed = ("lost", None), ("stopped", None), ("failed", None)
    if not hit or victim in ("nobody", "sentinel"):
        return own or {stopped}
    ends = {
        "runner": {lost},
        "runner and sentinel": {lost},
        "runner and worker": {lost, failed},
        "worker": {failed},
        "stop": {stopped},
        "pane": {stopped, lost},
        "server": {stopped, lost},
    }[victim]
    return own | ends | ({stopped} if claim is None else set())


def played(world: World, seed: int) -> tuple[str, str, str]:
    """One round: start, strike at a moment, check everything; (script, victim, status)."""
    dice = random.Random(seed)
    script, victim = dice.choice(sorted(WORKERS)), dice.choice(VICTIMS)
    pane = victim in ("pane", "server") or dice.random() < 0.4
    delay = dice.choice(DELAYS) * (0.5 + dice.random())
    tell = "seed %d: %s, %s, pane %s, %.3f s" % (seed, script, victim, pane, delay)
    if pane:
        keep_server(world)
    before = len(world.notes())
    run = world.shell(WORKERS[script][0], *([] if pane else ["--no-pane"]))
    waiters = [world.popen("wait", run) for _ in range(2)]
    time.sleep(delay)
    hit = strike(world, run, victim)
    if WORKERS[script][1] is None and (not hit or victim in ("nobody", "sentinel", "server", "pane")):
        time.sleep(0.3)
        if not (world.folder(run) / "result.json").exists():
            subprocess.run(["touch", str(world.folder(run) / "stop")], stderr=subprocess.DEVNULL)
    answers = []
    shorten_the_grace(world, run)
    for waiter in waiters:
        out, err = waiter.communicate(timeout=45)
        assert b"Traceback" not in err and b"unexpected" not in err, (tell, err)
        answers.append(json.loads(out))
    check(world, run, answers, allowed(script, victim, pane, hit), before, tell)
    return script, victim if hit else victim + " (missed)", str(answers[0]["status"])


def shorten_the_grace(world: World, run: str) -> None:
    """A runner killed before the birth is waited for until the staged run is old: make it old."""
    hidden = world.home / "runs" / ("." + run)
    for _ in range(20):
        if not hidden.exists() or (world.home / "runs" / run).exists():
            return
        if not processes(world, run):
            break
        time.sleep(0.05)
    try:
        os.utime(hidden / "meta.json", (1, 1))
    except FileNotFoundError:
        pass  # it was born, or settled, at this very moment


def check(
    world: World, run: str, answers: list[dict[str, Any]], ends: set[tuple[str, Any]], before: int, tell: str
) -> None:
    """Everything that must hold of an ended run, whatever was done to it."""
    record = json.loads((world.home / "runs" / run / "result.json").read_bytes())
    assert all(a["status"] == record["status"] and a["goal_met"] == record["goal_met"] for a in answers), (
        tell,
        answers,
        record,
    )
    assert (record["status"], record["goal_met"]) in ends, (
        tell,
        record["status"],
        record["goal_met"],
        record["error"],
        world.crash(),
    )
    within(
        lambda: [n["run_id"] for n in world.notes()].count(run) == 1 or world.run("show", run) and False,
        5,
        tell + ": one line",
    )
    assert len(world.notes()) == before + 1, tell
    within(lambda: not world.marked(run), 10, tell + ": no process is left")
    within(lambda: not processes(world, run), 12, tell + ": no runner, no sentinel is left")
    assert not (world.home / "runs" / ("." + run)).exists(), tell
    assert not (world.home / "active" / run).exists(), tell
    assert not (world.home / "runs" / run / "environment").exists(), tell
    assert world.crash() == "", (tell, world.crash())


def within(condition: Callable[[], Any], seconds: float, tell: str) -> None:
    try:
        eventually(condition, seconds, 0.05)
    except AssertionError:
        raise AssertionError(tell) from None


def test_whatever_is_killed_whenever(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """kill -9 of runner, worker, pane, sentinel, server, in pairs and alone, before birth, in mid-run, at the end."""
    world.config(stop_grace_s=0.3)
    seen: collections.Counter[tuple[str, str]] = collections.Counter()
    began = time.monotonic()
    for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
        _, victim, status = played(world, seed)
        seen[victim, status] += 1
        with capsys.disabled():
            if seed % 25 == 0:
                print(
                    "\nchaos: %d rounds to seed %d in %.0f s" % (seed - FIRST_SEED + 1, seed, time.monotonic() - began),
                    end="",
                    flush=True,
                )
    ids = sorted(p.name for p in (world.home / "runs").iterdir())
    assert len(ids) == ROUNDS == len(world.notes()) == len({n["run_id"] for n in world.notes()})
    with capsys.disabled():
        print("\n" + "\n".join("  %-28s %-9s %d" % (*key, n) for key, n in sorted(seen.items())))
