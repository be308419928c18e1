"""A night's work with the real CLIs: directed, rejected by the check, then by the architect, then accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from typing import Optional

import pytest

from .arrow import Arrow
from .stub_scenarios import Step
from .stub_turn import Turn

pytestmark = pytest.mark.live

TEAM = {
    "format": 1,
    "members": {
        "smart": {"role": "worker_smart", "backends": ["claude"], "description": "hard pieces"},
        "fast": {"role": "worker_fast", "backends": ["codex"], "description": "small pieces"},
        "architect": {"role": "architect", "backends": ["claude"], "description": "judges", "verifies": True},
        "tester": {"role": "tester", "backends": ["codex"], "description": "runs it", "verifies": True},
    },
}
TEST = "import sys\nsys.path.insert(0, '.')\nimport add\nassert add.add(2, 3) == 5\nprint('passed')\n"
CHECK = "python3 tests/test_add.py"
WRONG, RIGHT = "def add(a, b):\n    return a - b\n", "def add(a, b):\n    return a + b\n"
WORK: dict[str, Step] = {
    "WORK-1": {"write": {"add.py": WRONG}},
    "WORK-2": {"write": {"add.py": RIGHT + "print('debugging')\n"}},
    "WORK-3": {"write": {"add.py": RIGHT}},
    "NOTES": {"write": {"NOTES.md": "adds two numbers\n"}},
}
ACTS: list[list[tuple[str, dict[str, Any]]]] = [
    [("ask", {"to": "smart", "prompt": "WORK-1"}), ("done", {"summary": "first claim"})],
    [
        ("ask_many", {"asks": [{"to": "smart", "prompt": "WORK-2"}, {"to": "fast", "prompt": "NOTES"}]}),
        ("done", {"summary": "second claim"}),
    ],
    [("ask", {"to": "smart", "prompt": "WORK-3"}), ("done", {"summary": "third claim"})],
]
REPORT: Step = {"report": {"goal_met": True, "summary": "directed", "followup_prompt": "", "notes": ""}}


class Night:
    """What every model says in one night, by whom it is asked to be."""

    def __init__(self, orchestrator: str) -> None:
        self.orchestrator = orchestrator
        self.nonce = "night-of-%s" % orchestrator
        self.verified: list[str] = []

    def __call__(self, turn: Turn) -> Optional[Step]:
        if turn.side or not turn.heard(self.nonce):
            return None
        first = next(n for n, (role, _) in enumerate(turn.said) if role == "user")
        said = turn.model_turns_after(first)
        if turn.heard("# Your team"):
            return self.direct(turn, said)
        if turn.heard("Does the work below reach the goal below?"):
            return self.verify(turn, said)
        fresh = [name for role, text in turn.fresh() if role == "user" for name in WORK if name in text]
        return WORK[fresh[-1]] if fresh else REPORT

    def direct(self, turn: Turn, said: int) -> Step:
        cycle = max(int(n) for _, text in turn.said for n in re.findall(r"This is cycle (\d+)", text))
        acts = ACTS[cycle - 1]
        return self.call(*acts[said]) if said < len(acts) else REPORT

    def call(self, name: str, given: dict[str, Any]) -> Step:
        given = json.loads(json.dumps(given))
        for ask in [given, *given.get("asks", ())]:
            if "prompt" in ask:
                ask["prompt"] = "%s of %s" % (ask["prompt"], self.nonce)
        tool: dict[str, Any] = {"name": name, "input": given}
        if self.orchestrator == "claude":
            tool["name"] = "mcp__agentctl__" + name
        if self.orchestrator == "codex":
            tool["namespace"] = "mcp__agentctl"
        return {"tools": [tool]}

    def verify(self, turn: Turn, said: int) -> Step:
        if turn.heard("You are `tester`") and said == 0:
            return {"run": CHECK}
        bad = turn.heard("You are `architect`") and turn.heard("+print('debugging')")
        reasons = ["add.py prints `debugging` when it is imported"] if bad else ["it is as it should be"]
        self.verified.append("\n".join(text for _, text in turn.said))
        return {"report": {"accept": not bad, "reasons": reasons, "evidence": ["read the diff"]}}


@pytest.fixture
def nights(arrow: Arrow) -> Iterator[list[Night]]:
    """Answers of this test; taken away with it."""
    made: list[Night] = []
    play = lambda turn: next((step for step in (night(turn) for night in made) if step), None)  # noqa: E731
    arrow.stub.plays.append(play)
    yield made
    arrow.stub.plays.remove(play)


@pytest.mark.parametrize("orchestrator", ["claude", "codex", "anthropic", "gemini"])
def test_a_night_from_the_goal_to_acceptance(arrow: Arrow, nights: list[Night], orchestrator: str) -> None:
    night = Night(orchestrator)
    nights.append(night)
    config = arrow.home / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "stagger_s": 0}))
    (arrow.repo / "tests").mkdir()
    (arrow.repo / "tests" / "test_add.py").write_text(TEST)
    world = arrow.world
    world.git(arrow.repo, "add", "-A")
    world.git(arrow.repo, "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qm", "Ask for add")
    (world.folder / "team.json").write_text(json.dumps(TEAM))
    (world.folder / "GOAL.md").write_text("add.py has add(a, b), without side effects. %s\n" % night.nonce)
    arrow.env.update(GEMINI_BASE_URL=arrow.stub.url, GEMINI_API_KEY="dummy")
    words = ["goal", str(world.folder / "GOAL.md"), "--project", "p", "--team", str(world.folder / "team.json")]
    goal = arrow.agentctl(*words, "--orchestrator", orchestrator, "--verify", CHECK, "--worktree", "--yes").strip()
    result = json.loads(arrow.agentctl("wait", "--timeout", "85", goal, codes=(0, 3, 4, 124)) or "{}")
    known = json.loads(arrow.agentctl("goal", "show", goal, "--json"))
    assert known["outcome"] == "accepted", known
    assert (result["goal_met"], result["verified"]) == (True, "passed")
    first, second, third = known["cycles"]
    assert "`%s` fails" % CHECK in first["reasons"][0] and not first["verdicts"]
    assert second["reasons"] == ["architect: add.py prints `debugging` when it is imported"]
    assert {verdict["who"]: verdict["accept"] for verdict in third["verdicts"]} == {"architect": True, "tester": True}
    assert [cycle["summary"] for cycle in known["cycles"]] == ["first claim", "second claim", "third claim"]
    assert not any(claim in text for text in night.verified for claim in ("first claim", "third claim", "REPORT"))
    sessions = {m["run"]: m for m in known["members"] if m["name"] == "smart"}
    assert len(sessions) == 3
    turns = arrow.stub.asked("WORK-3 of %s" % night.nonce)
    assert any(turn.heard("WORK-1 of %s" % night.nonce) for turn in turns), "it remembers"
    assert not (arrow.repo / "add.py").exists()
    arrow.agentctl("merge", goal, "--verify", CHECK)
    assert (arrow.repo / "add.py").read_text() == RIGHT
