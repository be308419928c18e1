"""`report` and `explain` of real runs, as a user calls them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from agentctl.store import Home
from cli.terminal import Terminal
from conftest import PROGRAM
from conftest import World
from conftest import git
from goalmaker import Maker
from goalmaker import night


def test_a_report_tells_once_what_ended(world: World) -> None:
    good = world.shell("echo 12 passed", "--no-pane", "--title", "tests")
    bad = world.shell("echo no; exit 3", "--no-pane", "--title", "release")
    world.result(good), world.result(bad)
    first = world.ok("report", "--json")
    told = json.loads(first)
    assert {run["run_id"]: (run["good"], run["outcome"]) for run in told["runs"]} == {
        good: (True, "finished, goal met"),
        bad: (False, "finished, goal not met"),
    }
    assert json.loads(world.ok("report", "--json"))["runs"] == []
    words = world.ok("report", "--since", "1h")
    assert good in words and "%s: finished, goal not met" % bad in words
    assert "Nothing has ended" in world.ok("report", "--since", "last")


def test_a_report_that_could_not_be_told_is_told_again(world: World) -> None:
    run = world.shell("true", "--no-pane")
    world.result(run)
    with open("/dev/full", "w") as full:
        done = subprocess.run([*PROGRAM, "report"], env=world.env, stdout=full, stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == 1 and b"No space left" in done.stderr
    nowhere = world.run("report", "-o", str(world.root / "no" / "where.html"))
    assert (nowhere.returncode, nowhere.stderr) == (
        1,
        "agentctl: cannot write %s/no/where.html: No such file or directory\nhint: give another name\n" % world.root,
    )
    assert run in world.ok("report") and run not in world.ok("report")


def test_a_file_is_in_the_form_that_its_name_says(world: World) -> None:
    run = world.shell("true", "--no-pane", "--title", "<b>")
    world.result(run)
    begins = {"a.html": "<!DOCTYPE html>", "a.md": "# agentctl report", "a.txt": "agentctl report", "a": "agentctl"}
    for name, words in begins.items():
        path = world.root / name
        assert world.ok("report", "--since", "1d", "-o", str(path)) == ""
        assert path.read_text().startswith(words) and run in path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600
    assert world.ok("report", "--since", "1d", "--format", "md").startswith("# agentctl report")
    world.ok("report", "--since", "1d", "--json", "-o", str(world.root / "a.json"))
    assert json.loads((world.root / "a.json").read_text())["runs"][0]["run_id"] == run


def test_a_goal_by_any_of_its_names(world: World) -> None:
    maker = Maker(Home(str(world.home)), 1_790_000_000.0)
    root = maker.goal()
    night(maker, root)
    maker.end(root)
    again = maker.end(maker.goal(root=root.id))
    for word in (root.id, again.id, root.id[:-2], "@last"):
        told = json.loads(world.ok("report", word, "--json"))
        assert told["goals"][0]["runs"] == [root.id, again.id] and told["since"] is None
    offered = world.ok("_complete", "--", "report", "").split("\n")
    assert [line.partition("\t")[0] for line in offered] == [root.id]
    run = world.shell("true", "--no-pane")
    assert "is no goal" in world.run("report", run).stderr
    world.result(run)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--since", "soon"], "--since soon is no time"),
        (["20260101", "--since", "1h"], "a goal and --since do not go together"),
        (["--json", "--format", "md"], "--json and --format do not go together"),
        (["--format", "pdf"], "report: argument --format: invalid choice: 'pdf'"),
    ],
)
def test_a_report_called_wrongly(words: list[str], message: str, world: World) -> None:
    done = world.run("report", *words)
    assert done.returncode == 2 and done.stderr.startswith("agentctl: " + message), done.stderr
    assert not (world.home / "reported.json").exists()


def test_the_command_to_land_is_one_that_lands(world: World, repo: Path) -> None:
    git(repo, "config", "user.email", "t@example.org")
    git(repo, "config", "user.name", "t")
    work = "echo two > b.txt; git add -A; git -c user.name=w -c user.email=w@e.org commit -qm two"
    run = world.shell(work, "--no-pane", "--worktree", "--verify", "true")
    world.result(run)
    lines = [line.strip() for line in world.ok("report").splitlines()]
    command = shlex.split(next(line for line in lines if line.startswith("agentctl merge")))
    assert command == ["agentctl", "merge", run]
    world.ok(*command[1:])
    assert (repo / "b.txt").exists()
    assert "agentctl merge" not in world.ok("report", "--since", "1h")


def test_at_a_terminal_it_is_coloured_and_harmless(world: World) -> None:
    run = world.shell("exit 1", "--no-pane", "--title", "\x1b]0;owned\x07x")
    world.result(run)
    argv = [*PROGRAM, "report", "--since", "1d"]
    code, shown = Terminal(argv, world.env, str(world.project)).end()
    assert code == 0 and "\x1b[1mOther runs that ended\x1b[0m" in shown and "\x1b]" not in shown
    code, plain = Terminal(argv, {**world.env, "NO_COLOR": "1"}, str(world.project)).end()
    assert code == 0 and "\x1b" not in plain and "]0;ownedx" in plain


def test_a_report_changes_nothing_but_its_mark(world: World) -> None:
    run = world.shell("true", "--no-pane")
    world.result(run)

    def seen() -> dict[str, int]:
        found = {}
        for folder, _, names in os.walk(world.home):
            found.update({os.path.join(folder, n): os.stat(os.path.join(folder, n)).st_mtime_ns for n in names})
        return found

    before = seen()
    world.ok("report")
    world.ok("report", "--since", "1h")
    after = seen()
    assert {path for path in after if after[path] != before.get(path)} == {str(world.home / "reported.json")}
