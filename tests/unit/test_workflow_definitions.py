"""Workflows on paper: files read key by key, templates read once, graphs checked before anything starts."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from agentctl import roles
from agentctl.briefing import FIELDS
from agentctl.errors import AgentctlError
from agentctl.store import Home
from agentctl.workflows import composing
from agentctl.workflows import definition
from agentctl.workflows import graph
from agentctl.workflows import staging
from agentctl.workflows import template
from agentctl.workflows.definition import Definition

BUILT_IN = {
    "feature_implementation": ["analyst", "planner", "builder", "tester", "reviewer"],
    "bug_fix": ["analyst", "planner", "builder", "tester", "reviewer"],
    "code_review": ["analyst", "planner", "reviewer", "tester"],
    "documentation": ["analyst", "planner", "documenter", "reviewer"],
}


def made(*steps: dict[str, Any], **more: Any) -> Definition:
    filled = [{"prompt": "{{prompt}}", **step} if "command" not in step else step for step in steps]
    return definition.parsed({"steps": filled, **more}, "mine", "mine.json")


def refused(*steps: dict[str, Any], **more: Any) -> str:
    with pytest.raises(AgentctlError) as refusal:
        graph.check(made(*steps, **more))
    assert refusal.value.hint
    return str(refusal.value)


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_ones_are_sound(tmp_path: Path, name: str) -> None:
    known = definition.named(Home(str(tmp_path)), name)
    graph.check(known)
    assert [step.id for step in known.steps] == BUILT_IN[name] == graph.order(graph.edges(known))
    assert known.description and not any(template.keys(step.prompt) for step in known.steps)
    for step in known.steps:
        assert roles.named(Home(str(tmp_path)), step.role)
        assert "{{prompt}}" in step.prompt and len(step.prompt) > 300, "a real prompt"
    assert "{{steps.analyst.report}}" in known.steps[1].prompt
    assert not known.steps[-1].continue_on, "the last word counts"


def test_the_built_in_ones_hand_the_diff_on() -> None:
    for name, maker in (("feature_implementation", "builder"), ("bug_fix", "builder"), ("documentation", "documenter")):
        reviewer = definition.named(Home("/nowhere"), name).step("reviewer")
        assert "{{steps.%s.diff}}" % maker in reviewer.prompt and "{{steps.%s.report}}" % maker in reviewer.prompt


def test_the_users_own_win(tmp_path: Path) -> None:
    home = Home(str(tmp_path))
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "bug_fix.json").write_text(json.dumps({"steps": [{"id": "x", "command": "true"}]}))
    (tmp_path / "workflows" / "auto.json").write_text("{}")
    (tmp_path / "workflows" / "broken.json").write_text("{")
    assert [step.id for step in definition.named(home, "bug_fix").steps] == ["x"]
    found, problems = definition.every(home)
    assert {d.name for d in found} == set(BUILT_IN)
    assert len(problems) == 1 and "broken.json is not JSON" in str(problems[0])
    with pytest.raises(AgentctlError, match="no workflow named `bugfix`") as refusal:
        definition.named(home, "bugfix")
    assert "bug_fix" in refusal.value.hint


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"aftr": []}, "step `a`: no key `aftr`"),
        ({"after": "b"}, "step `a`: `after` is a list of words"),
        ({"after": [1]}, "step `a`: `after` is a list of words"),
        ({"role": 1}, "step `a`: `role` is a text"),
        ({"prompt": 1}, "step `a`: `prompt` is a text, or a list of lines"),
        ({"prompt": ""}, "step `a` has no template"),
        ({"worktree": 1}, "step `a`: `worktree` is true, or the id of a step"),
        ({"continue_on": ["bad"]}, "step `a`: `continue_on`: `bad` is no end of a run"),
        ({"continue_on": ["finished"]}, "`finished` is no end of a run"),
        ({"timeout": "soon"}, "step `a`: `timeout` is a time"),
        ({"timeout": -1}, "step `a`: `timeout` is a time"),
        ({"max_turns": 0}, "step `a`: `max_turns` is a number above 0"),
        ({"max_turns": True}, "step `a`: `max_turns` is a number above 0"),
        ({"max_cost": "1"}, "step `a`: `max_cost` is a number above 0"),
        ({"escalate": "yes"}, "step `a`: `escalate` is true or false"),
        ({"command": "true", "prompt": "x"}, "step `a`: `command` and `prompt` do not go together"),
        ({"command": "true", "role": "tester"}, "`command` and `role` do not go together"),
        ({"agent": "bob", "role": "tester"}, "`agent` and `role` do not go together"),
        ({"agent": "bob", "worktree": True}, "`agent` and `worktree` do not go together"),
        ({"id": "a b"}, "step 1: `id` is a word"),
        ({"id": 7}, "step 1: `id` is a word"),
    ],
)
def test_a_wrong_key_is_named_with_file_and_step(step: dict[str, Any], said: str) -> None:
    words = refused({"id": "a", **step})
    assert said in words and words.startswith("mine.json")


def test_wrong_files(tmp_path: Path) -> None:
    for raw, said in (
        ([], "it is not an object"),
        ({}, "`steps` is a list"),
        ({"steps": []}, "`steps` is a list"),
        ({"steps": [1]}, "step 1 is not an object"),
        ({"steps": [{"id": "a"}]}, "step `a` has no template"),
        ({"format": 2, "steps": [{"id": "a", "command": "x"}]}, "`format` is 1"),
        ({"stps": []}, "no key `stps`"),
        ({"name": 1, "steps": []}, "`name` is a text"),
    ):
        path = tmp_path / "f.json"
        path.write_text(json.dumps(raw))
        with pytest.raises(AgentctlError) as refusal:
            definition.named(Home("/nowhere"), str(path))
        assert said in str(refusal.value) and str(path) in str(refusal.value)
    with pytest.raises(AgentctlError, match="cannot read the workflow"):
        definition.named(Home("/nowhere"), "gone.json")


def test_what_is_wrong_with_a_graph() -> None:
    assert "two steps are named `a`" in refused({"id": "a"}, {"id": "a"})
    assert "step `a` names step `z`, which is not there" in refused({"id": "a", "after": ["z"]})
    assert "wait for each other: a → a" in refused({"id": "a", "after": ["a"]})
    cycle = refused(
        {"id": "x"}, {"id": "a", "after": ["x", "c"]}, {"id": "b", "after": ["a"]}, {"id": "c", "after": ["b"]}
    )
    assert "wait for each other: a → c → b → a" in cycle
    assert "worktree of `b`, which it does not come after" in refused({"id": "a", "worktree": "b"}, {"id": "b"})
    assert "no placeholder `{{promt}}` is known" in refused({"id": "a", "prompt": "{{promt}}"})
    assert "no placeholder `{{steps.a.result}}`" in refused({"id": "a", "prompt": "{{steps.a.result}}"})
    assert "a `{{` has no `}}`" in refused({"id": "a", "prompt": "see {{prompt"})
    late = refused({"id": "a"}, {"id": "b", "prompt": "{{steps.a.report}}"})
    assert "step `b` uses what step `a` says, and does not come after it" in late
    assert "uses {{before}}, and comes after no step" in refused({"id": "a", "prompt": "{{before}}"})


def test_what_comes_before_counts_directly_or_not() -> None:
    graph.check(
        made({"id": "a"}, {"id": "b", "after": ["a"]}, {"id": "c", "after": ["b"], "prompt": "{{steps.a.diff}}"})
    )


def test_the_order_is_the_written_one_where_it_may_be() -> None:
    after = graph.edges(made({"id": "d", "after": ["a"]}, {"id": "a"}, {"id": "b"}, {"id": "c", "after": ["b", "d"]}))
    assert graph.order(after) == ["a", "d", "b", "c"]
    assert graph.earlier(after, "c") == {"a", "b", "d"}


def test_orders_and_cycles_of_random_graphs() -> None:
    dice = random.Random(5)
    for _ in range(300):
        names = [str(n) for n in range(dice.randint(1, 9))]
        after = {n: tuple(dice.sample(names, dice.randint(0, min(2, len(names))))) for n in names}
        found = graph.cycle(after)
        if found:
            assert found[0] == found[-1] and all(b in after[a] for a, b in zip(found, found[1:]))
            continue
        order = graph.order(after)
        assert sorted(order) == sorted(names)
        assert all(order.index(other) < order.index(step) for step in names for other in after[step])
        assert sorted(step for _, step, _ in graph.drawn(after)) == sorted(names), "each is drawn once"


def test_the_graph_is_drawn_as_a_tree() -> None:
    after = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ()}
    assert graph.drawn(after) == [
        ("", "a", ()),
        ("├─ ", "b", ()),
        ("└─ ", "c", ()),
        ("   └─ ", "d", ("b",)),
        ("", "e", ()),
    ]


def test_templates_are_read_once() -> None:
    sets = {"k": "{{prompt}}"}
    parts = template.parts("a {{ prompt }} {{set.k}} {{{{x}} {{steps.s.diff}}", "{{set.k}} {{before}}", sets, ())
    text = "".join(part.get("text", "|") for part in parts)
    assert text == "a {{set.k}} {{before}} {{prompt}} {{x}} |"
    assert parts[-1] == {"step": "s", "field": "diff", "title": "Changes of step s"}


def test_before_is_every_report_of_what_it_comes_after() -> None:
    parts = template.parts("{{before}}", "", {}, ("a", "b"))
    assert [part.get("step") for part in parts] == ["a", None, "b"]
    assert template.bound(parts, {"a": "1", "b": "2"})[2] == {
        "run": "2",
        "field": "report",
        "title": "Report of step b",
    }
    assert "[Report of step a, once it has ended]" in template.readable(parts)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_of_a_report_can_be_named(field: str) -> None:
    assert template.pieces("{{steps.x-1.%s}}" % field)[0].text == field


def test_roles_make_a_chain_or_stand_side_by_side() -> None:
    chain = composing.of_roles(["planner", "builder", "builder"], False, True)
    graph.check(chain)
    assert graph.order(graph.edges(chain)) == ["planner", "builder", "builder-2"]
    assert "{{steps.planner.report}}" in chain.steps[2].prompt and "{{steps.builder.report}}" in chain.steps[2].prompt
    assert chain.steps[0].prompt == "{{prompt}}"
    beside = composing.of_roles(["scout", "analyst"], True, True)
    assert not any(step.after for step in beside.steps) and all(step.own_worktree for step in beside.steps)
    with pytest.raises(AgentctlError, match="wants roles"):
        composing.of_roles([], False, False)


def test_who_works_in_which_worktree() -> None:
    known = made(
        {"id": "a"},
        {"id": "b"},
        {"id": "own", "worktree": True, "after": ["a"]},
        {"id": "in", "worktree": "own", "after": ["own"]},
        {"id": "ag", "agent": "bob"},
        {"id": "c", "after": ["b"]},
    )
    alone = staging.houses(known, False)
    assert alone == {"a": "", "b": "", "own": "own", "in": "own", "ag": "", "c": ""}
    shared = staging.houses(known, True)
    assert shared == {"a": "a", "b": "a", "own": "own", "in": "own", "ag": "", "c": "a"}
    assert staging.edges(known, shared)["b"] == ("a",), "it is made before"
    assert staging.edges(known, shared)["c"] == ("b", "a")
    with pytest.raises(AgentctlError, match="worktree of `a`, which has none"):
        staging.houses(made({"id": "a"}, {"id": "b", "after": ["a"], "worktree": "a"}), False)
