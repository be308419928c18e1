"""Codex's own file of a thread: found by its id, read at its end, and believed in nothing."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

import pytest

from agentctl import rollouts

NOW = 1_790_000_000.0


def thread_id(at: float, version: str = "7") -> str:
    head = "%012x" % int(at * 1000)
    return "%s-%s-%sabc-8def-0123456789ab" % (head[:8], head[8:12], version)


def counted(used: object, window: object = 1000) -> str:
    info = {"total_token_usage": {"input_tokens": 9}, "last_token_usage": {"input_tokens": used}}
    payload = {"type": "token_count", "info": {**info, "model_context_window": window}}
    return json.dumps({"timestamp": "t", "type": "event_msg", "payload": payload})


def write(home: Path, thread: str, at: float, *lines: str) -> Path:
    folder = home / "sessions" / time.strftime("%Y/%m/%d", time.gmtime(at))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ("rollout-2026-01-01T00-00-00-%s.jsonl" % thread)
    path.write_text("".join(line + "\n" for line in lines))
    return path


def test_the_last_count_is_taken(tmp_path: Path) -> None:
    thread = thread_id(NOW)
    nothing = json.dumps({"type": "event_msg", "payload": {"type": "token_count", "info": None}})
    said = json.dumps({"payload": {"type": "message", "text": '"token_count"'}})
    write(tmp_path, thread, NOW, counted(5), counted(77, 258400), nothing, said, "{torn")
    assert rollouts.context(str(tmp_path), thread, NOW) == (77, 258400)


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_the_day_is_a_local_one(tmp_path: Path, days: int) -> None:
    thread = thread_id(NOW - 400 * 86400)
    write(tmp_path, thread, NOW - 400 * 86400 + days * 86400, counted(5))
    assert rollouts.context(str(tmp_path), thread, NOW) == (5, 1000)


def test_an_id_that_says_no_day_is_looked_for_among_the_newest(tmp_path: Path) -> None:
    thread = thread_id(NOW, "4")
    write(tmp_path, thread, NOW - 3 * 86400, counted(5))
    assert rollouts.context(str(tmp_path), thread, NOW) == (5, 1000)


def test_not_all_years_are_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    real = os.listdir

    def listdir(path: str) -> list[str]:
        looked.append(path)
        return real(path)

    monkeypatch.setattr(os, "listdir", listdir)
    rollouts.context(str(tmp_path), thread_id(NOW), NOW)
    assert len(looked) == 3
    rollouts.context(str(tmp_path), thread_id(NOW, "4"), NOW)
    assert len(looked) < 60


def test_a_long_file_is_read_at_its_end(tmp_path: Path) -> None:
    thread = thread_id(NOW)
    write(tmp_path, thread, NOW, counted(5), "x" * (3 << 20), counted(6))
    assert rollouts.context(str(tmp_path), thread, NOW) == (6, 1000)
    write(tmp_path, thread, NOW, counted(5), "x" * (3 << 20))
    assert rollouts.context(str(tmp_path), thread, NOW) == (None, None)


def test_a_link_or_a_pipe_is_not_read(tmp_path: Path) -> None:
    thread = thread_id(NOW)
    path = write(tmp_path, thread, NOW, counted(5))
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert rollouts.context(str(tmp_path), thread, NOW) == (None, None)
    path.unlink()
    os.mkfifo(path)
    assert rollouts.context(str(tmp_path), thread, NOW) == (None, None)
    path.unlink()
    path.mkdir()
    assert rollouts.context(str(tmp_path), thread, NOW) == (None, None)


@pytest.mark.parametrize("used", [-1, 1.5, "7", True, None, 1 << 60, [1]])
def test_figures_are_whole_numbers(tmp_path: Path, used: object) -> None:
    thread = thread_id(NOW)
    write(tmp_path, thread, NOW, counted(used, used))
    assert rollouts.context(str(tmp_path), thread, NOW) == (None, None)


@pytest.mark.parametrize("thread", ["", "x", "../../../etc/passwd", "ffffffff-ffff-7abc-8def-0123456789ab"])
def test_an_id_that_is_none_finds_nothing(tmp_path: Path, thread: str) -> None:
    assert rollouts.context(str(tmp_path), thread, NOW) == (None, None)


def test_damage_is_survived(tmp_path: Path) -> None:
    thread, dice = thread_id(NOW), random.Random(5)
    path = write(tmp_path, thread, NOW, counted(5))
    whole = (counted(5) + "\n").encode() * 3
    for _ in range(1500):
        torn = bytearray(whole)
        for _ in range(dice.randrange(1, 6)):
            torn[dice.randrange(len(torn))] = dice.randrange(256)
        path.write_bytes(bytes(torn[dice.randrange(len(torn)) :]))
        used, window = rollouts.context(str(tmp_path), thread, NOW)
        assert used is None or used >= 0
        assert window is None or window >= 0
