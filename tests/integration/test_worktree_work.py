"""What counts as the work in a worktree: not what was given, not what never was, nothing forgotten."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import World
from conftest import eventually
from conftest import git
from trees import IDENTITY
from trees import commit
from trees import isolated
from trees import rows
from trees import with_submodules

BY = "git -c user.name=w -c user.email=w@example.org "


@pytest.fixture
def place(world: World, repo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A repository as the project `p`; the user has an identity."""
    monkeypatch.setenv("HOME", str(world.user))
    (world.user / ".gitconfig").write_text(IDENTITY)
    yield world


def merged(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    return world.run("merge", *words, timeout=60)


def program(world: World, name: str, script: str) -> Path:
    made = world.root / name
    made.write_text("#!/bin/sh\n" + script)
    made.chmod(0o755)
    return made


def row_of(world: World, run: str) -> dict[str, Any]:
    return next(row for row in rows(world) if row["run_id"] == run)


def note_of(world: World, run: str) -> str:
    collected = json.loads(world.ok("collect", run, "--json"))
    return str(collected["runs"][0]["note"])


# -- a worktree that was never ready


def test_a_worktree_that_was_never_filled_removes_nothing(place: World, repo: Path) -> None:
    slow = program(place, "slow", "touch %s/reading\nsleep 60\ncat\n" % place.root)
    (repo / ".gitattributes").write_text("a.txt filter=slow\n")
    commit(repo)
    with (place.user / ".gitconfig").open("a") as config:
        config.write('[filter "slow"]\n\tsmudge = %s\n' % slow)
    run = place.shell("true", "--worktree", "--no-pane")
    eventually(lambda: (place.root / "reading").exists())
    os.kill(place.runner_pid(run), signal.SIGKILL)
    assert place.result(run)["status"] == "lost"
    before = git(repo, "rev-parse", "main")
    assert row_of(place, run)["dirty"] is False
    assert "never ready" in note_of(place, run)
    assert merged(place, run).returncode == 1
    assert git(repo, "rev-parse", "main") == before
    assert git(repo, "rev-parse", row_of(place, run)["branch"]) == before
    place.ok("cleanup", run, "--yes")
    assert rows(place) == []


def test_without_an_index_nothing_counts_as_removed(place: World, repo: Path) -> None:
    result = isolated(place, 'rm "$(git rev-parse --git-dir)/index"')
    assert "index is gone" in note_of(place, result["run_id"])
    assert git(repo, "rev-parse", result["branch"]) == git(repo, "rev-parse", "main")


# -- what lay there before the worker came


def test_what_was_given_does_not_land(place: World, repo: Path) -> None:
    (repo / ".env").write_text("SECRET\n")
    (repo / "changed.env").write_text("SECRET\n")
    (repo / ".worktreeinclude").write_text("*.env\n")
    commit_of_include(repo)
    place.ok("add-project", "p", str(repo), "--setup", "echo made > made.txt; echo made > touched.txt")
    result = isolated(place, "echo work > work.txt; echo more >> changed.env; echo more >> touched.txt")
    run = result["run_id"]
    assert row_of(place, run)["dirty"] is True
    assert "changed.env" in note_of(place, run)
    assert merged(place, run).returncode == 0
    assert git(repo, "ls-tree", "--name-only", "main").split() == [
        ".worktreeinclude",
        "a.txt",
        "touched.txt",
        "work.txt",
    ]
    assert (row_of(place, run)["dirty"], row_of(place, run)["merged"]) == (False, True)


def commit_of_include(repo: Path) -> None:
    git(repo, "add", ".worktreeinclude")
    git(repo, "commit", "-q", "-m", "include")


# -- killed in between


def test_killed_while_it_commits_nothing_is_taken_back_later(place: World, repo: Path, tmp_path: Path) -> None:
    result = isolated(place, "echo changed >> a.txt")
    run, real = result["run_id"], shutil.which("git")
    tools = tmp_path / "tools"
    tools.mkdir()
    fake = program(place, "git", 'case "$*" in *update-ref*) %s "$@"; kill -9 $PPID; exit;; esac\nexec %s "$@"\n')
    fake.write_text(fake.read_text() % (real, real))
    fake.rename(tools / "git")
    path = "%s:%s" % (tools, place.env["PATH"])
    assert place.run("collect", run, env={"PATH": path}).returncode == -signal.SIGKILL
    top = Path(result["worktree"])
    assert git(top, "status", "--porcelain") == "", "as it was committed"
    assert git(repo, "show", result["branch"] + ":a.txt") == "one\nchanged\n"


# -- on another branch, or on none


@pytest.mark.parametrize("how", ["git checkout -q -b mine", "git checkout -q --detach"])
def test_what_is_not_on_its_branch_is_not_merged(place: World, repo: Path, how: str) -> None:
    result = isolated(place, how + "; echo f > f.txt; git add f.txt; %s commit -qm feature" % BY)
    assert row_of(place, result["run_id"])["merged"] is False
    said = place.run("cleanup", "--merged", "--dry-run")
    assert result["run_id"] not in said.stdout


def test_what_was_written_again_as_it_was_is_not_work(place: World, repo: Path) -> None:
    """Also after an undo, whose files are all new ones."""
    result = isolated(place, "true")
    os.utime(Path(result["worktree"]) / "a.txt", (1, 1))
    assert row_of(place, result["run_id"])["dirty"] is False
    place.ok("cleanup", "--all", "--yes")
    place.ok("undo")
    row = row_of(place, result["run_id"])
    assert (row["dirty"], row["merged"]) == (False, True)
    (Path(result["worktree"]) / "a.txt").write_text("other\n")
    row = row_of(place, result["run_id"])
    assert (row["dirty"], row["merged"]) == (True, False), "what is uncommitted is nowhere else"


def test_work_after_a_landing_is_not_landed(place: World, repo: Path) -> None:
    result = isolated(place, "echo f > f.txt")
    run = result["run_id"]
    assert merged(place, run).returncode == 0
    assert row_of(place, run)["merged"] is True
    git(repo, "revert", "--no-edit", "-m", "1", "HEAD")
    assert row_of(place, run)["merged"] is True, "what was landed and taken back is not landed anew"
    (Path(result["worktree"]) / "g.txt").write_text("g\n")
    commit(Path(result["worktree"]))
    assert row_of(place, run)["merged"] is False


def test_a_landing_that_was_thrown_away_is_none(place: World, repo: Path) -> None:
    """By a reset, which is no revert: the branch never had it."""
    run = isolated(place, "echo f > f.txt")["run_id"]
    assert merged(place, run).returncode == 0 and row_of(place, run)["merged"] is True
    git(repo, "reset", "-q", "--hard", "HEAD~1")
    assert row_of(place, run)["merged"] is False
    place.ok("cleanup", "--merged", "--yes")
    assert row_of(place, run)["state"] == "ended"
    assert merged(place, run).returncode == 0 and (repo / "f.txt").exists() and row_of(place, run)["merged"] is True


# -- repositories inside


def test_what_is_inside_of_repositories_is_said(place: World, repo: Path) -> None:
    script = "git init -q inner; cd inner; echo i > i; git add i; %s commit -qm i" % BY
    result = isolated(place, script)
    assert row_of(place, result["run_id"])["dirty"] is True
    assert "inner/ is a git repository of its own" in note_of(place, result["run_id"])


def test_what_is_inside_of_submodules_is_said(place: World, repo: Path) -> None:
    with_submodules(place, repo)
    for script in ("echo x > lib/new.txt", "cd lib; echo x >> lib.txt; %s commit -qam x" % BY, "echo x > lib/in/ner/n"):
        run = isolated(place, script)["run_id"]
        assert row_of(place, run)["dirty"] is True, script
        assert "the submodule" in note_of(place, run)
    assert row_of(place, isolated(place, "true")["run_id"])["dirty"] is False


# -- git's settings


def test_settings_of_a_worker_run_nothing_for_the_user(place: World, repo: Path) -> None:
    with_submodules(place, repo)
    git(repo, "sparse-checkout", "set", "--no-cone", "/*", "!/none")
    evil = program(place, "evil", "echo %s >> %s/ran\n" % ("$0", place.root))
    script = (
        f"git config --worktree core.fsmonitor {evil}; git -C lib config core.fsmonitor {evil}; "
        f'd="$(git rev-parse --git-dir)/modules/lib"; mkdir -p $d/hooks; cp {evil} $d/hooks/post-index-change; '
        f"git -C lib/in/ner config core.fsmonitor {evil}; echo x > n"
    )
    result = isolated(place, script)
    (place.root / "ran").unlink(missing_ok=True)
    assert sum("was mended" in w or "was put aside" in w for w in result["warnings"]) == 4, result["warnings"]
    assert git(Path(result["worktree"]), "status", "--porcelain").split() == ["??", "n"]
    assert git(Path(result["worktree"]), "diff", "--submodule=diff", "HEAD") == ""
    assert not (place.root / "ran").exists()
    assert git(Path(result["worktree"]), "config", "--worktree", "core.sparseCheckout") == "true\n"


def test_a_submodule_that_leads_elsewhere_is_led_back(place: World, repo: Path) -> None:
    with_submodules(place, repo)
    evil = program(place, "evil", "echo %s >> %s/ran\n" % ("$0", place.root))
    script = "git clone -q --bare lib .fake; git -C .fake config core.fsmonitor %s; " % evil
    script += 'git -C .fake config core.bare false; echo "gitdir: $PWD/.fake" > lib/.git; rm -rf lib/in'
    result = isolated(place, script)
    git(Path(result["worktree"]), "status", "--porcelain")
    assert not (place.root / "ran").exists()
    assert "lib/.git led git elsewhere" in " ".join(result["warnings"])


# -- large files, and files that are not here

LFS = """\
d="$(git rev-parse --absolute-git-dir)/lfs"
mkdir -p "$d"
case $1 in
clean) cat > "$d/new.$$"; h=$(sha1sum < "$d/new.$$" | cut -c1-40); mv "$d/new.$$" "$d/$h"; echo "ptr $h";;
smudge) read x h; cat "$d/$h" || exit 1;;
esac
"""


def test_files_of_git_lfs_are_kept_with_the_repository(place: World, repo: Path) -> None:
    result = isolated(place, "echo '*.bin filter=lfs' > .gitattributes; echo second > x.bin")
    lfs = program(place, "lfs", LFS)
    with (place.user / ".gitconfig").open("a") as config:
        config.write(f'[filter "lfs"]\n\tclean = {lfs} clean\n\tsmudge = {lfs} smudge\n\trequired\n')
    landed = merged(place, result["run_id"], "--verify", "grep second x.bin")
    assert landed.returncode == 0, landed.stderr
    assert (repo / "x.bin").read_text() == "second\n"
    assert git(repo, "show", "main:x.bin").startswith("ptr ")


def test_a_partial_clone_is_refused_with_a_remedy(place: World, repo: Path) -> None:
    git(repo, "config", "uploadpack.allowFilter", "true")
    git(place.root, "clone", "-q", "--filter=blob:none", "--no-checkout", "file://%s" % repo, "part")
    place.ok("add-project", "part", str(place.root / "part"))
    refused = place.run("start", "--project", "part", "--worktree", "--no-pane", "--", "ls")
    assert refused.returncode == 1 and "partial clone" in refused.stderr
    remedy = refused.stderr.partition("`")[2].partition("`")[0]
    subprocess.run(["sh", "-c", remedy], check=True, capture_output=True)
    assert isolated(place, "cat a.txt", project="part")["summary"] == "one"
