"""`agentctl collect` and `start --touches`: what will not fit together is said before anybody merges."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from conftest import World
from conftest import eventually
from conftest import git

IDENTITY = "export GIT_AUTHOR_NAME=w GIT_AUTHOR_EMAIL=w@x GIT_COMMITTER_NAME=w GIT_COMMITTER_EMAIL=w@x\n"


def work(world: World, script: str, *options: str, commit: bool = True) -> str:
    ending = "\ngit add -A && git commit -q -m work\n" if commit else "\n"
    run = world.shell(IDENTITY + script + ending, "--worktree", "--no-pane", *options)
    assert world.result(run)["goal_met"]
    return run


def collected(world: World, *words: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(world.ok("collect", "--json", *words))
    return loaded


def test_what_runs_brought_and_where_they_collide(world: World, repo: Path) -> None:
    one = work(world, "echo changed > a.txt; echo new > b.txt", "--title", "first of them", "--verify", "true")
    two = work(world, "echo otherwise > a.txt; echo c > c.txt")
    three = work(world, "echo c > c.txt")
    (repo / "a.txt").write_text("moved on\n")
    git(repo, "commit", "-q", "-a", "-m", "the target moved on")
    before = git(repo, "for-each-ref")
    found = collected(world)
    assert [run["run_id"] for run in found["runs"]] == [one, two, three]
    first = found["runs"][0]
    assert first["title"] == "first of them" and first["verified"] == "passed" and first["goal_met"] is True
    assert first["files"] == ["a.txt", "b.txt"] and first["commits"][0].endswith(" work") and len(first["commits"]) == 1
    assert "2 files changed" in first["diff_stat"] and first["target"] == "main"
    assert [run["conflicts"] for run in found["runs"]] == [["a.txt"], ["a.txt"], []]
    assert found["overlaps"] == [
        {"runs": [one, two], "files": ["a.txt"], "conflicts": ["a.txt"]},
        {"runs": [two, three], "files": ["c.txt"], "conflicts": []},
    ]
    assert found["next"] == "agentctl merge %s %s %s" % (one, two, three)
    assert git(repo, "for-each-ref") == before and git(repo, "status", "--porcelain") == ""
    assert [n for n in os.listdir(world.home / "worktrees") if n.startswith("merge-")] == []

    said = world.ok("collect", one, two)
    assert "conflicts with main in a.txt" in said and "both changed a.txt: conflict in a.txt" in said
    assert "next: agentctl merge %s %s" % (one, two) in said


def test_uncommitted_work_is_committed_and_said(world: World, repo: Path) -> None:
    run = work(world, "echo left > left.txt", "--title", "leaves things", commit=False)
    found = collected(world, run)["runs"][0]
    assert found["files"] == ["left.txt"] and found["leftover"]
    branch = found["branch"]
    assert (
        git(repo, "show", "-s", "--format=%H %an %s", branch).split("\n")[0]
        == "%s shell leaves things" % found["leftover"]
    )
    assert git(repo, "show", branch + ":left.txt") == "left\n"
    assert collected(world, run)["runs"][0]["leftover"] == ""


def test_a_run_in_use_is_listed_and_not_touched(world: World, repo: Path) -> None:
    live = world.shell("echo x > x.txt; sleep 60", "--worktree", "--no-pane")
    where = Path(
        json.loads(eventually(lambda: world.ok("show", live) if world.status(live).get("worker") else ""))["cwd"]
    )
    eventually((where / "x.txt").exists)
    found = collected(world, live)["runs"][0]
    assert found["in_use"] and not found["leftover"] and not found["tip"]
    assert git(where, "status", "--porcelain") == "?? x.txt\n"
    assert "in use" in world.ok("collect")
    world.ok("stop", live)


def test_a_run_without_a_worktree_has_its_result(world: World, repo: Path) -> None:
    run = world.shell("echo plain > plain.txt", "--no-pane", "--title", "plain one")
    world.result(run)
    found = collected(world, run)
    assert found["runs"][0]["files"] == ["plain.txt"] and found["runs"][0]["status"] == "finished"
    assert found["next"] == "" and found["overlaps"] == []
    assert collected(world)["runs"] == [], "only what stands in a worktree is collected unasked"


def test_only_of_a_project_and_what_landed_is_no_overlap(world: World, repo: Path, tmp_path: Path) -> None:
    one, two = work(world, "echo 1 > same.txt"), work(world, "echo 2 > same.txt")
    world.ok("merge", one)
    found = collected(world, "--project", "p")
    assert found["runs"][0]["landed"] == git(repo, "rev-parse", "main").strip()
    assert found["runs"][1]["conflicts"] == ["same.txt"] and found["overlaps"] == []
    assert found["next"] == "agentctl merge %s" % two
    assert collected(world, "--project", "other")["runs"] == []


def test_a_rebased_branch_shows_its_own_work_only(world: World, repo: Path) -> None:
    run = work(world, "echo mine > mine.txt")
    (repo / "theirs.txt").write_text("theirs\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "theirs")
    where = collected(world, run)["runs"][0]["worktree"]
    git(Path(where), "rebase", "-q", "main")
    found = collected(world, run)["runs"][0]
    assert found["files"] == ["mine.txt"] and len(found["commits"]) == 1


def test_start_warns_of_a_live_run_that_touches_the_same(world: World, repo: Path) -> None:
    live = world.shell("sleep 60", "--no-pane", "--title", "the first", "--touches", "src/cart/**", "docs")
    hit = world.run("start", "--no-pane", "--touches", "src/*/total.py", "--", "true")
    assert hit.returncode == 0 and len(hit.stdout.split()) == 1
    assert "run %s (the first) may touch src/cart/**" % live in hit.stderr and "src/*/total.py" in hit.stderr
    world.result(hit.stdout.strip())
    miss = world.run("start", "--no-pane", "--touches", "src/shop.py", "--", "true")
    assert miss.returncode == 0 and miss.stderr == ""
    world.result(miss.stdout.strip())
    world.ok("stop", live)
    ended = world.run("start", "--no-pane", "--touches", "docs/x.md", "--", "true")
    assert ended.stderr == ""
    world.result(ended.stdout.strip())


@pytest.mark.parametrize(("name", "glob", "hit"), [("src/a.py", "src/*.py", True), ("src/[1].py", "src/1.py", False)])
def test_start_warns_of_what_a_live_run_has_written(world: World, repo: Path, name: str, glob: str, hit: bool) -> None:
    live = world.shell("sleep 60", "--worktree", "--no-pane", "--title", "writer")
    eventually(lambda: world.status(live).get("worker"))
    spec = json.loads((world.folder(live) / "meta.json").read_text())
    event = {"kind": "file_write", "text": name, "data": {"path": "%s/%s" % (spec["cwd"], name)}, "at": 1.0}
    with open(world.folder(live) / "events.jsonl", "a") as f:
        f.write(json.dumps(event) + "\n")
    started = world.run("start", "--worktree", "--no-pane", "--touches", glob, "--", "true")
    assert ("has written %s" % name in started.stderr) is hit, started.stderr
    world.result(started.stdout.strip())
    world.ok("stop", live)


def test_work_on_another_branch_or_apart_from_it_is_noted(world: World, repo: Path) -> None:
    one = work(world, "git checkout -q -b mine; echo 1 > one.txt")
    two = work(world, "git commit -q --allow-empty -m x; git checkout -q --detach HEAD~1; echo 2 > two.txt")
    found = collected(world)
    first, second = found["runs"]
    assert first["files"] == ["one.txt"] and "not on its branch" in first["note"] and first["ready"]
    assert "neither has what the other has" in second["note"] and not second["ready"]
    assert found["next"] == "agentctl merge %s" % one and second["run_id"] == two


def test_what_lies_in_a_repository_inside_is_noted(world: World, repo: Path) -> None:
    run = work(world, "mkdir inner; git -C inner init -q; echo i > inner/i; echo ok > ok.txt", commit=False)
    found = collected(world, run)
    assert "inner" in found["runs"][0]["note"] and found["runs"][0]["files"] == ["ok.txt"]
    assert "inner" in world.run("merge", run).stderr
