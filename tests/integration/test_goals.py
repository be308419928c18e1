"""Goals from end to end: real tmux, real git, real tools over MCP; only the model is a script."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import REPO
from conftest import World
from conftest import eventually
from conftest import git
from goals import Stage

CHECK = ("--verify", "sh check.sh")
ALL = [
    [["ask", "worker", "do: echo almost > want"], ["done", "first try"]],
    [["ask", "worker", "do: echo yes > want; touch litter"], ["done", "second try"]],
    [["ask", "worker", "do: rm litter"], ["done", "third try"]],
]
TIDY = {"architect": "test ! -e litter || { echo 'litter was left behind'; exit 1; }"}


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world, cycles=[[["ask", "worker", "do: echo yes > want"], ["done", "want is yes"]]])


def reasons(known: dict[str, Any]) -> list[Any]:
    return [cycle["reasons"] for cycle in known["cycles"]]


def test_rejected_by_the_check_then_by_a_verifier_then_accepted(stage: Stage) -> None:
    stage.play(cycles=ALL, verdicts=TIDY)
    known = stage.reached(*CHECK)
    assert (known["outcome"], known["result"]["status"]) == ("accepted", "finished")
    assert (known["result"]["goal_met"], known["result"]["verified"]) == (True, "passed")
    assert [cycle["accepted"] for cycle in known["cycles"]] == [False, False, True]
    assert "`sh check.sh` fails" in reasons(known)[0][0] and reasons(known)[1] == ["architect: litter was left behind"]
    assert [cycle["summary"] for cycle in known["cycles"]] == ["first try", "second try", "third try"]
    assert (stage.repo / "want").read_text() == "yes\n"
    assert len(stage.calls("verifies-")) == 4, "nobody was asked about what the check rejected"
    told = stage.calls("cycle-3/orchestrator")[0]["prompt"]
    assert "litter was left behind" in told and "second try" in told


def test_verifiers_see_the_goal_and_the_work_and_no_claim(stage: Stage) -> None:
    stage.play(cycles=[[["ask", "worker", "do: echo yes > want"], ["done", "SECRET CLAIM"]]])
    known = stage.reached(*CHECK)
    assert known["outcome"] == "accepted"
    for call in stage.calls("verifies-"):
        assert "Have want hold yes." in call["prompt"] and "+yes" in call["prompt"]
        assert "SECRET CLAIM" not in call["prompt"] and "did what was asked" not in call["prompt"]
        assert Path(call["cwd"]) != stage.repo, "in a checkout of its own"
        assert not os.path.exists(call["cwd"]), "which is gone afterwards"
    sessions = [call["session"] for call in stage.calls()]
    assert len(set(sessions)) == len(sessions) == 4


def test_what_a_tester_does_to_its_checkout_does_not_reach_the_work(stage: Stage) -> None:
    stage.play(
        cycles=[[["ask", "worker", "do: echo yes > want"], ["done", "x"]]],
        verdicts={"tester": "echo bent > want; touch new; exit 0"},
    )
    assert stage.reached(*CHECK)["outcome"] == "accepted"
    assert (stage.repo / "want").read_text() == "yes\n" and not (stage.repo / "new").exists()


def test_a_member_keeps_its_conversation_and_two_work_side_by_side(stage: Stage) -> None:
    first = ["ask_many", ["worker", "do: echo yes > want"], ["other", "do: echo b > b"]]
    stage.play(cycles=[[first, ["ask", "worker", "do: echo c > c"], ["done", "x"]]])
    assert stage.reached(*CHECK)["outcome"] == "accepted"
    workers = stage.calls("/worker")
    assert len({call["session"] for call in workers}) == 1 and len(workers) == 2
    answers = [json.loads(line["text"]) for line in stage.answers("ask")]
    assert [one["from"] for one in answers[0]] == ["worker", "other"]
    assert answers[1]["claims_goal_met"] is True and answers[1]["conversation"] == "goes on"


def test_asked_without_waiting_the_answers_come_as_they_end(stage: Stage) -> None:
    acts = [
        ["start", "worker", "do: echo yes > want"],
        ["start", "other", "do: while test ! -e go; do sleep 0.05; done"],
        ["done", "too early"],
        ["wait_any"],
        ["ask", "architect", "do: touch go"],
        ["wait_any"],
        ["done", "x"],
    ]
    stage.play(cycles=[acts])
    known = stage.reached(*CHECK)
    assert known["outcome"] == "accepted" and known["cycles"][0]["summary"] == "x"
    early = stage.answers("done")[0]
    assert early["error"] and "still at work" in early["text"]
    first, second = (json.loads(line["text"]) for line in stage.answers("wait_any"))
    assert [one["from"] for one in first["answers"]] == ["worker"] and len(first["still_at_work"]) == 1
    assert [one["from"] for one in second["answers"]] == ["other"] and second["still_at_work"] == []


def test_a_tool_that_is_called_wrongly_says_so(stage: Stage) -> None:
    stage.play(cycles=[[["ask", "nobody", "do: x"], ["ask", "worker", " "], ["wait_any"], ["give_up", "no way"]]])
    known = stage.reached(*CHECK)
    assert (known["outcome"], known["why"]) == ("gave_up", "no way")
    said = [(line["error"], line["text"]) for line in stage.answers()]
    assert said[0][0] and "nobody in the team is called `nobody`" in said[0][1]
    assert said[1][0] and "the prompt is empty" in said[1][1]
    assert said[2][0] and "nobody is at work" in said[2][1]


def test_a_goal_in_a_worktree_leaves_the_checkout_alone_and_comes_home_by_merge(stage: Stage) -> None:
    (stage.repo / "mine").write_text("uncommitted\n")
    known = stage.reached(*CHECK, "--worktree")
    assert known["outcome"] == "accepted"
    assert (stage.repo / "want").read_text() == "no\n" and (stage.repo / "mine").exists()
    (stage.repo / "mine").unlink()
    stage.world.ok("merge", known["goal"], "--verify", "sh check.sh")
    assert (stage.repo / "want").read_text() == "yes\n"


def test_uncommitted_changes_are_refused_or_committed_first(stage: Stage) -> None:
    (stage.repo / "mine").write_text("uncommitted\n")
    done = stage.world.run(*stage.words(*CHECK))
    assert done.returncode == 1 and "uncommitted changes: mine" in done.stderr and "--commit" in done.stderr
    assert not stage.calls()
    known = stage.reached(*CHECK, "--commit")
    assert known["outcome"] == "accepted"
    assert git(stage.repo, "show", "--format=%s", "--name-only", "HEAD").split("\n")[0] == (
        "Before a goal of agentctl: what was uncommitted"
    )
    assert git(stage.repo, "status", "--porcelain") == " M want\n"
    assert known["result"]["git_files"] == ["want"]


@pytest.mark.parametrize("moment", ["commit-tree", "update-ref", "update-ref, after it"])
def test_a_goal_that_was_killed_as_it_committed_leaves_nothing_reversed(stage: Stage, moment: str) -> None:
    """Nor the checkout locked, once the next goal is set."""
    repo, tools = stage.repo, stage.world.root / "tools"
    (repo / "mine").write_text("uncommitted\n")
    tools.mkdir()
    first = '$git "$@"; ' if "after" in moment else ""
    script = '#!/bin/sh\ngit=%s\ncase " $* " in *" %s "*) %skill -9 $PPID; exit 1;; esac\nexec $git "$@"\n'
    (tools / "git").write_text(script % (shutil.which("git"), moment.partition(",")[0], first))
    (tools / "git").chmod(0o755)
    path = "%s:%s" % (tools, stage.world.env.get("PATH", os.environ["PATH"]))
    assert stage.world.run(*stage.words(*CHECK, "--commit"), env={"PATH": path}).returncode == -9
    before = git(repo, "status", "--porcelain")
    assert before == {"c": "?? mine\n", "u": "A  mine\n"}[moment[0]] if "after" not in moment else before == ""
    assert stage.reached(*CHECK, "--commit")["outcome"] == "accepted"
    assert not os.path.lexists(repo / ".git" / "index.lock")
    assert git(repo, "show", "--format=", "--name-only", "HEAD") == "mine\n"
    assert git(repo, "status", "--porcelain") == " M want\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--max-cycles", "0"), "--max-cycles wants a number above 0"),
        (("--until", "25:00"), "--until wants a time of the day"),
        (("--orchestrator", "nobody"), "nobody can direct the work"),
        (("--team", "no.json"), "cannot read the team"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_starts(stage: Stage, options: Any, words: str) -> None:
    done = stage.world.run(*stage.words(*CHECK, *options))
    assert done.returncode in (1, 2) and words in done.stderr and "Traceback" not in done.stderr
    assert not stage.calls()


def test_a_goal_that_nothing_would_verify_is_not_begun(stage: Stage) -> None:
    team = {"format": 1, "members": {"worker": {"role": "worker_smart"}}}
    (stage.world.root / "team.json").write_text(json.dumps(team))
    done = stage.world.run(*stage.words())
    assert done.returncode == 2 and "nothing would verify the work" in done.stderr


def test_money_ends_it_in_order_and_more_money_goes_on(stage: Stage) -> None:
    stage.play(cycles=ALL, verdicts=TIDY, cost=1.0)
    known = stage.reached(*CHECK, "--max-cost", "2.5")
    assert (known["outcome"], known["result"]["goal_met"]) == ("out_of_money", False)
    again = stage.known(stage.world.ok("goal", "resume", known["goal"], "--max-cost", "50"))
    assert again["outcome"] == "accepted" and again["goal"] == known["goal"]
    assert [call["prompt"] for call in stage.calls("/worker")] == [acts[0][2] for acts in ALL]


def test_every_limit_is_said_before_anything_starts(stage: Stage) -> None:
    stage.play(cycles=ALL, verdicts=TIDY)
    done = stage.world.run(*stage.words(*CHECK, "--max-cost", "9", "--max-tokens", "5000000", "--max-turns", "70"))
    assert "at most 5 cycles, $9.00, 5.0M tokens, 70 turns" in done.stderr, done.stderr


def test_a_stopped_goal_stops_all_and_goes_on_where_it_was(stage: Stage) -> None:
    slow = "do: echo yes > want; while test ! -e %s; do sleep 0.05; done" % (stage.folder / "go")
    stage.play(cycles=[[["ask", "other", "do: echo b > b"], ["ask", "worker", slow], ["done", "x"]]])
    run = stage.set(*CHECK)
    eventually(lambda: stage.calls("/worker"), 20)
    stage.world.ok("goal", "stop", run)
    assert stage.world.result(run)["status"] == "stopped"
    assert json.loads(stage.world.ok("list", "--running", "--json"))["runs"] == []
    (stage.folder / "go").touch()
    known = stage.known(stage.world.ok("goal", "resume", run))
    assert known["outcome"] == "accepted"
    assert len(stage.calls("/other")) == 1, "what had ended is not done again"


@pytest.mark.parametrize("victim", ["driver", "orchestrator", "worker"])
def test_whoever_is_killed_the_goal_is_reached_and_nothing_is_done_twice(stage: Stage, victim: str) -> None:
    slow = "do: echo yes > want; while test ! -e %s; do sleep 0.05; done" % (stage.folder / "go")
    stage.play(cycles=[[["ask", "other", "do: echo b > b"], ["ask", "worker", slow], ["done", "x"]]])
    run = stage.set(*CHECK)
    call = eventually(lambda: stage.calls("/worker"), 20)[0]
    directs = stage.calls("orchestrator")[0]["run"]
    struck = {"driver": run, "orchestrator": directs, "worker": call["run"]}[victim]
    os.kill(stage.world.runner_pid(struck), signal.SIGKILL)
    stage.world.result(struck)
    (stage.folder / "go").touch()
    if victim == "driver":
        run = stage.world.ok("goal", "resume", run)
    known = stage.known(run)
    assert known["outcome"] == "accepted"
    assert len(stage.calls("/other")) == 1
    assert not stage.world.marked(struck)


def test_a_goal_is_a_run_and_its_news_reach_the_inbox(stage: Stage) -> None:
    world = stage.world
    stage.play(cycles=ALL[1:], verdicts=TIDY)
    me = {"AGENTCTL_ORCHESTRATOR": "orch-test"}
    known = stage.known(world.ok(*stage.words(*CHECK), env=me))
    row = next(r for r in json.loads(world.ok("list", "--json"))["runs"] if r["run_id"] == known["goal"])
    assert (row["status"], row["goal_met"]) == ("finished", True)
    events = json.loads(world.ok("inbox", "--json", env=me))["events"]
    assert {event["run_id"] for event in events if event["kind"] == "ended"} == {known["goal"]}, "of its members none"
    news = [event["text"] for event in events if event["kind"].startswith("news")]
    assert any("REJECTED" in words for words in news) and any("ACCEPTED" in words for words in news), events
    assert "accepted" in world.ok("goal", "list") and "ACCEPTED" in world.ok("goal", "show", known["goal"])


PROGRAM_OF_CYCLES = """
import subprocess
from agentctl import ClaudeCodeOrchestrator
orch = ClaudeCodeOrchestrator(model="opus")
team = {"worker": {"role": "worker_smart", "backends": ["claude"]},
        "architect": {"role": "architect", "backends": ["claude"], "verifies": True}}
first = orch.cycle("Have want hold yes.", ".", team, verify="sh check.sh")
print(first.number, first.accepted, first.summary, "exit code 1" in first.reasons[0])
print(subprocess.run(["git", "show", first.checkpoint + ":want"], capture_output=True, text=True).stdout.strip())
second = orch.cycle("Have want hold yes.", ".", team)
print(second.number, second.accepted, second.reasons, second.goal == first.goal)
third = orch.cycle("Have want hold yes.", ".")
print(third.number, third.accepted, [verdict["who"] for verdict in third.verdicts])
whole = orch.run("Have want hold no more.", ".", team, max_cycles=1, verify="false", place="commit")
print(whole.accepted, whole.outcome, len(whole.cycles), whole.usage.cost_usd or whole.usage.virtual_usd)
"""


def test_cycles_from_python_with_the_work_in_between(stage: Stage) -> None:
    stage.play(cycles=ALL, verdicts=TIDY)
    env = {**stage.world.env, "PYTHONPATH": str(REPO)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM_OF_CYCLES], env=env, cwd=stage.repo, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "1 False first try True",
        "almost",
        "2 False ('architect: litter was left behind',) True",
        "3 True ['architect']",
        "False rejected 1 1.0",
    ]


def test_who_directs_waits_as_long_as_it_takes_and_is_not_told_of_as_idle(stage: Stage) -> None:
    stage.world.config(idle_notice_s=0.5)
    wait = "do: echo yes > want; while test ! -e %s; do sleep 0.05; done" % (stage.folder / "go")
    stage.play(cycles=[[["ask", "worker", wait], ["done", "x"]]])
    me = {"AGENTCTL_ORCHESTRATOR": "orch-test"}
    run = stage.world.ok(*stage.words(*CHECK), env=me)
    directs = eventually(lambda: stage.calls("orchestrator"), 20)[0]["run"]
    spec = json.loads((stage.world.folder(directs) / "meta.json").read_text())
    assert spec["limits"]["timeout_s"] > 86400 and spec["limits"]["max_turns"] and spec["permissions"] == "read-only"
    works = eventually(lambda: stage.calls("/worker"), 20)[0]["run"]
    idle = eventually(lambda: [e for e in inbox(stage, me) if e["kind"] == "idle"], 20)
    (stage.folder / "go").touch()
    assert stage.known(run)["outcome"] == "accepted"
    idle = [event for event in inbox(stage, me) if event["kind"] == "idle"]
    assert {event["run_id"] for event in idle} == {works}


def inbox(stage: Stage, env: dict[str, str]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads(stage.world.ok("inbox", "--json", env=env))["events"]
    return events
