"""Agents: chains of runs on one conversation of a vendor in miniature that keeps what it was told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from agentctl import agents
from agentctl import config
from agentctl import launch
from agentctl import planning
from agentctl import projects
from agentctl.request import Request
from agentctl.settings import Agent
from agentctl.store import Home
from agentctl.store import Run
from conftest import PROGRAM
from conftest import World
from conftest import eventually
from conftest import git
from conftest import kill

VENDOR = """#!%s -IS
# A vendor's CLI in miniature: prints the claude stream, keeps each conversation in a file.
import json, os, sys, time
store, words = os.environ["MINI_STORE"], sys.argv[1:]
prompt = sys.stdin.read()
def value(flag, default=""):
    return words[words.index(flag) + 1] if flag in words else default
session = value("--session") or "%%08x-2222-4333-8444-555555555555" %% int.from_bytes(os.urandom(4), "big")
path = os.path.join(store, session)
def say(**line):
    print(json.dumps(line), flush=True)
if "--session" in words and not os.path.exists(path):
    say(type="result", subtype="error_during_execution", is_error=True, session_id=session, num_turns=0,
        errors=["No conversation found with session ID: " + session])
    sys.exit(1)
say(type="system", subtype="init", session_id=session, model="m", apiKeySource="none")
asked = prompt.strip().splitlines()[-1] if "@report" not in prompt else prompt
if "@hang-early" in prompt:
    time.sleep(60)
with open(path, "a") as talk:
    talk.write(json.dumps({"prompt": prompt, "cwd": os.getcwd(), "model": value("--model"), "at": time.time(),
                           "run": os.environ["AGENTCTL_RUN_ID"]}) + "\\n")
said = [json.loads(line) for line in open(path)]
used = 100 * len(said)
say(type="assistant", session_id=session, message={"id": "m%%d" %% len(said), "usage":
    {"input_tokens": used, "output_tokens": 5}, "content": [{"type": "text", "text": "answer %%d" %% len(said)}]})
if "@hang" in prompt:
    time.sleep(60)
while "@held" in prompt and os.path.exists(os.environ["MINI_HOLD"]):
    time.sleep(0.01)
met = "@unmet" not in prompt
report = {"goal_met": met, "summary": "turn %%d" %% len(said), "followup_prompt": "", "notes": "heard %%d" %% len(said)}
say(type="result", subtype="success", is_error=False, session_id=session, num_turns=1, structured_output=report,
    result="done", total_cost_usd=0.5, usage={}, modelUsage={"m": {"contextWindow": 1000}})
"""


class Fleet:
    """A world with the backends `mini` and `other`, and what their conversations hold."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = world.root / "store"
        self.store.mkdir()
        self.gate = world.root / "hold"
        world.env.update(MINI_STORE=str(self.store), MINI_HOLD=str(self.gate))
        program = world.root / "mini"
        program.write_text(VENDOR % os.path.realpath(sys.executable))
        program.chmod(0o755)
        argv = [str(program), "--model", "{model}", "--session", "{session_id}"]
        described = {"argv": argv, "stdin": True, "stream": "claude"}
        world.config(
            backends={"mini": described, "other": described, "forgetful": {**described, "argv": [str(program)]}},
            profiles={"m": {"backends": [{"backend": "mini", "model": "one"}]}},
            stagger_s=0.0,
            default_profile="m",
        )

    def create(self, name: str = "ada", *options: str) -> None:
        self.world.ok("agent", "create", name, "--project", "p", *options)

    def send(self, prompt: str, *options: str, name: str = "ada", **more: Any) -> str:
        return self.world.ok("agent", "send", name, "--no-pane", *options, stdin=prompt, **more)

    def ask(self, prompt: str, *options: str, name: str = "ada") -> dict[str, Any]:
        """Send, wait, and the result."""
        return self.world.result(self.send(prompt, *options, name=name))

    def hold(self) -> None:
        """Let whoever is told `@held` keep its answer back until `release`."""
        self.gate.touch()

    def release(self) -> None:
        self.gate.unlink()

    def talks(self) -> list[list[str]]:
        """What each conversation was told, the oldest first."""
        paths = sorted(self.store.iterdir(), key=lambda p: p.stat().st_ctime)
        found = [[json.loads(line) for line in path.read_text().splitlines()] for path in paths]
        return [[turn["prompt"].strip() for turn in talk] for talk in sorted(found, key=lambda t: float(t[0]["at"]))]

    def began(self, run: str) -> bool:
        """Whether its worker has said which session it is in."""
        raw = self.world.folder(run) / "raw.jsonl"
        return raw.exists() and "session_id" in raw.read_text()

    def show(self, name: str = "ada") -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(self.world.ok("agent", "show", name))
        return shown

    def record(self, name: str = "ada") -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.world.home / "agents" / (name + ".json")).read_text())
        return loaded

    def files(self) -> list[str]:
        return sorted(os.listdir(self.world.home / "agents"))


@pytest.fixture
def fleet(world: World) -> Fleet:
    return Fleet(world)


def firsts(talk: list[str]) -> list[str]:
    """Of each prompt its first line."""
    return [prompt.splitlines()[0] for prompt in talk]


# -- one conversation


def test_an_agent_remembers_from_one_process_to_the_next(fleet: Fleet) -> None:
    fleet.create()
    first, second = fleet.ask("one"), fleet.ask("two")
    assert [firsts(talk) for talk in fleet.talks()] == [["one", "two"]]
    assert (first["agent"], second["parent"], second["session_id"]) == ("ada", first["run_id"], first["session_id"])
    assert (second["conversation"], second["warnings"]) == (first["conversation"], first["warnings"])
    assert first["conversation"] == ""


def test_sends_take_turns_in_their_order(fleet: Fleet) -> None:
    fleet.create()
    fleet.hold()
    runs = [fleet.send("@held one"), fleet.send("two"), fleet.send("three")]
    eventually(lambda: fleet.show()["working_on"] == runs[0])
    assert [fleet.show()[key] for key in ("status", "queued")] == ["working", 2]
    fleet.release()
    results = [fleet.world.result(run) for run in runs]
    assert [r["status"] for r in results] == ["finished"] * 3
    assert [firsts(talk) for talk in fleet.talks()] == [["@held one", "two", "three"]]
    assert results[0]["finished_at"] <= results[1]["started_at"]


def test_concurrent_sends_become_turns_of_one_conversation(fleet: Fleet) -> None:
    fleet.create()
    fleet.ask("zero")
    with ThreadPoolExecutor(5) as pool:
        runs = list(pool.map(lambda n: fleet.send("turn-%d" % n), range(5)))
    results = {run: fleet.world.result(run) for run in runs}
    chain = [row["run_id"] for row in fleet.show()["runs"]][::-1]
    assert sorted(chain[1:]) == sorted(runs)
    (talk,) = fleet.talks()
    assert len(talk) == 6
    titles = {run: result["title"] for run, result in results.items()}
    assert firsts(talk)[1:] == [titles[run] for run in chain[1:]]


def test_what_shows_an_agent(fleet: Fleet) -> None:
    fleet.create("ada", "--model", "big", "--max-turns", "7")
    assert fleet.show()["status"] == "idle" and fleet.show()["runs"] == []
    assert fleet.show()["usage"]["input"] is None
    fleet.ask("one")
    fleet.ask("two")
    shown = fleet.show()
    assert (shown["status"], shown["queued"], len(shown["runs"])) == ("idle", 0, 2)
    assert (shown["context_tokens"], shown["context_window"]) == (200, 1000)
    assert (shown["usage"]["turns"], shown["usage"]["cost_usd"]) == (2, None)
    assert shown["usage"]["virtual_usd"] == 1.0
    assert shown["runs"][0]["created_at"].endswith("Z")
    listed = json.loads(fleet.world.ok("agent", "list", "--json"))["agents"]
    assert [(row["name"], row["session_id"]) for row in listed] == [("ada", shown["session_id"])]
    assert "ada" in fleet.world.ok("agent", "list")
    spec = json.loads((fleet.world.folder(shown["last_run"]) / "meta.json").read_text())
    assert (spec["model"], spec["limits"]["max_turns"]) == ("big", 7)


def test_its_own_instructions_and_role_are_told(fleet: Fleet) -> None:
    roles = fleet.world.home / "prompts" / "roles"
    roles.mkdir()
    (roles / "poet.md").write_text("You write verse.\n")
    own = fleet.world.root / "own.md"
    own.write_text("Rhyme always.\n")
    fleet.create("ada", "--role", "poet", "--prompt-file", str(own))
    assert fleet.ask("go")["role"] == "poet"
    (talk,) = fleet.talks()
    assert talk[0].index("You write verse.") < talk[0].index("Rhyme always.") < talk[0].index("go")


# -- crashes


def test_a_killed_runner_costs_nothing_but_its_run(fleet: Fleet) -> None:
    fleet.create()
    first = fleet.ask("one")
    run = fleet.send("@hang two")
    eventually(lambda: len(fleet.talks()[0]) == 2, 10)
    os.kill(fleet.world.runner_pid(run), signal.SIGKILL)
    assert fleet.world.result(run)["status"] == "lost"
    third = fleet.ask("three")
    assert third["session_id"] == first["session_id"]
    assert firsts(fleet.talks()[0]) == ["one", "@hang two", "three"]


def test_a_run_killed_before_its_first_answer_has_no_conversation(fleet: Fleet) -> None:
    fleet.create()
    run = fleet.send("@hang-early one")
    eventually(lambda: fleet.began(run), 10)
    os.kill(fleet.world.runner_pid(run), signal.SIGKILL)
    second = fleet.ask("two")
    assert (second["status"], second["conversation"]) == ("finished", "")
    assert [firsts(talk) for talk in fleet.talks()] == [["two"]]


def test_a_kill_in_the_middle_keeps_the_older_conversation(fleet: Fleet) -> None:
    fleet.create()
    fleet.ask("one")
    run = fleet.send("@hang-early two")
    eventually(lambda: fleet.began(run), 10)
    queued = fleet.send("three")
    os.kill(fleet.world.runner_pid(run), signal.SIGKILL)
    assert fleet.world.result(queued)["status"] == "finished"
    assert [firsts(talk) for talk in fleet.talks()] == [["one", "three"]]


def test_a_reboot_forgets_nothing(fleet: Fleet) -> None:
    """All that runs is killed, the tmux server too."""
    world = fleet.world
    fleet.create()
    fleet.ask("one")
    run = world.ok("agent", "send", "ada", stdin="@hang two")
    waits = world.ok("agent", "send", "ada", stdin="three")
    eventually(lambda: len(fleet.talks()[0]) == 2, 10)
    world.runner_pid(waits)
    kill([world.runner_pid(waits), world.runner_pid(run), *world.marked(run)])
    world.tmux("kill-server")
    again = world.result(world.ok("agent", "send", "ada", stdin="four"))
    assert again["status"] == "finished"
    assert firsts(fleet.talks()[0]) == ["one", "@hang two", "four"]
    assert [row["status"] for row in fleet.show()["runs"]] == ["finished", "lost", "lost", "finished"]


def test_a_failed_launch_is_not_remembered(fleet: Fleet) -> None:
    fleet.create()
    first = fleet.ask("one")
    fleet.world.config(tmux_socket=str(fleet.world.root / "no" / "such" / "place"))
    done = fleet.world.run("agent", "send", "ada", stdin="two")
    assert done.returncode == 1
    assert fleet.record()["last_run"] == first["run_id"]
    assert fleet.ask("three")["parent"] == first["run_id"]


def test_a_run_that_is_noted_and_never_was_is_passed_over(fleet: Fleet) -> None:
    """`send` was killed after its launch had failed, and before it could say so."""
    fleet.create()
    first = fleet.ask("one")
    path = fleet.world.home / "agents" / "ada.json"
    path.write_text(json.dumps({**fleet.record(), "last_run": "20990101-000000-abcd"}))
    second = fleet.ask("two")
    assert (second["parent"], second["session_id"]) == (first["run_id"], first["session_id"])


def test_a_folder_removed_by_hand_is_passed_over(fleet: Fleet) -> None:
    fleet.create()
    first, second = fleet.ask("one"), fleet.ask("two")
    third, fourth = fleet.ask("three"), fleet.ask("four")
    for gone in (second, fourth):
        subprocess.run(["rm", "-r", str(fleet.world.folder(gone["run_id"]))], check=True)
    assert [row["run_id"] for row in fleet.show()["runs"]] == [third["run_id"], first["run_id"]]
    assert fleet.ask("five")["session_id"] == first["session_id"]


def test_a_parent_that_goes_while_its_follower_waits_is_said(fleet: Fleet) -> None:
    fleet.create()
    first = fleet.ask("one")
    fleet.hold()
    second = fleet.send("@held two")
    fleet.world.working(second)
    third = fleet.send("three")
    fourth = fleet.send("four")
    fleet.world.runner_pid(fourth)
    os.kill(fleet.world.runner_pid(third), signal.SIGKILL)
    fleet.world.folder(third).rename(fleet.world.root / "gone")
    fleet.release()
    result = fleet.world.result(fourth)
    assert result["session_id"] == first["session_id"]
    assert any(third in warning and second in warning for warning in result["warnings"]), result["warnings"]
    assert firsts(fleet.talks()[0]) == ["one", "@held two", "four"]


def test_stopping_a_queued_run_lets_nobody_overtake(fleet: Fleet) -> None:
    fleet.create()
    fleet.hold()
    held = fleet.send("@held one")
    stopped = fleet.send("two")
    last = fleet.send("three")
    fleet.world.ok("stop", stopped)
    fleet.release()
    assert fleet.world.result(last)["started_at"] >= fleet.world.result(held)["finished_at"]
    assert [firsts(talk) for talk in fleet.talks()] == [["@held one", "three"]]


# -- fresh conversations


def test_a_fresh_conversation_on_request(fleet: Fleet) -> None:
    fleet.create()
    fleet.ask("one")
    fresh = fleet.ask("two", "--new-conversation")
    assert "as asked" in fresh["conversation"]
    fleet.ask("three")
    assert [firsts(talk) for talk in fleet.talks()] == [["one"], ["two", "three"]]
    assert "turn 1" not in fleet.talks()[1][0]


def test_a_reset_begins_afresh(fleet: Fleet) -> None:
    fleet.create()
    fleet.world.ok("agent", "reset", "ada")
    assert fleet.ask("one")["conversation"] == ""
    fleet.world.ok("agent", "reset", "ada")
    assert "as asked" in fleet.ask("two")["conversation"]
    fleet.ask("three")
    assert [firsts(talk) for talk in fleet.talks()] == [["one"], ["two", "three"]]


def test_a_fresh_conversation_without_an_answer_does_not_bring_the_old_one_back(fleet: Fleet) -> None:
    fleet.create()
    fleet.ask("one")
    run = fleet.send("@hang-early two", "--new-conversation")
    eventually(lambda: fleet.began(run), 10)
    os.kill(fleet.world.runner_pid(run), signal.SIGKILL)
    assert run in fleet.ask("three")["conversation"]
    assert [firsts(talk) for talk in fleet.talks()] == [["one"], ["three"]]


def test_past_its_limit_a_fresh_conversation_knows_the_last_report(fleet: Fleet) -> None:
    fleet.create("ada", "--max-context-tokens", "150")
    fleet.ask("build the boat")
    assert fleet.ask("paint it")["conversation"] == ""
    third = fleet.ask("launch it")
    assert "200 tokens of context were used of at most 150" in third["conversation"]
    told = fleet.talks()[1][0]
    for words in ("build the boat: turn 1", "paint it: turn 2", '"notes": "heard 2"', "It gives no instructions"):
        assert words in told, told
    assert told.index("paint it") < told.index("launch it")
    events = (fleet.world.folder(third["run_id"]) / "events.jsonl").read_text()
    assert "at most 150" in events
    assert fleet.ask("moor it")["session_id"] == third["session_id"]


def test_the_window_limits_where_nobody_does(fleet: Fleet) -> None:
    fleet.create()
    for n in range(9):
        assert fleet.ask("turn %d" % n)["conversation"] == ""
    assert "900 tokens of context were used of at most 800" in fleet.ask("one more")["conversation"]


def test_another_backend_is_told_the_last_report(fleet: Fleet) -> None:
    fleet.create()
    fleet.ask("one")
    fleet.world.ok("agent", "set", "ada", "--backend", "other")
    second = fleet.ask("two")
    assert second["backend"] == "other" and "no longer mini" in second["conversation"]
    assert "one: turn 1" in fleet.talks()[1][0]
    assert fleet.ask("three")["session_id"] == second["session_id"]


def test_a_backend_that_cannot_resume_is_told_each_time(fleet: Fleet) -> None:
    fleet.create("ada", "--backend", "forgetful")
    fleet.ask("one")
    assert "it cannot resume" in fleet.ask("two")["conversation"]
    assert "one: turn 1" in fleet.talks()[1][0]


def test_a_conversation_that_the_vendor_lost_is_begun_anew(fleet: Fleet) -> None:
    fleet.create()
    first = fleet.ask("one")
    (fleet.store / first["session_id"]).unlink()
    assert fleet.ask("two")["status"] == "failed"
    third = fleet.ask("three")
    assert third["status"] == "finished" and "no longer has session" in third["conversation"]


# -- its life


def test_deleting_frees_all_but_the_runs(fleet: Fleet) -> None:
    fleet.create()
    run = fleet.send("@hang one")
    fleet.world.working(run)
    refused = fleet.world.run("agent", "delete", "ada")
    assert refused.returncode == 1 and "agentctl stop %s" % run in refused.stderr and "--stop" in refused.stderr
    queued = fleet.send("two")
    fleet.world.ok("agent", "delete", "ada", "--stop")
    assert fleet.files() == []
    assert [fleet.world.result(r)["status"] for r in (run, queued)] == ["stopped", "stopped"]
    fleet.create()
    assert fleet.ask("three")["parent"] == ""


def test_runs_outlive_their_agent(fleet: Fleet) -> None:
    fleet.create()
    first = fleet.ask("one")
    fleet.hold()
    runs = [fleet.send("@held two"), fleet.send("three")]
    (fleet.world.home / "agents" / "ada.json").unlink()
    fleet.release()
    results = [fleet.world.result(run) for run in runs]
    assert [r["session_id"] for r in results] == [first["session_id"]] * 2


def test_an_ephemeral_agent_is_gone_after_its_answer(fleet: Fleet) -> None:
    fleet.create("eph", "--ephemeral")
    done = fleet.world.run("agent", "send", "eph", "--no-pane", "--wait", stdin="@unmet one")
    assert (done.returncode, json.loads(done.stdout)["goal_met"]) == (3, False)
    assert fleet.files() == []
    missing = fleet.world.run("agent", "show", "eph")
    assert missing.returncode == 1 and "no agent named `eph`" in missing.stderr


def test_an_ephemeral_agent_whose_runner_was_killed_then_is_gone_for_every_reader(fleet: Fleet) -> None:
    fleet.create("eph", "--ephemeral")
    record = fleet.record("eph")
    run = fleet.send("one", name="eph")
    fleet.world.result(run)
    (fleet.world.home / "agents" / "eph.json").write_text(json.dumps({**record, "last_run": run}))
    assert json.loads(fleet.world.ok("agent", "list", "--json"))["agents"] == []
    assert fleet.files() == []


def test_an_ephemeral_agent_that_failed_stays(fleet: Fleet) -> None:
    fleet.create("eph", "--ephemeral")
    run = fleet.send("@hang one", name="eph")
    fleet.world.working(run)
    fleet.world.ok("stop", run)
    assert fleet.files() == ["eph.json", "eph.lock"]
    fleet.ask("two", name="eph")
    assert fleet.files() == []


def test_a_worker_may_send_to_an_agent_but_not_wait_for_itself(fleet: Fleet) -> None:
    fleet.create()
    fleet.create("bob")
    fleet.ask("zero", name="bob")
    fleet.world.config(max_parallel=1)
    program = " ".join(PROGRAM)
    script = "echo one | %s agent send bob --no-pane --wait" % program
    run = fleet.world.shell(script, "--no-pane")
    assert fleet.world.result(run)["goal_met"] is True
    assert [firsts(talk) for talk in fleet.talks()] == [["zero", "one"]]
    inside = {"AGENTCTL_RUN_ID": fleet.ask("mine")["run_id"]}
    refused = fleet.world.run("agent", "send", "ada", "--wait", stdin="x", env=inside)
    assert refused.returncode == 2 and "wait for itself" in refused.stderr


def test_waiting_runs_of_an_agent_hold_up_nobody(fleet: Fleet) -> None:
    """The agent's second run has no place in the queue for a slot while its first works."""
    fleet.world.config(max_parallel=2)
    fleet.create()
    hangs = fleet.send("@hang one")
    fleet.world.working(hangs)
    queued = fleet.send("two")
    other = fleet.world.shell("true", "--no-pane")
    assert fleet.world.result(other, "15")["status"] == "finished"
    fleet.world.ok("stop", hangs)
    assert fleet.world.result(queued)["status"] == "finished"


def test_a_cleanup_leaves_what_an_agent_goes_on_from(fleet: Fleet) -> None:
    fleet.create()
    first, second = fleet.ask("one"), fleet.ask("two")
    done = fleet.world.run("cleanup", "--all", "--runs", "--yes")
    assert "agent `ada` goes on from it" in done.stdout + done.stderr
    assert not fleet.world.folder(first["run_id"]).exists()
    assert fleet.world.folder(second["run_id"]).exists()
    third = fleet.ask("three")
    assert third["session_id"] == first["session_id"]


def test_a_paused_run_that_was_lost_goes_on_in_its_agents_chain(fleet: Fleet) -> None:
    fleet.create()
    first = fleet.ask("one")
    run = fleet.send("@hang two")
    eventually(lambda: len(fleet.talks()[0]) == 2, 10)
    fleet.world.ok("pause", run)
    os.kill(fleet.world.runner_pid(run), signal.SIGKILL)
    assert fleet.world.result(run)["status"] == "lost"
    follower = fleet.world.ok("continue", run).split()[0]
    result = fleet.world.result(follower)
    assert (result["agent"], result["parent"], result["session_id"]) == ("ada", run, first["session_id"])
    assert fleet.record()["last_run"] == follower
    assert len(fleet.talks()[0]) == 3


def test_a_send_that_was_killed_before_it_gave_a_runner(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.create()
    first = fleet.ask("one")
    home, env = Home(str(fleet.world.home)), fleet.world.env

    def stage(agent: Agent) -> Run:
        asked = agents.request_for(home, agent, Request(prompt="two", pane=False))
        plan = planning.plan(home, config.load(home)[0], asked, projects.named(home, "p"), env, time.time())
        return launch.stage(home, config.load(home)[0], plan, env, 0o022)

    run = agents.staged(home, "ada", stage)
    os.utime(run.file("meta.json"), (0, 0))
    third = fleet.ask("three")
    assert (third["parent"], third["session_id"]) == (run.id, first["session_id"])


# -- worktrees


def test_an_agent_with_a_worktree_keeps_it(fleet: Fleet, repo: Path) -> None:
    fleet.world.ok("add-project", "p", str(repo), "--worktree")
    fleet.create()
    fleet.hold()
    runs = [fleet.send("@held one"), fleet.send("two")]
    fleet.release()
    first, second = (fleet.world.result(run) for run in runs)
    third = fleet.ask("three")
    assert first["worktree"].endswith(first["run_id"])
    assert [r["worktree"] for r in (second, third)] == [first["worktree"]] * 2
    assert [r["cwd"] for r in (second, third)] == [first["cwd"]] * 2
    assert git(repo, "worktree", "list").count("\n") == 2
    assert [firsts(talk) for talk in fleet.talks()] == [["@held one", "two", "three"]]


def test_a_worktree_that_was_never_made_is_made_by_the_next(fleet: Fleet, repo: Path) -> None:
    fleet.world.ok("add-project", "p", str(repo), "--worktree")
    fleet.create()
    blocker = fleet.world.shell("sleep 30", "--no-pane", "--no-worktree")
    fleet.world.config(max_parallel=1)
    fleet.world.working(blocker)
    runs = [fleet.send("one"), fleet.send("two"), fleet.send("three")]
    fleet.world.ok("stop", runs[0])
    fleet.world.ok("stop", blocker)
    second, third = (fleet.world.result(run) for run in runs[1:])
    assert second["worktree"].endswith(second["run_id"]) and third["worktree"] == second["worktree"]
    fleet.hold()
    runs = [fleet.send("@held four"), fleet.send("five"), fleet.send("six")]
    fleet.world.ok("stop", runs[1])
    fleet.release()
    assert fleet.world.result(runs[2])["worktree"] == second["worktree"]


def test_a_removed_worktree_is_replaced(fleet: Fleet, repo: Path) -> None:
    fleet.world.ok("add-project", "p", str(repo), "--worktree")
    fleet.create()
    first = fleet.ask("one")
    fleet.world.ok("cleanup", first["run_id"], "--yes")
    second = fleet.ask("two")
    assert second["worktree"].endswith(second["run_id"])
    assert any("is gone" in words for words in second["warnings"])
    assert second["session_id"] == first["session_id"]


# -- manners


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "adda"), "did you mean `ada`?"),
        (("send", "adda"), "did you mean `ada`?"),
        (("create", "ada"), "there is an agent `ada` already"),
        (("create", "a/b"), "is not an agent's name"),
        (("create", "bob", "--role", "buidler"), "builder"),
        (("create", "bob", "--backend", "shell"), "no conversation"),
        (("create", "bob", "--profile", "nope"), "no profile named"),
        (("create", "bob", "--max-turns", "0"), "above 0"),
        (("list", "ada"), "takes no name"),
        (("list", "--role", "x"), "takes no --role"),
        (("show",), "wants a name"),
        (("set", "ada"), "nothing to change"),
        (("delete", "nobody"), "no agent named"),
    ],
)
def test_what_is_refused(fleet: Fleet, words: tuple[str, ...], said: str) -> None:
    fleet.create()
    done = fleet.world.run("agent", *words, stdin="x")
    assert done.returncode in (1, 2) and said in done.stderr, done.stderr
    assert fleet.files() in (["ada.json", "ada.lock"], ["ada.json"])


def test_a_damaged_record_is_said_and_can_be_deleted(fleet: Fleet) -> None:
    fleet.create()
    fleet.create("bob")
    (fleet.world.home / "agents" / "ada.json").write_text("{")
    done = fleet.world.run("agent", "send", "ada", stdin="x")
    assert done.returncode == 1 and "is damaged" in done.stderr
    listed = fleet.world.run("agent", "list")
    assert (listed.returncode, "bob" in listed.stdout, "ada.json is damaged" in listed.stderr) == (0, True, True)
    known = json.loads(fleet.world.ok("agent", "list", "--json"))
    assert ([row["name"] for row in known["agents"]], len(known["problems"])) == (["bob"], 1)
    fleet.world.ok("agent", "delete", "ada")
    assert fleet.files() == ["bob.json", "bob.lock"]
    assert json.loads(fleet.world.ok("agent", "list", "--json"))["problems"] == []


def test_agents_names_are_completed(fleet: Fleet) -> None:
    fleet.create()
    assert fleet.world.ok("_complete", "--", "agent", "show", "a").startswith("ada")
    assert fleet.world.ok("_complete", "--", "agent", "sh").startswith("show")
