"""`agentctl cleanup`, `undo` and `rescue`, as a user and a program meet them."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

from cli.terminal import Terminal
from conftest import PROGRAM
from conftest import World
from conftest import eventually
from conftest import git

WORK = "echo new > n; git add n; git -c user.name=w -c user.email=w@w commit -qm work; echo more > more"


def work(world: World, *options: str, script: str = WORK) -> str:
    """A real run in a worktree of its own, to its end."""
    run_id = world.shell(script, "--backend", "shell", "--worktree", "--title", "do it", *(options or ("--no-pane",)))
    assert world.result(run_id)["status"] == "finished"
    return run_id


def place(world: World, run_id: str) -> Path:
    return world.home / "worktrees" / run_id


def told(world: World, *words: str, code: int = 0) -> dict[str, Any]:
    done = world.run(*words, "--json")
    assert done.returncode == code, (done.stdout, done.stderr)
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def test_cleanup_and_undo(world: World, repo: Path) -> None:
    run_id = work(world)
    branch = json.loads(world.ok("show", run_id))["branch"]
    dry = world.ok("cleanup", run_id, "--dry-run")
    assert "removes worktree %s and branch %s" % (place(world, run_id), branch) in dry
    assert "saves 1 file beyond HEAD, 1 commit that no other branch has" in dry
    assert place(world, run_id).is_dir()
    done = told(world, "cleanup", run_id, "--yes")
    (row,) = done["runs"]
    assert (row["run_id"], row["removed"], row["keeps"]) == (run_id, ["worktree"], [])
    assert row["saves"]["files"] == 1 and row["saves"]["commits"] == 1
    assert not place(world, run_id).exists() and branch not in git(repo, "branch")
    assert git(repo, "show", "refs/agentctl/rescue/%s:more" % run_id) == "more\n"
    assert "nothing is left to remove" in world.ok("cleanup", run_id, "--yes")
    assert world.ok("undo") == str(place(world, run_id))
    assert (place(world, run_id) / "more").read_text() == "more\n"
    assert git(place(world, run_id), "log", "-1", "--format=%s") == "work\n"


def test_it_wants_a_selection_and_an_answer(world: World, repo: Path) -> None:
    run_id = work(world)
    for words in ((), ("--project", "p"), (run_id, "--all"), ("--older-than", "soon")):
        done = world.run("cleanup", *words, "--yes")
        assert done.returncode == 2 and done.stderr.count("\n") <= 2, (words, done.stderr)
    done = world.run("cleanup", "--all")
    assert done.returncode == 2 and "--yes" in done.stderr
    assert place(world, run_id).is_dir()


def test_a_terminal_is_asked(world: World, repo: Path) -> None:
    run_id = work(world)
    for answer, stands in ((b"n\n", True), (b"y\n", False)):
        terminal = Terminal([*PROGRAM, "cleanup", run_id], world.env, cwd=str(world.project))
        terminal.until(lambda: b"[y/N]" in terminal.shown)  # noqa: B023
        terminal.type(answer)
        code, shown = terminal.end()
        assert (code, place(world, run_id).is_dir()) == (int(stands), stands), shown


def test_what_is_merged_and_what_is_old(world: World, repo: Path) -> None:
    merged, open_, dirty = (work(world, script=WORK + "; rm more"), work(world), work(world))
    for run_id in (merged, dirty):
        git(repo, "merge", "-q", "-m", "m", json.loads(world.ok("show", run_id))["branch"])
    rows = told(world, "cleanup", "--merged", "--dry-run")["runs"]
    assert [row["run_id"] for row in rows] == [merged]
    assert told(world, "cleanup", "--older-than", "1h", "--dry-run")["runs"] == []
    assert told(world, "cleanup", "--all", "--project", "q", "--dry-run")["runs"] == []
    rows = told(world, "cleanup", "--all", "--project", "p", "--yes")["runs"]
    assert {row["run_id"] for row in rows if "worktree" in row["removed"]} == {merged, open_, dirty}


def test_a_live_run_is_never_touched(world: World, repo: Path) -> None:
    run_id = world.shell("echo x > x; sleep 60", "--backend", "shell", "--worktree", "--no-pane", "--title", "t")
    world.working(run_id)
    done = world.run("cleanup", run_id, "--yes")
    assert done.returncode == 1 and "not over" in done.stdout
    assert "not over" in world.ok("cleanup", "--all", "--yes", "--runs")
    assert place(world, run_id).is_dir() and (world.home / "runs" / run_id).is_dir()
    os.kill(world.runner_pid(run_id), signal.SIGKILL)
    world.result(run_id)
    world.ok("cleanup", run_id, "--yes")
    assert not place(world, run_id).exists()


def test_panes_and_run_folders(world: World, repo: Path) -> None:
    world.config(keep_panes="always")
    run_id = work(world, "--title", "with pane")
    pane = eventually(lambda: world.status(run_id).get("pane"))
    assert pane in world.tmux("list-panes", "-a", "-F", "#{pane_id}").split()
    eventually(lambda: (world.folder(run_id) / "notified").exists())
    (row,) = told(world, "cleanup", run_id, "--yes", "--runs")["runs"]
    assert row["removed"] == ["worktree", "pane", "run folder"]
    assert pane not in world.tmux("list-panes", "-a", "-F", "#{pane_id}").split()
    assert not world.folder(run_id).exists()
    assert run_id not in world.ok("list")
    said = json.loads(world.ok("undo", run_id, "--json"))
    assert (said["format"], said["run_id"], said["project"]) == (1, run_id, "p")
    assert said["path"] == str(place(world, run_id)) and said["branch"] in git(repo, "branch")
    assert told(world, "rescue", "list")["rescues"][0]["restored"] is True


def test_a_run_that_nobody_was_told_of_keeps_its_folder(world: World, repo: Path) -> None:
    run_id = work(world)
    inbox = world.home / "inbox" / "pane-1-1" / "events"
    inbox.mkdir(parents=True)
    entry = {"id": run_id + ".ended", "kind": "ended", "run_id": run_id, "orchestrator": "pane-1-1"}
    (inbox / (run_id + ".ended")).write_text(json.dumps(entry))
    done = world.run("cleanup", run_id, "--yes", "--runs")
    assert "nobody has acknowledged" in done.stdout and done.returncode == 1
    assert world.folder(run_id).is_dir() and not place(world, run_id).exists()


def test_rescue_list_show_and_drop(world: World, repo: Path) -> None:
    run_id = work(world)
    assert told(world, "rescue", "list")["rescues"] == []
    world.ok("cleanup", run_id, "--yes")
    (row,) = told(world, "rescue", "list")["rescues"]
    assert (row["run_id"], row["title"], row["files"], row["restored"]) == (run_id, "do it", 1, False)
    assert run_id in world.ok("rescue", "list")
    assert world.ok("rescue", "show", run_id).split() == ["5", "more"]
    (listed,) = told(world, "rescue", "show", run_id)["file_list"]
    assert listed == {"path": "more", "mode": "100644", "bytes": 5}
    assert world.run("rescue", "drop", run_id).returncode == 2
    assert told(world, "rescue", "drop", run_id, "--yes")["dropped"] == [run_id]
    assert world.run("undo", run_id).returncode == 1
    assert git(repo, "for-each-ref", "refs/agentctl/rescue") == ""


def test_undo_says_why_not(world: World, repo: Path) -> None:
    done = world.run("undo")
    assert done.returncode == 1 and "no worktree was removed" in done.stderr
    plain = world.shell("true", "--backend", "shell", "--no-pane", "--title", "t")
    world.result(plain)
    done = world.run("undo", plain)
    assert done.returncode == 1 and "had no worktree" in done.stderr
