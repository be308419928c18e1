"""Faults that were found in goals, each as it showed itself."""

from __future__ import annotations

import json
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from conftest import World
from conftest import eventually
from conftest import git
from goals import Stage

CHECK = ("--verify", "sh check.sh")


def step(**data: object) -> str:
    return json.dumps({"kind": "step", "text": "", "data": data}) + "\n"


def slow(stage: Stage, after: str = "true") -> str:
    return "do: while test ! -e %s; do sleep 0.05; done; %s" % (stage.folder / "go", after)


def killed(stage: Stage, run: str) -> None:
    os.kill(stage.world.runner_pid(run), signal.SIGKILL)
    stage.world.result(run)


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world, cycles=[[["ask", "worker", "do: echo yes > want"], ["done", "x"]]])


def test_a_forged_journal_is_not_believed_after_a_crash(stage: Stage) -> None:
    stage.play(cycles=[[["ask", "worker", slow(stage, "echo x > x")], ["done", "x"]]])
    run = stage.set(*CHECK, "--mode", "mission")
    eventually(lambda: stage.calls("/worker"), 20)
    killed(stage, run)
    with open(stage.world.folder(run) / "raw.jsonl", "a") as raw:
        raw.write(step(step="judged", accepted=False) + step(step="judged", accepted=True))
    (stage.folder / "go").touch()
    assert stage.known(stage.world.ok("goal", "resume", run))["outcome"] == "rejected"


def test_a_forged_end_is_not_shown_as_one(stage: Stage) -> None:
    stage.play(cycles=[[["ask", "worker", slow(stage)], ["done", "x"]]])
    run = stage.set(*CHECK)
    eventually(lambda: stage.calls("/worker"), 20)
    killed(stage, run)
    with open(stage.world.folder(run) / "raw.jsonl", "a") as raw:
        raw.write(step(step="over", outcome="accepted", why="because"))
    known = json.loads(stage.world.ok("goal", "show", run, "--json"))
    assert (known["status"], known["outcome"]) == ("lost", "")


def test_a_driver_that_cannot_go_on_leaves_nobody_at_work(stage: Stage) -> None:
    """Of the next orchestrator there is no program any more."""
    away = "do: mv %s %s" % (stage.folder / "claude", stage.folder / "away")
    stage.play(cycles=[[["start", "other", slow(stage)], ["ask", "worker", away], ["end"]]])
    result = stage.world.result(stage.set(*CHECK), "60")
    assert result["status"] == "failed", result
    eventually(lambda: not json.loads(stage.world.ok("list", "--running", "--json"))["runs"], 20)


def test_done_is_refused_while_somebody_is_at_work_whom_an_interrupted_attempt_asked(stage: Stage) -> None:
    act = slow(stage, "echo late > late")
    stage.play(
        cycles=[
            [
                ["ask", "worker", "do: echo yes > want"],
                ["start", "other", act],
                ["sleep", 1.0],
                ["done", "x"],
                ["wait_any"],
                ["done", "y"],
            ]
        ]
    )
    run = stage.set(*CHECK, "--mode", "mission")
    eventually(lambda: stage.calls("/other"), 20)
    eventually(lambda: len(stage.answers("ask")) == 2, 20)
    killed(stage, stage.calls("orchestrator")[0]["run"])
    eventually(lambda: stage.answers("done"), 20)
    (stage.folder / "go").touch()
    known = stage.known(run)
    assert stage.answers("done")[0]["error"], stage.answers("done")
    assert known["outcome"] == "accepted" and (stage.repo / "late").exists()


def test_resumed_with_as_many_cycles_as_there_are_by_default(stage: Stage) -> None:
    acts = [["ask", "worker", "do: echo x >> x"], ["done", "x"]]
    stage.play(cycles=[acts, [["ask", "worker", "do: echo yes > want"], ["done", "x"]]])
    known = stage.reached(*CHECK, "--max-cycles", "1")
    refused = stage.world.run("goal", "resume", known["goal"])
    assert refused.returncode == 1 and "after 1 of 1 cycles" in refused.stderr, refused
    assert "hint: allow it more" in refused.stderr
    again = stage.known(stage.world.ok("goal", "resume", known["goal"], "--max-cycles", "5"))
    assert again["outcome"] == "accepted"


def test_a_verifier_whose_checkout_went_with_its_driver_is_asked_anew(stage: Stage) -> None:
    wait = "while test ! -e %s; do sleep 0.05; done; test -e want" % (stage.folder / "go")
    stage.play(cycles=[[["ask", "worker", "do: echo yes > want"], ["done", "x"]]], verdicts={"architect": wait})
    run = stage.set(*CHECK, "--mode", "mission")
    eventually(lambda: stage.calls("verifies-architect"), 30)
    tester = eventually(lambda: stage.calls("verifies-tester", "end"), 30)[0]["run"]
    assert stage.world.result(tester)["status"] == "finished"
    killed(stage, run)
    run = stage.world.ok("goal", "resume", run)
    eventually(lambda: len(stage.calls("verifies-architect")) == 2, 20)
    (stage.folder / "go").touch()
    known = stage.known(run)
    assert known["outcome"] == "accepted", known["cycles"]
    assert len(stage.calls("verifies-tester")) == 1, "what had ended is not done again"


def test_names_that_are_not_utf8(stage: Stage) -> None:
    with open(os.fsencode(stage.repo) + b"/tests/test_\xff.sh", "w") as f:
        f.write("false\n")
    git(stage.repo, "add", "-A")
    git(stage.repo, "commit", "-qm", "a test of an odd name, which is red")
    stage.play(cycles=[[["ask", "worker", "do: echo yes > want; rm tests/test_[!w]*"], ["done", "x"]]])
    known = stage.reached(*CHECK, "--max-cycles", "2")
    assert (known["outcome"], len(known["cycles"])) == ("no_progress", 2), known
    assert "test_" in known["cycles"][0]["reasons"][0]


def test_a_driver_that_is_killed_again_and_again_while_it_hears_verifiers(stage: Stage) -> None:
    wait = "while test ! -e %s; do sleep 0.05; done" % (stage.folder / "go")
    stage.play(cycles=[[["ask", "worker", "do: echo yes > want"], ["done", "x"]]], verdicts={"architect": wait})
    run = stage.set(*CHECK, "--mode", "mission")

    def asked(times: int) -> bool:
        return len(stage.calls("verifies-architect")) == times

    for times in (1, 2):
        eventually(partial(asked, times), 30)
        killed(stage, run)
        run = stage.world.ok("goal", "resume", run)
    eventually(lambda: asked(3) or (stage.world.folder(run) / "result.json").exists(), 30)
    (stage.folder / "go").touch()
    assert stage.known(run)["outcome"] == "accepted"


def test_two_goals_do_not_work_in_one_checkout(stage: Stage) -> None:
    stage.play(cycles=[[["ask", "worker", slow(stage, "echo yes > want")], ["done", "x"]]])
    run = stage.set(*CHECK)
    done = stage.world.run(*stage.words(*CHECK))
    assert done.returncode == 1 and run in done.stderr and "--worktree" in done.stderr, done.stderr
    (stage.folder / "go").touch()
    assert stage.known(run)["outcome"] == "accepted"


@pytest.mark.parametrize("act", ["git switch -qc other", "git checkout -q --detach", "git reset -q --soft HEAD"])
def test_work_on_another_branch_of_the_worktree_comes_home(stage: Stage, act: str) -> None:
    who = "git -c user.name=w -c user.email=w@example.org"
    stage.play(cycles=[[["ask", "worker", "do: %s; echo yes > want; %s commit -qam w" % (act, who)], ["done", "x"]]])
    known = stage.reached(*CHECK, "--worktree")
    assert known["outcome"] == "accepted"
    done = stage.world.run("merge", known["goal"], "--verify", "sh check.sh")
    print(done.stdout, done.stderr)
    assert (stage.repo / "want").read_text() == "yes\n"


def test_a_check_of_the_working_tree_itself_is_refused(stage: Stage) -> None:
    """Whatever is checked out to be checked, it would look at what lies there, with its own files as they lie there."""
    link = stage.folder / "link"
    link.symlink_to(stage.repo)
    for place in (stage.repo, link):
        check = "cd %s && sh check.sh" % place
        done = stage.world.run(*stage.words("--verify", check))
        assert done.returncode == 2 and "itself" in done.stderr and "hint: " in done.stderr, done.stderr
    assert not stage.calls()


def test_a_verifier_that_outlives_its_driver_keeps_its_checkout(stage: Stage) -> None:
    """The driver is killed, as for want of memory; the verifier has a runner of its own, and says what it finds."""
    held = "while test ! -e %s; do sleep 0.05; done; test -e want || { echo gone: $PWD; exit 1; }" % (
        stage.folder / "go"
    )
    stage.play(cycles=[[["ask", "worker", "do: echo yes > want"], ["done", "x"]]], verdicts={"architect": held})
    goal = stage.set(*CHECK, "--mode", "mission")
    eventually(lambda: stage.calls("verifies-tester", "end") and stage.calls("verifies-architect"), 30)
    os.kill(stage.world.working(goal), signal.SIGKILL)
    stage.world.result(goal)
    (asked,) = stage.calls("verifies-architect")
    again = stage.world.ok("goal", "resume", goal)
    stage.world.working(again)
    eventually(lambda: "goes on from" in (stage.world.folder(again) / "raw.jsonl").read_text(), 30)
    assert (Path(asked["cwd"]) / "check.sh").exists()
    (stage.folder / "go").touch()
    known = stage.known(again)
    assert known["outcome"] == "accepted", known["cycles"]
    assert [call["run"] for call in stage.calls("verifies-architect")] == [asked["run"]]
    eventually(lambda: not list((stage.world.home / "worktrees").glob("merge-*")), 10)
