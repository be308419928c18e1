"""pause and continue: everything of a run stands still, no clock runs, and nothing is lost on the way."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import World
from conftest import eventually

TICKS = "while :; do date +%s.%N >> {0}; sleep 0.05; done"
AWAY = "setsid sh -c '%s' & " % TICKS
RESTLESS = """
import os, time
for _ in range(1000):
    time.sleep(0.01)
    os.fork() and os._exit(0)
    os.setsid()
"""
CLAUDE = """#!/usr/bin/env python3
# Claude Code in miniature: the first call works until it is killed, a resumed one reports at once.
import json, os, sys, time
words = sys.argv[1:]
if "--version" in words:
    print("2.1.197 (Claude Code)"); sys.exit()
resumed = "--resume" in words
session = words[words.index("--resume" if resumed else "--session-id") + 1]
with open(os.environ["AGENT_LOG"], "a") as log:
    log.write(json.dumps({"argv": words, "prompt": sys.stdin.read()}) + "\\n")
print(json.dumps({"type": "system", "subtype": "init", "session_id": session, "model": "m", "apiKeySource": "none"}),
      flush=True)
while not resumed:
    time.sleep(0.1)
report = {"goal_met": True, "summary": "did it", "followup_prompt": "", "notes": ""}
print(json.dumps({"type": "result", "subtype": "success", "is_error": False, "session_id": session, "num_turns": 1,
                  "structured_output": report, "result": "done", "total_cost_usd": 0.5, "usage": {}}))
"""


def states(world: World, run: str) -> set[str]:
    """The states of the run's live processes, as /proc gives them.

    One that is busy in the kernel (D: it is being started, or reads a file) stands still
    before its next instruction, and is looked at again. One that stays so waits for a child
    that was stopped between vfork and exec (dash begins commands so): it cannot move either.
    """
    deadline = time.monotonic() + 2
    while "D" in (found := looked_at(world, run)).values() and time.monotonic() < deadline:
        time.sleep(0.01)
    waits = {pid for pid, state in found.items() if state == "D" and "T" in states_below(pid)}
    return {state for pid, state in found.items() if pid not in waits}


def states_below(pid: int) -> set[str]:
    """The states of a process's children."""
    try:
        children = Path("/proc/%d/task/%d/children" % (pid, pid)).read_text().split()
    except OSError:
        return set()  # it ended between the look and the question
    return {state_of(int(child)) for child in children}


def state_of(pid: int) -> str:
    """The letter in /proc; "" of a process that has ended."""
    try:
        return Path("/proc/%d/stat" % pid).read_bytes().rpartition(b")")[2].split()[0].decode()
    except OSError:
        return ""  # it ended between the look and the question


def looked_at(world: World, run: str) -> dict[int, str]:
    return {pid: state for pid in world.marked(run) if (state := state_of(pid))}


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def listed(world: World, *options: str) -> list[tuple[str, str]]:
    rows = json.loads(world.ok("list", "--json", *options))["runs"]
    return [(row["run_id"], row["status"]) for row in rows]


def kill_all(world: World, run: str) -> None:
    """As when the machine loses its power: runner, sentinel and worker at once."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in [*ours(world, run), *world.marked(run)]:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass  # it went with one of the others
    eventually(lambda: not world.marked(run))


def ours(world: World, run: str) -> list[int]:
    """The runner and its sentinel."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"_run" in words and run.encode() in words and str(world.home).encode() in words:
            found.append(int(name))
    return found


# -- standing still


def test_everything_of_a_run_stands_still_and_goes_on(world: World) -> None:
    """The worker, its group, and a tool in a session of its own: all in state T, none of them runs."""
    ticks = world.root / "ticks"
    run = world.shell(AWAY.format(ticks) + "for i in 1 2 3 4 5 6 7 8; do sleep 0.3; done; echo last", "--no-pane")
    world.working(run)
    eventually(lambda: size(ticks))
    world.ok("pause", run)
    assert states(world, run) == {"T"} and len(world.marked(run)) > 1
    before = size(ticks)
    time.sleep(0.4)
    assert (size(ticks), states(world, run)) == (before, {"T"})
    assert listed(world) == listed(world, "--running") == listed(world, "--status", "paused") == [(run, "paused")]
    assert json.loads(world.ok("show", run))["status"] == "paused"
    world.ok("continue", run)
    eventually(lambda: size(ticks) > before)
    assert "T" not in states(world, run) and listed(world) == [(run, "running")]
    result = world.result(run)
    assert (result["status"], result["summary"].splitlines()[-1]) == ("finished", "last")
    assert not {"pause", "continue"} & set(os.listdir(world.folder(run)))
    eventually(lambda: "bell" not in os.listdir(world.folder(run)))  # taken away once the lock is free


def test_a_tool_without_the_marker_stands_still_too(world: World) -> None:
    """It has cleared its environment and left the session: it is found by who its parent is."""
    ticks = world.root / "ticks"
    script = "setsid env -i PATH=$PATH sh -c '%s' & wait" % TICKS.format(ticks)
    run = world.shell(script, "--no-pane")
    eventually(lambda: size(ticks))
    world.ok("pause", run)
    before = size(ticks)
    time.sleep(0.4)
    assert size(ticks) == before
    world.ok("continue", run)
    eventually(lambda: size(ticks) > before)
    world.ok("stop", run)


def test_processes_that_keep_forking_are_all_caught(world: World) -> None:
    """Each leaves its session, forks and ends: one look finds some of them, the next ones the others."""
    program = world.root / "restless.py"
    program.write_text(RESTLESS)
    run = world.shell("for i in 1 2 3 4 5 6; do %s -IS %s & done; sleep 60" % (sys.executable, program), "--no-pane")
    eventually(lambda: len(world.marked(run)) > 3)
    for _ in range(3):
        time.sleep(0.2)
        world.ok("pause", run)
        before = world.marked(run)
        assert len(before) >= 8 and states(world, run) == {"T"}
        time.sleep(0.1)
        assert world.marked(run) == before
        world.ok("continue", run)
    world.ok("stop", run)


def test_processes_that_keep_forking_do_not_survive_a_stop(world: World) -> None:
    """Some have the marker, some are only descendants; a look that finds only zombies has found nobody's end."""
    program, ticks = world.root / "restless.py", world.root / "ticks"
    program.write_text("import sys\n%s    open(sys.argv[1], 'a').write('.')\n" % RESTLESS)
    call = "%s -IS %s %s & " % (sys.executable, program, ticks)
    for _ in range(3):
        ticks.write_text("")
        run = world.shell("for i in 1 2 3; do %s env -i %s done; sleep 60" % (call, call), "--no-pane")
        eventually(lambda: size(ticks) > 60)
        world.ok("stop", run)
        after = size(ticks)
        time.sleep(0.3)
        assert size(ticks) == after


def test_what_had_been_stopped_before_is_not_let_go(world: World) -> None:
    stopped = world.root / "stopped"
    run = world.shell("sh -c 'echo $$ > %s; kill -STOP $$; sleep 60' & sleep 60" % stopped, "--no-pane")
    pid = int(eventually(lambda: stopped.read_text() if stopped.exists() else ""))
    state = Path("/proc/%d/stat" % pid)
    eventually(lambda: ") T" in state.read_text())
    world.ok("pause", run)
    world.ok("continue", run)
    eventually(lambda: {"S", "T"} <= states(world, run))
    assert ") T" in state.read_text()
    world.ok("stop", run)


def test_a_shell_with_job_control_does_not_notice(world: World) -> None:
    """Parents are stopped first and let go last: none sees a child that stands."""
    run = world.shell("bash -mc 'for i in 1 2 3 4 5 6; do sleep 0.5; done; echo code $?'", "--no-pane")
    world.working(run)
    time.sleep(0.2)
    for _ in range(3):
        world.ok("pause", run)
        assert states(world, run) == {"T"}
        world.ok("continue", run)
    result = world.result(run)
    assert (result["status"], result["summary"]) == ("finished", "code 0")


def test_pause_twice_and_continue_without_a_pause(world: World) -> None:
    run = world.shell("sleep 60", "--no-pane")
    world.working(run)
    world.ok("continue", run)
    assert listed(world) == [(run, "running")]
    assert world.ok("pause", run, run) == world.ok("pause", run) == "%s paused" % run
    assert listed(world) == [(run, "paused")]
    assert world.ok("continue", run) == world.ok("continue", run) == "%s running" % run
    assert listed(world) == [(run, "running")]
    world.ok("stop", run)


def test_an_ended_run_is_named_and_the_others_are_seen_to(world: World) -> None:
    ended, live = world.shell("true", "--no-pane"), world.shell("sleep 60", "--no-pane")
    world.result(ended)
    world.working(live)
    for command, status in (("pause", "paused"), ("continue", "running")):
        done = world.run(command, ended, live)
        assert (done.returncode, done.stdout) == (1, "%s %s\n" % (live, status))
        assert "run %s" % ended in done.stderr and "it has ended (finished)" in done.stderr and "hint: " in done.stderr
        assert (live, status) in listed(world)
        done = world.run(command, "--json", ended, live)
        (row,) = json.loads(done.stdout)["runs"]
        assert (done.returncode, row["run_id"], row["status"], row["followed_by"]) == (1, live, status, "")
    assert world.run("pause", "--json", ended).stdout == ""
    assert not (world.folder(ended) / "pause").exists()
    world.ok("stop", live)


# -- clocks


def test_no_time_limit_runs_meanwhile(world: World) -> None:
    run = world.shell("sleep 1; sleep 0.5; sleep 0.5; echo done", "--timeout", "3s", "--no-pane")
    world.working(run)
    time.sleep(0.3)
    world.ok("pause", run)
    time.sleep(3.5)
    world.ok("continue", run)
    assert (world.result(run)["status"], world.result(run)["summary"]) == ("finished", "done")
    late = world.shell("sleep 60", "--timeout", "2s", "--no-pane")
    world.working(late)
    world.ok("pause", late)
    world.ok("continue", late)
    assert world.result(late)["status"] == "timed_out"


def test_the_check_stands_still_and_its_limit_with_it(world: World) -> None:
    world.config(verify_timeout_s=3)
    run = world.shell("true", "--verify", "echo begun; sleep 1; echo checked", "--no-pane")
    log = world.home / "runs" / run / "verify.log"
    eventually(lambda: "begun" in (log.read_text() if log.exists() else ""))
    world.ok("pause", run)
    assert states(world, run) == {"T"}
    time.sleep(3.2)
    assert "checked" not in log.read_text()
    world.ok("continue", run)
    assert (world.result(run)["verified"], log.read_text()) == ("passed", "begun\nchecked\n")


def test_the_setup_stands_still_too(world: World, repo: Path) -> None:
    world.ok("add-project", "q", str(repo), "--worktree", "--setup", "echo begun; sleep 0.5; sleep 0.5; echo set up")
    run = world.shell("echo done", "--project", "q", "--no-pane")
    log = world.home / "runs" / run / "setup.log"
    eventually(lambda: "begun" in (log.read_text() if log.exists() else ""))
    world.ok("pause", run)
    assert states(world, run) == {"T"}
    time.sleep(1.2)
    assert "set up" not in log.read_text()
    world.ok("continue", run)
    assert (world.result(run)["summary"], "set up" in log.read_text()) == ("done", True)


def test_wait_blocks_through_a_pause(world: World) -> None:
    run = world.shell("sleep 1; echo done", "--no-pane")
    world.working(run)
    world.ok("pause", run)
    waiter = world.popen("wait", run)
    time.sleep(1.5)
    assert waiter.poll() is None
    world.ok("continue", run)
    assert waiter.wait(20) == 0


# -- before it begins


def test_a_queued_run_does_not_begin_until_it_is_continued(world: World) -> None:
    parent = world.shell("sleep 0.5", "--no-pane")
    child = world.shell("echo began", "--after", parent, "--no-pane")
    world.ok("pause", child)
    assert (child, "paused") in listed(world)
    world.result(parent)
    time.sleep(0.3)
    assert (child, "paused") in listed(world) and size(world.folder(child) / "raw.jsonl") == 0
    world.ok("continue", child)
    assert world.result(child)["summary"] == "began"


def test_a_paused_queued_run_can_be_stopped(world: World) -> None:
    parent = world.shell("sleep 60", "--no-pane")
    child = world.shell("echo began", "--after", parent, "--no-pane")
    world.ok("pause", child)
    world.ok("stop", child)
    assert world.result(child)["status"] == "stopped"
    world.ok("stop", parent)


def test_a_run_paused_as_it_was_started_never_began(world: World) -> None:
    for _ in range(5):
        run = world.shell("sleep 60", "--no-pane")
        world.ok("pause", run)
        assert states(world, run) <= {"T"}
        world.ok("stop", run)


# -- ends


def test_a_paused_run_is_stopped_at_once(world: World) -> None:
    """TERM is heard: what stands still is let go first."""
    word = world.root / "word"
    run = world.shell("trap 'echo heard > %s; exit 1' TERM; while :; do sleep 0.05; done" % word, "--no-pane")
    world.working(run)
    world.ok("pause", run)
    began = time.monotonic()
    world.ok("stop", run)
    assert time.monotonic() - began < 2
    assert (world.result(run)["status"], word.read_text(), world.marked(run)) == ("stopped", "heard\n", [])


def test_requests_are_heard_at_once(world: World) -> None:
    """The runner is rung for. By itself it looks once a second, beginning with the request before."""
    run = world.shell("exec sleep 60", "--no-pane")
    world.working(run)
    time.sleep(3.5)  # until its naps have grown
    world.ok("pause", run)
    took: dict[str, float] = {}
    for request in ("continue", "pause", "continue", "stop"):
        began = time.monotonic()
        world.ok(request, run)
        took[request] = max(took.get(request, 0.0), time.monotonic() - began)
    assert max(took.values()) < 0.6, took


def test_without_its_bell_it_is_heard_all_the_same(world: World) -> None:
    run = world.shell("exec sleep 60", "--no-pane")
    world.working(run)
    bell = world.folder(run) / "bell"
    for fifo in eventually(lambda: list(bell.iterdir()) if bell.exists() else []):
        fifo.unlink()
    world.ok("pause", run)
    assert states(world, run) == {"T"}
    world.ok("stop", run)


def test_a_pane_says_that_its_run_is_paused(world: World) -> None:
    other, run = world.shell("sleep 60"), world.shell("sleep 60")
    world.working(run)
    world.ok("pause", run)
    pane = world.ok("show", run, "--pane")
    title = ["display-message", "-p", "-t", pane, "#{pane_title}"]
    eventually(lambda: world.tmux(*title).startswith("‖ "))
    world.ok("continue", run)
    eventually(lambda: world.tmux(*title).startswith("▶ "))
    world.ok("pause", run)
    world.tmux("kill-pane", "-t", pane)
    assert world.result(run)["status"] == "stopped"
    world.ok("stop", other)


def test_a_worker_killed_while_it_stands_still_ends_the_run(world: World) -> None:
    run = world.shell("sleep 60 & wait", "--no-pane")
    worker = world.working(run)
    world.ok("pause", run)
    os.kill(worker, signal.SIGKILL)
    result = world.result(run)
    assert (result["status"], result["signal"], world.marked(run)) == ("failed", signal.SIGKILL, [])


@pytest.mark.parametrize("both", [False, True], ids=["runner", "runner and sentinel"])
def test_a_killed_runner_leaves_nothing_that_stands(world: World, both: bool) -> None:
    run = world.shell(AWAY.format(world.root / "ticks") + "sleep 60", "--no-pane")
    world.working(run)
    eventually(lambda: size(world.root / "ticks"))
    world.ok("pause", run)
    runner = world.runner_pid(run)
    for pid in [p for p in ours(world, run) if p != runner] if both else []:
        os.kill(pid, signal.SIGKILL)
    os.kill(runner, signal.SIGKILL)
    assert world.result(run)["status"] == "lost"
    eventually(lambda: not world.marked(run), 10)
    done = world.run("continue", run)
    assert done.returncode == 1 and "run %s was a command" % run in done.stderr and "agentctl start" in done.stderr


# -- over a restart


@pytest.fixture
def claude(world: World) -> World:
    program = world.root / "bin" / "claude"
    program.parent.mkdir()
    program.write_text(CLAUDE)
    program.chmod(0o755)
    world.env["PATH"] = "%s:%s" % (program.parent, world.env["PATH"])
    world.env["AGENT_LOG"] = str(world.root / "agent.log")
    return world


def calls(world: World) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (world.root / "agent.log").read_text().splitlines()]


def at_work(world: World) -> str:
    run = world.ok("start", "--no-pane", "--backend", "claude", "--title", "fix it", "--timeout", "5m", stdin="fix it")
    eventually(lambda: size(world.folder(run) / "raw.jsonl"))
    return run


@pytest.mark.parametrize("end", ["restart", "stop"])
def test_a_run_paused_over_a_restart_goes_on_in_its_session(claude: World, end: str) -> None:
    run = at_work(claude)
    claude.ok("pause", run)
    if end == "stop":
        claude.ok("stop", run)
    else:
        kill_all(claude, run)
    said = claude.ok("continue", run)
    follower = said.split()[0]
    assert said == "%s goes on for %s (%s)" % (follower, run, "stopped" if end == "stop" else "lost")
    result = claude.result(follower)
    first, second = calls(claude)
    assert (result["status"], result["parent"], result["title"]) == ("finished", run, "fix it")
    assert (
        second["argv"][second["argv"].index("--resume") + 1] == first["argv"][first["argv"].index("--session-id") + 1]
    )
    assert "interrupted" in second["prompt"] and result["session_id"] in first["argv"]
    limits = json.loads((claude.folder(follower) / "meta.json").read_text())["limits"]
    assert limits["timeout_s"] == 300
    assert claude.ok("continue", run) == said  # asked again, nothing begins again
    assert len(calls(claude)) == 2


def test_two_who_continue_a_lost_run_begin_one(claude: World) -> None:
    run = at_work(claude)
    claude.ok("pause", run)
    kill_all(claude, run)
    callers = [claude.popen("continue", run) for _ in range(4)]
    said = {caller.communicate(timeout=30)[0] for caller in callers}
    assert len(said) == 1 and len(listed(claude)) == 2


def test_a_lost_run_that_was_not_paused_is_not_continued(claude: World) -> None:
    run = at_work(claude)
    kill_all(claude, run)
    done = claude.run("continue", run)
    assert (done.returncode, done.stdout) == (1, "") and "it has ended (lost)" in done.stderr


# -- slots


def test_a_paused_run_leaves_its_slot_and_waits_for_another(world: World) -> None:
    world.config(max_parallel=1)
    first = world.shell("until test -e go; do sleep 0.05; done; echo first", "--no-pane")
    world.working(first)
    second = world.shell("sleep 60", "--no-pane")
    assert (second, "queued") in listed(world)
    world.ok("pause", first)
    (world.project / "go").touch()
    world.working(second)
    world.ok("continue", first)
    assert world.ok("continue", first) == "%s queued waits for a slot" % first
    assert (first, "queued") in listed(world) and states(world, first) == {"T"}
    assert json.loads(world.ok("show", first))["doing"] == "waits for a slot"
    world.ok("pause", first)
    assert (first, "paused") in listed(world)
    world.ok("continue", first)
    assert states(world, first) == {"T"}
    world.ok("stop", second)
    assert world.result(first)["summary"] == "first"


def test_a_run_paused_in_the_queue_keeps_nobody_waiting(world: World) -> None:
    world.config(max_parallel=1)
    first = world.shell("sleep 60", "--no-pane")
    world.working(first)
    second, third = world.shell("echo second", "--no-pane"), world.shell("echo third", "--no-pane")
    world.ok("pause", second)
    world.ok("stop", first)
    assert world.result(third)["summary"] == "third"
    assert (second, "paused") in listed(world)
    world.ok("continue", second)
    assert world.result(second)["summary"] == "second"


# -- status


def test_status_says_how_many_and_which(world: World) -> None:
    assert world.ok("status") == "0 running, 0 queued, 0 paused; no limit on slots"
    world.config(max_parallel=2)
    runs = [world.shell("sleep 60", "--no-pane") for _ in range(3)]
    world.working(runs[0]), world.working(runs[1])
    world.ok("pause", runs[0])
    world.working(runs[2])
    head, _, *rows = world.ok("status").splitlines()
    assert head == "2 running, 0 queued, 1 paused; 2 of 2 slots taken"
    world.config(max_parallel={"shell": 3})
    assert world.ok("status").splitlines()[0].endswith("; no limit on slots, 2 of 3 in backend-shell")
    world.config(max_parallel=2)
    assert {row.split()[0] for row in rows} == set(runs)
    said = json.loads(world.ok("status", "--json"))
    assert {k: said[k] for k in ("running", "queued", "paused", "slots_taken", "slots")} == {
        "running": 2,
        "queued": 0,
        "paused": 1,
        "slots_taken": 2,
        "slots": 2,
    }
    assert (said["nested"], said["pools"]) == (0, [{"pool": "home", "taken": 2, "slots": 2}])
    assert said["runs"] == json.loads(world.ok("list", "--running", "--json"))["runs"]
    world.ok("stop", *runs)
