"""The built-in workflows with real `claude`, from the first step to the last."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any
from typing import Optional

import pytest

from .arrow import AGENTCTL
from .arrow import Arrow
from .arrow import eventually
from .stub_scenarios import Step
from .stub_turn import Turn

pytestmark = pytest.mark.live

OPENINGS = {
    "feature_implementation": {
        "analyst": "Somebody wants the change below",
        "planner": "Plan the change below",
        "builder": "Build what is asked below",
        "tester": "Somebody built what is asked below",
        "reviewer": "Judge the work below",
    },
    "bug_fix": {
        "analyst": "Something is wrong, as described below",
        "planner": "Plan how the fault below is mended",
        "builder": "Mend the fault below",
        "tester": "Somebody mended the fault below",
        "reviewer": "Judge the fix below",
    },
    "code_review": {
        "analyst": "Somebody wants a review",
        "planner": "A reviewer and a tester are about to look",
        "reviewer": "Review the work described below",
        "tester": "A review is under way",
    },
    "documentation": {
        "analyst": "Somebody wants the documents below",
        "planner": "Plan the documents asked for below",
        "documenter": "Write the documents asked for below",
        "reviewer": "Judge the documents below",
    },
}
"""How the prompt of each step begins: by this the model knows which one it is asked."""
MAKERS = ("builder", "documenter")


class Model:
    """What the model says in one test: by the step, and how often it was asked there."""

    def __init__(self, arrow: Arrow, workflow: str, nonce: str, changes: bool = True) -> None:
        self.arrow, self.nonce, self.changes = arrow, nonce, changes
        self.openings = OPENINGS.get(workflow, {})
        self.unmet: set[str] = set()
        self.hanging, self.hung = "", False
        self.choice: Optional[dict[str, str]] = None
        self.asked: list[str] = []

    def __call__(self, turn: Turn) -> Optional[Step]:
        if turn.side or not turn.heard(self.nonce):
            return None
        if turn.heard("Which of these workflows fits"):
            return {"report": self.choice}
        step = next((s for s, words in self.openings.items() if turn.heard(words)), "")
        answered = sum(role == "assistant" for role, _ in turn.said)
        if not answered:
            self.asked.append(step)
        if step in MAKERS and self.changes and not answered:
            return {"write": {"made-%s.txt" % self.nonce: "made by %s\n" % step}}
        if step == self.hanging:
            self.hung = True
            return {"text": "thinking…", "hang": 3600.0}
        told = {
            "summary": "summary of %s" % step,
            "followup_prompt": "plan of %s" % step,
            "notes": "notes of %s" % step,
        }
        return {"report": {"goal_met": step not in self.unmet, **told}}

    def prompt(self, step: str) -> str:
        """What the step was told first."""
        turns = [turn for turn in self.arrow.stub.asked(self.nonce) if turn.heard(self.openings[step])]
        return "\n".join(text for role, text in turns[0].said if role == "user")


@pytest.fixture
def models(arrow: Arrow) -> Iterator[list[Model]]:
    """Answers of this test; taken away with it."""
    made: list[Model] = []
    play = lambda turn: next((step for step in (model(turn) for model in made) if step), None)  # noqa: E731
    arrow.stub.plays.append(play)
    yield made
    arrow.stub.plays.remove(play)


def run(arrow: Arrow, *words: str, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """`workflow run … --wait --json` with claude."""
    options = ("--project", "p", "--backend", "claude", "--wait", "--json", "--timeout", "80s")
    known: dict[str, Any] = json.loads(arrow.agentctl(*words, *options, codes=codes))
    return known


@pytest.mark.parametrize("workflow", OPENINGS)
def test_a_built_in_workflow_from_end_to_end(arrow: Arrow, models: list[Model], workflow: str) -> None:
    nonce = "flow-" + workflow.replace("_", "-")
    model = Model(arrow, workflow, nonce)
    models.append(model)
    known = run(arrow, "workflow", "run", workflow, "please do %s, and leave {{prompt}} alone" % nonce)
    steps = {step["step"]: step for step in known["steps"]}
    assert model.asked == list(OPENINGS[workflow]) == list(steps), "each once, one after the other"
    assert {(s["status"], s["goal_met"], s["short"]) for s in steps.values()} == {("finished", True, "")}
    for step in OPENINGS[workflow]:
        assert "please do %s, and leave {{prompt}} alone" % nonce in model.prompt(step)
    assert "summary of analyst" in model.prompt("planner") and "It gives no instructions" in model.prompt("planner")
    last = list(OPENINGS[workflow])[-1]
    assert "summary of " in model.prompt(last)
    maker = next((step for step in MAKERS if step in steps), "")
    if maker:
        assert "plan of planner" in model.prompt(maker)
        assert (arrow.repo / ("made-%s.txt" % nonce)).read_text() == "made by %s\n" % maker
        assert "+made by %s" % maker in model.prompt("reviewer"), "the diff is handed on"
    metas = {
        s: json.loads(arrow.run_file(known_step["run_id"], "meta.json").read_text()) for s, known_step in steps.items()
    }
    assert {s: meta["role"] for s, meta in metas.items()} == {s: s for s in steps}
    assert all(
        (meta["permissions"] == "read-only") == (s in ("analyst", "planner", "reviewer")) for s, meta in metas.items()
    )


def test_a_verdict_that_counts_and_one_that_is_handed_on(arrow: Arrow, models: list[Model]) -> None:
    """An analyst or tester that is not content stops nothing; a planner does, and a reviewer has the last word."""
    model = Model(arrow, "bug_fix", "flow-verdict")
    models.append(model)
    model.unmet = {"analyst", "tester", "reviewer"}
    known = run(arrow, "workflow", "run", "bug_fix", "flow-verdict", "--worktree", codes=(3,))
    assert [s["short"] for s in known["steps"]] == ["not_met", "", "", "not_met", "not_met"]
    assert '"goal_met": false' in model.prompt("reviewer")
    assert not (arrow.repo / "made-flow-verdict.txt").exists(), "it is in the worktree"
    model.unmet, model.nonce = {"planner"}, "flow-no-plan"
    known = run(arrow, "workflow", "run", "bug_fix", "flow-no-plan", codes=(4,))
    assert [s["short"] for s in known["steps"]] == ["", "not_met", "skipped", "skipped", "skipped"]


def test_a_model_chooses_the_workflow(arrow: Arrow, models: list[Model]) -> None:
    model = Model(arrow, "documentation", "flow-auto")
    models.append(model)
    model.choice = {"workflow": "documentation", "why": "it asks for a README"}
    known = run(arrow, "execute", "write a README flow-auto")
    assert (known["name"], known["why"]) == ("documentation", "it asks for a README")
    chooser = json.loads(arrow.agentctl("show", known["chosen_by"]))
    assert (chooser["profile"], chooser["status"]) == ("glance", "finished")
    assert arrow.stub.asked("Which of these workflows fits")[-1].schema["properties"]["workflow"]["enum"]


def test_a_killed_builder_goes_on_in_its_session(arrow: Arrow, models: list[Model]) -> None:
    model = Model(arrow, "feature_implementation", "flow-killed")
    models.append(model)
    model.hanging = "builder"
    words = [
        "workflow",
        "run",
        "feature_implementation",
        "flow-killed",
        "--project",
        "p",
        "--backend",
        "claude",
        "--worktree",
    ]
    workflow = arrow.agentctl(*words).strip()
    assert eventually(lambda: model.hung, 60), "it got an answer, and waits for the next"
    before = {s["step"]: s for s in json.loads(arrow.agentctl("workflow", "show", workflow, "--json"))["steps"]}
    os.kill(arrow.runner_pid(before["builder"]["run_id"]), signal.SIGKILL)
    model.hanging = ""
    done = subprocess.run(
        [*AGENTCTL, "workflow", "resume", workflow, "--wait", "--json"],
        env=arrow.env, cwd=arrow.world.folder, capture_output=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout, done.stderr)
    after = {s["step"]: s for s in json.loads(done.stdout)["steps"]}
    assert [after[s]["run_id"] == before[s]["run_id"] for s in after] == [True, True, False, False, False]
    results = [arrow.wait(step["run_id"])[0] for step in after.values()]
    assert {r["status"] for r in results} == {"finished"} and len({r["worktree"] for r in results}) == 1
    lost = arrow.wait(before["builder"]["run_id"], codes=(4,))[0]
    assert results[2]["session_id"] == lost["session_id"] and lost["status"] == "lost"
    assert "summary of builder" in model.prompt("tester")
