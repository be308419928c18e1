"""Runs that follow others: resume, hand-over to another backend, escalation."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import PROGRAM
from conftest import REPO
from conftest import World
from conftest import eventually

AGENT = """#!/usr/bin/env python3
# A vendor's CLI in miniature: prints the claude stream, keeps what it was given.
import json, os, sys
words = sys.argv[1:]
prompt = sys.stdin.read()
session = words[words.index("--session") + 1] if "--session" in words else "11111111-2222-4333-8444-555555555555"
with open(os.environ["AGENT_LOG"], "a") as log:
    log.write(json.dumps({"argv": words, "prompt": prompt}) + "\\n")
met = "weak" not in words
report = {"goal_met": met, "summary": "did it" if met else "half done", "followup_prompt": "", "notes": "n"}
print(json.dumps({"type": "system", "subtype": "init", "session_id": session, "model": "m", "apiKeySource": "none"}))
print(json.dumps({"type": "result", "subtype": "success", "is_error": False, "session_id": session, "num_turns": 1,
                  "structured_output": report, "result": "done", "total_cost_usd": 0.5, "usage": {}}))
"""


@pytest.fixture
def agents(world: World) -> World:
    """Two backends of the user's own, `mini` and `other`, and profiles of them."""
    program = world.root / "mini"
    program.write_text(AGENT)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    argv = [str(program), "{model}", "--session", "{session_id}"]
    backend = {"argv": argv, "stdin": True, "stream": "claude"}
    world.config(
        backends={"mini": backend, "other": backend},
        profiles={
            "weak": {"backends": [{"backend": "mini", "model": "weak"}], "escalate_to": "strong"},
            "strong": {"backends": [{"backend": "mini", "model": "strong"}], "escalate_to": "weak", "escalate": True},
            "elsewhere": {"backends": [{"backend": "other", "model": "strong"}]},
        },
    )
    world.env["AGENT_LOG"] = str(world.root / "agent.log")
    return world


def calls(world: World) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (world.root / "agent.log").read_text().splitlines()]


def start(world: World, *options: str) -> str:
    return world.ok("start", "--no-pane", *options, stdin="do the thing")


def test_an_unmet_goal_escalates_once_per_step(agents: World) -> None:
    first = agents.result(start(agents, "--profile", "weak", "--escalate"))
    assert (first["goal_met"], bool(first["escalated_to"])) == (False, True)
    second = agents.result(first["escalated_to"])
    assert (second["parent"], second["profile"], second["goal_met"]) == (first["run_id"], "strong", True)
    assert second["escalated_to"] == ""
    prompt = calls(agents)[1]["prompt"]
    assert "do the thing" in prompt and "half done" in prompt


def test_a_failed_check_escalates_and_never_back(agents: World) -> None:
    first = agents.result(start(agents, "--profile", "strong", "--verify", "false"))
    second = agents.result(first["escalated_to"])
    assert (first["verified"], second["profile"]) == ("failed", "weak")
    assert second["escalated_to"] == ""  # its stronger one began the chain


def test_a_met_goal_does_not_escalate(agents: World) -> None:
    assert agents.result(start(agents, "--profile", "strong"))["escalated_to"] == ""


def test_resume_goes_on_with_the_session(agents: World) -> None:
    first = agents.result(start(agents, "--profile", "strong"))
    second = agents.result(agents.ok("resume", "--parent-run-id", first["run_id"], "--no-pane", stdin="and now"))
    assert second["parent"] == first["run_id"]
    assert calls(agents)[1]["argv"][-1] == first["session_id"]
    assert calls(agents)[1]["prompt"].lstrip().startswith("and now\n")


def test_resume_on_another_backend_hands_over(agents: World, repo: Path) -> None:
    first = agents.result(start(agents, "--profile", "strong"))
    agents.ok("resume", "--parent-run-id", first["run_id"], "--profile", "elsewhere", "--no-pane", stdin="and now")
    agents.result("@last")
    told = calls(agents)[1]
    assert "--session" not in told["argv"]
    assert all(words in told["prompt"] for words in ("and now", "do the thing", "did it"))


def test_who_takes_over_a_conversation_is_told_all_that_was_asked_in_it(agents: World) -> None:
    first = agents.result(start(agents, "--profile", "strong"))
    words = ("resume", "--no-pane", "--parent-run-id")
    second = agents.result(agents.ok(*words, first["run_id"], "--profile", "weak", "--escalate", stdin="and then\n"))
    assert second["session_id"] == first["session_id"]
    third = agents.result(second["escalated_to"])
    asked = "do the thing\n\n---\nAnd after that, in the same conversation:\n\nand then"
    assert calls(agents)[2]["prompt"].lstrip().startswith(asked + "\n\n---\nA first attempt")
    agents.result(agents.ok(*words, second["run_id"], "--profile", "elsewhere", stdin="and at last"))
    assert asked in calls(agents)[3]["prompt"]
    agents.result(agents.ok(*words, third["run_id"], "--profile", "elsewhere", stdin="and at last"))
    assert calls(agents)[4]["prompt"].count(asked) == 1, "the escalated run was asked all of it itself"


def test_resume_refuses_with_the_reason(agents: World) -> None:
    run = agents.shell("sleep 30", "--no-pane")
    done = agents.run("resume", "--parent-run-id", run, stdin="x")
    assert done.returncode == 1 and "has not ended" in done.stderr and "agentctl wait" in done.stderr
    agents.ok("stop", run)
    done = agents.run("resume", "--parent-run-id", run, stdin="x")
    assert done.returncode == 1 and "was a command" in done.stderr


def test_resume_refuses_when_the_directory_is_gone(agents: World) -> None:
    first = agents.result(start(agents, "--profile", "strong"))
    agents.project.rename(agents.root / "moved")
    done = agents.run("resume", "--parent-run-id", first["run_id"], stdin="x", cwd=agents.root)
    assert done.returncode == 1 and "is gone" in done.stderr


def test_two_resumes_of_one_session_take_turns(agents: World) -> None:
    first = agents.result(start(agents, "--profile", "strong"))
    runs = [agents.ok("resume", "--parent-run-id", first["run_id"], "--no-pane", stdin="x") for _ in range(3)]
    spans = sorted((r["started_at"], r["status"]) for r in map(agents.result, runs))
    assert [status for _, status in spans] == ["finished"] * 3


def test_escalation_keeps_what_the_caller_set(agents: World) -> None:
    first = agents.result(
        start(agents, "--profile", "weak", "--backend", "mini", "--timeout", "1m", "--max-turns", "3", "--escalate")
    )
    child = json.loads((agents.folder(first["escalated_to"]) / "meta.json").read_text())
    assert (child["backend"], child["limits"]["timeout_s"], child["limits"]["max_turns"]) == ("mini", 60.0, 3)
    agents.result(first["escalated_to"])


def test_escalation_survives_the_tmux_server(agents: World) -> None:
    program = agents.root / "slow"
    program.write_text("#!/bin/sh\ncat > /dev/null\nsleep 1.5\n%s weak </dev/null\n" % (agents.root / "mini"))
    program.chmod(0o755)
    agents.config(
        backends={
            "mini": {"argv": [str(agents.root / "mini"), "{model}"], "stdin": True, "stream": "claude"},
            "slow": {"argv": [str(program)], "stdin": True, "stream": "claude"},
        }
    )
    run = agents.ok("start", "--profile", "strong", "--backend", "slow", "--verify", "false", stdin="x")
    agents.working(run)
    agents.tmux("kill-server")
    first = agents.result(run)
    assert (first["status"], first["verified"]) == ("finished", "failed")
    assert agents.result(first["escalated_to"])["parent"] == run


def test_what_comes_after_an_escalation_comes_after_its_last_run(agents: World) -> None:
    first = start(agents, "--profile", "weak", "--escalate")
    after = agents.shell("true", "--no-pane", "--after", first)
    assert agents.result(after)["status"] == "finished"


def test_a_resume_keeps_schema_and_check(agents: World) -> None:
    mine = agents.root / "mine.json"
    mine.write_text(
        json.dumps({"type": "object", "properties": {"goal_met": {"type": "boolean"}}, "required": ["goal_met"]})
    )
    first = agents.result(start(agents, "--profile", "strong", "--schema", str(mine), "--verify", "true"))
    assert first["verified"] == "passed", first["warnings"]
    again = agents.result(agents.ok("resume", "--parent-run-id", first["run_id"], "--no-pane", stdin="x"))
    assert again["verified"] == "passed"
    kept = json.loads((agents.folder(again["run_id"]) / "schema.json").read_text())
    assert kept["required"] == ["goal_met"]


def test_a_child_nobody_heard_of_is_taken_back(agents: World) -> None:
    """The runner died between staging the follow-up and saying so in its result."""
    run = agents.shell("sleep 300", "--no-pane")
    agents.working(run)
    staged = agents.home / "runs" / ".20990101-000000-abcd"
    staged.mkdir()
    for name in ("lock", "meta.json", "environment"):
        (staged / name).write_text("")
    (agents.folder(run) / "child").write_text("20990101-000000-abcd")
    os.kill(agents.runner_pid(run), signal.SIGKILL)
    assert agents.result(run)["status"] == "lost"
    assert not staged.exists()


KILLED = """
import os, signal, sys
sys.path.insert(0, {repo!r})
from agentctl import api, followup, launch, processes, runner, store
if len(sys.argv) > 1:
    at, victims = {at!r}, {victims!r}
    def die():
        for pid in processes.children() if "sentinel" in victims else (): os.kill(pid, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    def dying(module, name, early):
        old = getattr(module, name)
        def new(*a, **k):
            early or old(*a, **k)
            die()
        setattr(module, name, new)
    if at == "linked": dying(store, "end", False)
    if at == "told": dying(runner, "_post_end", False)
    if at == "launching": dying(followup, "launch_staged", True)
    if at == "launched": dying(followup, "launch_staged", False)
    sys.exit(runner.main(*sys.argv[1:]))
launch._runner_argv = lambda home, run: [sys.executable, "-I", "-S", {script!r}, home.path, run.id]
print(api.start(api.home(), api.Request(prompt="x", project="p", profile="weak", escalate=True, pane=False)))
"""


def killed(agents: World, at: str, victims: str) -> tuple[str, str]:
    """A run whose runner was killed at that step, and the run that is to go on for it."""
    script = agents.root / "killed.py"
    script.write_text(KILLED.format(repo=str(REPO), at=at, victims=victims, script=str(script)))
    argv = [*PROGRAM[:-1], str(script)]
    run = subprocess.run(argv, env=agents.env, check=True, capture_output=True, text=True, timeout=20).stdout.strip()
    ended = agents.home / "runs" / run / "result.json"
    eventually(ended.exists, 20)
    return run, json.loads(ended.read_text())["escalated_to"]


@pytest.mark.parametrize("at", ["linked", "told", "launching", "launched"])
def test_a_runner_killed_before_its_successor_runs_has_it_go_on(agents: World, at: str) -> None:
    """Whatever the step: its sentinel starts what the result names, nobody needs to look, and each end is told once."""
    run, child = killed(agents, at, "runner")
    eventually(lambda: sorted(note["run_id"] for note in agents.notes()) == sorted([run, child]), 20)
    assert agents.result(child)["status"] == "finished"
    assert not (agents.folder(child) / "environment").exists()
    assert len(calls(agents)) == 2


@pytest.mark.parametrize("late", [False, True])
def test_who_looks_later_has_the_successor_go_on_or_end(agents: World, late: bool) -> None:
    """The sentinel was killed too: started within the grace, settled after it; the keys leave the disk either way."""
    run, child = killed(agents, "launching", "runner and sentinel")
    ended = agents.folder(run) / "result.json"
    agents.ok("list")
    assert (agents.home / "runs" / ("." + child)).is_dir(), "its runner may only be slow"
    ended.write_text(json.dumps({**json.loads(ended.read_text()), "finished_at": time.time() - 60}))
    if late:
        os.utime(agents.folder(child) / "meta.json", (1, 1))
    agents.ok("show", run)
    eventually(lambda: sorted(note["run_id"] for note in agents.notes()) == sorted([run, child]), 20)
    assert agents.result(child)["status"] == ("lost" if late else "finished")
    assert not (agents.folder(child) / "environment").exists()
