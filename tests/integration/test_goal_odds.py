"""What may happen to a goal besides: late, large, left in the middle, gone."""

from __future__ import annotations

import os
import shutil

import pytest

from conftest import World
from conftest import eventually
from conftest import git
from goals import Stage

CHECK = ("--verify", "sh check.sh")
WHO = "git -c user.name=w -c user.email=w@example.org"


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world, cycles=[[["ask", "worker", "do: echo yes > want"], ["done", "x"]]])


def beds(stage: Stage) -> list[str]:
    folder = stage.world.home / "worktrees"
    return sorted(os.listdir(folder)) if folder.exists() else []


def test_stopped_during_its_check(stage: Stage) -> None:
    go, there = stage.folder / "go", stage.folder / "there"
    waits = "touch %s; while test ! -e %s; do sleep 0.05; done; sh tests/test_want.sh\n" % (there, go)
    (stage.repo / "check.sh").write_text(waits)
    git(stage.repo, "commit", "-qam", "slow")
    run = stage.set(*CHECK)
    eventually(there.exists, 20)
    [bed] = [name for name in beds(stage) if not name.endswith((".git", ".lock"))]
    assert stage.world.marked(bed)
    stage.world.ok("goal", "stop", run)
    assert stage.world.result(run)["status"] == "stopped" and beds(stage) == []
    assert not stage.world.marked(bed)
    go.touch()
    assert stage.known(stage.world.ok("goal", "resume", run))["outcome"] == "accepted"
    assert beds(stage) == [] and len(stage.calls("/worker")) == 1
    assert len(git(stage.repo, "worktree", "list").splitlines()) == 1


def test_late_during_its_check(stage: Stage) -> None:
    (stage.repo / "check.sh").write_text("sleep 100\n")
    git(stage.repo, "commit", "-qam", "slow")
    known = stage.reached(*CHECK, "--max-time", "6s")
    assert known["outcome"] == "out_of_time" and known["cycles"][0]["checks"] == []
    assert beds(stage) == []


def test_a_great_file_is_committed(stage: Stage) -> None:
    great = "yes 'a line of many, and it is a long one' | head -c 80000000 > great; git add great"
    act = "do: echo yes > want; %s; %s commit -qm w" % (great, WHO)
    stage.play(cycles=[[["ask", "worker", act], ["done", "x"]]])
    known = stage.reached(*CHECK, "--mode", "mission")
    assert known["outcome"] == "accepted", known["result"]["error"]


def test_a_merge_is_left_in_the_middle(stage: Stage) -> None:
    first = "git switch -qc a; echo a > want; %s commit -qam a; git switch -q main" % WHO
    act = "do: %s; echo yes > want; %s commit -qam b; %s merge a" % (first, WHO, WHO)
    mended = "do: echo yes > want; git add want"
    stage.play(cycles=[[["ask", "worker", act], ["done", "x"]], [["ask", "worker", mended], ["done", "x"]]])
    known = stage.reached(*CHECK, "--max-cycles", "2")
    assert known["outcome"] == "accepted", known


def test_a_worktree_that_is_gone_is_said(stage: Stage) -> None:
    stage.play(cycles=[[["ask", "worker", "do: echo almost > want"], ["done", "x"]]])
    known = stage.reached(*CHECK, "--worktree", "--max-cycles", "1")
    shutil.rmtree(stage.world.home / "worktrees" / known["goal"])
    done = stage.world.run("goal", "resume", known["goal"], "--max-cycles", "3")
    assert done.returncode == 1 and "was removed" in done.stderr and "hint: " in done.stderr


def test_merged_after_it_was_resumed(stage: Stage) -> None:
    acts = ["do: echo %s > want" % word for word in ("almost", "nearly", "yes")]
    stage.play(cycles=[[["ask", "worker", act], ["done", "x"]] for act in acts])
    known = stage.reached(*CHECK, "--worktree", "--max-cycles", "1")
    for n in (2, 3):
        known = stage.known(stage.world.ok("goal", "resume", known["goal"], "--max-cycles", str(n)))
    assert known["outcome"] == "accepted"
    stage.world.ok("merge", known["goal"], "--verify", "sh check.sh")
    assert (stage.repo / "want").read_text() == "yes\n"


def test_the_base_is_gone_with_history(stage: Stage) -> None:
    gone = "git reflog expire --expire=now --all; git gc -q --prune=now"
    act = "do: echo yes > want; %s commit -qa --amend -m new; %s" % (WHO, gone)
    stage.play(cycles=[[["ask", "worker", act], ["done", "x"]]])
    known = stage.reached(*CHECK, "--mode", "mission")
    assert known["outcome"] == "accepted", known["result"]["error"]


def test_a_text_of_a_megabyte_that_is_not_ascii(stage: Stage) -> None:
    stage.text.write_text("Have want hold yes: Größe ✓\n" * 30000)
    assert stage.reached(*CHECK)["outcome"] == "accepted"


def test_the_tests_are_many_and_gone(stage: Stage) -> None:
    for n in range(3000):
        (stage.repo / "tests" / ("test_%d.sh" % n)).write_text("false\n")
    git(stage.repo, "add", "-A")
    git(stage.repo, "commit", "-qm", "many")
    stage.play(cycles=[[["ask", "worker", "do: rm tests/test_[0-9]*; echo yes > want"], ["done", "x"]]])
    known = stage.reached(*CHECK, "--mode", "mission")
    assert known["outcome"] == "rejected" and len(known["cycles"][0]["reasons"][0]) < 3000


def test_cleaned_up_it_leaves_no_refs(stage: Stage) -> None:
    run = stage.reached(*CHECK)["goal"]
    assert "refs/agentctl/goals/%s/1" % run in git(stage.repo, "for-each-ref")
    stage.world.ok("cleanup", run, "--runs", "--yes")
    assert not stage.world.folder(run).exists() and "goals" not in git(stage.repo, "for-each-ref")


def test_what_worked_for_a_goal_stays_while_that_is_at_work(stage: Stage) -> None:
    """Else what it has spent would be forgotten, and what was done be done again."""
    slow = "do: while test ! -e %s; do sleep 0.05; done" % (stage.folder / "go")
    act = ["ask", "other", "do: echo yes > want"]
    stage.play(cycles=[[act, ["ask", "worker", slow], ["done", "x"]]])
    run = stage.set(*CHECK)
    eventually(lambda: stage.calls("/worker"), 20)
    stage.world.run("cleanup", "--all", "--runs", "--yes")
    (stage.folder / "go").touch()
    known = stage.known(run)
    assert known["outcome"] == "accepted" and known["members"][1]["name"] == "other"
