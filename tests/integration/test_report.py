"""`report` and `explain` of real runs, as a user calls them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from agentctl.model import Spec
from agentctl.store import Home
from cli.terminal import Terminal
from conftest import PROGRAM
from conftest import World
from conftest import eventually
from conftest import git
from conftest import runners
from goalmaker import Maker
from goalmaker import night
from goals import Stage


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
    old = Maker(Home(str(world.home)), 1_780_000_000.0)
    old.ended(Spec(backend="shell", title="its line is young, its id is old"))
    for word in (root.id, again.id, root.id[:-2], "@last"):
        told = json.loads(world.ok("report", word, "--json"))
        assert told["goals"][0]["runs"] == [root.id, again.id] and told["since"] is None
        assert json.loads(world.ok("goal", "show", word, "--json"))["goal"] == root.id
    assert [goal["goal"] for goal in json.loads(world.ok("goal", "list", "--json"))["goals"]] == [root.id]
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


def test_a_real_goal_from_rejection_to_acceptance_and_its_commands(world: World) -> None:
    """In a worktree, directed by a script: the page says what was so, and its commands do what it says."""
    stage = Stage(
        world,
        cycles=[
            [["ask", "worker", "do: echo almost > want"], ["done", "first try"]],
            [["ask", "worker", "do: echo yes > want; touch litter"], ["done", "second try"]],
            [["ask", "worker", "do: rm litter"], ["done", "third try"]],
        ],
        verdicts={"architect": "test ! -e litter || { echo 'litter was left behind'; exit 1; }"},
    )
    goal = stage.reached("--verify", "sh check.sh", "--worktree")["goal"]
    words = world.ok("report", goal)
    for part in (
        "Accepted in cycle 3 of 5",
        "Cycle 1: rejected; its orchestrator said that it was done",
        "Cycle 2: rejected",
        "litter was left behind",
        "Cycle 3: accepted",
        "    | third try",
    ):
        assert part in words, words
    told = json.loads(world.ok("report", "--json"))
    assert [one["goal"] for one in told["goals"]] == [goal] and told["runs"] == told["alive"] == []
    found = told["goals"][0]
    assert [[check["passed"] for check in cycle["checks"]] for cycle in found["cycles"]][0][0] is False
    assert {m["who"] for m in found["members"]} >= {"orchestrator", "worker", "architect"}, found["members"]
    assert found["doubt"] == "" and found["changed"]["files"] == 1 and found["needs"][0]["kind"] == "land"
    commands = [each["command"] for each in found["advice"]]
    env = {**world.env, "GIT_CONFIG_GLOBAL": os.devnull}
    diff = subprocess.run(["sh", "-c", commands[0]], env=env, capture_output=True, text=True, timeout=30, check=True)
    assert "+yes" in diff.stdout
    world.ok(*shlex.split(commands[1])[1:])
    assert (stage.repo / "want").read_text() == "yes\n"
    found = json.loads(world.ok("report", goal, "--json"))["goals"][0]
    assert found["changed"]["landed"] == "main" and found["needs"] == []
    assert [each["command"] for each in found["advice"]][1:] == ["agentctl cleanup %s" % goal]
    assert "its work has landed on main" in world.ok("explain", goal)


def test_a_real_goal_that_was_given_up_in_place_can_be_undone(world: World) -> None:
    stage = Stage(world, cycles=[[["ask", "worker", "do: echo almost > want; touch new"], ["give_up", "no way"]]])
    goal = stage.reached("--verify", "sh check.sh")["goal"]
    found = json.loads(world.ok("report", goal, "--json"))["goals"][0]
    assert (found["outcome"], found["why"]) == ("gave_up", "no way")
    assert "Not accepted: its orchestrator gave up" in world.ok("report", goal)
    assert "its journal ends with: gave_up" in world.ok("explain", goal)
    resume, _, *undoing = [each["command"] for each in found["advice"]]
    assert resume == "agentctl goal resume %s" % goal
    names = {
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@e.org",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@e.org",
    }
    env = {**world.env, **names, "GIT_CONFIG_GLOBAL": os.devnull}
    for command in undoing:
        subprocess.run(["sh", "-c", command], env=env, timeout=30, check=True, capture_output=True)
    assert git(stage.repo, "status", "--porcelain") == "" and (stage.repo / "want").read_text() == "no\n"


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
    eventually((world.folder(run) / "notified").exists)
    eventually(lambda: not runners(str(world.home)))

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
