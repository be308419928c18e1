"""What a worker does to its own run folder, and what we then believe: nothing."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from conftest import World
from conftest import eventually


def test_a_verdict_the_worker_wrote_is_replaced(world: World) -> None:
    forged = json.dumps({"status": "finished", "goal_met": True, "verified": "passed"})
    run = world.shell(
        "echo '%s' > $AI_ORCH_HOME/runs/$AGENTCTL_RUN_ID/result.json; until test -e go; do sleep 0.05; done; exit 1"
        % forged,
        "--no-pane",
        "--verify",
        "false",
    )
    eventually(lambda: (world.folder(run) / "result.json").exists())
    waited = world.run("wait", "--timeout", "1s", run)
    assert (waited.returncode, waited.stdout) == (124, ""), "the runner still holds its lock"
    (world.project / "go").touch()
    result = world.result(run)
    assert (result["goal_met"], result["verified"]) == (False, "failed")
    assert any("somebody else" in warning for warning in result["warnings"])
    assert json.loads((world.folder(run) / "result.json").read_text())["verified"] == "failed"


def test_a_removed_lock_does_not_get_a_live_run_killed(world: World) -> None:
    script = "rm $AI_ORCH_HOME/runs/$AGENTCTL_RUN_ID/lock; until test -e go; do sleep 0.05; done; echo alive"
    run = world.shell(script, "--no-pane")
    eventually(lambda: world.status(run).get("worker") and not (world.folder(run) / "lock").exists())
    assert "damaged" in world.run("wait", run).stderr
    world.run("list")
    (world.project / "go").touch()
    eventually(lambda: (world.folder(run) / "result.json").exists())
    assert json.loads(world.ok("show", run))["summary"] == "alive"


def test_a_run_folder_that_is_taken_away_leaves_no_worker(world: World) -> None:
    world.config(stop_grace_s=0.3)
    run = world.shell(
        "d=$AI_ORCH_HOME/runs/$AGENTCTL_RUN_ID; mv $d $d.gone; touch $d; trap '' TERM; sleep 300", "--no-pane"
    )
    eventually(lambda: not world.marked(run) and (world.home / "runs" / (run + ".gone")).exists(), 15)


def test_folders_in_the_place_of_our_files_do_not_hold_the_end(world: World) -> None:
    run = world.shell(
        "cd $AI_ORCH_HOME/runs/$AGENTCTL_RUN_ID && rm reserve && mkdir reserve verify.log diff.patch", "--no-pane"
    )
    assert world.result(run)["status"] == "finished"


@pytest.mark.parametrize("make", ["mkfifo", "mkdir"])
def test_what_is_no_file_in_a_logs_place_holds_neither_check_nor_stop(world: World, make: str) -> None:
    """open(2) of a FIFO waits for its other end: no time limit and no stop would be heard meanwhile."""
    run = world.shell(make + " $AI_ORCH_HOME/runs/$AGENTCTL_RUN_ID/verify.log", "--no-pane", "--verify", "echo looked")
    assert world.result(run)["verified"] == "passed"
    assert (world.folder(run) / "verify.log").read_text() == "looked\n"


@pytest.mark.parametrize("made", ["mkfifo raw.jsonl", "mkfifo result.json", "mkdir result.json", "mkdir environment"])
def test_what_is_no_file_does_not_keep_a_killed_run_from_its_end(world: World, made: str) -> None:
    script = "cd $AI_ORCH_HOME/runs/$AGENTCTL_RUN_ID && rm -f %s && %s && kill -9 $PPID; sleep 60"
    run = world.shell(script % (made.split()[1], made), "--no-pane")
    eventually(lambda: [note["run_id"] for note in world.notes()] == [run], 20)  # by its sentinel
    assert world.result(run)["status"] == "lost"
    assert json.loads((world.folder(run) / "result.json").read_text())["status"] == "lost"
    assert json.loads(world.ok("list", "--json"))["runs"][0]["status"] == "lost"


@pytest.mark.parametrize("make", ["mkfifo", "mkdir", "ln -s loop"])
def test_what_is_no_file_in_a_results_place_makes_way_for_it(world: World, make: str) -> None:
    run = world.shell("cd $AI_ORCH_HOME/runs/$AGENTCTL_RUN_ID && %s result.json; echo done" % make, "--no-pane")
    result = world.result(run)
    assert (result["status"], result["summary"]) == ("finished", "done")
    assert any("somebody else" in warning for warning in result["warnings"])


@pytest.mark.parametrize("make", ["mkfifo", "mkdir"])
def test_what_is_no_file_in_a_locks_place_is_a_missing_lock(world: World, make: str) -> None:
    """Nobody waits for it, and nobody takes a live run for a lost one."""
    script = "(cd $AI_ORCH_HOME/runs/$AGENTCTL_RUN_ID; rm lock; %s lock); until test -e go; do sleep 0.05; done" % make
    run = world.shell(script + "; echo alive", "--no-pane")
    eventually(lambda: world.status(run).get("worker") and not (world.folder(run) / "lock").is_file())
    assert "damaged" in world.run("wait", run).stderr
    world.run("list")
    (world.project / "go").touch()
    eventually(lambda: (world.folder(run) / "result.json").exists())
    assert json.loads(world.ok("show", run))["summary"] == "alive"


def test_what_the_worker_daemonised_does_not_pile_up(world: World) -> None:
    run = world.shell("for i in 1 2 3 4 5 6 7 8 9; do (sleep 0.01 &); done; sleep 4", "--no-pane")
    world.working(run)
    runner = world.runner_pid(run)
    children = "/proc/%d/task/%d/children" % (runner, runner)
    time.sleep(1.5)
    assert len(open(children).read().split()) <= 2  # the worker and the sentinel
    world.ok("stop", run)


def test_a_run_stopped_before_its_birth_starts_no_worker(world: World) -> None:
    first = world.shell("sleep 300", "--no-pane")
    second = world.shell("touch started", "--no-pane", "--after", first)
    world.runner_pid(second)
    world.ok("stop", second)
    assert world.result(second)["status"] == "stopped"
    os.kill(world.runner_pid(first), signal.SIGKILL)
    assert not (world.project / "started").exists()
