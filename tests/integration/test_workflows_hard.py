"""Workflows under odd circumstances: removed run folders, damaged parts, empty values, waits while things change."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from typing import Any

import pytest
from test_workflows import DIAMOND
from test_workflows import Flows
from test_workflows import fate

from conftest import World
from conftest import blocked
from conftest import eventually


@pytest.fixture
def flows(world: World) -> Flows:
    return Flows(world)


def test_an_empty_value_is_empty(flows: Flows) -> None:
    steps = [{"id": "a", "model": "a", "prompt": "{{prompt}}[{{set.more}}]"}]
    workflow = flows.run(steps, "do it", "--set", "more=")
    assert flows.fates(workflow) == {"a": "finished"}
    assert flows.told("a")[0].strip() == "do it[]"


def test_a_prompt_that_comes_out_empty_starts_nothing(flows: Flows) -> None:
    steps = [{"id": "a", "model": "a", "prompt": " {{set.more}} "}]
    done = flows.world.run("workflow", "run", flows.file(steps), "x", "--no-pane", "--set", "more=")
    assert done.returncode == 2 and "step `a`: the prompt is empty" in done.stderr


@pytest.mark.parametrize("harm", ["{", "gone", "[]", "{}"])
def test_a_prompt_whose_parts_are_damaged_is_not_told(flows: Flows, harm: str) -> None:
    flows.hold("a")
    workflow = flows.run(DIAMOND[:2])
    flows.at_work("a")
    parts = flows.world.folder(flows.steps(workflow)["b"]["run_id"]) / "parts.json"
    parts.unlink() if harm == "gone" else parts.write_text(harm)
    flows.release("a")
    assert flows.fates(workflow) == {"a": "finished", "b": "failed"}
    assert flows.told("b") == [] and "parts.json" in flows.steps(workflow)["b"]["error"]


def test_a_big_prompt_is_told_in_full(flows: Flows) -> None:
    big = "ü🎈" * 700_000
    steps = [DIAMOND[0], {**DIAMOND[1], "prompt": "{{prompt}}{{prompt}}{{before}}"}]
    workflow = flows.world.ok("workflow", "run", flows.file(steps), "--no-pane", stdin=big)
    assert flows.fates(workflow) == {"a": "finished", "b": "finished"}
    assert flows.told("b")[0].startswith(big + big + "What follows")
    assert flows.show(workflow)["prompt"] == big


def test_a_file_is_found_by_the_name_that_is_listed(flows: Flows) -> None:
    named = {"name": "My fix", "steps": [{**DIAMOND[0]}]}
    (flows.world.home / "workflows" / "fix.json").write_text(json.dumps(named))
    listed = [row["name"] for row in json.loads(flows.world.ok("workflow", "list", "--json"))["workflows"]]
    assert "fix" in listed and "My fix" not in listed
    flows.says("usual", report={"workflow": "fix", "why": "it fits"})
    workflow = flows.world.ok("workflow", "run", "auto", "mend it", "--no-pane")
    assert flows.fates(workflow) == {"a": "finished"}


# -- what is done is not done again


def remove(flows: Flows, workflow: str, *steps: str) -> None:
    known = flows.steps(workflow)
    for step in steps:
        folder = flows.world.folder(known[step]["run_id"])
        eventually((folder / "notified").exists)
        shutil.rmtree(folder)


def test_a_resume_repeats_nothing_whose_folder_was_removed(flows: Flows) -> None:
    flows.says("d", exit=1)
    workflow = flows.run(DIAMOND)
    assert flows.fates(workflow) == fate("finished", "finished", "finished", "failed", "finished", "skipped")
    remove(flows, workflow, "a", "c")
    flows.says("d")
    flows.world.ok("workflow", "resume", workflow)
    flows.ended(workflow)
    assert sorted(call["step"] for call in flows.calls()) == ["a", "b", "c", "d", "d", "e", "f"]
    again = flows.told("d")[1]
    assert "b did it" in again and "nothing: its run was removed" in again


def test_a_resume_of_a_finished_workflow_without_its_folders(flows: Flows) -> None:
    workflow = flows.run(DIAMOND)
    flows.ended(workflow)
    remove(flows, workflow, "a", "b", "d")
    done = flows.world.run("workflow", "resume", workflow)
    assert done.returncode == 0 and "nothing to resume" in done.stderr
    assert len(flows.calls()) == 6


def test_a_removed_step_that_nothing_came_after_begins_anew(flows: Flows) -> None:
    workflow = flows.run(DIAMOND[:2])
    flows.ended(workflow)
    remove(flows, workflow, "b")
    flows.world.ok("workflow", "resume", workflow, "--wait")
    assert [call["step"] for call in flows.calls()] == ["a", "b", "b"]


# -- waiting


def tolerant(flows: Flows) -> list[dict[str, Any]]:
    flows.says("a", report={"goal_met": False})
    return [{**DIAMOND[0], "continue_on": ["not_met"]}, DIAMOND[1]]


def test_a_wait_for_a_workflow_agrees_with_its_own(flows: Flows) -> None:
    workflow = flows.run(tolerant(flows))
    done = flows.world.run("wait", workflow)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    assert flows.world.run("workflow", "show", workflow).returncode == 0
    run = flows.steps(workflow)["a"]["run_id"]
    assert flows.world.run("wait", run).returncode == 3, "by itself it fell short"
    assert flows.world.run("wait", workflow, run).returncode == 3
    assert flows.world.run("wait", "--any", workflow).returncode == 0
    flows.says("b", exit=1)
    assert flows.world.run("wait", flows.run(tolerant(flows))).returncode == 4


def test_a_wait_for_a_workflow_follows_what_escalates(flows: Flows) -> None:
    flows.hold("usual", "strong")
    flows.says("usual", report={"goal_met": False})
    flows.world.config(
        profiles={
            "weak": {"backends": [{"backend": "mini", "model": "usual"}], "escalate_to": "strong", "escalate": True},
            "strong": {"backends": [{"backend": "mini", "model": "strong"}]},
        }
    )
    workflow = flows.run([{"id": "a", "profile": "weak", "prompt": "{{prompt}}"}])
    waiter = flows.world.popen("wait", workflow)
    flows.at_work("usual")
    eventually(lambda: blocked(waiter.pid))
    flows.release("usual")
    flows.at_work("strong")
    flows.release("strong")
    out, _ = waiter.communicate(timeout=20)
    assert waiter.returncode == 0 and [json.loads(line)["goal_met"] for line in out.splitlines()] == [False, True]
    assert flows.world.run("wait", workflow).returncode == 0


def test_a_wait_for_a_workflow_with_a_time_limit(flows: Flows) -> None:
    flows.hold("b")
    workflow = flows.run(DIAMOND)
    flows.at_work("b")
    began = time.monotonic()
    assert flows.world.run("wait", "--timeout", "1", workflow).returncode == 124
    assert time.monotonic() - began < 3
    flows.release("b")
    assert flows.world.run("wait", "--quiet", workflow).returncode == 0


def test_a_wait_while_another_resumes(flows: Flows) -> None:
    flows.hold("b", "c")
    workflow = flows.run(DIAMOND[:3])
    flows.at_work("b", "c")
    waiter = flows.world.popen("workflow", "resume", workflow, "--wait")
    eventually(lambda: blocked(waiter.pid))
    flows.world.ok("stop", flows.steps(workflow)["b"]["run_id"])
    flows.world.ok("workflow", "resume", workflow)
    eventually(lambda: len(flows.told("b")) == 2)
    flows.release("c")
    eventually(lambda: flows.steps(workflow)["c"]["status"] == "finished")
    eventually(lambda: blocked(waiter.pid))
    flows.release("b")
    waiter.communicate(timeout=20)
    assert waiter.returncode == 0


def test_a_model_is_not_given_to_a_step_with_a_backend_of_its_own(flows: Flows) -> None:
    config = json.loads((flows.world.home / "config.json").read_text())
    flows.world.config(backends={**config["backends"], "other": config["backends"]["mini"]})
    flows.world.config(profiles={"mini": {"backends": [{"backend": b, "model": b} for b in ("mini", "other")]}})
    steps = [{"id": "a", "backend": "other", "prompt": "x"}, {"id": "b", "prompt": "x"}]
    planned = json.loads(flows.world.ok("workflow", "plan", flows.file(steps), "x", "--model", "huge", "--json"))
    assert [(s["backend"], s["model"]) for s in planned["steps"]] == [("other", "other"), ("mini", "huge")]


def test_one_slot_with_an_agent_in_a_workflow_and_a_pause(flows: Flows) -> None:
    flows.world.config(max_parallel=1)
    flows.world.ok("agent", "create", "bob", "--profile", "mini", "--project", "p")
    flows.hold("a")
    steps = [DIAMOND[0], {"id": "b", "agent": "bob", "prompt": "one", "after": ["a"]}]
    workflow = flows.run(steps)
    sent = flows.world.ok("agent", "send", "bob", "--no-pane", stdin="two")
    flows.at_work("a")
    flows.world.ok("pause", workflow)
    flows.world.ok("pause", sent)
    flows.release("a")
    flows.world.ok("continue", sent)
    flows.world.ok("continue", workflow)
    assert flows.fates(workflow) == {"a": "finished", "b": "finished"}
    assert json.loads(flows.world.ok("wait", sent))["status"] == "finished"
    assert [call["prompt"].strip() for call in flows.calls()] == ["do it", "one", "two"]


def test_a_run_killed_while_its_agent_waits(flows: Flows) -> None:
    flows.world.ok("agent", "create", "bob", "--profile", "mini", "--project", "p")
    flows.hold("a")
    steps = [DIAMOND[0], {"id": "b", "agent": "bob", "prompt": "one", "after": ["a"]}, {**DIAMOND[2], "after": ["b"]}]
    workflow = flows.run(steps)
    flows.at_work("a")
    os.kill(flows.world.runner_pid(flows.steps(workflow)["b"]["run_id"]), signal.SIGKILL)
    flows.release("a")
    assert flows.fates(workflow) == {"a": "finished", "b": "lost", "c": "skipped"}
    flows.world.ok("workflow", "resume", workflow, "--wait")
    assert [call["step"] for call in flows.calls()] == ["a", "usual", "c"]


@pytest.mark.parametrize("word", ["auto", "custom"])
def test_what_is_made_when_it_is_run_cannot_be_shown(flows: Flows, word: str) -> None:
    done = flows.world.run("workflow", "show", word)
    assert done.returncode == 2 and "`%s` has no steps before it is run" % word in done.stderr
