"""Hostile repositories and worktrees: nothing of theirs is run, nothing outside is read or written."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentctl.errors import AgentctlError
from agentctl.model import Spec
from agentctl.store import Home
from agentctl.trees import leftover
from agentctl.trees import worktree
from conftest import World
from conftest import git
from trees import IDENTITY
from trees import commit
from trees import isolated
from trees import kept_of
from trees import left
from trees import rows
from trees import with_submodules


@pytest.fixture
def place(world: World, repo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A repository as the project `p`; the user has an identity."""
    monkeypatch.setenv("HOME", str(world.user))
    (world.user / ".gitconfig").write_text(IDENTITY)
    yield world


def program(place: World, name: str, then: str = "cat") -> str:
    """A program that tells that it ran."""
    path = place.root / name
    path.write_text("#!/bin/sh\necho %s >> '%s'\n%s\n" % (name, place.root / "ran", then))
    path.chmod(0o755)
    return str(path)


def ran(place: World) -> str:
    path = place.root / "ran"
    return path.read_text() if path.exists() else ""


def planted(place: World, repo: Path) -> None:
    """Everything in a repository that can name a program: config, hooks, attributes, submodules, remotes."""
    evil = program(place, "evil")
    with_submodules(place, repo)
    (repo / ".gitattributes").write_text("*.txt filter=evil diff=evil merge=evil\n")
    git(repo, "add", ".gitattributes")
    git(repo, "commit", "-qm", "attributes")
    common = repo / ".git"
    for folder in (common, common / "modules" / "lib", common / "modules" / "lib" / "modules" / "in" / "ner"):
        for key in (
            *("filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "diff.evil.textconv", "diff.external"),
            *("merge.evil.driver", "core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "gpg.program"),
            *("uploadpack.packObjectsHook", "remote.origin.uploadpack", "credential.helper", "core.gitProxy"),
        ):
            git(folder, "--git-dir", str(folder), "config", key, evil)
        for hook in (
            *("post-checkout", "reference-transaction", "post-index-change", "pre-commit", "post-commit"),
            *("prepare-commit-msg", "commit-msg", "post-merge", "fsmonitor-watchman"),
        ):
            shutil.copy(evil, folder / "hooks" / hook) if (folder / "hooks").is_dir() else None
        git(folder, "--git-dir", str(folder), "config", "commit.gpgSign", "true")
    git(repo, "config", "submodule.lib.update", "!" + evil)
    (common / "info" / "attributes").write_text("* filter=evil\n")
    if (place.root / "ran").exists():
        (place.root / "ran").unlink()


def test_a_hostile_repository_runs_nothing(place: World, repo: Path) -> None:
    planted(place, repo)
    (repo / ".worktreeinclude").write_text("*.env\n")
    (repo / "b.env").write_text("b\n")
    subprocess.run(["git", "-C", str(repo), "worktree", "add", "-q", str(place.root / "plain")], capture_output=True)
    assert "evil" in ran(place), "plain git runs it: the test is worth something"
    (place.root / "ran").unlink()
    result = isolated(place, "cat b.env lib/lib.txt lib/in/ner/inner.txt; echo x > x.txt")
    assert result["summary"].splitlines() == ["b", "lib", "inner"]
    assert any("filters evil" in w for w in result["warnings"])
    kept, home = kept_of(place, result), Home(str(place.home))
    rows(place)
    assert leftover.dirty(home, kept)
    assert leftover.commit(home, kept, Spec(title="t"))
    assert worktree.merged(kept, "main") is False
    assert git(repo, "cat-file", "-p", kept.worktree.branch + ":x.txt") == "x\n"
    assert ran(place) == ""


def test_a_worktree_whose_worker_planted_things_runs_nothing(place: World, repo: Path) -> None:
    evil = program(place, "evil")
    kept, _ = left(place, "echo x > x")
    own, top = Path(worktree.admin(kept.worktree)), Path(kept.worktree.path)
    fake = place.root / "fake.git"
    git(place.root, "clone", "-q", "--bare", str(repo), "fake.git")
    git(fake, "--git-dir", str(fake), "config", "core.fsmonitor", evil)
    git(fake, "--git-dir", str(fake), "config", "filter.evil.clean", evil)
    shutil.copy(evil, fake / "hooks" / "reference-transaction")
    (top / ".gitattributes").write_text("* filter=evil\n")
    (top / "y").write_text("y\n")
    (own / "commondir").write_text("%s\n" % fake)
    (top / ".git").write_text("gitdir: %s\n" % fake)
    (top / "pipe").touch()
    (top / "pipe").unlink()
    os.mkfifo(top / "pipe")
    home = Home(str(place.home))
    assert rows(place)[0]["dirty"] is True
    made = leftover.commit(home, kept, Spec(title="t"))
    assert git(repo, "rev-parse", kept.worktree.branch).strip() == made
    assert git(repo, "show", made + ":y") == "y\n"
    assert git(fake, "--git-dir", str(fake), "rev-parse", kept.worktree.branch).strip() != made
    assert (own / "commondir").read_text() == "../..\n"
    assert "first" in git(top, "log", "--format=%s"), "the user's own git finds its repository again"
    assert ran(place) == ""


def test_git_does_not_wait_for_a_fifo_of_the_worker(place: World, repo: Path) -> None:
    """In the place of a file that it reads in each folder: a row, an error, and nothing is removed unsaved."""
    result = isolated(place, "echo x > x; mkfifo .gitignore")
    assert any("FIFO" in warning for warning in result["warnings"])
    assert rows(place)[0]["dirty"] is None
    assert "FIFO" in place.ok("collect", result["run_id"], timeout=40)
    place.run("cleanup", "--yes", timeout=40)
    assert (Path(result["worktree"]) / "x").read_text() == "x\n"


@pytest.mark.parametrize("content", ["link", "folder", "fifo", "huge", "outside"])
def test_an_odd_worktreeinclude_copies_nothing_from_elsewhere(place: World, repo: Path, content: str) -> None:
    secret = place.root / "secret"
    secret.write_text("secret")
    listed = repo / ".worktreeinclude"
    if content == "link":
        listed.symlink_to(secret)
    elif content == "folder":
        listed.mkdir()
    elif content == "fifo":
        os.mkfifo(listed)
    elif content == "huge":
        listed.write_text("/nothing\n" * 200_000)
    else:
        listed.write_text("../secret\n/../secret\n%s\n*\n.git/config\n" % secret)
    (repo / "mine").write_text("mine")
    result = isolated(place, "find . -name secret; ls .git")
    assert (result["status"], result["summary"]) == ("finished", ".git"), result["error"]
    assert Path(result["worktree"], "mine").exists() == (content == "outside")


def test_a_head_on_the_users_branch_is_not_committed_to(place: World, repo: Path) -> None:
    """Its files would not follow."""
    kept, _ = left(place, "true")
    Path(worktree.admin(kept.worktree), "HEAD").write_text("ref: refs/heads/main\n")
    Path(kept.worktree.path, "x").write_text("x")
    before = git(repo, "rev-parse", "main")
    with pytest.raises(AgentctlError, match="checked out elsewhere"):
        leftover.commit(Home(str(place.home)), kept, Spec())
    assert git(repo, "rev-parse", "main") == before


def test_nothing_is_copied_through_a_link_of_the_commit(place: World, repo: Path) -> None:
    """The commit has links where the checkout has folders."""
    outside = place.root / "outside"
    outside.mkdir()
    (repo / "conf").symlink_to(outside)
    (repo / "file.env").symlink_to(outside / "written")
    commit(repo)
    (repo / "conf").unlink()
    (repo / "file.env").unlink()
    (repo / "conf").mkdir()
    (repo / "conf" / "x.env").write_text("x")
    (repo / "inner").symlink_to(outside)
    (outside / "theirs.env").write_text("theirs")
    git(repo, "rm", "-q", "--cached", "conf", "file.env")
    (repo / "file.env").write_text("f")
    (repo / ".worktreeinclude").write_text("*.env\n")
    result = isolated(place, "ls -a")
    assert result["status"] == "finished"
    assert sorted(os.listdir(outside)) == ["theirs.env"]
    assert not Path(result["worktree"], "inner").exists()


@pytest.mark.parametrize("name", ["../../evil", "/abs", "a/../../x", ".."])
def test_a_submodules_name_leads_nowhere_else(place: World, repo: Path, name: str) -> None:
    with_submodules(place, repo)
    text = (repo / ".gitmodules").read_text().replace('"lib"', '"%s"' % name)
    (repo / ".gitmodules").write_text(text)
    commit(repo)
    git(repo, "config", "submodule.%s.url" % name, str(place.root / "lib"))
    before = sorted(str(p) for p in place.root.glob("*"))
    result = isolated(place, "true")
    assert result["status"] == "failed" and "leads elsewhere" in result["error"]
    assert sorted(str(p) for p in place.root.glob("*")) == before


def test_a_submodules_url_is_held_to_gits_rules(place: World, repo: Path) -> None:
    """ext:: runs a command; a path on the disk is only for who allows it."""
    with_submodules(place, repo)
    evil = program(place, "evil")
    shutil.rmtree(repo / ".git" / "modules")
    git(repo, "config", "submodule.lib.url", "ext::%s" % evil)
    result = isolated(place, "true")
    assert (result["status"], ran(place)) == ("failed", "")
    assert "transport 'ext' not allowed" in result["error"]
    (place.user / ".gitconfig").write_text(IDENTITY.replace("always", "user"))
    git(repo, "config", "submodule.lib.url", str(place.root / "lib"))
    assert "transport 'file' not allowed" in isolated(place, "true")["error"]
    git(repo, "config", "submodule.lib.url", "-u%s" % evil)
    assert (isolated(place, "true")["status"], ran(place)) == ("failed", "")


def test_a_partial_clone_fetches_nothing_by_the_way(place: World, repo: Path) -> None:
    """What is missing would be fetched by a program that the repository's config names."""
    evil = program(place, "evil", "exit 1")
    git(repo, "config", "remote.origin.url", str(place.root))
    git(repo, "config", "remote.origin.promisor", "true")
    git(repo, "config", "remote.origin.uploadpack", evil)
    git(repo, "config", "extensions.partialClone", "origin")
    blob = git(repo, "rev-parse", "HEAD:a.txt").strip()
    (repo / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    subprocess.run(["git", "-C", str(repo), "cat-file", "-e", "1" * 40], capture_output=True, timeout=20)
    assert "evil" in ran(place), "plain git runs it: the test is worth something"
    (place.root / "ran").unlink()
    partial = place.run("start", "--worktree", "--", "true")
    refused = place.run("start", "--worktree", "--base", "1" * 40, "--", "true")
    assert (partial.returncode, refused.returncode) == (1, 1)
    assert "partial clone" in partial.stderr and ran(place) == ""
    assert git(repo, "worktree", "list").count("\n") == 1
