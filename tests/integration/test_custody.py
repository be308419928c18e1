"""What a cleanup saves and removes, and what undo brings back: on real repositories, some of them hostile."""

from __future__ import annotations

import json
import os
import random
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Callable

import pytest

from agentctl import config
from agentctl import custody
from agentctl import gitdoor
from agentctl import locks
from agentctl.cleanup import clearing
from agentctl.cleanup import undoing
from agentctl.cleanup.cleaning import Facts
from agentctl.cleanup.cleaning import Item
from agentctl.config import Config
from agentctl.custody import Kept
from agentctl.errors import AgentctlError
from agentctl.keeping import removal
from agentctl.keeping import rescue
from agentctl.keeping import saving
from agentctl.keeping import walking
from agentctl.trees import making
from checkout import Checkout
from checkout import State
from checkout import differences
from checkout import manifest
from checkout import soil
from checkout import status
from conftest import eventually
from conftest import git

CONFIG = Config()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path)
    made.init()
    return made


def remove(checkout: Checkout, kept: Kept, configured: Config = CONFIG) -> tuple[str, list[str]]:
    return clearing.remove_worktree(checkout.home, configured, kept)


def there_and_back(checkout: Checkout, kept: Kept) -> None:
    """Removed and brought back, it is as it was; and git finds nothing wrong meanwhile."""
    before = State(kept)
    _, left = remove(checkout, kept)
    assert left == []
    assert not os.path.lexists(kept.worktree.path)
    assert kept.worktree.path not in git(checkout.repo, "worktree", "list")
    assert kept.worktree.branch not in git(checkout.repo, "branch", "--all")
    assert [n for n in os.listdir(checkout.home.worktrees) if kept.worktree.run in n] == []
    git(checkout.repo, "gc", "-q", "--prune=now")
    git(checkout.repo, "fsck")
    undoing.undo(checkout.home, kept.worktree.run)
    after = State(kept)
    assert after == before, differences(before, after)
    assert [n for n in os.listdir(checkout.common) if n.startswith("agentctl-")] == []


def of(checkout: Checkout, kept: Kept) -> str:
    """Its rescue commit."""
    return rescue.commit_of(gitdoor.shared(str(checkout.common), 20), rescue.ref(kept.worktree.run))


# -- everything comes back


@pytest.mark.parametrize("seed", range(4))
def test_soiled_files_come_back_byte_for_byte(checkout: Checkout, seed: int) -> None:
    kept = checkout.worktree()
    dice = random.Random(seed)
    for _ in range(60):
        soil(Path(kept.worktree.path), dice)
    there_and_back(checkout, kept)


@pytest.mark.parametrize("kind", ["sha256", "bare", "shallow"])
def test_it_works_in_repositories_of_all_kinds(tmp_path: Path, kind: str) -> None:
    made = Checkout(tmp_path)
    made.init(*(["--object-format=sha256"] if kind == "sha256" else []))
    if kind != "sha256":
        git(made.repo, "commit", "-q", "--allow-empty", "-m", "second")
        os.rename(made.repo, tmp_path / "origin")
        how = ["--bare"] if kind == "bare" else ["--depth=1"]
        git(tmp_path, "clone", "-q", *how, "file://%s" % (tmp_path / "origin"), str(made.repo))
    kept = made.worktree()
    dice = random.Random(kind)
    for _ in range(30):
        soil(Path(kept.worktree.path), dice)
    there_and_back(made, kept)


def test_the_rescue_shows_raw_bytes_by_their_paths(checkout: Checkout) -> None:
    git(checkout.repo, "config", "core.autocrlf", "true")
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    (top / ".gitattributes").write_text("*.txt text eol=crlf ident\n")
    (top / "sub" / "crlf.txt").write_bytes(b"one\r\n$Id$\r\n")
    (top / "ignored.log").write_bytes(b"ignored")
    (top / "git~1").write_bytes(b"short name")
    remove(checkout, kept)
    assert checkout.rescued(kept, "sub/crlf.txt") == b"one\r\n$Id$\r\n"
    assert checkout.rescued(kept, "ignored.log") == b"ignored"
    assert checkout.rescued(kept, "git~1") == b"short name"


def test_index_head_and_reset_commits_come_back(checkout: Checkout) -> None:
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    (top / "gone").write_text("in a commit that was reset")
    git(top, "add", "gone")
    git(top, "commit", "-q", "-m", "lost")
    lost = git(top, "rev-parse", "HEAD").strip()
    git(top, "reset", "-q", "--hard", "HEAD~1")
    (top / "a.txt").write_text("staged only\n")
    git(top, "add", "a.txt")
    (top / "a.txt").write_text("and this in the file\n")
    git(top, "rm", "-q", "sub/b.txt")
    staged = git(top, "rev-parse", ":a.txt").strip()
    there_and_back(checkout, kept)
    assert git(top, "cat-file", "-p", staged) == "staged only\n"
    git(checkout.repo, "reflog", "expire", "--expire=now", "--all")
    git(checkout.repo, "gc", "-q", "--prune=now")
    assert git(top, "show", "%s:gone" % lost) == "in a commit that was reset"


def test_a_detached_head_and_an_unmerged_index_come_back(checkout: Checkout) -> None:
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    for name, words in (("one", "1\n"), ("two", "2\n")):
        git(top, "checkout", "-q", "--detach", kept.worktree.base)
        (top / "a.txt").write_text(words)
        git(top, "commit", "-q", "-a", "-m", name)
    with pytest.raises(Exception, match="merge"):
        git(top, "merge", "HEAD@{2}")
    assert "u UU" in status(top)
    there_and_back(checkout, kept)
    assert (checkout.common / "worktrees" / kept.worktree.run / "MERGE_HEAD").exists()


def test_submodules_and_repositories_inside_are_alive_again(checkout: Checkout, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    (other / "lib.c").write_text("int x;\n")
    git(other, "add", "-A")
    git(other, "commit", "-q", "-m", "lib")
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    git(top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "lib")
    (top / "lib" / "lib.c").write_text("int y;\n")
    git(top / "lib", "commit", "-q", "-a", "-m", "nowhere else")
    (top / "lib" / "new").write_text("untracked in a submodule")
    nested = top / "nested"
    nested.mkdir()
    git(nested, "init", "-q", "-b", "main")
    (nested / "f").write_text("f")
    git(nested, "add", "-A")
    git(nested, "commit", "-q", "-m", "inside")
    (nested / "empty").mkdir()
    said = [status(folder) for folder in (top / "lib", nested)]
    there_and_back(checkout, kept)
    assert [status(folder) for folder in (top / "lib", nested)] == said
    assert git(nested, "log", "--format=%s") == "inside\n"
    assert git(top / "lib", "log", "-1", "--format=%s") == "nowhere else\n"


def test_modes_links_fifos_and_empty_folders_come_back(checkout: Checkout) -> None:
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    (top / "private").write_text("x")
    (top / "private").chmod(0o600)
    (top / "closed").mkdir()
    (top / "closed" / "in").write_text("in")
    (top / "closed" / "in").chmod(0o444)
    (top / "closed").chmod(0o500)
    (top / "deep" / "empty").mkdir(parents=True)
    (top / "deep" / "empty").chmod(0o711)
    os.mkfifo(top / "pipe", 0o640)
    (top / "out").symlink_to("/etc")
    (top / ".gitmodules").symlink_to("a.txt")
    there_and_back(checkout, kept)
    assert stat.S_ISFIFO(os.lstat(top / "pipe").st_mode)


def test_a_worktree_that_was_removed_by_others_comes_back_on_its_branch(checkout: Checkout) -> None:
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    (top / "done").write_text("done")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "work")
    head = git(top, "rev-parse", "HEAD")
    git(checkout.repo, "worktree", "remove", "--force", str(top))
    remove(checkout, kept)
    undoing.undo(checkout.home, "")
    assert git(top, "rev-parse", "HEAD") == head
    assert git(top, "status", "--porcelain") == ""
    assert git(top, "symbolic-ref", "--short", "HEAD").strip() == kept.worktree.branch


def test_a_second_cleanup_keeps_the_first_rescue(checkout: Checkout) -> None:
    kept = checkout.worktree()
    (Path(kept.worktree.path) / "first").write_text("1")
    first, _ = remove(checkout, kept)
    undoing.undo(checkout.home, "")
    (Path(kept.worktree.path) / "first").write_text("2")
    second, _ = remove(checkout, custody.load(checkout.home, kept.worktree.run) or kept)
    assert git(checkout.repo, "merge-base", "--is-ancestor", first, second) == ""
    assert checkout.rescued(kept, "first") == b"2"


def test_what_was_removed_meanwhile_is_not_saved_again(checkout: Checkout) -> None:
    kept = checkout.worktree()
    (Path(kept.worktree.path) / "n").write_text("n")
    first, _ = remove(checkout, kept)
    assert remove(checkout, kept) == (first, [])
    assert of(checkout, kept) == first


# -- what must not be touched


def test_nothing_of_a_hostile_repository_is_run(checkout: Checkout, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    script = "touch %s; cat" % canary
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    (top / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
    (top / "x.txt").write_text("x")
    own = checkout.common / "worktrees" / kept.worktree.run
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        for folder in (hooks, checkout.common / "hooks"):
            folder.mkdir(exist_ok=True)
            (folder / name).write_text("#!/bin/sh\n%s\n" % script)
            (folder / name).chmod(0o755)
    evil = [
        ("extensions.worktreeConfig", "true"),
        ("filter.evil.clean", script),
        ("filter.evil.smudge", script),
        ("filter.evil.process", script),
        ("core.fsmonitor", script),
        ("core.hooksPath", str(hooks)),
        ("core.sshCommand", script),
        ("core.alternateRefsCommand", script),
        ("remote.evil.url", "ext::sh -c '%s'" % script),
        ("remote.evil.promisor", "true"),
        ("remote.evil.uploadpack", script),
        ("extensions.partialClone", "evil"),
    ]
    (own / "config.worktree").write_text("".join('[core]\n\tfsmonitor = "%s"\n' % script))
    with (own / "ORIG_HEAD").open("w") as f:
        f.write("1234567890" * 4 + "\n")
    for name, value in evil:
        git(checkout.repo, "config", name, value)
    before = manifest(top)
    remove(checkout, kept)
    undoing.undo(checkout.home, "")
    assert manifest(top) == before
    assert not canary.exists()
    git(top, "status")
    assert canary.exists(), "the trap was not set"


def test_nothing_outside_is_read_written_or_removed(checkout: Checkout, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("TREASURE")
    victim = tmp_path / "victim"
    victim.mkdir()
    git(victim, "init", "-q")
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    (top / "link").symlink_to(outside)
    (top / "file").symlink_to(outside / "precious")
    (top / ".git").write_text("gitdir: %s\n" % (victim / ".git"))
    (top / ".GIT").mkdir()
    (top / ".GIT" / "config").write_text("[core]\n")
    (top / "-rf").write_text("dash")
    before, files, theirs = manifest(outside), manifest(top), manifest(victim)
    remove(checkout, kept)
    assert checkout.rescued(kept, "file") == os.fsencode(outside / "precious")
    undoing.undo(checkout.home, "")
    assert manifest(outside) == before
    assert manifest(victim) == theirs
    assert manifest(top) == files


def test_a_link_in_the_worktrees_place_is_kept(checkout: Checkout, tmp_path: Path) -> None:
    kept = checkout.worktree()
    outside = tmp_path / "outside"
    os.rename(kept.worktree.path, outside)
    os.symlink(outside, kept.worktree.path)
    with pytest.raises(gitdoor.CannotError, match="no folder"):
        remove(checkout, kept)
    assert (outside / "a.txt").exists()


def test_a_planted_rescue_cannot_write_elsewhere(checkout: Checkout, tmp_path: Path) -> None:
    kept = checkout.worktree()
    commit, _ = remove(checkout, kept)
    blob = git(checkout.repo, "rev-parse", "%s:a.txt" % commit).strip()
    words = git(checkout.repo, "cat-file", "commit", commit).partition("\n\n")
    tree = _literal_tree(checkout, [(b"100644", b"..", blob), (b"120000", b"a", blob)], tmp_path)
    planted = tmp_path / "planted"
    planted.write_text(words[0].replace(words[0].split("\n")[0], "tree " + tree) + words[1] + words[2])
    evil = git(checkout.repo, "hash-object", "-w", "-t", "commit", str(planted)).strip()
    git(checkout.repo, "update-ref", rescue.ref(kept.worktree.run), evil)
    with pytest.raises(AgentctlError, match="no path below"):
        undoing.undo(checkout.home, "")
    assert not os.path.lexists(kept.worktree.path)


def _literal_tree(checkout: Checkout, entries: list[tuple[bytes, bytes, str]], tmp_path: Path) -> str:
    raw = tmp_path / "tree"
    raw.write_bytes(b"".join(mode + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries))
    return git(checkout.repo, "hash-object", "-w", "-t", "tree", "--literally", str(raw)).strip()


def test_a_commit_that_is_not_whole_breaks_no_gc(checkout: Checkout, tmp_path: Path) -> None:
    kept = checkout.worktree()
    own = checkout.common / "worktrees" / kept.worktree.run
    broken = tmp_path / "broken"
    broken.write_text("tree %s\nauthor a <a> 1 +0000\ncommitter a <a> 1 +0000\n\nx\n" % ("12" * 20))
    oid = git(checkout.repo, "hash-object", "-w", "-t", "commit", str(broken)).strip()
    (own / "ORIG_HEAD").write_text(oid + "\n")
    remove(checkout, kept)
    git(checkout.repo, "gc", "-q", "--prune=now")
    undoing.undo(checkout.home, "")
    assert (own / "ORIG_HEAD").read_text() == oid + "\n"


# -- what is kept


def test_more_than_the_limit_is_kept(checkout: Checkout) -> None:
    kept = checkout.worktree()
    (Path(kept.worktree.path) / "big").write_bytes(os.urandom(3 << 20))
    with pytest.raises(gitdoor.CannotError, match="rescue_limit_mb"):
        remove(checkout, kept, CONFIG.replace(rescue_limit_mb=2))
    assert os.path.isdir(kept.worktree.path)
    there_and_back(checkout, kept)


def test_large_files_come_back_without_our_memory(checkout: Checkout) -> None:
    kept = checkout.worktree()
    (Path(kept.worktree.path) / "big").write_bytes(os.urandom(9 << 20))
    (Path(kept.worktree.path) / "also").write_bytes(os.urandom(5 << 20))
    there_and_back(checkout, kept)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_what_cannot_be_read_is_kept(checkout: Checkout) -> None:
    kept = checkout.worktree()
    (Path(kept.worktree.path) / "secret").write_text("x")
    (Path(kept.worktree.path) / "secret").chmod(0)
    with pytest.raises(gitdoor.CannotError, match="secret"):
        remove(checkout, kept)


def test_a_worktree_in_use_is_kept(checkout: Checkout) -> None:
    kept = checkout.worktree()
    lock = custody.share(checkout.home, kept.worktree.run)
    with pytest.raises(gitdoor.CannotError, match="at work"):
        remove(checkout, kept)
    os.close(lock)
    remove(checkout, kept)


def test_a_branch_that_somebody_else_has_stays(checkout: Checkout) -> None:
    kept = checkout.worktree()
    (checkout.common / "worktrees" / kept.worktree.run / "HEAD").write_text(kept.worktree.base + "\n")
    git(checkout.repo, "checkout", "-q", kept.worktree.branch)
    _, left = remove(checkout, kept)
    assert "checked out at %s" % checkout.repo in left[0]
    assert kept.worktree.branch in git(checkout.repo, "branch")
    undoing.undo(checkout.home, "")


def test_what_is_written_during_the_save_is_saved(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look but the last finds another file."""
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    written: list[int] = []
    scan = walking.scan

    def scanned(folder: bytes) -> list[walking.Entry]:
        found = scan(folder)
        if len(written) < 2 and folder == os.fsencode(top):
            written.append(1)
            (top / ("late-%d" % len(written))).write_text("late")
        return found

    monkeypatch.setattr(walking, "scan", scanned)
    remove(checkout, kept)
    assert checkout.rescued(kept, "late-2") == b"late"


def test_what_is_written_all_the_time_is_kept(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = checkout.worktree()
    top, scan = Path(kept.worktree.path), walking.scan

    def scanned(folder: bytes) -> list[walking.Entry]:
        (top / "late").write_text(str(time.time_ns()))
        return scan(folder)

    monkeypatch.setattr(walking, "scan", scanned)
    with pytest.raises(gitdoor.CannotError, match="all the time"):
        remove(checkout, kept)
    assert (top / "late").exists()


def test_what_is_written_as_it_is_moved_aside_brings_it_back(checkout: Checkout) -> None:
    kept = checkout.worktree()
    seen = saving.Look(kept, 60)
    (Path(kept.worktree.path) / "last").write_text("second")
    assert removal.move_aside(kept, seen) is False
    assert (Path(kept.worktree.path) / "last").read_text() == "second"
    os.rename(kept.worktree.path, Path(checkout.home.worktrees) / (".leaving-" + kept.worktree.run))
    remove(checkout, kept)
    assert checkout.rescued(kept, "last") == b"second"


@pytest.mark.parametrize("detached", [True, False])
def test_a_commit_made_while_it_waits_for_the_repository_is_saved(checkout: Checkout, detached: bool) -> None:
    """As a server that a worker left behind makes it: it changes no file, but the worktree's own git directory."""
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    if detached:
        git(top, "checkout", "-q", "--detach")
    said: list[tuple[str, list[str]]] = []
    cleanup = threading.Thread(target=lambda: said.append(remove(checkout, kept)))
    with locks.holding(making.lock(str(checkout.common))):
        cleanup.start()
        eventually(lambda: of(checkout, kept))
        git(top, "commit", "-q", "--allow-empty", "-m", "late")
        late = git(top, "rev-parse", "HEAD").strip()
    cleanup.join(60)
    assert said[0][1] == [] and not top.exists()
    git(checkout.repo, "reflog", "expire", "--expire=now", "--all")
    git(checkout.repo, "gc", "-q", "--prune=now")
    undoing.undo(checkout.home, kept.worktree.run)
    assert git(top, "rev-parse", "HEAD").strip() == late


def test_nothing_is_committed_in_a_worktree_that_is_on_its_way_out(checkout: Checkout) -> None:
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    git(top, "checkout", "-q", "--detach")
    with checkout_scratch(checkout) as scratch:
        _, seen = saving.save(kept, scratch, saving.Wants())
    assert removal.move_aside(kept, seen)
    going = Path(checkout.home.worktrees) / (".removing-" + kept.worktree.run)
    with pytest.raises(Exception, match="128|not a git repository"):
        git(going, "commit", "-q", "--allow-empty", "-m", "into nothing")
    _, left = remove(checkout, kept)
    assert left == []
    undoing.undo(checkout.home, kept.worktree.run)
    assert git(top, "status", "--porcelain") == ""


def test_one_that_was_killed_as_it_was_moved_aside_is_put_back_by_the_next_cleanup(checkout: Checkout) -> None:
    kept = checkout.worktree()
    before, own = State(kept), checkout.common / "worktrees" / kept.worktree.run
    os.rename(kept.worktree.path, Path(checkout.home.worktrees) / (".leaving-" + kept.worktree.run))
    os.rename(own, checkout.common / ("agentctl-leaving-" + kept.worktree.run))
    own.parent.rmdir()  # as `git worktree prune` does
    clearing.sweep(checkout.home, time.time())
    assert State(kept) == before
    there_and_back(checkout, kept)


def test_a_locked_worktree_and_one_around_another_are_kept(checkout: Checkout) -> None:
    kept = checkout.worktree()
    git(checkout.repo, "worktree", "lock", kept.worktree.path)
    with pytest.raises(gitdoor.CannotError, match="unlock"):
        remove(checkout, kept)
    git(checkout.repo, "worktree", "unlock", kept.worktree.path)
    inner = Path(kept.worktree.path) / "inner"
    git(checkout.repo, "worktree", "add", "-q", "--detach", str(inner))
    with pytest.raises(gitdoor.CannotError, match="another worktree"):
        remove(checkout, kept)
    assert (inner / "a.txt").exists()


def test_a_worktree_that_was_moved_is_kept(checkout: Checkout, tmp_path: Path) -> None:
    kept = checkout.worktree()
    moved = tmp_path / "moved"
    git(checkout.repo, "worktree", "move", kept.worktree.path, str(moved))
    with pytest.raises(gitdoor.CannotError, match="moved to"):
        remove(checkout, kept)
    assert git(moved, "status", "--porcelain") == ""
    git(checkout.repo, "worktree", "move", str(moved), kept.worktree.path)
    there_and_back(checkout, kept)


def test_what_a_killed_undo_left_is_swept_away(checkout: Checkout) -> None:
    kept = checkout.worktree()
    remove(checkout, kept)
    half = Path(checkout.home.worktrees) / (".restoring-" + kept.worktree.run)
    (half / "some").mkdir(parents=True)
    clearing.sweep(checkout.home, time.time())
    assert not half.exists()
    undoing.undo(checkout.home, "")


def stuck(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Nothing on its way out can be deleted (another user's files, .nfs*, an immutable one), until this is called."""
    remove, closed = walking.remove, [True]

    def removed(path: str) -> None:
        if closed and "removing-" in os.path.basename(path) and os.path.lexists(path):
            raise PermissionError(1, "Operation not permitted", path)
        remove(path)

    monkeypatch.setattr(walking, "remove", removed)
    return closed.clear


def test_what_could_not_be_deleted_costs_the_restored_worktree_nothing(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    (top / "n").write_text("n")
    let_go = stuck(monkeypatch)
    _, left = remove(checkout, kept)
    assert "for now" in left[0] and ".removing-" in left[0]
    undoing.undo(checkout.home, kept.worktree.run)
    (top / "later").write_text("later")
    git(top, "add", "later")
    before = State(kept)
    clearing.sweep(checkout.home, time.time())
    assert State(kept) == before and kept.worktree.path in git(checkout.repo, "worktree", "list")
    again = custody.load(checkout.home, kept.worktree.run) or kept
    assert not again.removed_at
    _, left = remove(checkout, again)
    assert checkout.rescued(kept, "later") == b"later" and "for now" in left[0]
    undoing.undo(checkout.home, kept.worktree.run)
    assert State(kept).files == before.files
    let_go()
    clearing.sweep(checkout.home, time.time())
    assert [n for n in os.listdir(checkout.home.worktrees) if kept.worktree.run in n] == [kept.worktree.run]
    assert [n for n in os.listdir(checkout.common) if n.startswith("agentctl-")] == []
    there_and_back(checkout, custody.load(checkout.home, kept.worktree.run) or kept)


def test_a_run_folder_that_cannot_be_deleted_stops_no_other_cleanup(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = "20260101-000000-abcd"
    folder = Path(checkout.home.runs) / run_id
    folder.mkdir(parents=True)
    (folder / "lock").touch()
    (folder / "result.json").write_text(json.dumps({"format": 1, "run_id": run_id, "status": "finished"}))
    let_go = stuck(monkeypatch)
    outcome = clearing.carry_out(checkout.home, CONFIG, Facts(run_id=run_id), Item(run_id=run_id, folder=run_id))
    assert outcome.removed == () and "not permitted" in outcome.stays[0]
    clearing.sweep(checkout.home, time.time())
    let_go()
    clearing.sweep(checkout.home, time.time())
    assert os.listdir(checkout.home.runs) == []


def test_a_leftover_beside_a_standing_worktree_is_all_that_goes(checkout: Checkout) -> None:
    """As a version before this one left it after an undo."""
    kept = checkout.worktree()
    remove(checkout, kept)
    undoing.undo(checkout.home, kept.worktree.run)
    before = State(kept)
    (Path(checkout.home.worktrees) / (".removing-" + kept.worktree.run) / "report").mkdir(parents=True)
    clearing.sweep(checkout.home, time.time())
    assert State(kept) == before
    assert os.listdir(checkout.home.worktrees) == [kept.worktree.run]
    there_and_back(checkout, kept)


# -- undo says no


def test_undo_refuses_where_the_branch_is_another_one(checkout: Checkout) -> None:
    kept = checkout.worktree()
    remove(checkout, kept)
    git(checkout.repo, "commit", "-q", "--allow-empty", "-m", "on")
    git(checkout.repo, "branch", kept.worktree.branch)
    with pytest.raises(AgentctlError, match="another branch") as e:
        undoing.undo(checkout.home, kept.worktree.run)
    assert "git branch -m" in e.value.hint
    git(checkout.repo, "branch", "-D", kept.worktree.branch)
    undoing.undo(checkout.home, kept.worktree.run)


def test_undo_refuses_where_its_place_is_taken(checkout: Checkout) -> None:
    kept = checkout.worktree()
    remove(checkout, kept)
    os.mkdir(kept.worktree.path)
    with pytest.raises(AgentctlError, match="something else stands"):
        undoing.undo(checkout.home, "")
    os.rmdir(kept.worktree.path)
    undoing.undo(checkout.home, "")
    with pytest.raises(AgentctlError, match="was not removed"):
        undoing.undo(checkout.home, kept.worktree.run)


def test_ignored_files_are_left_out_where_that_is_configured(checkout: Checkout) -> None:
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    (top / "x.log").write_text("log")
    (top / "build").mkdir()
    (top / "build" / "out").write_text("out")
    (top / "kept").write_text("kept")
    remove(checkout, kept, CONFIG.replace(rescue_ignored=False))
    undoing.undo(checkout.home, "")
    assert (top / "kept").read_text() == "kept"
    assert not (top / "x.log").exists() and not (top / "build").exists()


def test_a_removed_rescue_is_gone_for_good(checkout: Checkout) -> None:
    kept = checkout.worktree()
    (Path(kept.worktree.path) / "n").write_text("n")
    remove(checkout, kept)
    row = undoing.droppable(checkout.home, kept.worktree.run)
    assert (row.files, row.restored, row.problem) == (1, False, "")
    undoing.drop(checkout.home, row)
    assert of(checkout, kept) == ""
    with pytest.raises(AgentctlError):
        undoing.undo(checkout.home, kept.worktree.run)


def test_what_a_worker_committed_is_on_disk_before_anything_leads_to_it(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git does not flush what it commits: the whole of it is, once, and then the rescue's ref is written."""
    kept = checkout.worktree()
    sync, seen = os.sync, []

    def flushed() -> None:
        sync()
        seen.append((of(checkout, kept), os.path.exists(kept.worktree.path)))

    monkeypatch.setattr(os, "sync", flushed)
    remove(checkout, kept)
    assert seen == [("", True)]


# -- trees


def test_a_deep_closed_tree_is_removed_and_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    top = tmp_path / "top"
    top.mkdir()
    here = os.getcwd()
    os.chdir(top)
    try:
        for _ in range(1200):
            os.mkdir("folder")
            os.symlink(outside, "link")
            os.chdir("folder")
    finally:
        os.chdir(here)
    (top / "folder").chmod(0o500)
    walking.remove(str(top))
    assert not top.exists() and (outside / "file").exists()


def test_the_lock_of_a_repository_is_held_for_short_only(checkout: Checkout) -> None:
    """While files are stored others may add worktrees."""
    kept = checkout.worktree()
    with locks.holding(making.lock(str(checkout.common))), checkout_scratch(checkout) as scratch:
        saving.save(kept, scratch, saving.Wants())


class checkout_scratch:  # noqa: N801
    def __init__(self, checkout: Checkout) -> None:
        self.path = str(checkout.root / "scratch")

    def __enter__(self) -> str:
        os.mkdir(self.path)
        return self.path

    def __exit__(self, *_: object) -> None:
        pass


def test_the_names_are_told_apart() -> None:
    from agentctl.keeping import gitnames

    for name in (b".git/config", b"a/.GIT", b"git~1", b"%2egit", b"a\nb", b".", b"x:y\\z", b"\xff~"):
        assert gitnames.decoded(gitnames.encoded(name)) == name
        assert gitnames.taken(gitnames.encoded(name), True)
    assert not gitnames.sane(b"a/../b") and not gitnames.sane(b"/a") and gitnames.sane(b"a/..b")
    assert sys.version_info and config.Config().rescue_ignored


def test_what_only_an_unmerged_index_has_is_kept(checkout: Checkout, tmp_path: Path) -> None:
    kept = checkout.worktree()
    top = Path(kept.worktree.path)
    oids = []
    for stage in (1, 2, 3):
        (tmp_path / "side").write_text("only at stage %d\n" % stage)
        oids.append(git(top, "hash-object", "-w", str(tmp_path / "side")).strip())
    lines = "".join("100644 %s %d\tboth\n" % (oid, stage) for stage, oid in enumerate(oids, 1))
    argv = ["git", "-C", str(top), "update-index", "--index-info"]
    subprocess.run(argv, input=lines.encode(), check=True)
    there_and_back(checkout, kept)
    remove(checkout, custody.load(checkout.home, kept.worktree.run) or kept)
    git(checkout.repo, "gc", "-q", "--prune=now")
    assert [git(checkout.repo, "cat-file", "-p", oid)[-2] for oid in oids] == ["1", "2", "3"]


def test_where_git_cannot_tell_nothing_is_removed(checkout: Checkout) -> None:
    kept = checkout.worktree()
    head = checkout.common / "worktrees" / kept.worktree.run / "HEAD"
    head.write_bytes(b"\0damaged")
    with pytest.raises(gitdoor.CannotError):
        remove(checkout, kept)
    assert os.path.isdir(kept.worktree.path) and head.exists()
