"""`status --watch` in a real tmux pane: what a person sees there, whatever is killed meanwhile, and after ^Z."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.terminal import Terminal
from conftest import PROGRAM
from conftest import World
from conftest import eventually
from conftest import kill


class Seat:
    """A shell in a pane of a tmux server of its own, which nobody kills with that of the runs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.socket = world.socket + "-seat"

    def open(self) -> None:
        size = ("-x", "110", "-y", "20")
        argv = ["tmux", "-u", "-L", self.socket, "-f", os.devnull, "new-session", "-d", *size, "sh"]
        subprocess.run(argv, env=self.world.env, check=True, timeout=20, cwd=self.world.project)
        self.keys("PS1='ready$ '", "Enter")
        eventually(lambda: any(line.rstrip().endswith("ready$") for line in self.picture()), 15, 0.1)

    def tmux(self, *words: str) -> str:
        argv = ["tmux", "-u", "-L", self.socket, *words]
        return subprocess.run(argv, env=self.world.env, capture_output=True, text=True, timeout=20).stdout

    def keys(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def watch(self) -> None:
        self.keys(" ".join(map(shlex.quote, [*PROGRAM, "status", "--watch"])), "Enter")
        self.sees("q leave")

    def picture(self) -> list[str]:
        return self.tmux("capture-pane", "-p").splitlines()

    def line(self, word: str) -> str:
        return next((line for line in self.picture() if word in line), "")

    def sees(self, *words: str) -> None:
        eventually(lambda: all(self.line(word) for word in words), 15, 0.1)

    def sees_of(self, run_id: str, *words: str) -> None:
        """The run's line has these words."""
        eventually(lambda: all(word in self.line(run_id[9:]) for word in words), 15, 0.1)

    def close(self) -> None:
        self.tmux("kill-server")
        (Path(os.environ.get("TMUX_TMPDIR") or "/tmp") / ("tmux-%d" % os.getuid()) / self.socket).unlink(
            missing_ok=True
        )


@pytest.fixture
def seat(world: World) -> Iterator[Seat]:
    made = Seat(world)
    try:
        made.open()
        yield made
    finally:
        made.close()


def test_it_is_right_after_every_kind_of_kill(seat: Seat, world: World) -> None:
    runs = [world.shell("echo here; sleep 60", "--title", "run %d" % n) for n in range(4)]
    workers = [world.working(run_id) for run_id in runs]
    seat.watch()
    seat.sees("4 running, 0 queued, 0 paused")
    for run_id in runs:
        seat.sees_of(run_id, "running", "here")
    os.kill(world.runner_pid(runs[0]), signal.SIGKILL)
    seat.sees_of(runs[0], "! lost", "its runner is gone")
    os.kill(workers[1], signal.SIGKILL)
    seat.sees_of(runs[1], "! failed", "signal 9")
    seat.sees("2 need you; 2 running")
    world.tmux("kill-server")
    eventually(lambda: (world.folder(runs[2]) / "events.jsonl").read_text().count("tmux server is gone"))
    kill([world.runner_pid(runs[2]), workers[2]])
    seat.sees_of(runs[2], "! lost")
    seat.sees_of(runs[3], "running")
    seat.sees("3 need you; 1 running")
    assert runs[3][9:] in seat.picture()[5], "below those that need a person"
    seat.keys("q")
    seat.sees("ready$")
    assert any(line.endswith("here") and runs[3][9:] in line for line in seat.picture()), "the last frame stays"
    world.ok("stop", runs[3])


def test_stopped_by_the_terminal_and_going_on(seat: Seat, world: World) -> None:
    run_id = world.shell("echo here; sleep 60", "--no-pane", "--title", "the title")
    world.working(run_id)
    seat.keys("set -m", "Enter")
    seat.watch()
    seat.keys("C-z")
    seat.sees("ready$")
    assert not seat.line("q leave"), "the shell has its screen back"
    assert seat.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}").strip() == "0 1"
    seat.keys("echo typed", "Enter")
    seat.sees("ready$ echo typed")
    seat.keys("fg", "Enter")
    seat.sees("the title", "q leave")
    seat.tmux("resize-window", "-x", "60", "-y", "12")
    eventually(lambda: len(seat.picture()) == 12 and seat.line("j k choose") and seat.line("the title"), 15, 0.1)
    seat.keys("C-c")
    seat.sees("ready$")
    world.ok("stop", run_id)


def test_enter_goes_to_the_pane_within_the_same_server(world: World) -> None:
    run_id = world.shell("echo here; sleep 60", "--title", "the title")
    world.working(run_id)
    pane = world.status(run_id)["pane"]
    line = " ".join(map(shlex.quote, [*PROGRAM, "status", "--watch"]))
    home = "AI_ORCH_HOME=%s" % world.home
    world.tmux("new-session", "-d", "-s", "mine", "-x", "110", "-y", "20", "-e", home, line)
    eventually(lambda: "the title" in world.tmux("capture-pane", "-p", "-t", "mine:"), 15, 0.1)
    world.tmux("select-pane", "-t", pane)
    argv = ["tmux", "-u", "-L", world.socket, "attach-session", "-t", "mine"]
    client = Terminal(argv, world.env)
    eventually(lambda: world.tmux("list-clients", "-F", "#{session_name}").split() == ["mine"])
    world.tmux("send-keys", "-t", "mine:", "Enter")
    session = world.tmux("display-message", "-p", "-t", pane, "#{session_name}").strip()
    eventually(lambda: world.tmux("list-clients", "-F", "#{session_name}").split() == [session])
    eventually(lambda: "q leave" in world.tmux("capture-pane", "-p", "-t", "mine:"), 15, 0.1)
    world.tmux("detach-client", "-s", session)
    client.end()
    world.ok("stop", run_id)
