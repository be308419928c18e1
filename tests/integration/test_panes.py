"""What a person does in a worker's pane: keys, copy mode, resizing; the run goes on, or is stopped as asked."""

from __future__ import annotations

import json
import os
import subprocess
import time

import pytest

from conftest import World
from conftest import eventually

COUNTING = "i=0; while [ $i -lt 12 ]; do i=$((i+1)); echo line $i; sleep 0.1; done; echo all printed; exit 1"


@pytest.fixture
def open_world(world: World) -> World:
    """A server that lives on when our pane is gone."""
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
            "120",
            "-y",
            "40",
            "sleep 600",
        ],
        env=world.env,
        check=True,
        timeout=20,
    )
    return world


def pane_of(world: World, run: str) -> str:
    return str(eventually(lambda: world.status(run).get("pane"), 10))


def ended(world: World, run: str, status: str = "finished") -> None:
    result = world.result(run)
    assert result["status"] == status, result
    if status == "finished":
        assert result["summary"].endswith("all printed")


@pytest.mark.parametrize("key", ["C-s", "C-z", "C-d", "C-\\", "C-q", "Enter", "q", "Escape"])
def test_keys_in_the_pane_change_nothing(open_world: World, key: str) -> None:
    """Ctrl-S, Ctrl-Z, Ctrl-D, Ctrl-\\ and typed keys in the pane: the run neither freezes nor ends."""
    world = open_world
    run = world.shell(COUNTING)
    world.working(run)
    pane = pane_of(world, run)
    for _ in range(3):
        world.tmux("send-keys", "-t", pane, key)
        time.sleep(0.05)
    ended(world, run)


def test_ctrl_c_in_the_pane_stops_the_run(open_world: World) -> None:
    """Ctrl-C in the pane: stopped, recorded, all processes gone, no traceback."""
    world = open_world
    run = world.shell("trap '' INT; sleep 300 & sleep 300; wait")
    world.working(run)
    pane = pane_of(world, run)
    world.tmux("send-keys", "-t", pane, "C-c")
    result = world.result(run)
    assert (result["status"], "^C" in result["error"]) == ("stopped", True)
    assert not world.marked(run)
    shown = world.tmux("capture-pane", "-p", "-t", pane)
    assert "Traceback" not in shown and "stopped" in shown
    assert world.crash() == ""


def test_typed_words_are_not_run_when_the_pane_is_done(open_world: World) -> None:
    """Words typed into the pane are read by nobody, also after the run's end."""
    world = open_world
    run = world.shell("sleep 0.5; exit 1")
    world.working(run)
    pane = pane_of(world, run)
    for _ in range(2):
        world.tmux("send-keys", "-t", pane, "touch %s/PWN" % world.root, "Enter")
        world.result(run)
    time.sleep(0.3)
    assert not (world.root / "PWN").exists()


def test_copy_mode_does_not_hold_the_run(open_world: World) -> None:
    """Copy mode: output goes on behind it, and the end is recorded."""
    world = open_world
    run = world.shell(COUNTING)
    world.working(run)
    pane = pane_of(world, run)
    world.tmux("copy-mode", "-t", pane)
    assert world.tmux("display-message", "-p", "-t", pane, "#{pane_in_mode}").strip() == "1"
    ended(world, run)


def test_a_stopped_terminal_does_not_freeze_the_run(open_world: World) -> None:
    """Nobody reads the pane's terminal (the server is stopped): the flood of lines does not block the run."""
    world = open_world
    run = world.shell("sleep 1; seq 1 20000; echo all printed; exit 1")
    world.working(run)
    pid = int(world.tmux("display-message", "-p", "#{pid}"))
    os.kill(pid, 19)
    try:
        ended(world, run)
    finally:
        os.kill(pid, 18)


def test_a_tiny_or_resized_pane_does_not_matter(open_world: World) -> None:
    """A pane of one column, resized all the time: same result."""
    world = open_world
    run = world.shell(COUNTING)
    world.working(run)
    for size in ("2", "100", "1", "80", "10"):
        world.tmux("resize-window", "-t", pane_of(world, run), "-x", size, "-y", size)
        time.sleep(0.05)
    ended(world, run)


def test_a_pane_closes_when_the_goal_is_met_and_stays_readable_otherwise(open_world: World) -> None:
    """A finished pane closes itself when the goal was met, and shows the result and the next command otherwise."""
    world = open_world
    good, bad = world.shell("sleep 0.4"), world.shell("sleep 0.4; exit 1")
    closes, stays = pane_of(world, good), pane_of(world, bad)
    world.result(good), world.result(bad)
    eventually(lambda: closes not in world.tmux("list-panes", "-a", "-F", "#{pane_id}").split())
    eventually(lambda: "agentctl show %s" % bad in world.tmux("capture-pane", "-p", "-t", stays))
    eventually(lambda: world.tmux("display-message", "-p", "-t", stays, "#{pane_dead}").strip() == "1")


def test_our_options_do_not_leak_into_the_users_windows(open_world: World) -> None:
    """Borders and remain-on-exit are set for our windows and panes only."""
    world = open_world
    run = world.shell("exit 1")
    world.result(run)
    assert world.tmux("show-options", "-g", "-w", "remain-on-exit").split()[-1:] in (["off"], [])
    assert "pane_title" not in world.tmux("show-options", "-w", "-t", "=ai:0", "pane-border-format")


def test_follow_and_wait_are_left_by_ctrl_c_and_the_run_goes_on(world: World) -> None:
    """Ctrl-C on wait and follow: exit code 130, the run is left alone."""
    run = world.shell("sleep 1.5; echo all printed", "--no-pane")
    world.working(run)
    for words in (["wait", run], ["follow", run], ["wait", run, run]):
        reader = world.popen(*words)
        time.sleep(0.4)
        reader.send_signal(2)
        _, err = reader.communicate(timeout=10)
        assert reader.returncode == 130 and b"Traceback" not in err, (words, err)
    ended(world, run)
    assert json.loads(world.ok("show", run))["status"] == "finished"
