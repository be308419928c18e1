"""What a command prints is kept whole, whatever it does to its own stdout and whoever is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal

import pytest
from test_reliability import sentinels

from conftest import World
from conftest import eventually
from conftest import kill
from conftest import marked


def text(world: World, run: str, name: str) -> str:
    path = world.folder(run) / name
    return path.read_text() if path.exists() else ""


def test_a_command_that_reopens_its_streams_cuts_nothing_off(world: World) -> None:
    """`> /dev/stdout` opens what stdout leads to anew and empties it: of a file that is what was said before."""
    script = "echo first; echo oops >&2; echo done > /dev/stdout; echo bad > /dev/stderr; echo x | tee /dev/stderr"
    run = world.shell(script, "--no-pane", "--verify", "echo why; echo bad > /dev/stderr; exit 1")
    result = world.result(run)
    assert text(world, run, "raw.jsonl") == "first\ndone\nx\n"
    assert text(world, run, "stderr.log") == "oops\nbad\nx\n"
    assert text(world, run, "verify.log") == "why\nbad\n"
    assert (result["goal_met"], result["verified"], result["warnings"]) == (True, "failed", [])


def test_what_a_setup_prints_is_kept_too(world: World, repo: object) -> None:
    world.ok("add-project", "q", str(repo), "--setup", "echo one; echo two > /dev/stderr; exit 3")
    run = world.shell("true", "--no-pane", "--worktree", "--project", "q")
    assert "two" in world.result(run)["error"]
    assert text(world, run, "setup.log").endswith("one\ntwo\n")


def test_a_flood_is_whole_and_in_order(world: World) -> None:
    """More than any pipe holds, to its very end, though the command goes at once."""
    run = world.shell("seq 100000; seq 9 >&2", "--no-pane", "--verify", "seq 100000")
    assert world.result(run)["verified"] == "passed"
    assert text(world, run, "raw.jsonl") == "".join("%d\n" % n for n in range(1, 100001))
    assert text(world, run, "verify.log") == "".join("%d\n" % n for n in range(1, 100001))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_a_program_of_node_that_exits_at_once_is_heard_out(world: World) -> None:
    """It leaves what the pipe does not take, which is all but 128 KB where that is as the system makes it."""
    (world.project / "loud.js").write_text("process.stdout.write('x'.repeat(1e6) + '\\nend\\n'); process.exit(0)\n")
    run = world.shell("node loud.js", "--no-pane", "--verify", "node loud.js")
    assert world.result(run)["verified"] == "passed"
    assert [len(text(world, run, name)) for name in ("raw.jsonl", "verify.log")] == [1000005, 1000005]


def test_the_last_words_after_the_runner_was_killed_are_kept(world: World) -> None:
    """Said between its death and the worker's: no broken pipe, and nothing is lost."""
    run = world.shell("trap 'seq 20000; echo last; exit' TERM; echo first; while :; do sleep 0.05; done", "--no-pane")
    world.working(run)
    eventually(lambda: text(world, run, "raw.jsonl") == "first\n")
    os.kill(world.runner_pid(run), signal.SIGKILL)
    eventually(lambda: text(world, run, "raw.jsonl").endswith("\nlast\n"), 15)
    assert world.result(run)["status"] == "lost"


def test_a_killed_sentinel_holds_no_command_up(world: World) -> None:
    """Nobody else empties the pipe then but the runner."""
    run = world.shell("until test -e go; do sleep 0.05; done; seq 100000; echo end", "--no-pane")
    world.working(run)
    kill(sentinels(world, run))
    (world.project / "go").touch()
    assert world.result(run)["goal_met"] is True
    assert text(world, run, "raw.jsonl") == "".join("%d\n" % n for n in range(1, 100001)) + "end\n"


def test_a_program_with_files_that_cuts_them_off_is_said_to(world: World) -> None:
    """Of a vendor's kind, which has no pipe: the loss is told, and what it says afterwards still counts."""
    script = "echo one; echo two; until test -e go; do sleep 0.05; done; echo three > /dev/stdout"
    world.config(backends={"mine": {"argv": ["sh", "-c", script], "stdin": False, "stream": "text"}})
    run = world.ok("start", "--no-pane", "--backend", "mine", stdin="x")
    eventually(lambda: "two" in text(world, run, "events.jsonl"))
    (world.project / "go").touch()
    result = world.result(run)
    assert any("cut off its own output: 8 bytes" in warning for warning in result["warnings"])
    assert "three" in text(world, run, "events.jsonl")


@pytest.mark.parametrize("name", ["raw.jsonl", "stderr.log"])
def test_what_is_left_behind_does_not_hold_the_pipes(world: World, name: str) -> None:
    """A server that still has them is no reason to wait; what it went on to say until it was stopped is kept."""
    run = world.shell("(trap '' HUP; sleep 300) & echo said; echo said >&2", "--no-pane")
    result = world.result(run)
    assert (result["status"], text(world, run, name)) == ("finished", "said\n")
    assert not marked("AGENTCTL_RUN_ID=%s" % run)
    assert json.loads(world.ok("show", run))["summary"] == "said"
