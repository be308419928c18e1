"""Conversations begun by hand in the real CLIs: found on the disk, and gone on with as runs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .arrow import AGENTCTL
from .arrow import Arrow
from .arrow import eventually
from .stub_scenarios import GOOD
from .stub_scenarios import marker
from .tui import Tui

pytestmark = pytest.mark.live


@pytest.fixture
def tui(arrow: Arrow) -> Iterator[Tui]:
    """The interactive `claude`, as a person starts it in the project."""
    made = Tui(arrow.world, arrow.repo)
    yield made
    made.close()


def sessions(arrow: Arrow, *words: str) -> list[dict[str, Any]]:
    found: dict[str, Any] = json.loads(arrow.agentctl("sessions", *words, "--json"))
    assert found["damaged"] == 0
    rows: list[dict[str, Any]] = found["sessions"]
    return rows


def resumed(arrow: Arrow, session: str, prompt: str, *options: str) -> dict[str, Any]:
    """The result of the run that goes on with it; the model answers with a good report."""
    run = arrow.agentctl("resume", "--session", session, *options, said="%s %s" % (prompt, marker(GOOD))).strip()
    return arrow.wait(run)[0]


def refusal(arrow: Arrow, session: str) -> str:
    argv = ["resume", "--session", session]
    done = subprocess.run(
        [*AGENTCTL, *argv], input="go on", env=arrow.env, cwd=arrow.world.folder, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, ""), done
    return done.stderr


def told(arrow: Arrow, prompt: str) -> list[str]:
    """All that the model was told in the request that has this prompt."""
    return [text for _, text in arrow.stub.wait_for(prompt).said]


def test_a_conversation_with_the_interactive_claude(arrow: Arrow, tui: Tui) -> None:
    tui.ask("The word is plum", {"text": "I keep it"})
    tui.ask("and another is pear", {"text": "That one too"})
    (one,) = sessions(arrow)
    session = tui.state("sessionId")
    assert (one["session_id"], one["backend"], one["cwd"], one["project"]) == (session, "claude", str(arrow.repo), "p")
    assert one["prompt"].startswith("The word is plum") and one["context_tokens"] == 100 and one["branch"] == "main"
    assert (one["live"], one["doing"], one["ours"]) == (True, "idle", False)
    assert "is open: claude has it now" in refusal(arrow, session)

    tui.leave()
    (one,) = sessions(arrow, "--project", "p", "--backend", "claude")
    assert (one["live"], one["doing"], one["ours"]) == (False, "", False)
    result = resumed(arrow, session[:8], "Which words were there?", "--title", "words")
    assert (result["status"], result["goal_met"], result["session_id"]) == ("finished", True, session)
    assert (result["cwd"], result["project"], result["parent"]) == (str(arrow.repo), "p", "")
    assert result["model"] == one["model"] == "claude-opus-4-8"
    words = "\n".join(told(arrow, "Which words were there?"))
    assert "The word is plum" in words and "That one too" in words

    (one,) = sessions(arrow)
    assert (one["ours"], one["run_id"], one["title"]) == (True, result["run_id"], "words")
    again = resumed(arrow, session, "And once more?")
    assert (again["status"], again["parent"], again["session_id"]) == ("finished", result["run_id"], session)
    assert "Which words were there?" in "\n".join(told(arrow, "And once more?"))


def test_a_conversation_with_codex_exec(arrow: Arrow) -> None:
    said = "The word is quince " + marker({"text": "I keep quince"})
    done = arrow.world.run(["codex", "exec", "-"], cwd=arrow.repo, said=said)
    assert done.returncode == 0, done.stderr
    (one,) = sessions(arrow)
    assert (one["backend"], one["cwd"], one["project"], one["model"]) == ("codex", str(arrow.repo), "p", "gpt-5.5")
    assert one["prompt"].startswith("The word is quince") and (one["ours"], one["live"]) == (False, False)
    assert (one["context_tokens"], one["context_window"], one["usage"]["output"]) == (100, 258_400, 10)
    assert "user: The word is quince" in arrow.agentctl("sessions", "show", one["session_id"])
    assert one["session_id"] in arrow.agentctl("sessions", "search", "KEEP QUINCE")

    result = resumed(arrow, one["session_id"], "Which word was it?", "--profile", "spark")
    assert (result["status"], result["goal_met"], result["session_id"]) == ("finished", True, one["session_id"])
    assert result["usage"]["output"] == 10, "its own, not what the conversation had used before"
    words = "\n".join(told(arrow, "Which word was it?"))
    assert "The word is quince" in words and "I keep quince" in words
    (one,) = sessions(arrow)
    assert (one["ours"], one["run_id"], one["usage"]["output"]) == (True, result["run_id"], 20)


def test_a_codex_that_works_has_its_conversation_open(arrow: Arrow, tmp_path: Path) -> None:
    go = tmp_path / "go"
    waits = "i=0; while [ ! -e %s ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done" % go
    argv = ["codex", "exec", "-s", "danger-full-access", "The word is fig " + marker({"run": waits})]
    worker = subprocess.Popen(
        argv,
        cwd=arrow.repo,
        env=arrow.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert eventually(lambda: [one["live"] for one in sessions(arrow)] == [True], 20)
        (one,) = sessions(arrow)
        assert "is open: codex has it now" in refusal(arrow, one["session_id"])
    finally:
        go.touch()
        worker.wait(30)
    assert [one["live"] for one in sessions(arrow)] == [False]


def test_two_do_not_go_on_with_one_conversation(arrow: Arrow) -> None:
    done = arrow.world.run(["claude", "-p"], cwd=arrow.repo, said="The word is date " + marker({"text": "I keep it"}))
    assert done.returncode == 0, done.stderr
    (one,) = sessions(arrow)
    words = ["resume", "--session", one["session_id"]]
    first = arrow.agentctl(*words, said="first " + marker({"hang": 30})).strip()
    assert "run %s works in session %s" % (first, one["session_id"]) in refusal(arrow, one["session_id"])
    arrow.agentctl("stop", first)


def test_ours_in_a_worktree_goes_on_there(arrow: Arrow) -> None:
    first = arrow.done("The word is lime " + marker(GOOD), "codex", "--worktree")
    (one,) = sessions(arrow)
    assert (one["cwd"], one["project"], one["run_id"]) == (first["cwd"], "p", first["run_id"])
    again = resumed(arrow, one["session_id"], "Which word was it?")
    assert (again["cwd"], again["branch"], again["parent"]) == (first["cwd"], first["branch"], first["run_id"])
    assert "The word is lime" in "\n".join(told(arrow, "Which word was it?"))
