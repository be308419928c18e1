"""The Cursor backend against the documented stream (cursor_stand_in.py), whole arrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .arrow import Arrow
from .arrow import eventually
from .arrow import marked
from .cursor_stand_in import install
from .stub_scenarios import GOOD
from .stub_scenarios import marker
from .stub_server import StubServer
from .world import World


@pytest.fixture
def cursor(tmp_path: Path, stub: StubServer) -> Iterator[Arrow]:
    """agentctl on a fresh home whose only worker is the stand-in."""
    folder = tmp_path / "bin"
    folder.mkdir()
    install(folder)
    made = Arrow(World(tmp_path, folder, stub))
    made.agentctl("add-project", "p", str(made.repo), "--trust")
    yield made
    made.close()


def test_edits_and_commands_are_in_the_result(cursor: Arrow) -> None:
    result = cursor.done("please @@stub:edit@@", "cursor")
    assert (result["status"], result["goal_met"]) == ("finished", True)
    assert result["git_files"] == ["hello.txt"]
    assert [Path(p).name for p in result["files_written"]] == ["hello.txt"]
    assert result["usage"]["input"] == 300
    assert result["session_id"]
    assert result["denied"], "the command: edits alone are allowed"


def test_a_worker_that_never_exits_has_still_finished(cursor: Arrow) -> None:
    result = cursor.done(marker({"linger": True, **GOOD}), "cursor")
    assert (result["status"], result["goal_met"]) == ("finished", True)
    assert eventually(lambda: not marked(result["run_id"]))


def test_no_result_is_a_failure(cursor: Arrow) -> None:
    mute = cursor.start(marker({"mute": True, "text": "and then nothing"}), "cursor")
    dead = cursor.start(marker({"die": "ConnectError: unauthenticated"}), "cursor")
    results = cursor.wait(mute, dead, codes=(4,))
    assert [r["status"] for r in results] == ["failed", "failed"]
    assert "unauthenticated" in results[1]["error"]


def test_a_report_that_is_not_json_is_asked_for_once_more(cursor: Arrow) -> None:
    result = cursor.done(marker({"text": "All is done, trust me."}, GOOD), "cursor")
    assert (result["status"], result["goal_met"], result["summary"]) == ("finished", True, "stub: done")


def test_a_report_that_is_never_json_is_a_failure(cursor: Arrow) -> None:
    result = cursor.done(marker({"text": "All is done, trust me."}), "cursor", codes=(4,))
    assert (result["status"], result["goal_met"]) == ("failed", None)


def test_resume_goes_on_with_the_chat(cursor: Arrow) -> None:
    first = cursor.done("one @@stub:ok@@", "cursor")
    second = cursor.wait(cursor.resume(first["run_id"], "two @@stub:not-met@@"), codes=(3,))[0]
    assert second["session_id"] == first["session_id"]
    kept = cursor.world.home / ".cursor" / "chats" / (first["session_id"] + ".json")
    assert "one @@stub" in kept.read_text()
    assert "two @@stub" in kept.read_text()


def test_read_only_cannot_write(cursor: Arrow) -> None:
    result = cursor.done("@@stub:both-write@@", "cursor", profile="review")
    assert result["git_files"] == []
    assert not (cursor.repo / "hello.txt").exists()
    assert not (cursor.repo / "by-shell.txt").exists()
    assert result["denied"]


def test_a_stranger_s_repository_is_refused(cursor: Arrow) -> None:
    cursor.project("stranger")
    cursor.agentctl("start", "--project", "stranger", "--backend", "cursor", said="x", codes=(1,))
    assert list(cursor.home.glob("runs/*")) == []
