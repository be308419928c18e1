"""A run ends exactly once, with a true result, whatever is killed and whenever; nothing of it is left."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import PROGRAM
from conftest import REPO
from conftest import World
from conftest import eventually

STUBBORN = "trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM HUP; sleep 300' &) ; while :; do sleep 0.2; done"
"""Ignores what can be ignored, and has a grandchild in a session of its own."""


def checked(world: World, run: str, notes: int = 1) -> dict[str, Any]:
    """The run's result, after checking what holds of each ended run."""
    result = world.result(run)
    record = json.loads((world.folder(run) / "result.json").read_bytes())
    assert record["run_id"] == run and record["status"] == result["status"]
    world.ok("list")  # a crash in the last moments is repaired by the next look
    assert [n["run_id"] for n in world.notes()].count(run) == notes
    eventually(lambda: not world.marked(run), 10)
    assert not (world.home / "runs" / ("." + run)).exists()
    assert not (world.folder(run) / "environment").exists()
    assert not (world.home / "active" / run).exists()
    return result


# -- the runner dies


def test_a_runner_killed_at_any_moment_leaves_one_true_end(world: World) -> None:
    """The runner is killed at any instant: one end, one notification, no process, and a second look says the same."""
    dice = random.Random(4)
    for n in range(6):
        run = world.shell("echo out; sleep 0.2; echo more", "--no-pane")
        time.sleep(dice.random() * 0.5)
        for pid in runners_of(world, run):
            os.kill(pid, signal.SIGKILL)
        if (world.home / "runs" / ("." + run)).exists():
            os.utime(world.home / "runs" / ("." + run) / "meta.json", (1, 1))  # its grace is over
        result = checked(world, run)
        assert result["status"] in ("lost", "finished"), n
        assert result["goal_met"] is (True if result["status"] == "finished" else None)
        assert world.result(run) == result


def runners_of(world: World, run: str) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"_run" in words and run.encode() in words and str(world.home).encode() in words:
                found.append(int(name))
    return found


CRASHES = (
    "taken over",
    "durable",
    "worker spawned",
    "worker reaped",
    "before diff",
    "before result",
    "result linked",
    "result synced",
    "line written",
    "marked",
    "before unlock",
    "after unlock",
    "tidied",
)
CRASHING = """
import os, signal, sys
sys.path.insert(0, {repo!r})
from agentctl import birth, files, git, judge, notify, runner, store, supervise, wake, worker
at = {at!r}
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
def before(module, name):
    old = getattr(module, name)
    setattr(module, name, lambda *a, **k: die())
def after(module, name, only=""):
    old = getattr(module, name)
    def new(*a, **k):
        value = old(*a, **k)
        if not only or only in str(a): die()
        return value
    setattr(module, name, new)
if at == "taken over": before(runner, "_take_over")
elif at == "durable": after(birth, "make_durable")
elif at == "worker spawned": after(supervise, "spawn")
elif at == "worker reaped": after(worker.Worker, "clear_away")
elif at == "before diff": before(runner, "_changes")
elif at == "before result": before(store, "end")
elif at == "result linked": after(os, "link")
elif at == "result synced": after(files, "publish")
elif at == "line written": after(notify, "tell")
elif at == "marked": after(notify, "seal")
elif at == "before unlock": after(runner, "_publish")
elif at == "after unlock": before(store, "tidy")
elif at == "tidied": after(store, "tidy")
runner.main({home!r}, {run!r})
"""


@pytest.mark.parametrize("at", CRASHES)
def test_a_crash_between_any_two_steps_loses_nothing(world: World, at: str) -> None:
    """The 12-point crash sweep: the runner is killed right before or after each of its steps."""
    run, folder = staged(world, "sh -c 'echo said; echo $$ > pid; sleep 0.1'")
    script = world.root / "crash.py"
    script.write_text(CRASHING.format(repo=str(REPO), at=at, home=str(world.home), run=run))
    died = subprocess.run(
        [sys.executable, "-I", "-S", str(script)],
        env=world.env,
        capture_output=True,
        timeout=30,
        start_new_session=True,
    )
    assert died.returncode == -signal.SIGKILL, (died, "the point was not reached")
    result = checked(world, run)
    done = at in ("result linked", "result synced", "line written", "marked", "before unlock", "after unlock", "tidied")
    assert result["status"] == ("finished" if done else "lost")
    assert result["goal_met"] is (True if done else None)
    assert json.loads(world.ok("list", "--json"))["runs"][0]["status"] == result["status"]
    assert world.run("list", "--running", "--json").stdout.count(run) == 0


def staged(world: World, command: str) -> tuple[str, Path]:
    """A staged run whose runner never comes: start is killed before it launches one."""
    script = (
        "import sys; sys.path.insert(0, %r)\nfrom agentctl import api, launch, request\n"
        "launch.launch = lambda *a, **k: None\n"
        "print(api.start(api.home(), request.Request(project='p', argv=('sh', '-c', %r), pane=False)))"
        % (str(REPO), command)
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], env=world.env, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stderr
    run = done.stdout.strip()
    return run, world.home / "runs" / ("." + run)


def test_a_run_whose_runner_never_comes_is_lost_after_the_grace(world: World) -> None:
    """`start` dies between the folder and the pane: queued at first, then lost; nothing hidden is left."""
    run, folder = staged(world, "true")
    row = json.loads(world.ok("list", "--json"))["runs"][0]
    assert (row["run_id"], row["status"]) == (run, "queued")
    assert world.run("wait", "--timeout", "0", run).returncode == 124
    old = time.time() - 60
    os.utime(folder / "meta.json", (old, old))
    result = checked(world, run)
    assert (result["status"], result["error"]) == ("lost", "its runner never came")
    late = subprocess.run(
        [*PROGRAM, "_run", str(world.home), run], env=world.env, capture_output=True, text=True, timeout=20
    )
    assert late.returncode == 1 and "settled" in late.stderr
    assert len(world.notes()) == 1


def test_who_settled_it_and_was_killed_then_leaves_the_rest_to_the_next(world: World) -> None:
    """A result in a folder that is still hidden: the next reader shows it and tells of it."""
    run, folder = staged(world, "true")
    (folder / "result.json").write_text(json.dumps({"run_id": run, "status": "lost", "finished_at": time.time()}))
    assert checked(world, run)["status"] == "lost"
    assert not folder.exists() and (world.home / "runs" / run / "result.json").exists()
    assert not (world.home / "runs" / run / "environment").exists(), "it holds the caller's keys"
    assert len(world.notes()) == 1


@pytest.mark.parametrize("shift", [-86400, 86400], ids=["back", "ahead"])
def test_a_clock_that_was_set_makes_nothing_endless(world: World, shift: int) -> None:
    """The clock goes back or ahead: a staged run still ends, a running one runs, durations are not negative."""
    run, folder = staged(world, "true")
    running = world.shell("sleep 1", "--no-pane")
    os.utime(folder / "meta.json", (time.time() + shift, time.time() + shift))
    world.working(running)
    os.utime(world.folder(running) / "meta.json", (time.time() + shift, time.time() + shift))
    began = time.monotonic()
    assert checked(world, run)["status"] == "lost"
    assert time.monotonic() - began < 25
    assert world.result(running)["status"] == "finished"
    path = world.folder(running) / "result.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "started_at": record["finished_at"] + 9000}))
    assert "-" not in world.ok("list").split("\n")[1].split()[6]


def test_twenty_readers_at_once_settle_once(world: World) -> None:
    """Twenty concurrent readers of a lost run: one result, one line in notify.log, and all say the same."""
    for _ in range(2):
        run = world.shell("sleep 300", "--no-pane")
        world.working(run)
        readers = [world.popen("wait", run) for _ in range(10)]
        os.kill(world.runner_pid(run), signal.SIGKILL)
        readers += [world.popen(*words) for words in (["wait", run], ["show", run, "--result"]) for _ in range(5)]
        answers = [r.communicate(timeout=40) for r in readers]
        said = {a[0] for r, a in zip(readers, answers) if r.returncode in (0, 4)}
        statuses = {json.loads(out)["status"] for out in said}
        assert statuses == {"lost"}, answers
        checked(world, run)
    assert len(world.notes()) == 2


def unmarked(world: World, run: str) -> None:
    """Take the mark away that the runner sets a moment after the end: nobody is known to have been told."""
    eventually(lambda: (world.folder(run) / "notified").exists())
    (world.folder(run) / "notified").unlink()


def test_a_missing_line_is_added_once_by_many_readers(world: World) -> None:
    """A crash between result and notification: the next readers, all at once, add exactly one line."""
    run = world.shell("true", "--no-pane")
    world.result(run)
    unmarked(world, run)
    (world.home / "notify.log").write_text('{"half": "a li')
    readers = [world.popen("show", run) for _ in range(20)]
    for reader in readers:
        reader.communicate(timeout=40)
    for _ in range(20):
        world.run("wait", run)
        break
    lines = (world.home / "notify.log").read_text().splitlines()
    assert [json.loads(line)["run_id"] for line in lines[1:]] == [run]


def test_a_torn_line_does_not_count_as_told(world: World) -> None:
    """A full disk tore the run's own line: it is written again, whole."""
    run = world.shell("true", "--no-pane")
    world.result(run)
    unmarked(world, run)
    (world.home / "notify.log").write_text('{"at": "x", "run_id": "%s", "sta' % run)
    world.run("show", run)
    world.run("wait", run)
    world.run("list")
    whole = [line for line in (world.home / "notify.log").read_text().splitlines() if line.endswith("}")]
    assert [json.loads(line)["run_id"] for line in whole] == [run]


def test_two_settlers_and_a_late_runner(world: World) -> None:
    """A runner that comes while readers settle: one of them wins, the end is the same for all."""
    for _ in range(6):
        run, folder = staged(world, "echo worked")
        old = time.time() - 60
        os.utime(folder / "meta.json", (old, old))
        late = subprocess.Popen(
            [*PROGRAM, "_run", str(world.home), run], env=world.env, stderr=subprocess.DEVNULL, start_new_session=True
        )
        readers = [world.popen("wait", run) for _ in range(3)]
        said = {json.loads(r.communicate(timeout=40)[0])["status"] for r in readers}
        late.wait(20)
        assert len(said) == 1 and said <= {"lost", "finished"}
        assert checked(world, run)["status"] in said


# -- the sentinel and the worker's family


def test_a_killed_sentinel_changes_nothing(world: World) -> None:
    """The sentinel is killed: the run ends as it would have, with its true result."""
    run = world.shell("sleep 0.6; echo fine", "--no-pane")
    world.working(run)
    for pid in sentinels(world, run):
        os.kill(pid, signal.SIGKILL)
    result = checked(world, run)
    assert (result["status"], result["goal_met"], result["summary"]) == ("finished", True, "fine"), result["error"]


def sentinels(world: World, run: str) -> list[int]:
    """Forks of the runner: same command line, but not the one that holds the lock."""
    return [pid for pid in runners_of(world, run) if pid != world.runner_pid(run)]


def test_runner_and_sentinel_killed_together_are_cleared_by_a_reader(world: World) -> None:
    """Both nets are cut: the reader that settles kills what carries the marker."""
    run = world.shell(STUBBORN, "--no-pane")
    world.working(run)
    pids = runners_of(world, run)
    assert len(pids) == 2
    for pid in sorted(pids, reverse=True):
        os.kill(pid, signal.SIGKILL)
    assert world.marked(run)
    assert checked(world, run)["status"] == "lost"


def test_the_sentinel_alone_clears_a_stubborn_family(world: World) -> None:
    """The runner is killed and nobody looks: no process of the worker is left within ten seconds."""
    run = world.shell(STUBBORN, "--no-pane")
    world.working(run)
    eventually(lambda: len(world.marked(run)) >= 3)
    os.kill(world.runner_pid(run), signal.SIGKILL)
    eventually(lambda: not world.marked(run), 10)
    eventually(lambda: not runners_of(world, run), 3)


FAMILY = {
    "grandchild holds stdout": "sleep 300 & echo done",
    "double fork": "(setsid sh -c '(sleep 300 &) ; sleep 300' > /dev/null 2>&1 &) ; sleep 0.3; echo done",
    "wrapper": "sh -c 'sh -c \"sleep 300 & echo done\"'",
    "ignores TERM": "sh -c 'trap \"\" TERM; sleep 300' & echo done",
    "stopped": "sh -c 'kill -STOP $$; sleep 300' & sleep 0.2; echo done",
}


@pytest.mark.parametrize("what", sorted(FAMILY))
def test_what_a_worker_leaves_behind_neither_holds_wait_nor_lives_on(world: World, what: str) -> None:
    """A grandchild holds stdout, a daemon left the group, an npm-like wrapper: the worker's exit is the end."""
    began = time.monotonic()
    run = world.shell(FAMILY[what], "--no-pane")
    result = checked(world, run)
    assert (result["status"], result["summary"]) == ("finished", "done")
    assert time.monotonic() - began < 6
    assert any("left behind" in w for w in result["warnings"])


@pytest.mark.parametrize("what", ["stop", "timeout", "TERM", "INT"])
def test_a_stubborn_family_is_stopped_whole(world: World, what: str) -> None:
    """The worker ignores TERM and its daemon left the group: stop, time limit and signals end all of it."""
    world.config(stop_grace_s=0.3)
    run = world.shell(STUBBORN, "--no-pane", *(["--timeout", "1s"] if what == "timeout" else []))
    world.working(run)
    eventually(lambda: len(world.marked(run)) >= 3)
    if what == "stop":
        world.ok("stop", run)
    elif what != "timeout":
        os.kill(world.runner_pid(run), getattr(signal, "SIG" + what))
    result = checked(world, run)
    assert result["status"] == ("timed_out" if what == "timeout" else "stopped")
    assert result["goal_met"] is None


def test_a_worker_that_is_stopped_by_ctrl_z_can_be_ended(world: World) -> None:
    """TERM, then CONT: a worker that stopped itself is not waited for until KILL."""
    world.config(stop_grace_s=5)
    run = world.shell("kill -STOP $$; sleep 300", "--no-pane")
    worker = world.working(run)
    eventually(lambda: " (sh) T" in Path("/proc/%d/stat" % worker).read_text())
    began = time.monotonic()
    world.ok("stop", run)
    assert time.monotonic() - began < 3
    assert checked(world, run)["signal"] == signal.SIGTERM


def test_the_lock_is_not_inherited_by_the_worker(world: World) -> None:
    """The runner's descriptors do not leak: the worker holds its own three, never the lock, nor a pipe's other end."""
    run = world.shell("ls -l /proc/$$/fd; sleep 0.1", "--no-pane")
    result = checked(world, run)
    names = dict(re.findall(r"(\d+) -> (\S+)", result["summary"]))
    assert names.pop("1").startswith("pipe:") and names.pop("2").startswith("pipe:") and names
    assert not [n for n in names.values() if n.endswith("/lock") or n.startswith("pipe:") or "events" in n], names


@pytest.mark.parametrize("kind", ["missing", "not executable", "bad interpreter", "a folder", "no format"])
def test_a_worker_that_cannot_start_is_an_end_with_a_reason(world: World, kind: str) -> None:
    """Worker missing, not executable, bad interpreter: 126 or 127 and a message, never a traceback."""
    path = world.root / "program"
    if kind == "a folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(
            b"#!/no/such/interpreter\n"
            if kind == "bad interpreter"
            else b"\0\1\2"
            if kind == "no format"
            else b"#!/bin/sh\n"
        )
        path.chmod(0o644 if kind == "not executable" else 0o755)
    done = world.run("start", "--no-pane", "--", str(path))
    if done.returncode:
        assert done.returncode in (1, 2) and "hint:" in done.stderr
        return
    result = checked(world, done.stdout.strip())
    assert (result["status"], result["goal_met"]) == ("failed", None)
    assert result["exit_code"] in (126, 127) and result["error"].startswith("cannot start")


def test_the_project_is_gone_before_the_worker_starts(world: World) -> None:
    """The project directory vanished: refused at start; vanished while queued: failed, and nothing ran elsewhere."""
    first = world.shell("sleep 0.6", "--no-pane")
    second = world.shell("touch ran", "--after", first, "--no-pane")
    eventually(lambda: world.status(second).get("status") == "queued")
    world.project.rename(world.root / "elsewhere")
    eventually(lambda: (world.folder(second) / "result.json").exists())
    world.project.mkdir()
    result = checked(world, second)
    assert (result["status"], "is gone" in result["error"]) == ("failed", True)
    assert not list(world.root.rglob("ran"))
    world.project.rmdir()
    done = world.run("start", "--project", "p", "--", "true", cwd=world.root)
    assert done.returncode == 1 and "gone" in done.stderr and "hint:" in done.stderr


# -- many at once


def test_thirty_starts_at_once_are_thirty_runs(world: World) -> None:
    """Thirty starts in one second: thirty ids, each ends once, thirty whole lines."""
    started = [world.popen("start", "--no-pane", "--", "true") for _ in range(30)]
    ids = [s.communicate(timeout=60)[0].decode().strip() for s in started]
    assert len(set(ids)) == 30 and all(ids)
    done = world.run("wait", *ids, timeout=60)
    assert done.returncode == 0
    assert sorted(json.loads(line)["run_id"] for line in done.stdout.splitlines()) == sorted(ids)
    assert sorted(n["run_id"] for n in world.notes()) == sorted(ids)
    assert len(json.loads(world.ok("list", "--json", "-n", "50"))["runs"]) == 30
    assert os.listdir(world.home / "active") == []


def test_waiters_cost_nothing_and_a_killed_one_harms_nothing(world: World) -> None:
    """Twenty waiters: blocked, not polling; those that are killed or run out of time leave the run alone."""
    run = world.shell("sleep 2", "--no-pane")
    world.working(run)
    waiters = [world.popen("wait", run) for _ in range(5)]
    time.sleep(0.7)
    cost = [sum(map(int, Path("/proc/%d/stat" % w.pid).read_text().rpartition(")")[2].split()[11:13])) for w in waiters]
    switches = [voluntary(w.pid) for w in waiters]
    time.sleep(0.6)
    assert [
        sum(map(int, Path("/proc/%d/stat" % w.pid).read_text().rpartition(")")[2].split()[11:13])) for w in waiters
    ] == cost
    assert [voluntary(w.pid) for w in waiters] == switches, "a waiter woke up"
    waiters[0].kill()
    waiters[1].terminate()
    waiters[2].send_signal(signal.SIGINT)
    assert world.run("wait", "--timeout", "0.1s", run).returncode == 124
    assert waiters[2].wait(10) == 130
    assert checked(world, run)["status"] == "finished"
    for waiter in waiters:
        waiter.communicate(timeout=10)
    assert [w.returncode for w in waiters[3:]] == [0, 0]


def voluntary(pid: int) -> int:
    """How often a process went to sleep."""
    text = Path("/proc/%d/status" % pid).read_text()
    return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1))  # type: ignore[union-attr]


def test_a_result_that_appears_is_never_half(world: World) -> None:
    """Readers at full speed during the end of a run see no result or the whole one."""
    path_seen: list[bytes] = []
    run = world.shell("sleep 0.3; seq 2000", "--no-pane")
    world.working(run)
    path = world.folder(run) / "result.json"
    deadline = time.monotonic() + 10

    def read() -> None:
        while time.monotonic() < deadline and len(path_seen) < 200:
            try:
                path_seen.append(path.read_bytes())
            except FileNotFoundError:
                continue

    reader = threading.Thread(target=read)
    reader.start()
    checked(world, run)
    reader.join()
    assert len(set(path_seen)) == 1 and json.loads(path_seen[0])["run_id"] == run


# -- older homes


def test_a_home_of_an_older_version_loads(world: World) -> None:
    """A home written by version 1, with keys nobody knows: list, show, wait, follow, tail, resume answer as then."""
    import shutil

    shutil.rmtree(world.home)
    shutil.copytree(REPO / "tests" / "data" / "home-v1", world.home)
    rows = {r["run_id"]: r for r in json.loads(world.ok("list", "--json"))["runs"]}
    assert {r["status"] for r in rows.values()} == {"finished", "failed", "stopped", "lost"}
    for run, row in rows.items():
        shown = json.loads(world.ok("show", run))
        assert shown["status"] == row["status"]
        assert json.loads(world.run("wait", run).stdout)["status"] == row["status"]
        assert run in world.ok("follow", run)
        assert "from the future" not in world.ok("list")
    assert len(world.ok("tail").splitlines()) == len(rows)
    assert [p["name"] for p in json.loads(world.ok("projects", "--json"))["projects"]] == ["shop"]
    assert {json.loads(world.ok("show", r))["summary"] for r in rows} == {"hello", "did it", "no", ""}
    assert json.loads(world.ok("list", "--running", "--json"))["runs"] == []
    world.ok("add-project", "here", str(world.project))
    assert checked(world, world.shell("echo new", "--no-pane", "--project", "here"))["summary"] == "new"
