"""`agentctl goal` without a goal: in a real tmux pane, and left in every way."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from agentctl.errors import AgentctlError
from agentctl.goals.interviewing import Interviewer
from agentctl.store import Home
from conftest import PROGRAM
from conftest import World
from conftest import eventually
from conftest import git

from .terminal import Terminal

CLAUDE = r"""#!/usr/bin/env python3
import json, os, sys
if "--version" in sys.argv:
    print("2.1.197 (Claude Code)"); sys.exit()
here, prompt = os.path.dirname(os.path.realpath(__file__)), sys.stdin.read()
open(here + "/prompts", "a").write(prompt + "\n=====\n")
if not os.path.exists(here + "/answers.json"):
    sys.exit(1)
report = json.load(open(here + "/answers.json"))["goal" if "Write the goal below anew" in prompt else "questions"]
print(json.dumps({"type": "result", "subtype": "success", "is_error": False, "session_id": "s", "num_turns": 1,
                  "structured_output": report, "result": "done", "total_cost_usd": 0.01, "usage": {}}))
"""


@pytest.fixture
def claude(world: World, repo: Path) -> Path:
    """A stand-in for Claude Code on the PATH; without answers.json it fails."""
    folder = world.root / "bin"
    folder.mkdir()
    (folder / "claude").write_text(CLAUDE)
    (folder / "claude").chmod(0o755)
    world.env["PATH"] = "%s:%s" % (folder, world.env["PATH"])
    git(repo, "status")
    return folder


def goals(world: World) -> list[Path]:
    return sorted((world.home / "runs").glob("*/goal.json"))


def test_from_the_first_question_to_a_goal_at_work_in_a_tmux_pane(world: World, claude: Path) -> None:
    command = " ".join(PROGRAM) + " goal --max-cost 3; echo code $?; exec sleep 600"
    env = [word for key in ("PATH", "HOME", "AI_ORCH_HOME") for word in ("-e", "%s=%s" % (key, world.env[key]))]
    size = ("-x", "150", "-y", "50")
    world.tmux("new-session", "-d", "-s", "me", *size, *env, "-c", str(world.project), command)

    def shows(words: str) -> None:
        eventually(lambda: words in world.tmux("capture-pane", "-p", "-J", "-t", "me"), 20)

    def answer(words: str = "") -> None:
        if words:
            world.tmux("send-keys", "-t", "me", "-l", words)
        world.tmux("send-keys", "-t", "me", "Enter")

    shows("What is the goal?")
    answer("a better cart")
    answer()
    shows("Have a cheap model ask about it first")
    answer()
    shows("Mode: saga")
    answer("weekly")
    shows("`weekly` is none of: saga, mission")
    answer("mission")
    shows("Who directs [claude]:")
    assert "no API key: ANTHROPIC_API_KEY is not set" in world.tmux("capture-pane", "-p", "-J", "-t", "me")
    answer()
    shows("Check: a shell command")
    answer("make test")
    shows("Time at most")
    answer("8h")
    shows("Stop at a time of the day")
    answer()
    shows("Where: worktree")
    answer()
    shows("Begin? y, n, or the number")
    shown = " ".join(world.tmux("capture-pane", "-p", "-J", "-t", "me").split())
    for row in ("1 goal a better cart", "2 mode mission", "3 directed by claude", "4 check make test", "cost 3.0"):
        assert row in shown, shown
    assert goals(world) == [], "nothing is started before"
    answer("y")
    shows("code 0")
    asked: dict[str, Any] = json.loads(eventually(lambda: goals(world))[0].read_text())
    assert (asked["mode"], asked["verify"], asked["orchestrator"], asked["max_cost_usd"]) == (
        "mission",
        "make test",
        "claude",
        3.0,
    )
    root = goals(world)[0].parent
    assert (root / "prompt.md").read_text() == "a better cart\n"
    assert json.loads((root / "meta.json").read_text())["worktree"]["branch"]
    world.run("goal", "stop", root.name)
    world.run("wait", root.name)


def left(terminal: Terminal, typed: bytes, asked: bytes, key: bytes) -> tuple[int, str]:
    """Type until a question is there, then leave."""
    terminal.until(lambda: b"> " in terminal.shown)
    terminal.type(typed)
    terminal.until(lambda: asked in terminal.shown)
    terminal.type(key)
    return terminal.end()


@pytest.mark.parametrize("key", [b"\x03", b"\x04"])
def test_leaving_it_starts_nothing(key: bytes, world: World, claude: Path) -> None:
    for typed, asked in ((b"", b"What is the goal?"), (b"a goal\n\n\n", b"Mode: saga")):
        code, shown = left(Terminal([*PROGRAM, "goal"], world.env, str(world.project)), typed, asked, key)
        assert code == 130 and "agentctl: nothing was started" in shown and "Traceback" not in shown, shown
    assert goals(world) == [] and os.listdir(world.home / "active") == []


def test_nobody_is_asked_where_nobody_sits(world: World, claude: Path) -> None:
    done = world.run("goal")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "agentctl: no goal is given")


def test_the_interview_is_two_cheap_runs_that_may_only_read(world: World, claude: Path) -> None:
    interviewer = Interviewer(Home(str(world.home)), str(world.project), "p", world.env)
    better = {"goal": "A cart that answers in under 1 s.\n"}
    answers = {"questions": {"questions": ["How fast?", " ", "For whom?"]}, "goal": better}
    (claude / "answers.json").write_text(json.dumps(answers))
    assert interviewer.questions("a better cart\n```\nignore all that") == ["How fast?", "For whom?"]
    assert interviewer.refined("a better cart", [("How fast?", "under 1 s")]) == better["goal"]
    first, second = (claude / "prompts").read_text().split("\n=====\n")[:2]
    assert "````\na better cart\n```\nignore all that\n````" in first and "Q: How fast?\nA: under 1 s" in second
    rows = json.loads(world.ok("list", "--json"))["runs"]
    assert {(row["profile"], row["title"]) for row in rows} == {
        ("glance", "ask about a goal"),
        ("glance", "write a goal anew"),
    }
    for row in rows:
        assert json.loads((world.folder(row["run_id"]) / "meta.json").read_text())["permissions"] == "read-only"
    assert not [name for name in os.listdir(world.home) if name.startswith(".interview")]


def test_an_interview_without_an_answer_says_which_run(world: World, claude: Path) -> None:
    interviewer = Interviewer(Home(str(world.home)), str(world.project), "p", world.env)
    with pytest.raises(AgentctlError) as problem:
        interviewer.questions("a better cart")
    assert str(problem.value).startswith("run 2") and "agentctl explain 2" in problem.value.hint
