"""Which checkouts stand on a branch that is landed on: those that git itself does not list, too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agentctl.trees import checkouts
from conftest import World
from conftest import git
from trees import isolated

WORK = "git config user.name w; git config user.email w@example.org; echo new > g; git add -A; git commit -q -m work"


def landed(world: World, run: str, *options: str, code: int = 0) -> dict[str, Any]:
    done = world.run("merge", "--json", run, *options)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr, world.crash())
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def elsewhere(repo: Path, how: str) -> Path:
    """The repository's git directory goes to another place; where."""
    store = repo.parent / "store"
    if how == "file":
        git(repo, "init", "-q", "--separate-git-dir", str(store))
    else:
        shutil.move(str(repo / ".git"), str(store))
        (repo / ".git").symlink_to("../store")
    return store


@pytest.mark.parametrize("how", ["file", "link"])
def test_a_checkout_with_its_git_directory_elsewhere_follows(world: World, repo: Path, how: str) -> None:
    elsewhere(repo, how)
    run = isolated(world, WORK)["run_id"]
    assert landed(world, run)["landed"]
    assert git(repo, "status", "--porcelain") == "" and (repo / "g").exists()


def test_a_checkout_that_nobody_knows_is_not_left_behind(world: World, repo: Path) -> None:
    """Started from a worktree of it, there is no telling where the main one is."""
    elsewhere(repo, "file")
    git(repo, "worktree", "add", "-q", "-b", "side", str(world.root / "side"))
    world.ok("add-project", "side", str(world.root / "side"))
    before = git(repo, "rev-parse", "main")
    run = isolated(world, WORK, project="side")["run_id"]
    report = landed(world, run, "--into", "main", code=3)
    assert not report["landed"] and git(repo, "rev-parse", "main") == before
    assert "git does not tell where" in report["runs"][0]["why"]
    git(repo, *report["next"].split()[1:])
    assert git(repo, "status", "--porcelain") == "" and (repo / "g").exists()


def test_a_symbolic_branch_is_the_one_it_leads_to(world: World, repo: Path) -> None:
    git(repo, "symbolic-ref", "refs/heads/trunk", "refs/heads/main")
    run = isolated(world, WORK)["run_id"]
    report = landed(world, run, "--into", "trunk")
    assert report["landed"] and report["into"] == "main"
    assert git(repo, "status", "--porcelain") == "" and (repo / "g").exists()


def test_who_stands_on_a_symbolic_branch_stands_on_the_other(world: World, repo: Path) -> None:
    git(repo, "symbolic-ref", "refs/heads/trunk", "refs/heads/main")
    git(repo, "symbolic-ref", "HEAD", "refs/heads/trunk")
    common = str(repo / ".git")
    assert [c.path for c in checkouts.standing_on(common, "main")] == [str(repo)]
    assert checkouts.standing_on(common, "other") == []


def test_a_head_that_is_a_link_is_understood(repo: Path) -> None:
    git(repo, "branch", "other")
    git(repo, "-c", "core.preferSymlinkRefs=true", "checkout", "-q", "other")
    assert (repo / ".git" / "HEAD").is_symlink()
    assert [c.path for c in checkouts.standing_on(str(repo / ".git"), "other")] == [str(repo)]


def test_the_case_of_a_branch_is_no_matter_where_git_says_so(repo: Path) -> None:
    common = str(repo / ".git")
    git(repo, "symbolic-ref", "HEAD", "refs/heads/Main")
    assert checkouts.standing_on(common, "main") == []
    git(repo, "config", "core.ignorecase", "true")
    assert [c.path for c in checkouts.standing_on(common, "main")] == [str(repo)]


def test_a_bare_repository_has_no_main_checkout(repo: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(repo), str(bare)], check=True)
    assert list(checkouts.every(str(bare), [str(repo), str(tmp_path)])) == []


@pytest.fixture
def side(world: World, repo: Path) -> Path:
    """Another worktree of the user's, a project of its own, whose paths are relative as git 2.48 can write them."""
    made = world.root / "side"
    git(repo, "worktree", "add", "-q", "-b", "side", str(made))
    own = repo / ".git" / "worktrees" / "side"
    (own / "gitdir").write_text(os.path.relpath(made / ".git", own) + "\n")
    (made / ".git").write_text("gitdir: %s\n" % os.path.relpath(own, made))
    world.ok("add-project", "side", str(made))
    return made


def test_relative_paths_of_worktrees_lead_to_the_branch_of_the_project(world: World, repo: Path, side: Path) -> None:
    run = isolated(world, WORK, project="side")["run_id"]
    report = landed(world, run)
    assert report["into"] == "side" and (side / "g").exists() and not (repo / "g").exists()
    assert git(side, "status", "--porcelain") == "" and git(repo, "status", "--porcelain") == ""


def test_the_branch_of_a_project_that_is_gone_is_not_guessed(world: World, repo: Path, side: Path) -> None:
    before = git(repo, "rev-parse", "main")
    run = isolated(world, WORK, project="side")["run_id"]
    for folder in (side, repo / ".git" / "worktrees" / "side"):
        shutil.rmtree(folder)
    done = world.run("merge", run)
    assert done.returncode == 1 and "--into BRANCH" in done.stderr and git(repo, "rev-parse", "main") == before
    assert landed(world, run, "--into", "side")["landed"]
