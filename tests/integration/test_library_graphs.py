"""Workflows from Python: steps with dependencies, a failing one among them, watched while they work."""

from __future__ import annotations

import json

import pytest

from conftest import World
from stranger import GRAPH
from stranger import OUTCOME
from stranger import calls
from stranger import said
from stranger import spec
from stranger import with_mini


@pytest.fixture
def mini(world: World) -> World:
    return with_mini(world)


def test_a_failing_step_skips_what_comes_after_it_and_nothing_else(mini: World) -> None:
    live, base, outcome, ids = said(mini, GRAPH + OUTCOME)
    assert live == "running ['running', 'queued', 'queued', 'queued', 'queued']"
    assert base == "True"
    good, unmet, skipped = "('finished', True)", "('finished', False)", "('skipped', None)"
    assert outcome == "failed [%s]" % ", ".join((good, unmet, good, skipped, good))
    workflow_id, rest = ids.split(maxsplit=1)
    assert rest == "True ['0', '1', '2', '3', '4']"
    built, summed = (call["prompt"] for call in calls(mini))
    assert "You build {{things}}." in built and "THE WISH" in built and "base" in built, "what step 0 reported"
    assert "Sum up for me: THE WISH" in summed and "turn 1" in summed and "base" not in summed

    (mini.project / "mended").touch()
    again = 'from agentctl import Workflow\nflow = Workflow("%s")\nprint(len(flow.resume()))' % workflow_id
    count, outcome, _ = said(mini, again + OUTCOME)
    assert (count, outcome) == ("2", "finished [%s]" % ", ".join([good] * 5))
    assert len(calls(mini)) == 2, "nothing that is done is done again"
    shown = json.loads(mini.ok("workflow", "show", workflow_id, "--json"))
    assert [step["step"] for step in shown["steps"]] == ["0", "1", "2", "3", "4"]


def test_the_result_of_a_step_that_fell_short_is_whole(mini: World) -> None:
    code = """
from agentctl import workflow
steps = [{"command": "exit 1", "title": "tests"}, {"command": "true", "title": "release"}]
for result in workflow(steps, {1: [0]}, pane=False).wait():
    print(result.title, result.status, result.exit_code, bool(result.finished_at), bool(result.error))
"""
    assert said(mini, code) == ["tests finished 1 True False", "release skipped None True True"]


def test_steps_without_dependencies_work_side_by_side(mini: World) -> None:
    code = """
from agentctl import workflow
flow = workflow([{"command": "touch a; until [ -e b ]; do sleep 0.02; done"},
                 {"command": "touch b; until [ -e a ]; do sleep 0.02; done"}], pane=False)
print([result.goal_met for result in flow.wait()])
"""
    assert said(mini, code) == ["[True, True]"]


def test_a_named_agent_is_a_step_in_its_own_conversation(mini: World) -> None:
    code = """
from agentctl import create_agent, get_agent, send, workflow
create_agent("ada", backend="mini")
send("ada", "x", pane=False)
flow = workflow([get_agent("ada"), {"command": "true"}], {1: [0]}, prompt="y", pane=False)
first, second = flow.wait()
print(first.agent, first.summary, second.goal_met, send("ada", "z", pane=False).summary)
"""
    assert said(mini, code) == ["ada turn 2 True turn 3"]


def test_roles_and_files_are_steps(mini: World) -> None:
    code = """
import json
from agentctl import workflow
flow = workflow(["analyst", "builder"], {1: [0]}, prompt="y", backend="mini", pane=False)
print(*(result.role for result in flow.wait()), *flow.runs)
with open("mine.json", "w") as f:
    json.dump({"steps": [{"id": "only", "command": "echo {{set.word}}"}, {"id": "x", "prompt": "say {{set.word}}"}]}, f)
flow = workflow("./mine.json", sets={"word": "hello"}, backend="mini", pane=False)
print(*(result.step for result in flow.wait()))
"""
    roles, steps = said(mini, code)
    assert (roles.split()[:2], steps) == (["analyst", "builder"], "only x")
    assert [spec(mini, run_id)["permissions"] for run_id in roles.split()[2:]] == ["read-only", "edit"]


def test_a_workflow_is_stopped_whole(mini: World) -> None:
    code = """
from agentctl import workflow
flow = workflow([{"command": "sleep 60"}, {"command": "sleep 61"}, {"command": "true"}], {2: [0]}, pane=False)
print(sorted(result.status for result in flow.stop()))
"""
    [line] = said(mini, code)
    assert line in ("['skipped', 'stopped', 'stopped']", "['stopped', 'stopped', 'stopped']")


def test_whatever_is_wrong_is_found_before_anything_starts(mini: World) -> None:
    code = """
from agentctl import Agent, AgentctlError, Session, workflow
c = {"command": "true"}
for words in (
    ([c, c], {0: [1], 1: [0]}),
    ([c], {1: [0]}),
    ([c, {"command": "true", "id": "x"}],),
    ([{"comand": "true"}],),
    (["no-such-role"],),
    (["builder"],),
    ([c, "do {{this}}"],),
    ([c, Agent(Session("mini"), schema="f.json")],),
    ([],),
    ("no-such-workflow",),
    ("bug_fix", {1: [0]}),
):
    try:
        print(workflow(*words, prompt="" if words == (["builder"],) else "x", pane=False))
    except AgentctlError as e:
        print(e)
"""
    assert said(mini, code) == [
        "custom: its steps wait for each other: 0 → 1 → 0",
        "there is no step 1",
        "the id of a step is its number",
        "the workflow: step `0`: no key `comand` is known there",
        "step `0`: no role named `no-such-role`",
        "the prompt is empty",
        "custom: step `1`: no placeholder `{{this}}` is known: {{prompt}}, {{set.KEY}}, {{before}}, "
        "{{steps.ID.FIELD}} with one of report, summary, followup_prompt, notes, diff",
        "a step of a workflow cannot have `schema`",
        "the workflow: `steps` is a list of at least one step",
        "no workflow named `no-such-workflow`",
        "workflow `bug_fix` has dependencies of its own",
    ]
    assert list((mini.home / "runs").iterdir()) == []
