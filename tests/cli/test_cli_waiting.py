"""Who waits at a terminal sees on one line what for; programs see nothing of it."""

from __future__ import annotations

import json
import re

from conftest import PROGRAM
from conftest import World
from goals import Stage

from .terminal import Terminal

WAITS = "while [ ! -e go ]; do sleep 0.02; done"
ERASE = b"\r\x1b[K"


def waiting(world: World, *words: str, **env: str) -> Terminal:
    return Terminal([*PROGRAM, *words], {**world.env, **env}, str(world.project))


def test_a_wait_says_what_it_waits_for_and_takes_that_away(world: World) -> None:
    run_id = world.shell("echo hello there; " + WAITS, "--no-pane")
    world.working(run_id)
    waiter = waiting(world, "wait", run_id)
    waiter.until(lambda: b"hello there" in waiter.shown)
    assert re.search(rb"\r\x1b\[K%s \xc2\xb7 running \d+s \xc2\xb7 hello there" % run_id[-4:].encode(), waiter.shown)
    painted = waiter.shown.count(ERASE)
    waiter.until(lambda: waiter.shown.count(ERASE) > painted + 1)
    assert b"\n" not in waiter.shown, "in place"
    (world.project / "go").touch()
    code, shown = waiter.end()
    assert (code, json.loads(shown.rpartition("\x1b[K")[2])["run_id"]) == (0, run_id), "the line is gone"


def test_of_many_it_says_how_they_stand(world: World) -> None:
    runs = [world.shell("echo on; while [ ! -e go%d ]; do sleep 0.02; done" % n, "--no-pane") for n in range(3)]
    waiter = waiting(world, "wait", *runs)
    waiter.until(lambda: "0 of 3 ended · 3 running" in waiter.shown.decode("utf-8", "replace"), 20)
    (world.project / "go1").touch()
    waiter.until(lambda: "1 of 3 ended · 2 running" in waiter.shown.decode("utf-8", "replace"), 20)
    waiter.type(b"\x03")
    code, shown = waiter.end()
    last = "still running; stop it with `agentctl stop %s`\n" % runs[0]
    assert (code, shown.rpartition("\x1b[K")[2]) == (130, last)
    world.ok("stop", *runs)


def test_nobody_else_sees_it(world: World) -> None:
    run_id = world.shell("echo hello there; sleep 2.5", "--no-pane")
    quiet, dumb = waiting(world, "wait", "--quiet", run_id), waiting(world, "wait", run_id, TERM="dumb")
    piped = world.run("wait", run_id)
    assert (piped.returncode, piped.stderr, json.loads(piped.stdout)["run_id"]) == (0, "", run_id)
    assert quiet.end() == (0, "")
    code, shown = dumb.end()
    assert (code, json.loads(shown)["run_id"]) == (0, run_id)


def test_goal_wait_says_its_last_step(world: World) -> None:
    stage = Stage(world, cycles=[[["ask", "worker", "do: " + WAITS], ["done", "want is yes"]]])
    words = stage.words("--no-pane", "--max-cycles", "1", "--verify", "sh check.sh", "--wait")
    waiter = waiting(world, *words)
    waiter.until(lambda: b"claude directs: run " in waiter.shown, 30)
    (stage.repo / "go").touch()
    code, shown = waiter.end(60)
    assert (code, json.loads(shown.rpartition("\x1b[K")[2])["goal_met"]) == (3, False)
