"""Named agents from Python: made by one process, talked to by another."""

from __future__ import annotations

import json

import pytest

from conftest import World
from stranger import calls
from stranger import said
from stranger import spec
from stranger import with_mini


@pytest.fixture
def mini(world: World) -> World:
    return with_mini(world)


def test_an_agent_outlives_the_program_that_made_it(mini: World) -> None:
    made = """
from agentctl import create_agent, get_agent, list_agents
ada = create_agent("ada", backend="mini", instructions="You are Ada.", max_turns=3)
create_agent("bob", backend="mini", project="p", ephemeral=True)
print(ada.project, get_agent("ada") == ada, [agent.name for agent in list_agents()])
"""
    assert said(mini, made) == ["p True ['ada', 'bob']"]
    talk = """
from agentctl import send, wait
first = send("ada", "one", pane=False)
queued = [send("ada", word, wait=False, pane=False) for word in ("UNTIL GO two", "three")]
open("go", "w").close()
print(first.summary, *(r.summary for r in sorted(wait(*queued), key=lambda r: queued.index(r.run_id))), first.agent)
print(send("bob", "x", pane=False).summary, first.run_id)
"""
    turns, last = said(mini, talk)
    run_id = last.rpartition(" ")[2]
    assert (turns, last) == ("turn 1 turn 2 turn 3 ada", "turn 1 " + run_id)
    assert "You are Ada." in calls(mini)[0]["prompt"]
    assert spec(mini, run_id)["limits"]["max_turns"] == 3
    assert said(mini, "from agentctl import *\nprint([agent.name for agent in list_agents()])") == ["['ada']"]
    shown = json.loads(mini.ok("agent", "show", "ada"))
    assert shown["usage"]["input"] == 300


def test_an_agent_is_reset_and_deleted_and_its_runs_stay(mini: World) -> None:
    code = """
from agentctl import AgentctlError, create_agent, delete_agent, reset_agent, send, show, show_agent
create_agent("ada", backend="mini")
one, two = send("ada", "x", pane=False), send("ada", "x", pane=False)
reset_agent("ada")
print(one.summary, two.summary, send("ada", "x", pane=False).summary, send("ada", "x", pane=False).summary)
print(send("ada", "x", new_conversation=True, pane=False).summary)
known = show_agent("ada")
print(known["status"], known["usage"]["input"], len(known["runs"]))
delete_agent("ada")
print(show(one.run_id).status)
for call in (lambda: send("ada", "x"), lambda: delete_agent("ada"), lambda: create_agent("a b")):
    try:
        call()
    except AgentctlError as e:
        print(e)
"""
    assert said(mini, code) == [
        "turn 1 turn 2 turn 1 turn 2",
        "turn 1",
        "idle 500 5",
        "finished",
        "no agent named `ada`",
        "no agent named `ada`",
        "`a b` is not an agent's name",
    ]


def test_an_agent_at_work_does_not_wait_for_itself(mini: World) -> None:
    code = """
import os
from agentctl import AgentctlError, create_agent, send, stop
create_agent("ada", backend="mini")
os.environ["AGENTCTL_RUN_ID"] = send("ada", "UNTIL GO", wait=False, pane=False)
try:
    send("ada", "x", pane=False)
except AgentctlError as e:
    print(e)
print(*(result.status for result in stop(os.environ["AGENTCTL_RUN_ID"])))
"""
    assert said(mini, code) == ["agent `ada` would wait for itself", "stopped"]


def test_figures_are_those_of_the_command_line(mini: World) -> None:
    code = """
from agentctl import AgentctlError, create_agent, send, start, stats, stats_by, wait
create_agent("ada", backend="mini", model="m")
send("ada", "x", pane=False), send("ada", "x", pane=False)
list(wait(start(argv=["true"], pane=False)))
both, none = stats(), stats(since=4e9)
print(both.runs, both.input, both.output, both.not_said.get("input"), none.runs, none.input)
print({name: group.runs for name, group in stats_by("agent", project="p").items()})
print(stats(project="q").runs)
try:
    stats_by("moon")
except AgentctlError as e:
    print(e)
"""
    assert said(mini, code) == ["3 200 20 1 0 None", "{'ada': 2, '': 1}", "0", "`moon` is no way to group"]
