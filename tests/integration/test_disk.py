"""A disk that is full or cannot be written: one clear error, or a result; never a torn file, never a hang.

A small tmpfs is mounted for these tests, which needs root and mount(8); where that
is not allowed a user and mount namespace is tried, else they are skipped with the reason.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import World
from conftest import eventually


def mounted(folder: Path, options: str) -> str:
    """ "" if a tmpfs is now there, else why not."""
    if not shutil.which("mount"):
        return "no mount(8) here"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "agentctl-test", str(folder)], capture_output=True, text=True
    )
    return done.stderr.strip() if done.returncode else ""


@pytest.fixture
def small(world: World) -> Iterator[World]:
    """A world whose home lies on a disk of its own of 1 MB."""
    old = world.home
    world.home = world.root / "disk" / "orch"
    world.home.parent.mkdir()
    why = mounted(world.home.parent, "size=1m,nr_inodes=400")
    if why:
        pytest.skip("cannot mount a small disk (%s)" % why)
    shutil.copytree(old, world.home)
    world.env["AI_ORCH_HOME"] = str(world.home)
    world.config(min_free_disk_mb=0)
    try:
        yield world
    finally:
        world.close()
        subprocess.run(["umount", "-l", str(world.home.parent)], capture_output=True)


def fill(world: World, leave: int = 0) -> Path:
    """Take all space of the disk but `leave` bytes."""
    path = world.home.parent / "filler"
    with open(path, "ab", buffering=0) as f:
        try:
            while True:
                f.write(b"\0" * 4096)
        except OSError as e:
            assert e.errno == errno.ENOSPC
    if leave:
        os.truncate(path, max(path.stat().st_size - leave, 0))
    return path


def plain(text: str) -> bool:
    return "Traceback" not in text and "unexpected" not in text


def test_a_full_disk_at_start_is_one_error_and_leaves_nothing(small: World) -> None:
    """No space at start, at every amount left: refused with one line, a hint and no folder, or a result."""
    run = small.shell("echo before", "--no-pane")
    before = small.result(run)
    for pages in (0, 1, 2, 3, 4, 5, 6, 8, 10, 12):
        filler = fill(small, pages * 4096)
        known = {*os.listdir(small.home / "runs")}
        done = small.run("start", "--no-pane", "--", "sh", "-c", "echo hi")
        assert plain(done.stderr), done.stderr
        if done.returncode:
            assert (
                done.returncode == 1 and done.stderr.count("\n") == 2 and "hint:" in done.stderr and done.stdout == ""
            )
            assert {*os.listdir(small.home / "runs")} == known
            assert os.listdir(small.home / "active") == []
        else:
            ended = small.run("wait", "--timeout", "40s", done.stdout.strip())
            assert ended.returncode in (0, 3, 4) and plain(ended.stderr), (pages, ended)
        for words in (["list"], ["show", run], ["wait", run], ["tail"]):
            done = small.run(*words)
            assert done.returncode == 0 and plain(done.stderr), (words, done.stderr)
        filler.unlink()
    assert small.result(run) == before
    for folder in (small.home / "runs").iterdir():
        json.loads((folder / "result.json").read_bytes())


def test_a_disk_that_fills_in_mid_run_costs_events_not_the_run(small: World) -> None:
    """No space in mid-run: the worker's exit is a result, published with the run's reserve."""
    run = small.shell("echo one; while [ ! -e go ]; do sleep 0.05; done; echo two; exit 5", "--no-pane")
    small.working(run)
    fill(small)
    (small.project / "go").touch()
    result = small.result(run)
    assert (result["status"], result["exit_code"], result["goal_met"]) == ("finished", 5, False)
    assert json.loads((small.folder(run) / "result.json").read_bytes())["exit_code"] == 5


def test_a_run_whose_end_finds_no_space_ends_when_there_is_some(small: World) -> None:
    """No space at the end, not even the reserve: wait goes on, and answers with the true result once there is room."""
    run = small.shell("while [ ! -e go ]; do sleep 0.05; done; echo true end", "--no-pane")
    small.working(run)
    os.unlink(small.folder(run) / "reserve")
    filler = fill(small)
    (small.project / "go").touch()
    waiter = small.popen("wait", run)
    time.sleep(1.5)
    assert waiter.poll() is None
    assert small.run("list").returncode == 0 and small.run("show", run).returncode == 0
    filler.unlink()
    out, err = waiter.communicate(timeout=20)
    assert json.loads(out)["status"] == "finished" and plain(err.decode())
    eventually(lambda: [n["run_id"] for n in small.notes()] == [run])


def test_a_full_disk_delays_the_line_not_the_waiters(small: World) -> None:
    """The result fits and the notification does not: wait returns at once, the line comes once there is room."""
    run = small.shell("while [ ! -e go ]; do sleep 0.05; done; echo ok", "--no-pane")
    small.working(run)
    log = small.home / "notify.log"
    log.write_bytes(b"{}\n" * (4096 // 3) + b"\n" * (4096 % 3))  # the next line needs a new page
    (small.folder(run) / "reserve").write_bytes(b"\0" * 4096)  # room for the result alone
    filler = fill(small)
    (small.project / "go").touch()
    began = time.monotonic()
    assert small.result(run)["status"] == "finished"
    assert time.monotonic() - began < 8
    filler.unlink()
    small.ok("show", run)
    assert [n["run_id"] for n in small.notes() if n] == [run]


def test_a_lost_run_on_a_full_disk_is_told_and_settled_later(small: World) -> None:
    """The runner dies and the disk is full: lost is the answer now, and the record follows once there is room."""
    run = small.shell("sleep 300", "--no-pane")
    small.working(run)
    os.unlink(small.folder(run) / "reserve")
    filler = fill(small)
    os.kill(small.runner_pid(run), 9)
    assert small.result(run)["status"] == "lost"
    filler.unlink()
    assert small.result(run)["status"] == "lost"
    assert json.loads((small.folder(run) / "result.json").read_bytes())["status"] == "lost"
    assert [n["run_id"] for n in small.notes()] == [run]


def test_no_inode_left_is_one_error_or_a_result(small: World) -> None:
    """No file can be made: start refuses in one line, and what runs ends."""
    run = small.shell("while [ ! -e go ]; do sleep 0.05; done", "--no-pane")
    small.working(run)
    made = 0
    try:
        for made in range(1000):
            (small.home.parent / ("i%d" % made)).touch()
    except OSError:
        pass
    done = small.run("start", "--no-pane", "--", "true")
    assert done.returncode == 1 and plain(done.stderr) and "hint:" in done.stderr
    (small.project / "go").touch()
    waiter = small.popen("wait", run)
    time.sleep(1)
    for n in range(20):
        (small.home.parent / ("i%d" % n)).unlink()
    assert json.loads(waiter.communicate(timeout=20)[0])["status"] in ("finished", "lost")


@pytest.fixture
def frozen(world: World) -> Iterator[World]:
    """A world whose home cannot be written any more: one finished run, one whose runner was killed."""
    world.ended = world.shell("echo fine", "--no-pane")  # type: ignore[attr-defined]
    world.result(world.ended)  # type: ignore[attr-defined]
    world.dead = world.shell("sleep 300", "--no-pane")  # type: ignore[attr-defined]
    world.working(world.dead)  # type: ignore[attr-defined]
    os.kill(world.runner_pid(world.dead), 9)  # type: ignore[attr-defined]
    eventually(lambda: not world.marked(world.dead), 10)  # type: ignore[attr-defined]
    home = str(world.home)
    for words in (["mount", "--bind", home, home], ["mount", "-o", "remount,bind,ro", home]):
        done = subprocess.run(words, capture_output=True, text=True) if shutil.which("mount") else None
        if done is None or done.returncode:
            subprocess.run(["umount", "-l", home], capture_output=True)
            pytest.skip("cannot mount read-only: %s" % (done.stderr.strip() if done else "no mount(8)"))
    try:
        yield world
    finally:
        subprocess.run(["umount", "-l", home], capture_output=True)


def test_a_read_only_home_can_be_read_and_refuses_before_anything_starts(frozen: World) -> None:
    """Read-only home: list, show, wait, follow, tail answer; start, stop, add-project refuse in one line each."""
    ended, dead = frozen.ended, frozen.dead  # type: ignore[attr-defined]
    for words in (
        ["list"],
        ["show", ended],
        ["show", dead],
        ["tail"],
        ["wait", ended],
        ["follow", ended],
        ["follow", dead],
        ["projects"],
    ):
        done = frozen.run(*words, timeout=20)
        assert done.returncode == 0 and plain(done.stderr), (words, done)
    for words in (["wait", dead], ["wait", "--timeout", "5", dead, ended]):
        done = frozen.run(*words, timeout=20)
        assert done.returncode == 4 and '"lost"' in done.stdout, done
    for words in (
        ["start", "--no-pane", "--", "touch", "ran"],
        ["start", "--", "touch", "ran"],
        ["add-project", "q", "."],
        ["remove-project", "p"],
    ):
        done = frozen.run(*words)
        assert done.returncode == 1 and plain(done.stderr) and done.stderr.startswith("agentctl: "), (words, done)
        assert "ead-only" in done.stderr
    assert not (frozen.project / "ran").exists()
    assert not (frozen.folder(dead) / "result.json").exists()


def test_a_home_that_is_no_home_is_said(world: World) -> None:
    """No home, a file in its place, a foreign owner: one line and a hint."""
    (world.root / "file").write_text("x")
    for home in (world.root / "none", world.root / "file", Path("/proc")):
        done = world.run("list", env={"AI_ORCH_HOME": str(home)})
        assert done.returncode == 1 and "agentctl init" in done.stderr, done
    if os.getuid() == 0:
        os.chown(world.home / "runs", 12345, 12345)
        done = world.run("start", "--no-pane", "--", "true")
        assert done.returncode == 1 and "another user" in done.stderr
