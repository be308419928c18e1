"""Agents under odd circumstances: forged ends, runs removed by hand, slots, waits that could never end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time

import pytest
from test_agents import Fleet
from test_agents import firsts

from agentctl import agents
from agentctl import fleet as fleets
from agentctl.request import Request
from agentctl.store import Home
from conftest import PROGRAM
from conftest import World
from conftest import eventually


@pytest.fixture
def fleet(world: World) -> Fleet:
    return Fleet(world)


FORGED = json.dumps({"status": "finished", "goal_met": True, "verified": "passed"})


def remove(world: World, run: str) -> None:
    """Its folder, once its runner has done the last in it."""
    eventually(lambda: (world.folder(run) / "notified").exists())
    shutil.rmtree(world.folder(run))


def test_one_made_ephemeral_later_has_its_next_answer_before_it(fleet: Fleet) -> None:
    fleet.create()
    fleet.ask("one")
    fleet.world.ok("agent", "set", "ada", "--ephemeral")
    assert fleet.show()["ephemeral"]
    assert firsts(fleet.talks()[0]) == ["one"]
    fleet.ask("two")
    assert fleet.files() == []


def test_no_turn_begins_on_a_forged_end_of_the_one_before(fleet: Fleet) -> None:
    fleet.create()
    slow = fleet.send("@hang one")
    eventually(lambda: fleet.began(slow) and any(fleet.store.iterdir()), 10)
    (fleet.world.folder(slow) / "result.json").write_text(FORGED)
    queued = fleet.send("two", "--new-conversation")
    time.sleep(1.5)
    assert len(fleet.talks()) == 1
    os.kill(fleet.world.runner_pid(slow), signal.SIGKILL)
    fleet.world.result(queued)


def test_nothing_follows_a_forged_end(world: World) -> None:
    run = world.shell(
        "echo '%s' > $AI_ORCH_HOME/runs/$AGENTCTL_RUN_ID/result.json; sleep 2; exit 1" % FORGED, "--no-pane"
    )
    eventually(lambda: (world.folder(run) / "result.json").exists())
    after = world.shell("true", "--no-pane", "--after", run)
    assert world.result(after)["status"] == "skipped"
    assert world.result(run)["goal_met"] is False


def test_a_reset_outlives_the_run_that_began_afresh(fleet: Fleet) -> None:
    fleet.create()
    fleet.ask("one")
    fleet.world.ok("agent", "reset", "ada")
    for words in ("two", "three"):
        remove(fleet.world, fleet.ask(words)["run_id"])
    assert [firsts(talk) for talk in fleet.talks()] == [["one"], ["two"], ["three"]]


def test_a_conversation_asked_for_outlives_the_run_that_began_it(fleet: Fleet) -> None:
    fleet.create()
    fleet.ask("one")
    remove(fleet.world, fleet.ask("two", "--new-conversation")["run_id"])
    fleet.ask("three")
    assert [firsts(talk) for talk in fleet.talks()] == [["one"], ["two"], ["three"]]


def test_a_reset_outlives_the_run_after_which_it_was_asked_for(fleet: Fleet) -> None:
    fleet.create()
    fleet.ask("one")
    time.sleep(1.1)
    second = fleet.ask("two")["run_id"]
    fleet.world.ok("agent", "reset", "ada")
    remove(fleet.world, second)
    fleet.ask("three")
    assert [firsts(talk) for talk in fleet.talks()] == [["one", "two"], ["three"]]


def test_a_worker_gets_the_answer_of_an_agent_whose_runs_wait_for_its_slot(fleet: Fleet) -> None:
    fleet.world.config(max_parallel=1)
    fleet.create()
    gate = fleet.world.root / "gate"
    script = "while [ ! -e '%s' ]; do sleep 0.05; done; echo three | %s agent send ada --no-pane --wait" % (
        gate,
        " ".join(PROGRAM),
    )
    worker = fleet.world.shell(script, "--no-pane")
    fleet.world.working(worker)
    other = fleet.world.shell("true", "--no-pane")
    first = fleet.send("one")
    second = fleet.send("two")
    gate.touch()
    assert fleet.world.result(worker)["goal_met"] is True
    assert firsts(fleet.talks()[0]) == ["one", "two", "three"]
    for run in (other, first, second):
        assert fleet.world.result(run)["status"] == "finished"


def test_a_worker_does_not_wait_for_what_waits_for_it(fleet: Fleet) -> None:
    fleet.create()
    gate = fleet.world.root / "gate"
    wait = "echo two | %s agent send ada --no-pane --wait; echo code $?" % " ".join(PROGRAM)
    script = "while [ ! -e '%s' ]; do sleep 0.05; done; %s" % (gate, wait)
    steps = [{"id": "a", "command": script}, {"id": "b", "agent": "ada", "prompt": "one", "after": ["a"]}]
    path = fleet.world.root / "mine.json"
    path.write_text(json.dumps({"steps": steps}))
    workflow = fleet.world.ok("workflow", "run", str(path), "x", "--no-pane")
    gate.touch()
    done = fleet.world.run("wait", "--timeout", "20", workflow)
    assert done.returncode == 0, done.stdout
    said = {result["step"]: result["summary"] for result in map(json.loads, done.stdout.splitlines())}
    assert "code 2" in said["a"] and said["b"] == "turn 1"


def test_a_worker_does_not_wait_for_itself(fleet: Fleet) -> None:
    run = fleet.world.shell("%s wait $AGENTCTL_RUN_ID; echo code $?" % " ".join(PROGRAM), "--no-pane")
    assert "code 2" in fleet.world.result(run)["summary"]


def test_a_run_that_cannot_be_noted_is_taken_back(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a disk that is full just then."""
    fleet.create()
    first = fleet.ask("one")
    home = Home(str(fleet.world.home))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(fleets, "save", full)
        with pytest.raises(OSError):
            agents.send(home, "ada", Request(prompt="two", pane=False), fleet.world.env)
    assert os.listdir(fleet.world.home / "runs") == [first["run_id"]]
    assert fleet.ask("three")["session_id"] == first["session_id"]
