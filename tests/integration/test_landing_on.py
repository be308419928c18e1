"""A landing that was killed between its branch and its checkout, and what is read under the lock only."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from agentctl import custody
from agentctl.branches import journals
from agentctl.errors import AgentctlError
from agentctl.merging import harvest
from agentctl.store import Home
from conftest import World
from conftest import git
from trees import isolated


@pytest.fixture
def killed(world: World, repo: Path) -> Path:
    """The branch has moved, the checkout has not; a note tells of it."""
    old = git(repo, "rev-parse", "main").strip()
    for name in ("one.txt", "two.txt"):
        (repo / name).write_text("%s is new\n" % name)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "new")
    new = git(repo, "rev-parse", "main").strip()
    git(repo, "reset", "-q", "--hard", old)
    git(repo, "update-ref", "refs/heads/main", new)
    note = journals.Landing(common=str(repo / ".git"), branch="main", old=old, new=new)
    journals.note(Home(str(world.home)), note)
    return repo


def test_a_torn_file_is_finished(world: World, killed: Path) -> None:
    (killed / "one.txt").write_text("one.txt is")
    done = world.run("collect")
    assert "have followed main" in done.stderr, done.stderr
    assert git(killed, "status", "--porcelain") == "" and (killed / "one.txt").read_text() == "one.txt is new\n"


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_file_that_was_written_at_another_time_is_the_user_s(world: World, killed: Path, hours: int) -> None:
    (killed / "one.txt").write_text("")
    when = time.time() + hours * 3600
    os.utime(killed / "one.txt", (when, when))
    done = world.run("collect")
    assert "still shows main" in done.stderr and (killed / "one.txt").read_text() == ""
    assert len(journals.every(Home(str(world.home)))) == 1


def test_a_checkout_with_old_times_in_its_index_follows(world: World, killed: Path) -> None:
    for path in killed.glob("*.txt"):
        os.utime(path, (1e9, 1e9))
    assert "have followed main" in world.run("collect").stderr
    assert git(killed, "status", "--porcelain") == "" and (killed / "two.txt").exists()


def test_the_record_is_read_under_the_lock(world: World, repo: Path) -> None:
    """Between the word of a user and the lock, somebody else may have landed or cleaned it."""
    run = isolated(world, "echo 1 > one.txt")["run_id"]
    home = Home(str(world.home))
    seen = harvest.to_land(home, [run])
    custody.save(home, seen[0].kept.replace(into="elsewhere"))
    held: list[int] = []
    assert harvest.seize_all(home, seen, held)[0].kept.into == "elsewhere"
    os.close(held.pop())
    custody.save(home, seen[0].kept.replace(removed_at=1.0))
    with pytest.raises(AgentctlError, match="was removed"):
        harvest.seize_all(home, seen, held)
    os.close(held.pop())
