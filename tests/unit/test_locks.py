from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentctl import locks

HOLDER = """
import fcntl, os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(fd, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


def other(path: str) -> subprocess.Popen[str]:
    """Another process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-S", "-c", HOLDER, path], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "held\n"
    return process


def test_the_lock_is_free_when_its_holder_dies_however(path: str) -> None:
    """kill -9 frees it: a lock cannot be stale."""
    assert not locks.held(path)
    holder = other(path)
    assert locks.held(path) and locks.try_take(path) is None
    holder.send_signal(signal.SIGKILL)
    began = time.monotonic()
    locks.until_free(path)
    assert time.monotonic() - began < 1
    holder.communicate()
    taken = locks.try_take(path)
    assert taken is not None and locks.held(path)
    os.close(taken)
    assert not locks.held(path)


def test_closing_another_descriptor_of_the_file_does_not_free_it(path: str) -> None:
    """flock, not lockf: reading the lock file must not drop the lock."""
    taken = locks.take(path)
    open(path).close()
    assert locks.held(path)
    os.close(taken)


def test_the_lock_is_not_inherited_by_a_program(path: str) -> None:
    taken = locks.take(path)
    child = subprocess.Popen(["sleep", "5"], close_fds=False)
    os.close(taken)
    assert not locks.held(path)
    child.kill()
    child.wait()


def test_waiting_for_a_missing_lock_is_said_and_a_link_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        locks.until_free(path)
    os.symlink(tmp_path / "victim", path)
    for use in (locks.take, locks.try_take, locks.held, locks.until_free):
        with pytest.raises(OSError):
            use(path)
    assert not (tmp_path / "victim").exists()


def test_a_section_is_left_also_by_an_error(path: str) -> None:
    with pytest.raises(ZeroDivisionError), locks.holding(path):
        assert locks.held(path)
        raise ZeroDivisionError
    assert not locks.held(path)
