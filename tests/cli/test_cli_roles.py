"""`agentctl roles`, `--role`, and the names that other programs have for our commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentctl import cli
from agentctl import topics
from conftest import World


def own(world: World, name: str, words: str) -> Path:
    path = world.home / "prompts" / "roles" / (name + ".md")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words)
    return path


REPORT = '{"goal_met": true, "summary": "read", "followup_prompt": "", "notes": ""}'
SAYER = {"argv": ["/bin/echo", REPORT], "stream": "text"}


# -- roles


def test_roles_lists_those_that_are_shipped_and_ones_own(world: World) -> None:
    own(world, "poet", "---\ndescription: Writes in verse\npermissions: read-only\n---\nYou are a poet.\n")
    own(world, "scout", "You are my scout.\n")
    head, *rows = world.ok("roles").splitlines()
    assert head.split() == ["NAME", "PROFILE", "PERMISSIONS", "FROM", "DESCRIPTION"]
    cells = {row.split()[0]: row.split(maxsplit=4) for row in rows}
    assert len(rows) == 13 and list(cells) == sorted(cells)
    assert cells["poet"] == ["poet", "-", "read-only", "own", "Writes in verse"]
    assert cells["scout"] == ["scout", "-", "-", "own", "-"]
    assert cells["builder"][:4] == ["builder", "deep", "edit", "shipped"]


def test_roles_as_json(world: World) -> None:
    path = own(world, "poet", "---\nprofile: spark\n---\nYou are a poet.\n")
    listed = json.loads(world.ok("roles", "--json"))
    assert listed["format"] == 1 and len(listed["roles"]) == 13
    poet = {"name": "poet", "profile": "spark", "permissions": "", "description": ""}
    poet.update({"path": str(path), "from": "own"})
    assert poet in listed["roles"]
    one = json.loads(world.ok("roles", "poet", "--json"))
    assert one == {"format": 1, **poet, "prompt": "You are a poet.\n"}


def test_a_role_is_printed_as_a_worker_gets_it(world: World) -> None:
    own(world, "poet", "---\nprofile: spark\n---\n\nYou are\x1b[31m a poet.\n")
    assert world.run("roles", "poet").stdout == "You are[31m a poet.\n"
    assert world.ok("roles", "reviewer").startswith("# You are a reviewer")


def test_a_role_that_is_not_there_and_one_that_is_damaged(world: World) -> None:
    done = world.run("roles", "revewer")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "agentctl: no role named `revewer`\nhint: did you mean `reviewer`?\n"
    path = own(world, "poet", "---\npermissions: lots\n---\nYou are.\n")
    for words in (["roles"], ["roles", "poet"], ["start", "--role", "poet"]):
        done = world.run(*words, stdin="x")
        assert done.returncode == 1 and len(done.stdout.splitlines()) == (13 if words == ["roles"] else 0), words
        assert done.stderr.splitlines()[0] == (
            "agentctl: role `poet` (%s): permissions is one of read-only, edit, full" % path
        )
    assert world.ok("roles", "reviewer")


# -- --role


def test_start_spawn_and_resume_take_a_role(world: World) -> None:
    world.config(backends={"sayer": SAYER}, profiles={"plain": {"backends": [{"backend": "sayer"}]}})
    own(world, "poet", "---\nprofile: plain\npermissions: read-only\n---\nYou are a poet of note.\n")
    started = world.ok("start", "--no-pane", "--role", "poet", stdin="Write.")
    (spawned,) = world.ok("spawn", "--no-pane", "--role", "poet", "Write.").splitlines()
    for run_id in (started, spawned):
        assert world.result(run_id)["goal_met"] is True
        spec = json.loads((world.folder(run_id) / "meta.json").read_text())
        assert (spec["role"], spec["profile"], spec["permissions"]) == ("poet", "plain", "read-only")
        assert (world.folder(run_id) / "input.md").read_text().startswith("You are a poet of note.\n")
        assert (world.folder(run_id) / "prompt.md").read_text() == "Write."
    done = world.run("resume", "--parent-run-id", started, "--role", "poett", stdin="More.")
    assert (done.returncode, done.stderr.splitlines()[1]) == (2, "hint: did you mean `poet`?")


@pytest.mark.parametrize("words", [["start", "--role", "builder", "--", "true"]])
def test_a_command_has_no_role(words: list[str], world: World) -> None:
    done = world.run(*words)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "agentctl: a command has no role")


def test_a_role_is_completed(world: World) -> None:
    own(world, "poet", "You are.\n")

    def offered(*words: str) -> list[str]:
        return [line.partition("\t")[0] for line in world.ok("_complete", "--", *words).splitlines()]

    assert offered("start", "--role", "p") == offered("roles", "p") == ["planner", "poet"]
    assert len(offered("spawn", "--role", "")) == 13
    own(world, "poet", "")
    assert offered("start", "--role", "p") == ["planner"]


# -- aliases


def test_an_alias_is_the_command_it_stands_for(world: World) -> None:
    run_id = world.shell("true", "--no-pane")
    world.result(run_id)
    for alias, command in (("task-details", "show"), ("list-tasks", "list")):
        words = [run_id] if command == "show" else ["--json"]
        assert world.ok(alias, *words) == world.ok(command, *words)
        assert world.ok(alias, "--help") == world.ok(command, "--help") == world.ok("help", alias)
        assert world.ok("--home", str(world.home), alias, *words)
    assert world.ok("_complete", "--", "task-details", "") == world.ok("_complete", "--", "show", "")
    refused = world.run("task-details")
    assert refused.returncode == 2 and refused.stderr.startswith("agentctl: show: the following arguments")


def test_an_alias_of_two_words_is_the_command_it_stands_for(world: World) -> None:
    world.ok("agent", "create", "ada", "--role", "scout")
    assert world.ok("agent-details", "ada") == world.ok("agent", "show", "ada")
    assert json.loads(world.ok("agent-details", "ada"))["role"] == "scout"
    assert world.ok("list-agents", "--json") == world.ok("agent", "list", "--json")
    refused = world.run("agent-details", "adda")
    assert refused.returncode == 1 and "did you mean `ada`?" in refused.stderr


def test_an_alias_is_in_its_page_and_no_command(world: World) -> None:
    assert not cli.ALIASES.keys() & cli.COMMANDS.keys()
    page = topics.TOPICS["aliases"][1]
    for alias, words in cli.ALIASES.items():
        command = words.split()[0]
        assert command in cli.COMMANDS and alias in page and words in page
    assert world.run("list-task").stderr.splitlines()[1] == "hint: did you mean `agentctl list-tasks`?"
    assert world.run("lst").stderr.splitlines()[1] == "hint: did you mean `agentctl list`?"
