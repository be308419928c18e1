"""No git comes between a branch and its checkout while a merge lands; and one that was killed leaves no lock."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from agentctl.branches import journals
from agentctl.store import Home
from conftest import World
from conftest import git
from trees import commit
from trees import isolated

WORK = "git config user.name w; git config user.email w@example.org; echo new > g; git add -A; git commit -q -m work"
MOVE = '*" update-ref -m "*merge*)'
TRY = '*" read-tree -m -u -n "*)'
FOLLOW = '*" read-tree -m -u "*)'


def tools(world: World, cases: str) -> dict[str, str]:
    """A PATH with a git that does something of its own at some of its calls."""
    folder = world.root / "tools"
    folder.mkdir(exist_ok=True)
    script = '#!/bin/sh\ngit=%s\ncase " $* " in\n%s\nesac\nexec $git "$@"\n' % (shutil.which("git"), cases)
    (folder / "git").write_text(script)
    (folder / "git").chmod(0o755)
    return {"PATH": "%s:%s" % (folder, os.environ["PATH"])}


def test_no_commit_of_the_user_comes_between(world: World, repo: Path) -> None:
    """Else it would be one after the landing, with all files as they were before."""
    run = isolated(world, WORK)["run_id"]
    (repo / ".git" / "info" / "exclude").write_text("said\n")
    user = "env -u GIT_DIR -u GIT_INDEX_FILE -u GIT_WORK_TREE -u GIT_OBJECT_DIRECTORY $git -C %s" % repo
    user += " -c user.name=u -c user.email=u@example.org commit -q --allow-empty -m mine >>%s/said 2>&1;;" % repo
    done = world.run("merge", run, env=tools(world, "%s ;;\n%s %s" % (TRY, FOLLOW, user)))
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "index.lock': File exists" in (repo / "said").read_text()
    assert git(repo, "status", "--porcelain") == "" and (repo / "g").exists()
    git(repo, "commit", "-q", "--allow-empty", "-m", "mine")
    assert "g" in git(repo, "ls-files").split()


KILL = "kill -9 $PPID; sleep 0.3"
CASES = {
    "locked": "%s %s;;" % (TRY, KILL),
    "before the move": "%s %s; exit 1;;" % (MOVE, KILL),
    "after the move": '%s $git "$@"; %s; exit 0;;' % (MOVE, KILL),
    "the files follow": "%s ;;\n%s %s;;" % (TRY, FOLLOW, KILL),
    "the files have followed": '%s ;;\n%s $git "$@"; %s; exit 0;;' % (TRY, FOLLOW, KILL),
}


@pytest.mark.parametrize("command", ["merge", "collect"])
@pytest.mark.parametrize("moment", CASES)
def test_a_kill_leaves_a_lock_that_the_next_command_takes_away(
    world: World, repo: Path, moment: str, command: str
) -> None:
    run = isolated(world, WORK)["run_id"]
    assert world.run("merge", run, env=tools(world, CASES[moment])).returncode == -9
    assert os.path.islink(repo / ".git" / "index.lock")
    done = world.run(command, run)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert not os.path.lexists(repo / ".git" / "index.lock")
    assert git(repo, "status", "--porcelain") == "", done.stderr
    assert journals.every(Home(str(world.home))) == []
    landed = command == "merge" or moment not in ("locked", "before the move")
    assert (repo / "g").exists() == landed
    assert ("g" in git(repo, "ls-tree", "--name-only", "main").split()) == landed


def test_a_lock_of_git_is_left_alone(world: World, repo: Path) -> None:
    run = isolated(world, WORK)["run_id"]
    before = git(repo, "rev-parse", "main")
    (repo / ".git" / "index.lock").write_bytes(b"")
    done = world.run("merge", run)
    assert done.returncode == 3 and "git is at work there, or was ended" in done.stdout, (done.stdout, done.stderr)
    assert git(repo, "rev-parse", "main") == before and (repo / ".git" / "index.lock").exists()


def killed(world: World, repo: Path) -> journals.Landing:
    """A note of a landing after which the checkout's index was left as it was, and somebody moved the branch on."""
    old = git(repo, "rev-parse", "main").strip()
    (repo / "one.txt").write_text("new\n")
    new = commit(repo)
    git(repo, "reset", "-q", "--hard", old)
    git(repo, "update-ref", "refs/heads/main", new)
    note = journals.Landing(common=str(repo / ".git"), branch="main", old=old, new=new)
    journals.note(Home(str(world.home)), note)
    return note


def test_a_branch_that_moved_on_without_its_checkout_is_said(world: World, repo: Path) -> None:
    note = killed(world, repo)
    on = git(repo, "commit-tree", note.new + "^{tree}", "-p", note.new, "-m", "more").strip()
    git(repo, "update-ref", "refs/heads/main", on)
    for _ in range(2):
        said = world.run("collect").stderr
        assert "takes back what has landed" in said and len(journals.every(Home(str(world.home)))) == 1, said
    subprocess.run(["sh", "-c", said.partition("`")[2].partition("`")[0]], check=True, capture_output=True)
    assert git(repo, "status", "--porcelain") == ""
    assert world.run("collect").stderr == "" and journals.every(Home(str(world.home))) == []


def test_a_commit_that_took_a_landing_back_is_said_once(world: World, repo: Path) -> None:
    killed(world, repo)
    git(repo, "commit", "-q", "--allow-empty", "-m", "mine")
    assert not (repo / "one.txt").exists() and "one.txt" not in git(repo, "ls-tree", "main")
    assert git(repo, "rev-parse", "--short=12", "main").strip() in world.run("collect").stderr
    assert world.run("collect").stderr == ""
    assert json.loads(world.ok("collect", "--json"))["runs"] == []
