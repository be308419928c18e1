"""Both real CLIs commit in a worktree run, under a profile that is not `full`."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .arrow import Arrow
from .stub_scenarios import GOOD
from .stub_scenarios import marker
from .stub_server import StubServer
from .world import World

pytestmark = pytest.mark.live

VENDORS = ["claude", "codex"]
IDENTITY = "[user]\n\tname = The User\n\temail = user@example.org\n"


@pytest.fixture
def world(clis: Path, stub: StubServer) -> Iterator[World]:
    """Not below /tmp, all of which Codex's sandbox leaves open."""
    folder = tempfile.mkdtemp(prefix="agentctl-test-", dir="/var/tmp")
    yield World(Path(folder), clis, stub)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def identity(arrow: Arrow) -> None:
    (arrow.world.home / ".gitconfig").write_text(IDENTITY)


def work(name: str) -> str:
    """A worker's steps: a file, and the commit of it."""
    return marker({"write": {name: "hello\n"}}, {"run": "git add %s" % name}, {"run": "git commit -m by-worker"}, GOOD)


@pytest.mark.parametrize("vendor", VENDORS)
def test_commits_in_its_worktree_under_the_default_profile(arrow: Arrow, vendor: str) -> None:
    result = arrow.done(work("hello.txt"), vendor, "--worktree", "--title", "Say hello")
    assert (result["status"], result["git_commits"], result["git_files"]) == ("finished", 1, ["hello.txt"])
    assert result["warnings"] == [w for w in result["warnings"] if "not trusted" in w]
    assert result["branch"].startswith("agentctl/say-hello-")
    assert arrow.world.git(arrow.repo, "log", "-1", "--format=%s", result["branch"]).strip() == "by-worker"
    assert arrow.world.git(arrow.repo, "status", "--porcelain") == "", "the user's checkout is as it was"
    assert arrow.world.git(Path(result["worktree"]), "status", "--porcelain") == ""
    again = arrow.wait(arrow.resume(result["run_id"], work("more.txt")))[0]
    assert (again["branch"], again["worktree"], again["git_commits"]) == (result["branch"], result["worktree"], 1)
    assert again["session_id"] == result["session_id"]


def test_collect_and_merge_bring_the_work_of_both_home(arrow: Arrow) -> None:
    """Claude commits, Codex leaves a file uncommitted as well; both come home, checked as a whole."""
    ids = [arrow.start(work("claude.txt"), "claude", "--worktree", "--title", "One")]
    left = marker(
        *({"write": {"codex.txt": "hello\n"}}, {"run": "git add codex.txt"}, {"run": "git commit -m by-codex"}),
        {"write": {"left.txt": "left\n"}},
        GOOD,
    )
    ids.append(arrow.start(left, "codex", "--worktree", "--title", "Two"))
    assert [r["status"] for r in arrow.wait(*ids)] == ["finished"] * 2
    told = {one["run_id"]: one for one in json.loads(arrow.agentctl("collect", *ids, "--json"))["runs"]}
    assert [sorted(told[i]["files"]) for i in ids] == [["claude.txt"], ["codex.txt", "left.txt"]]
    assert not any(told[i]["conflicts"] for i in ids)
    branch = told[ids[1]]["branch"]
    assert arrow.world.git(arrow.repo, "log", "-1", "--format=%an %s", branch).split()[0] == "codex"
    out = arrow.agentctl("merge", *ids, "--verify", "cat claude.txt codex.txt left.txt")
    assert all(run in out for run in ids)
    assert arrow.world.git(arrow.repo, "status", "--porcelain") == ""
    for name in ("claude.txt", "codex.txt", "left.txt"):
        assert (arrow.repo / name).exists(), "the user's checkout followed"
    assert all(word in arrow.agentctl("worktrees") for word in ids)
    arrow.agentctl("cleanup", "--merged", "--yes")
    assert not any(word in arrow.agentctl("worktrees") for word in ids)
    assert arrow.world.git(arrow.repo, "branch", "--list", "agentctl/*") == ""


PLANTS = ("hooks/post-checkout", "config", "packed-refs", "HEAD", "refs/heads/main", "worktrees/x", "info/attributes")


def test_codex_can_write_nothing_of_the_repository_that_the_users_git_would_run(arrow: Arrow) -> None:
    common = arrow.repo / ".git"
    before = {name: (common / name).read_bytes() if (common / name).is_file() else None for name in PLANTS}
    tries = [{"run": "echo planted >> '%s'" % (common / name)} for name in PLANTS]
    result = arrow.done(marker(*tries, GOOD), "codex", "--worktree")
    assert result["status"] == "finished"
    after = {name: (common / name).read_bytes() if (common / name).is_file() else None for name in PLANTS}
    assert after == before


def test_a_worktree_that_a_worker_led_elsewhere_is_mended(arrow: Arrow) -> None:
    steps = marker({"run": "echo /tmp/evil > $(git rev-parse --git-dir)/commondir"}, GOOD)
    result = arrow.done(steps, "codex", "--worktree")
    assert any("commondir led git elsewhere" in w for w in result["warnings"])
    own = arrow.repo / ".git" / "worktrees" / os.path.basename(result["worktree"])
    assert (own / "commondir").read_text() == "../..\n"
