"""Runs in worktrees, for the tests that look at them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agentctl import custody
from agentctl.store import Home
from agentctl.trees import leftover
from conftest import World
from conftest import git

IDENTITY = """\
[user]
\tname = The User
\temail = user@example.org
[protocol "file"]
\tallow = always
"""


def isolated(world: World, script: str, *options: str, project: str = "p") -> dict[str, Any]:
    """The result of `sh -c script` in a worktree of its own."""
    run = world.shell(script, "--project", project, "--worktree", "--no-pane", *options)
    return world.result(run)


def rows(world: World, *options: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(world.ok("worktrees", "--json", *options))["worktrees"]
    return listed


def kept_of(world: World, result: dict[str, Any]) -> custody.Kept:
    kept = custody.load(Home(str(world.home)), result["run_id"])
    assert kept is not None
    return kept


def commit(folder: Path, message: str = "x") -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD").strip()


def left(place: World, script: str) -> tuple[custody.Kept, str]:
    result = isolated(place, script, "--title", "Say hello")
    kept = kept_of(place, result)
    home = Home(str(place.home))
    spec = home.run(result["run_id"]).spec()
    return kept, leftover.commit(home, kept, spec)


def with_submodules(place: World, repo: Path) -> Path:
    """The repository has `lib`, which has `inner`."""
    for name in ("inner", "lib"):
        made = place.root / name
        made.mkdir()
        git(made, "init", "-q", "-b", "main")
        (made / (name + ".txt")).write_text(name + "\n")
        if name == "lib":
            git(made, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../inner", "in/ner")
        commit(made)
    git(repo, "remote", "add", "origin", "https://example.invalid/group/repo.git")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(place.root / "lib"), "lib")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--recursive")
    commit(repo)
    return repo
