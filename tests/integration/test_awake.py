"""Kept awake by programs of the system: stand-ins on the PATH, which log how they were called and that they ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agentctl import awake
from conftest import REPO
from conftest import eventually
from conftest import marked

STAND_IN = """#!/bin/sh
echo "called $*" >> "$0.log"
while case "$1" in -*) true;; *) false;; esac; do shift; done
%s
"$@"
echo ended >> "$0.log"
"""
DRIVER = """
import os, signal, sys
sys.path.insert(0, %r)
from agentctl import awake
kept = awake.kept(os.environ, "a goal")
print(kept.words, flush=True)
signal.pause()
""" % str(REPO)


def stand_in(folder: Path, name: str, before: str = "") -> Path:
    path = folder / name
    path.write_text(STAND_IN % before)
    path.chmod(0o755)
    return path.with_name(name + ".log")


def env(folder: Path) -> dict[str, str]:
    return {"PATH": str(folder), "AWAKE_TEST": str(folder)}


def left(folder: Path) -> list[int]:
    return marked("AWAKE_TEST=%s" % folder)


@pytest.mark.parametrize("name", ["caffeinate", "systemd-inhibit"])
def test_it_holds_until_it_is_released(name: str, tmp_path: Path) -> None:
    log = stand_in(tmp_path, name)
    kept = awake.kept(env(tmp_path), "goal one\x1b two")
    assert kept.held and kept.words == "%s keeps the machine awake" % name
    options = {
        "caffeinate": "-i",
        "systemd-inhibit": "--what=idle:sleep --who=agentctl --why=goal one two --mode=block",
    }
    assert log.read_text() == "called %s /bin/sh -c echo awake; read _\n" % options[name] and left(tmp_path)
    kept.release()
    assert log.read_text().endswith("\nended\n") and not left(tmp_path) and not kept.held
    kept.release()


def test_where_there_is_none_it_says_so(tmp_path: Path) -> None:
    kept = awake.kept(env(tmp_path), "x")
    assert not kept.held and kept.words == "neither caffeinate nor systemd-inhibit is installed"
    kept.release()


def test_one_that_the_system_refuses_is_told_and_left_behind_is_nothing(tmp_path: Path) -> None:
    log = stand_in(tmp_path, "systemd-inhibit", "echo Failed to inhibit: Access denied >&2; exit 1")
    kept = awake.kept(env(tmp_path), "x")
    assert not kept.held and kept.words == "systemd-inhibit: Failed to inhibit: Access denied"
    assert "called" in log.read_text() and not left(tmp_path)
    (tmp_path / "caffeinate").write_bytes(b"\x7fELF")
    (tmp_path / "caffeinate").chmod(0o755)
    kept = awake.kept(env(tmp_path), "x")
    assert (
        kept.words
        == "caffeinate cannot be started: Exec format error; systemd-inhibit: Failed to inhibit: Access denied"
    )


def test_one_that_does_not_answer_or_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awake, "_ANSWER_S", 0.2)
    monkeypatch.setattr(awake, "_END_S", 0.2)
    stand_in(tmp_path, "caffeinate", "trap '' TERM HUP; while :; do :; done")
    kept = awake.kept(env(tmp_path), "x")
    assert not kept.held and kept.words == "caffeinate: it gives no answer" and not left(tmp_path)


def test_nothing_is_left_of_it_when_we_are_killed(tmp_path: Path) -> None:
    log = stand_in(tmp_path, "systemd-inhibit")
    process = subprocess.Popen([sys.executable, "-c", DRIVER], env=env(tmp_path), stdout=subprocess.PIPE)
    try:
        assert process.stdout and process.stdout.readline() == b"systemd-inhibit keeps the machine awake\n"
        assert "ended" not in log.read_text()
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        eventually(lambda: log.read_text().endswith("\nended\n"))
        eventually(lambda: not left(tmp_path))
    finally:
        process.kill()
        process.wait(10)
        if process.stdout:
            process.stdout.close()
