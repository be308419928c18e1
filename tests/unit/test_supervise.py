"""Workers and what they leave: real processes, with /proc and as if there were none."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from agentctl import processes
from agentctl import supervise
from agentctl import sweeping
from conftest import eventually

STUBBORN = "trap '' TERM; (trap '' TERM; sleep 61.3) & while :; do sleep 0.05; done"
LIVES_ON = "sleep 0.7; (trap '' TERM; sleep 61.3) & sleep 61.4"
Started = Callable[[str], int]

pytestmark = pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps, which stands in for /proc elsewhere")


@pytest.fixture
def started() -> Iterator[Started]:
    """Starts `sh -c` as a worker is started; ends its group afterwards."""
    pids: list[int] = []
    null = os.open(os.devnull, os.O_RDWR)

    def start(script: str) -> int:
        pids.append(supervise.spawn(["/bin/sh", "-c", script], {"PATH": os.environ["PATH"]}, os.devnull, null, null))
        return pids[-1]

    yield start
    os.close(null)
    for pid in pids:
        supervise.signal_child_group(pid, signal.SIGKILL)


@pytest.fixture
def no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LINUX", False)
    monkeypatch.setattr(processes, "children", lambda: None)


def group(pgid: int) -> set[int]:
    """Live members of a process group, whoever's children they are."""
    out = subprocess.run(["ps", "-axo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in out.splitlines())
    return {int(pid) for pid, of, state in rows if int(of) == pgid and state[0] != "Z"}


# -- spawn


def test_a_name_is_not_looked_up_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository may hold a program called `make`; posix_spawn would take it."""
    (tmp_path / "make").write_text("#!/bin/sh\ntouch %s/ran\n" % tmp_path)
    (tmp_path / "make").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as caught:
        supervise.spawn(["make"], {}, os.devnull, 1, 2)
    assert caught.value.filename == "make" and not (tmp_path / "ran").exists()


@pytest.mark.skipif(not processes.LINUX, reason="reads /proc")
def test_a_worker_ignores_no_signal_because_python_does(started: Started) -> None:
    status = Path("/proc/%d/status" % started("sleep 61.2")).read_text()
    ignored = int(status.partition("SigIgn:")[2].split()[0], 16)
    assert not ignored & (1 << signal.SIGXFSZ - 1 | 1 << signal.SIGPIPE - 1)


# -- marks of a process


@pytest.mark.parametrize("linux", [processes.LINUX, False])
def test_a_process_has_a_mark_while_it_lives(linux: bool, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LINUX", linux)
    pid = started("sleep 61.1")
    mark = supervise.start_time(pid)
    time.sleep(1.1)
    assert mark and supervise.start_time(pid) == mark != supervise.start_time(os.getpid())
    assert processes.parent(pid) == os.getpid()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert (supervise.start_time(pid), processes.parent(pid)) == ("", 0)


def test_the_mark_does_not_depend_on_the_readers_time_zone(no_proc: None, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = supervise.start_time(os.getpid())
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert supervise.start_time(os.getpid()) == mark


def test_without_ps_nothing_is_known(no_proc: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert supervise.start_time(os.getpid()) == "" and processes.table() == {}


# -- ending all of it, where there is no /proc


def test_a_recorded_group_and_what_is_below_it_ends(no_proc: None, started: Started) -> None:
    """The child in a session of its own is found by its parent."""
    away = "import os, time; os.setsid(); time.sleep(61.5)"
    pid = started("%s -c '%s' & %s" % (sys.executable, away, STUBBORN))
    mark = supervise.start_time(pid)
    escaped = eventually(lambda: {p.pid for p in processes.table().values() if p.parent == pid and p.group != pid})
    supervise.end_group(pid, "no-mark", grace=0.2, started=mark)
    eventually(lambda: not group(pid) and not escaped & processes.table().keys())


def test_an_orphan_in_the_group_ends_with_it(no_proc: None, started: Started) -> None:
    pid = started("(sleep 61.7 &); exec sleep 61.8")
    mark = supervise.start_time(pid)
    eventually(lambda: [p for p in processes.table().values() if p.group == pid != p.pid and p.parent != pid])
    supervise.end_group(pid, "no-mark", grace=0.2, started=mark)
    eventually(lambda: not group(pid))


@pytest.mark.parametrize("mark", ["", "Thu Jan  1 00:00:00 1970", "?"])
def test_a_number_that_was_used_again_is_left_alone(mark: str, no_proc: None, started: Started) -> None:
    pid = started(STUBBORN)
    eventually(lambda: len(group(pid)) > 1)
    supervise.end_group(pid, "no-mark", grace=0.1, started=mark)
    time.sleep(0.2)
    assert pid in group(pid)


def test_who_outlives_the_leader_is_still_ended(no_proc: None, started: Started) -> None:
    """The leader dies of TERM at once; a member of its group that ignores it is known by then."""
    pid = started(LIVES_ON)
    mark = supervise.start_time(pid)
    eventually(lambda: len(group(pid)) > 2)
    supervise.end_group(pid, "no-mark", grace=0.2, started=mark)
    eventually(lambda: not group(pid))


@pytest.mark.parametrize("linux", [True, False])
def test_a_sweep_goes_on_to_kill(linux: bool, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    """No list of children, no mark: the group alone tells that somebody is left."""
    monkeypatch.setattr(processes, "LINUX", linux and processes.LINUX)
    monkeypatch.setattr(processes, "children", lambda: None)
    pid = started("(trap '' TERM; while :; do sleep 0.05; done) & sleep 0.3")
    os.waitpid(pid, 0)
    left = group(pid)
    assert left
    swept = set(sweeping.sweep("no-mark", pid, 0, grace=0.1))
    assert bool(swept & left) is not linux, "without a mark Linux cannot say who it was"
    eventually(lambda: not group(pid))


def test_a_sweep_leaves_time_to_clean_up(tmp_path: Path, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "children", lambda: None)
    clean = tmp_path / "clean"
    pid = started("(trap 'sleep 0.2; echo > %s; exit' TERM; while :; do sleep 0.05; done) & sleep 0.3" % clean)
    os.waitpid(pid, 0)
    sweeping.sweep("no-mark", pid, 0, grace=5.0)
    assert clean.exists()


def test_the_sentinel_ends_the_group_when_the_runner_is_gone(no_proc: None, started: Started) -> None:
    sentinel, tell = supervise.start_sentinel("no-mark", ("/bin/true",))
    pid = started(STUBBORN)
    os.write(tell, b"%d\n" % pid)
    eventually(lambda: len(group(pid)) > 1)
    time.sleep(0.3)  # it asks `ps` for the mark when it hears of the worker
    os.close(tell)
    os.waitpid(sentinel, 0)
    eventually(lambda: not group(pid))


def test_a_dismissed_sentinel_ends_nothing(started: Started) -> None:
    sentinel, tell = supervise.start_sentinel("no-mark", ("/bin/true",))
    pid = started("sleep 61.6")
    os.write(tell, b"%d\n" % pid)
    os.write(tell, b".")
    os.close(tell)
    os.waitpid(sentinel, 0)
    assert pid in group(pid)
