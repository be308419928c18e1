"""Where a process may have few files open, or no more threads: what goes on is waited for all the same."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import PROGRAM
from conftest import REPO
from conftest import World
from conftest import eventually
from webbing import Served

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


@pytest.mark.parametrize("hard", [96, 4096])
def test_idle_connections_leave_the_page_its_files(world: World, hard: int) -> None:
    """As many as there are: the one that has waited longest goes."""
    run = world.shell("true", "--no-pane")
    eventually(lambda: (world.folder(run) / "notified").exists(), 20)
    served = Served(world, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (96, hard)))
    idle = []
    try:
        for _ in range(120):
            idle.append(served.connect())
            shown = served.get("/api/runs")["runs"] if len(idle) % 20 == 0 else []
            assert [one["status"] for one in shown] == ["finished"] * len(shown)
        assert shown
    finally:
        for sock in idle:
            sock.close()
        served.process.kill()
        served.process.communicate()


WITHOUT_THREADS = """
import os, resource, sys, _thread
sys.path.insert(0, %r)
from agentctl import attend, config, model, screen, signals, store, story, turns

def no_more_threads():
    _thread.stack_size(1 << 30)  # each would be given more memory than there is
    size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + (256 << 20), resource.RLIM_INFINITY))
    try:
        _thread.start_new_thread(print, ("a thread",))
    except RuntimeError:
        print("none", flush=True)

home = store.Home(%r)
run = store.Run(home, "20260215-143022-ab12")
"""

TURN = """
no_more_threads()
configured, _ = config.load(home)
turn = turns.Turn(run, model.Spec(id=run.id), configured, 1.0)
turn.begin()
print(turn.to_the_end(), flush=True)
"""

ASK = """
os.mkdir(run.file(""))
spec = model.Spec(id=run.id, backend="shell")
told = story.Story(run, spec, screen.Screen(2, {}))
attendant = attend.Attendant(run, spec, config.Config(), told, signals.Alarm(), {}, 0o77, [])

def block():
    no_more_threads()
    _thread.start_new_thread(print, ())

try:
    print(attendant.interruptibly(block))
except RuntimeError as e:
    print(e)
"""


def without_threads(world: World, code: str) -> subprocess.Popen[str]:
    whole = WITHOUT_THREADS % (str(REPO), str(world.home)) + code
    argv = [sys.executable, "-I", "-S", "-c", whole]
    made = subprocess.Popen(argv, env=world.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert made.stdout
    assert made.stdout.readline() == "none\n", made.stdout.read()
    return made


def said(process: subprocess.Popen[str]) -> str:
    """What it has still to say, by the same reader, to its end."""
    with process:
        timer = threading.Timer(30, process.kill)
        timer.start()
        assert process.stdout
        words = process.stdout.read()
        timer.cancel()
    return words


def test_a_slot_is_got_without_a_thread_to_wait_for_it(world: World) -> None:
    world.config(max_parallel=1)
    before = world.shell("while [ ! -e go ]; do sleep 0.05; done", "--no-pane")
    world.working(before)
    turn = without_threads(world, TURN)
    (world.project / "go").touch()
    assert said(turn) == "True\n"


def test_what_a_waiting_thread_meets_ends_the_wait(world: World) -> None:
    assert said(without_threads(world, ASK)) == "can't start new thread\n"
