"""`agentctl plugin`: what it writes, what it refuses, and that its words are true."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from agentctl.cli import COMMANDS
from agentctl.plugin import installing
from conftest import World


def texts(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_folder_is_whole_and_made_again_the_same(world: World) -> None:
    """What was changed or lost in it is mended; a file of somebody's beside ours stays."""
    folder = world.root / "plug in"
    assert world.ok("plugin", str(folder)) == str(folder)
    made = texts(folder)
    assert {name for name in made if name.startswith("commands")} == {
        "commands/%s.md" % name for name in ("status", "inbox", "start")
    }
    inodes = {p: p.stat().st_ino for p in folder.rglob("*")}
    world.ok("plugin", str(folder))
    assert {p: p.stat().st_ino for p in folder.rglob("*")} == inodes
    (folder / "hooks" / "hooks.json").write_text("{}")
    (folder / "skills" / "agentctl" / "SKILL.md").unlink()
    (folder / "mine.md").write_text("mine")
    world.ok("plugin", str(folder))
    assert texts(folder) == {**made, "mine.md": b"mine"}


def test_a_folder_of_somebody_else_is_refused(world: World) -> None:
    """With any file in it, also another plugin; an empty one is taken."""
    folder = world.root / "theirs"
    folder.mkdir()
    world.ok("plugin", str(folder))
    for name, text in (("notes", "x"), (".claude-plugin/plugin.json", json.dumps({"name": "agentctl"}))):
        other = world.root / name.replace("/", "-")
        (other / name).parent.mkdir(parents=True)
        (other / name).write_text(text)
        done = world.run("plugin", str(other))
        assert done.returncode == 1 and "has other files in it" in done.stderr
        assert texts(other) == {name: text.encode()}
    done = world.run("plugin", str(world.root / "notes" / "notes"))
    assert done.returncode == 1 and "is no directory" in done.stderr


def test_the_hooks_are_those_of_orch_and_quiet_without_a_home(world: World) -> None:
    """Each is run as Claude Code runs it: by a shell, with JSON on stdin, in a process that is no Claude's child."""
    folder = world.root / "plugin"
    world.ok("plugin", str(folder), "--home", str(world.home))
    table = json.loads((folder / "hooks" / "hooks.json").read_text())["hooks"]
    assert set(table) > {"SessionStart", "UserPromptSubmit", "Stop", "PermissionRequest", "SessionEnd"}
    hooks = [hook for entries in table.values() for entry in entries for hook in entry["hooks"]]
    assert sum(bool(hook.get("asyncRewake")) for hook in hooks) == 3
    assert all("--home %s" % shlex.quote(str(world.home)) in hook["command"] for hook in hooks)


def test_every_command_that_it_teaches_is_there(world: World) -> None:
    folder = world.root / "plugin"
    world.ok("plugin", str(folder))
    for path in folder.rglob("*.md"):
        words = set(re.findall(r"\bagentctl ([a-z-]+)", path.read_text()))
        named = {w for w in words if "`agentctl %s" % w in path.read_text() or "(agentctl %s:" % w in path.read_text()}
        assert named and named <= COMMANDS.keys(), path
    start = (folder / "commands" / "start.md").read_text()
    assert "agentctl start:" not in start, "it can run any command: not unasked"


@pytest.mark.parametrize(
    ("kept", "now", "same"),
    [
        (b"", b'{"enabledPlugins": {}, "extraKnownMarketplaces": {}}', True),
        (b'{"a": 1}', b'{\n "a": 1, "enabledPlugins": {}}', True),
        (
            b'{"enabledPlugins": {"x@y": true}}',
            b'{"enabledPlugins": {"x@y": true}, "extraKnownMarketplaces": {}}',
            True,
        ),
        (b'{"a": 1}', b'{"a": 2}', False),
        (b'{"a": 1}', b'{"a": 1, "b": 2}', False),
        (b'{"a": 1}', b'{"a": 1, "enabledPlugins": {"x@y": true}}', False),
        (b"{", b"{}", False),
    ],
)
def test_settings_go_back_only_where_nothing_else_changed(kept: bytes, now: bytes, same: bool) -> None:
    assert installing.same(kept, now) is same
