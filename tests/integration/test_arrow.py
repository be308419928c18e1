"""The whole arrow with the shell backend: start → pane → runner → events → result → wait."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from pathlib import Path

from conftest import World
from conftest import eventually
from conftest import git


def test_a_run_in_its_pane_ends_with_the_exit_code_as_claim(world: World) -> None:
    run = world.shell("echo one; echo two")
    result = world.result(run)
    assert (result["status"], result["goal_met"], result["exit_code"]) == ("finished", True, 0)
    assert result["summary"] == "one\ntwo"
    assert [n["run_id"] for n in world.notes()] == [run]


def test_a_failing_command_is_finished_with_goal_not_met(world: World) -> None:
    run = world.shell("echo no; exit 7")
    done = world.run("wait", run)
    assert done.returncode == 3
    assert json.loads(done.stdout)["exit_code"] == 7


def test_the_diff_belongs_to_the_run(world: World, repo: Path) -> None:
    (repo / "mine.txt").write_text("uncommitted before\n")
    run = world.shell("echo two >> a.txt; echo new > b.txt; git -c user.name=w -c user.email=w@x commit -qam work")
    result = world.result(run)
    assert sorted(result["git_files"]) == ["a.txt", "b.txt"]
    assert result["git_commits"] == 1
    assert "mine.txt" not in (world.folder(run) / "diff.patch").read_text()
    assert git(repo, "status", "--porcelain").split() == ["??", "b.txt", "??", "mine.txt"]


def test_a_pane_changes_nothing(world: World) -> None:
    """Rule 4: the same run with and without a pane leaves the same files and the same result."""
    runs = [world.shell("echo hi; exit 1", *options) for options in ((), ("--no-pane",))]
    seen = []
    for run in runs:
        result = world.result(run)
        eventually((world.folder(run) / "notified").exists)  # written after the waiters are let go
        for key in ("run_id", "created_at", "started_at", "finished_at"):
            result.pop(key)
        seen.append((result, sorted(os.listdir(world.folder(run)))))
    # status.json is a hint written at most twice a second: either may lack it
    assert seen[0][0] == seen[1][0]
    assert set(seen[0][1]) ^ set(seen[1][1]) <= {"status.json"}


def test_kill_9_of_the_runner_is_lost_and_leaves_no_process(world: World) -> None:
    run = world.shell("trap '' TERM HUP; (setsid sleep 300 &) ; sleep 300", "--no-pane")
    world.working(run)
    waiter = world.popen("wait", run)
    os.kill(world.runner_pid(run), signal.SIGKILL)
    out, _ = waiter.communicate(timeout=20)
    result = json.loads(out)
    assert (result["status"], result["goal_met"], waiter.returncode) == ("lost", None, 4)
    eventually(lambda: not world.marked(run), 10)
    assert [n["status"] for n in world.notes()] == ["lost"]


def test_wait_returns_at_once_when_the_runner_is_killed(world: World) -> None:
    run = world.shell("sleep 300", "--no-pane")
    worker = world.working(run)
    waiter = world.popen("wait", run)
    time.sleep(0.3)
    os.kill(world.runner_pid(run), signal.SIGKILL)
    began = time.monotonic()
    waiter.communicate(timeout=20)
    assert time.monotonic() - began < 5
    eventually(lambda: not os.path.exists("/proc/%d" % worker))


def test_stop_ends_the_whole_group_and_is_stopped(world: World) -> None:
    run = world.shell("trap '' TERM; sleep 300 & sleep 300; wait", "--no-pane")
    world.config(stop_grace_s=0.5)
    world.working(run)
    world.ok("stop", run)
    result = world.result(run)
    assert result["status"] == "stopped"
    assert not world.marked(run)


def test_a_timeout_ends_a_run_that_ignores_term(world: World) -> None:
    world.config(stop_grace_s=0.3)
    run = world.shell("trap '' TERM; while :; do sleep 1; done", "--timeout", "1s", "--no-pane")
    result = world.result(run)
    assert result["status"] == "timed_out"
    assert "time limit" in result["error"]
    assert not world.marked(run)


def test_a_server_left_behind_does_not_hold_wait_and_is_stopped(world: World) -> None:
    run = world.shell("nohup sleep 300 > /dev/null 2>&1 & (setsid sh -c 'sleep 300' &) ; echo done", "--no-pane")
    began = time.monotonic()
    result = world.result(run)
    assert result["status"] == "finished"
    assert time.monotonic() - began < 10
    assert any("left behind" in w for w in result["warnings"])
    assert not world.marked(run)


def test_after_waits_and_skips_what_cannot_follow(world: World) -> None:
    first = world.shell("sleep 0.4; echo first >> order", "--no-pane")
    second = world.shell("echo second >> order", "--after", first, "--no-pane")
    bad = world.shell("exit 1", "--after", second, "--no-pane")
    never = world.shell("echo never >> order", "--after", bad, "--no-pane")
    assert world.result(never)["status"] == "skipped"
    assert (world.project / "order").read_text() == "first\nsecond\n"


def test_everything_is_private_whatever_the_umask(world: World) -> None:
    before = os.umask(0)
    try:
        run = world.shell("umask; touch made", "--no-pane")
        result = world.result(run)
    finally:
        os.umask(before)
    assert result["summary"] == "0000"
    for path in [world.home, *world.home.rglob("*")]:
        allowed = 0o700 if path.is_dir() else 0o600
        if path.name not in ("config.json",):
            assert stat.S_IMODE(path.stat().st_mode) == allowed, path


def test_the_environment_of_the_caller_reaches_the_worker_and_no_disk(world: World) -> None:
    run = world.shell(
        "echo $SECRET_OF_CALLER; echo ${TMUX-none} ${GIT_DIR-none} ${CLAUDECODE-none}",
        env={"SECRET_OF_CALLER": "s3cr3t", "GIT_DIR": "/x", "CLAUDECODE": "1"},
    )
    result = world.result(run)
    assert result["summary"] == "s3cr3t\nnone none none"
    found = [
        p
        for p in world.folder(run).rglob("*")
        if p.is_file() and p.name not in ("raw.jsonl", "events.jsonl", "result.json") and b"s3cr3t" in p.read_bytes()
    ]
    assert found == []
    assert "s3cr3t" not in world.tmux("show-environment", "-g")


def test_verify_is_ours_and_cannot_be_passed_by_a_claim(world: World) -> None:
    run = world.shell("echo all good", "--verify", "echo checking; test -f proof", "--no-pane")
    done = world.run("wait", run)
    result = json.loads(done.stdout)
    assert (done.returncode, result["goal_met"], result["verified"]) == (3, True, "failed")
    assert (world.folder(run) / "verify.log").read_text() == "checking\n"
    run = world.shell("touch proof", "--verify", "test -f proof", "--no-pane")
    assert world.result(run)["verified"] == "passed"


def test_a_missing_program_is_a_failed_run_that_says_so(world: World) -> None:
    run = world.ok("start", "--no-pane", "--", "/no/such/program")
    result = world.result(run)
    assert (result["status"], result["exit_code"]) == ("failed", 127)
    assert "No such file" in result["error"]


def test_a_result_never_changes(world: World) -> None:
    run = world.shell("true", "--no-pane")
    world.result(run)
    path = world.folder(run) / "result.json"
    before = (path.read_bytes(), path.stat().st_ino)
    world.run("stop", run)
    world.run("show", run)
    world.run("list")
    assert (path.read_bytes(), path.stat().st_ino) == before
