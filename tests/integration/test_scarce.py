"""Where a process may have few files open: what goes on is waited for all the same."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import PROGRAM
from conftest import World
from conftest import eventually

A = {"AGENTCTL_ORCHESTRATOR": "orch-aaaa"}
MANY, FEW = 300, 256

HOLDER = """
import fcntl, os, shutil, sys
home, source = sys.argv[1:3]
locks = {}
for n in range(int(sys.argv[3])):
    run = "20260215-143022-%04x" % n
    folder = os.path.join(home, "runs", run)
    os.mkdir(folder)
    for name in ("meta.json", "prompt.md"):
        shutil.copy(os.path.join(home, "runs", source, name), folder)
    locks[run] = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(locks[run], fcntl.LOCK_EX)
    open(os.path.join(home, "active", run), "w").close()
print(*locks, flush=True)
for line in sys.stdin:
    os.close(locks[line.strip()])
"""
"""Runs that are at work, as far as their files tell, by one process."""


class Fleet:
    """Many runs of an orchestrator's, of which each can be killed."""

    def __init__(self, world: World) -> None:
        source = world.shell("true", "--no-pane", env=A)
        eventually(lambda: (world.folder(source) / "notified").exists(), 20)
        world.ok("inbox", "--all", env=A)
        argv = [sys.executable, "-I", "-S", "-c", HOLDER, str(world.home), source, str(MANY)]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.ids = self.process.stdout.readline().split()

    def end(self, run_id: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(run_id + "\n")
        self.process.stdin.flush()


@pytest.fixture
def fleet(world: World) -> Iterator[Fleet]:
    (world.home / "inbox" / "orch-aaaa").mkdir(0o700)
    made = Fleet(world)
    yield made
    made.process.kill()
    made.process.communicate()


def limited(world: World, *words: str) -> subprocess.Popen[str]:
    """`agentctl WORDS` of the orchestrator's, where few files may be open unless one asks for more."""

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    return subprocess.Popen(
        [*PROGRAM, *words],
        env={**world.env, **A},
        cwd=world.project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=few,
        text=True,
    )


def test_a_wait_for_more_runs_than_files_may_be_open(world: World, fleet: Fleet) -> None:
    wait = limited(world, "wait", "--timeout", "1s", *fleet.ids)
    out, err = wait.communicate(timeout=60)
    assert (wait.returncode, out) == (124, ""), err


def waits(pid: int) -> int:
    """For how many locks a process waits."""
    known = Path("/proc/locks").read_text().splitlines()
    return sum("-> FLOCK" in line and " %d " % pid in line for line in known)


def test_the_end_of_one_of_many_is_noticed(world: World, fleet: Fleet) -> None:
    sleeper = limited(world, "inbox", "--wait", "--json", "--timeout", "60s")
    eventually(lambda: waits(sleeper.pid) >= MANY, 30, 0.2)
    fleet.end(fleet.ids[-1])
    out, err = sleeper.communicate(timeout=80)
    assert sleeper.returncode == 0, err
    assert [e["run_id"] for e in json.loads(out)["events"]] == [fleet.ids[-1]]
