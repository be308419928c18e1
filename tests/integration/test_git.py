"""The state at birth and what became of it, with real git in real repositories.

Every hostile repository is first shown to a plain git: the test is only worth
something if plain git runs the planted program.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest

from agentctl import git
from agentctl.model import Git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def sh(folder: Path, *argv: str, check: bool = True, **env: str) -> str:
    done = subprocess.run(
        argv, cwd=folder, env={**os.environ, **env}, stdin=subprocess.DEVNULL, capture_output=True, timeout=30
    )
    if check and done.returncode:
        raise AssertionError("%s: %s" % (argv, done.stderr.decode("utf-8", "replace")))
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def commit_all(folder: Path, message: str = "x") -> str:
    sh(folder, "git", "add", "-A")
    sh(folder, "git", "commit", "-qm", message)
    return sh(folder, "git", "rev-parse", "HEAD")


class World:
    """A repository with one commit, and a scratch folder as a run would have."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repo = root / "repo"
        self.scratch = root / "run" / "scratch"
        self.stat = root / "run" / "diff.stat"
        self.patch = root / "run" / "diff.patch"
        self.ran = root / "ran"
        self.scratch.mkdir(parents=True)
        self.repo.mkdir()
        sh(self.repo, "git", "init", "-q", "-b", "main")
        self.write("kept.txt", "one\ntwo\n")
        self.write("sub/deep.txt", "deep\n")
        self.write(".gitignore", "*.log\n")
        self.first = commit_all(self.repo, "first")

    def write(self, name: str, text: str) -> Path:
        path = self.repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def program(self, name: str, body: str = "cat") -> str:
        """A program that tells that it ran."""
        path = self.root / name
        path.write_text("#!/bin/sh\necho ran >> '%s'\n%s\n" % (self.ran, body))
        path.chmod(0o755)
        return str(path)

    def snapshot(self, timeout: float = 10.0) -> git.Snapshot:
        return git.snapshot(str(self.repo), str(self.scratch), timeout)

    def changes(self, before: git.Snapshot, timeout: float = 30.0) -> Git:
        return git.changes(str(self.repo), str(self.scratch), before, str(self.stat), str(self.patch), timeout)

    def inside(self) -> dict[str, tuple[int, bytes]]:
        """Everything in .git: content and time of the index, content of the rest."""
        files = [p for p in (self.repo / ".git").rglob("*") if p.is_file()]
        return {str(p): (p.stat().st_mtime_ns if p.name == "index" else 0, p.read_bytes()) for p in files}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in [n for n in os.environ if n.startswith("GIT_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        '[user]\n\tname = t\n\temail = t@example.org\n[protocol "file"]\n\tallow = always\n'
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return World(tmp_path)


# What a run's diff is


def test_a_clean_repository_is_its_head(world: World) -> None:
    before = world.snapshot()
    assert (before.repo, before.head, before.note) == (str(world.repo), world.first, "")
    assert before.tree == sh(world.repo, "git", "rev-parse", "HEAD^{tree}")
    after = world.changes(before)
    assert after == Git(base=world.first, head=world.first)
    assert world.stat.read_bytes() == world.patch.read_bytes() == b""


def test_commits_edits_and_untracked_files_are_one_diff(world: World) -> None:
    before = world.snapshot()
    world.write("kept.txt", "one\ntwo\nthree\n")
    head = commit_all(world.repo)
    world.write("sub/deep.txt", "deeper\n")
    world.write("new.txt", "new\n")
    world.write("noise.log", "ignored\n")
    after = world.changes(before)
    assert (after.base, after.head, after.commits, after.note) == (world.first, head, 1, "")
    assert after.files == ("kept.txt", "new.txt", "sub/deep.txt")
    assert "3 files changed, 3 insertions(+), 1 deletion(-)" in after.diff_stat
    assert world.stat.read_text().rstrip("\n") == after.diff_stat
    assert all(line in world.patch.read_text() for line in ("+three", "+deeper", "-deep", "+new"))
    assert stat.S_IMODE(world.patch.stat().st_mode) == stat.S_IMODE(world.stat.stat().st_mode) == 0o600


def test_what_was_uncommitted_before_is_not_the_runs(world: World) -> None:
    world.write("kept.txt", "the user's\n")
    world.write("mine.txt", "the user's\n")
    (world.repo / "sub/deep.txt").unlink()
    before = world.snapshot()
    world.write("mine.txt", "the user's\nthe run's\n")
    after = world.changes(before)
    assert after.files == ("mine.txt",)
    assert "+the run's" in world.patch.read_text()
    assert "+the user's" not in world.patch.read_text()


def test_nothing_in_the_repository_is_touched(world: World) -> None:
    world.write("kept.txt", "staged\n")
    sh(world.repo, "git", "add", "kept.txt")
    world.write("new.txt", "untracked\n")
    os.utime(world.repo / "sub/deep.txt")  # plain `git status` would refresh the index
    inside = world.inside()
    before = world.snapshot()
    world.write("new.txt", "more\n")
    assert world.changes(before).files == ("new.txt",)
    assert world.inside() == inside
    sh(world.repo, "git", "status")
    assert world.inside() != inside


def test_an_index_lock_is_neither_minded_nor_removed(world: World) -> None:
    lock = world.write(".git/index.lock", "")
    before = world.snapshot()
    world.write("new.txt", "new\n")
    assert world.changes(before).files == ("new.txt",)
    assert lock.exists()


def test_an_edit_within_the_clocks_grain_of_the_index_is_seen(world: World) -> None:
    """Same size, same time: only that the index is no younger gives the edit away."""
    sh(world.repo, "git", "config", "core.trustctime", "false")
    past = (time.time() - 100, time.time() - 100)
    os.utime(world.repo / "kept.txt", past)
    sh(world.repo, "git", "add", "kept.txt")
    world.write("kept.txt", "ONE\ntwo\n")
    os.utime(world.repo / "kept.txt", past)
    os.utime(world.repo / ".git/index", past)
    assert world.snapshot().tree != sh(world.repo, "git", "rev-parse", "HEAD^{tree}")


def test_a_subdirectory_means_its_repository(world: World) -> None:
    before = git.snapshot(str(world.repo / "sub"), str(world.scratch))
    world.write("new.txt", "new\n")
    shutil.rmtree(world.repo / "sub")
    after = git.changes(str(world.repo / "sub"), str(world.scratch), before, str(world.stat), str(world.patch))
    assert after.files == ("new.txt", "sub/deep.txt")
    assert git.toplevel(str(world.repo)) == str(world.repo)


def test_old_diff_files_and_planted_links_are_replaced(world: World) -> None:
    target = world.root / "target"
    target.write_text("precious")
    world.patch.symlink_to(target)
    before = world.snapshot()
    world.write("new.txt", "new\n")
    world.changes(before)
    assert target.read_text() == "precious"
    assert "+new" in world.patch.read_text()


# Names and shapes


HOSTILE = [
    "-rf",
    "line\nend",
    "esc\x1b]0;t\x07",
    "quo\"te'`$(x)",
    "tab\t",
    " ",
    "back\\slash",
    ":(top)x",
    "ü",
    "n\udcff",
    "c1\x9b0m",
]


def test_hostile_names(world: World) -> None:
    before = world.snapshot()
    for name in HOSTILE:
        world.write(name, "x\n")
    after = world.changes(before)
    assert sorted(after.files) == sorted(HOSTILE)
    assert (world.patch.read_bytes() + world.stat.read_bytes()).isascii()
    for name in HOSTILE:
        (world.repo / name).unlink()
    assert world.changes(before).files == ()


def test_a_hostile_path_of_the_repository(world: World) -> None:
    odd = world.root / 're:po "x" \\ -y'
    world.repo.rename(odd)
    world.repo = odd
    before = world.snapshot()
    world.write("new.txt", "new\n")
    assert world.changes(before).files == ("new.txt",)


def test_a_path_with_a_line_end_is_a_note(world: World) -> None:
    odd = world.root / "re\npo"
    world.repo.rename(odd)
    world.repo = odd
    before = world.snapshot()
    assert (before.tree, before.note) == ("", "a repository whose path holds a line end")
    assert world.changes(before) == Git(note=before.note)


def test_files_folders_and_links_that_trade_places(world: World) -> None:
    world.write("outside/deep.txt", "deep\n")
    commit_all(world.repo)
    before = world.snapshot()
    (world.repo / "kept.txt").unlink()
    world.write("kept.txt/inner", "x\n")
    shutil.rmtree(world.repo / "sub")
    (world.repo / "sub").symlink_to("outside")
    after = world.changes(before)
    assert (after.files, after.note) == (("kept.txt", "kept.txt/inner", "sub", "sub/deep.txt"), "")


def test_modes_links_and_things_that_are_no_files(world: World) -> None:
    before = world.snapshot()
    (world.repo / "kept.txt").chmod(0o755)
    (world.repo / "dangling").symlink_to("/nowhere")
    os.mkfifo(world.repo / "fifo")
    after = world.changes(before)
    assert after.files == ("dangling", "kept.txt")
    assert "new mode 100755" in world.patch.read_text()


def test_in_the_middle_of_a_merge(world: World) -> None:
    sh(world.repo, "git", "checkout", "-qb", "other")
    world.write("kept.txt", "other\n")
    (world.repo / "sub/deep.txt").unlink()
    commit_all(world.repo)
    sh(world.repo, "git", "checkout", "-q", "main")
    world.write("kept.txt", "main\n")
    world.write("sub/deep.txt", "main\n")
    commit_all(world.repo)
    sh(world.repo, "git", "merge", "other", check=False)
    before = world.snapshot()
    assert (before.note, before.whole) == ("", True)
    world.write("kept.txt", "solved\n")
    (world.repo / "sub/deep.txt").unlink()
    after = world.changes(before)
    assert after.files == ("kept.txt", "sub/deep.txt")
    assert "+solved" in world.patch.read_text()


def test_local_settings_that_decide_the_content_are_kept(world: World) -> None:
    sh(world.repo, "git", "config", "core.autocrlf", "true")
    sh(world.repo, "git", "config", "core.filemode", "false")
    world.write(".git/info/exclude", "private\n")
    before = world.snapshot()
    (world.repo / "kept.txt").write_bytes(b"one\r\ntwo\r\n")
    (world.repo / "kept.txt").chmod(0o755)
    world.write("private", "x")
    assert world.changes(before).files == ()


@pytest.mark.parametrize(
    "settings", [["core.splitIndex=true"], ["core.untrackedCache=true"], ["index.version=4"], ["core.ignoreStat=false"]]
)
def test_kinds_of_index(world: World, settings: list[str]) -> None:
    for setting in settings:
        sh(world.repo, "git", "config", *setting.split("=", 1))
    world.write("kept.txt", "changed\n")
    sh(world.repo, "git", "add", "kept.txt")
    sh(world.repo, "git", "status")
    before = world.snapshot()
    assert before.note == ""
    assert before.tree == sh(world.repo, "git", "write-tree")
    world.write("new.txt", "new\n")
    assert world.changes(before).files == ("new.txt",)


@pytest.mark.parametrize("cone", ["--no-cone", "--cone", "--sparse-index"])
def test_a_sparse_checkout(world: World, cone: str) -> None:
    world.write("other/o.txt", "o\n")
    commit_all(world.repo)
    sh(world.repo, "git", "sparse-checkout", "init", *(["--cone", cone] if cone == "--sparse-index" else [cone]))
    sh(world.repo, "git", "sparse-checkout", "set", "other")
    assert not (world.repo / "sub").exists()
    before = world.snapshot()
    assert before.tree == sh(world.repo, "git", "rev-parse", "HEAD^{tree}")
    world.write("other/o.txt", "changed\n")
    world.write("sub/deep.txt", "written all the same\n")
    assert world.changes(before).files == ("other/o.txt", "sub/deep.txt")


def test_sha256(world: World) -> None:
    shutil.rmtree(world.repo / ".git")
    sh(world.repo, "git", "init", "-q", "--object-format=sha256")
    commit_all(world.repo)
    before = world.snapshot()
    assert len(before.tree) == 64
    world.write("new.txt", "new\n")
    assert world.changes(before).files == ("new.txt",)


def test_a_linked_worktree_and_a_shallow_clone(world: World) -> None:
    world.write("kept.txt", "second\n")
    commit_all(world.repo)
    sh(world.repo, "git", "worktree", "add", "-q", "--detach", "../linked")
    sh(world.root, "git", "clone", "-q", "--depth=1", "file://%s" % world.repo, "shallow")
    for name in ("linked", "shallow"):
        world.repo = world.root / name
        before = world.snapshot()
        world.write("new.txt", "new\n")
        commit_all(world.repo)
        after = world.changes(before)
        assert (after.files, after.commits, after.note) == (("new.txt",), 1, "")


def test_submodules_and_inner_repositories_are_left_alone(world: World) -> None:
    sh(world.repo, "git", "submodule", "--quiet", "add", str(world.repo), "module")
    commit_all(world.repo)
    sh(world.root, "git", "clone", "-q", str(world.repo), "repo/inner with commit")
    sh(world.repo, "git", "init", "-q", "inner")  # `git add -A` fails on it: no commit checked out
    before = world.snapshot()
    assert (before.tree, before.note) == (sh(world.repo, "git", "rev-parse", "HEAD^{tree}"), "")
    world.write("module/kept.txt", "changed\n")
    commit_all(world.repo / "module")
    world.write("inner/file", "x\n")
    commit_all(world.repo / "inner")
    world.write("new.txt", "new\n")
    assert world.changes(before).files == ("new.txt",)


# What a worker may have done


def test_a_worker_that_reset_or_switched(world: World) -> None:
    world.write("kept.txt", "second\n")
    second = commit_all(world.repo)
    before = world.snapshot()
    sh(world.repo, "git", "reset", "-q", "--hard", "HEAD~1")
    after = world.changes(before)
    assert (after.base, after.head, after.commits, after.files) == (second, world.first, 0, ("kept.txt",))
    assert "HEAD left its base commit" in after.note
    sh(world.repo, "git", "checkout", "-q", "--orphan", "fresh")
    assert world.changes(before).head == ""
    orphan = commit_all(world.repo)
    after = world.changes(before)
    assert (after.head, after.commits) == (orphan, 1)


def test_a_worker_that_removed_the_repository(world: World) -> None:
    outer = world.root
    sh(outer, "git", "init", "-q")  # a repository around it must not be taken for it
    before = world.snapshot()
    shutil.rmtree(world.repo / ".git")
    after = world.changes(before)
    assert (after.base, after.head, after.files) == (world.first, "", ())
    assert after.note == "no diff: the repository of the run's birth is gone"
    shutil.rmtree(outer / ".git")
    assert world.changes(before).note == "no diff: not a git repository"
    sh(world.repo, "git", "init", "-q")
    assert world.changes(before).note == "no commit left"
    world.write("new.txt", "new\n")
    assert world.changes(before).files == ("new.txt",)
    shutil.rmtree(world.repo)
    assert world.changes(before).note.startswith("no diff: fatal: cannot change to")


def test_a_worker_that_made_the_repository(world: World) -> None:
    shutil.rmtree(world.repo / ".git")
    before = world.snapshot()
    assert before == git.Snapshot(note="not a git repository")
    assert world.changes(before) == Git(note="not a git repository")
    sh(world.repo, "git", "init", "-q")
    assert world.changes(before).note == "a repository only since the run: no diff"


def test_before_the_first_commit(world: World) -> None:
    shutil.rmtree(world.repo / ".git")
    sh(world.repo, "git", "init", "-q")
    before = world.snapshot()
    assert (before.head, before.note) == ("", "")
    world.write("new.txt", "new\n")
    head = commit_all(world.repo)
    after = world.changes(before)
    assert (after.head, after.commits, after.files) == (head, 1, ("new.txt",))


def test_a_config_planted_in_scratch_is_not_read(world: World) -> None:
    before = world.snapshot()
    for folder in world.scratch.glob("git-*"):
        (folder / "config").write_text('[filter "x"]\n\tclean = %s\n' % world.program("evil"))
    world.write(".gitattributes", "* filter=x\n")
    world.write("kept.txt", "changed\n")
    assert world.changes(before).files == (".gitattributes", "kept.txt")
    assert not world.ran.exists()


# Where git cannot


def test_no_git(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(world.root))
    assert world.snapshot() == git.Snapshot(note="git is not installed")
    assert git.toplevel(str(world.repo)) == ""


def test_a_bare_repository_a_git_directory_and_a_missing_one(world: World) -> None:
    sh(world.root, "git", "clone", "-q", "--bare", str(world.repo), "bare")
    for folder in ("bare", "repo/.git", "missing"):
        before = git.snapshot(str(world.root / folder), str(world.scratch))
        assert before == git.Snapshot(note=before.note)
        assert before.note


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make somebody else's repository")
def test_somebody_elses_repository_is_a_note(world: World) -> None:
    os.chown(world.repo, 65534, 65534)
    os.chown(world.repo / ".git", 65534, 65534)
    before = world.snapshot()
    assert before.tree == ""
    assert "dubious ownership" in before.note


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_left_out(world: World) -> None:
    before = world.snapshot()
    world.write("secret", "x").chmod(0)
    world.write("new.txt", "x")
    after = world.changes(before)
    assert (after.files, after.note) == (("new.txt",), "left out: 1 unreadable")


def test_large_files_are_left_out_and_a_heap_of_them_is_not_recorded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git, "LARGE_FILE", 1 << 20)
    monkeypatch.setattr(git, "UNCOMMITTED_LIMIT", 2 << 20)
    before = world.snapshot()
    world.write("large", "x" * (1 << 21))
    world.write("new.txt", "new\n")
    after = world.changes(before)
    assert (after.files, after.note) == (("new.txt",), "left out: 1 over 1 MB")
    for n in range(3):
        world.write("heap%d" % n, "x" * (1 << 20))
    sh(world.repo, "git", "add", "new.txt")
    sh(world.repo, "git", "commit", "-qm", "x")
    after = world.changes(before)
    assert (after.files, after.note) == (("new.txt",), "uncommitted changes not recorded: more than 2 MB of them")


def test_a_long_patch_is_cut_and_a_long_list_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "PATCH_LIMIT", 1 << 20)
    monkeypatch.setattr(git, "FILES_LIMIT", 3)
    before = world.snapshot()
    for n in range(60):
        world.write("file%d" % n, "some line of text %d\n" % n * 2000)
    after = world.changes(before)
    assert len(after.files) == 3
    assert after.note == "60 files changed, 3 listed; the patch is cut at 1 MB"
    assert 900_000 < world.patch.stat().st_size <= 1 << 20
    assert world.patch.read_bytes().endswith(b"\n")
    assert after.diff_stat == "60 files changed, 120000 insertions(+)" or len(after.diff_stat) <= git.STAT_LIMIT


def slow_git(world: World, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """A git on PATH that never answers one of its commands."""
    folder = world.root / "bin"
    folder.mkdir()
    real = shutil.which("git")
    script = '#!/bin/sh\nfor a; do [ "$a" = %s ] && sleep 60; done\nexec %s "$@"\n' % (command, real)
    (folder / "git").write_text(script)
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", "%s:%s" % (folder, os.environ["PATH"]))


def test_too_little_time_at_birth_leaves_heads_tree(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write("new.txt", "new\n")
    slow_git(world, monkeypatch, "ls-files")
    began = time.monotonic()
    before = world.snapshot(timeout=1.5)
    assert time.monotonic() - began < 2.5
    assert before.tree == sh(world.repo, "git", "rev-parse", "HEAD^{tree}")
    assert (before.whole, before.note) == (False, "uncommitted changes not recorded: no time left for git ls-files")


def test_too_little_time_at_the_end_leaves_the_commits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write("users.txt", "uncommitted before\n")
    before = world.snapshot()
    world.write("kept.txt", "committed\n")
    sh(world.repo, "git", "commit", "-qam", "x")
    slow_git(world, monkeypatch, "ls-files")
    after = world.changes(before, timeout=1.5)
    assert (after.files, after.commits) == (("kept.txt",), 1)
    assert after.note == "uncommitted changes not recorded: no time left for git ls-files"


def test_no_time_at_all_is_a_note(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world.snapshot()
    slow_git(world, monkeypatch, "rev-parse")
    assert world.snapshot(timeout=0.3) == git.Snapshot(note="no time left for git rev-parse")
    assert world.changes(before, timeout=0.3) == Git(base=world.first, note="no diff: no time left for git rev-parse")


# Repositories that run programs: plain git does, ours does not


def fsmonitor(world: World) -> list[str]:
    sh(world.repo, "git", "config", "core.fsmonitor", world.program("evil", "exit 1"))
    return ["git", "diff", "--stat"]


def hooks(world: World) -> list[str]:
    hook = world.repo / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    shutil.copy(world.program("evil", "exit 0"), hook)
    return ["git", "status"]


def clean_filter(world: World) -> list[str]:
    sh(world.repo, "git", "config", "filter.x.clean", world.program("evil"))
    world.write(".gitattributes", "* filter=x\n")
    return ["git", "diff", "--stat"]


def required_process_filter(world: World) -> list[str]:
    sh(world.repo, "git", "config", "filter.x.process", world.program("evil", "exit 1"))
    sh(world.repo, "git", "config", "filter.x.required", "true")
    world.write(".gitattributes", "* filter=x\n")
    return ["git", "diff", "--stat"]


def filter_no_override_reaches(world: World) -> list[str]:
    sh(world.repo, "git", "config", "filter.a=b.clean", world.program("evil"))
    world.write(".gitattributes", "* filter=a=b\n")
    return ["git", "-c", "filter.a=b.clean=", "diff", "--no-ext-diff", "--no-textconv", "--stat"]


def included_filter(world: World) -> list[str]:
    world.write(".git/more", '[filter "x"]\n\tclean = %s\n' % world.program("evil"))
    sh(world.repo, "git", "config", "include.path", "more")
    world.write(".gitattributes", "* filter=x\n")
    return ["git", "diff", "--stat"]


def text_conversion(world: World) -> list[str]:
    sh(world.repo, "git", "config", "diff.x.textconv", world.program("evil", 'cat "$1"'))
    world.write(".gitattributes", "* diff=x\n")
    return ["git", "diff"]


def diff_driver(world: World) -> list[str]:
    sh(world.repo, "git", "config", "diff.x.command", world.program("evil", "exit 0"))
    world.write(".gitattributes", "* diff=x\n")
    return ["git", "diff"]


def external_diff(world: World) -> list[str]:
    sh(world.repo, "git", "config", "diff.external", world.program("evil", "exit 0"))
    return ["git", "diff"]


def external_diff_in_the_environment(world: World) -> list[str]:
    os.environ["GIT_EXTERNAL_DIFF"] = world.program("evil", "exit 0")  # the fixture takes it away
    return ["git", "diff"]


def config_in_the_environment(world: World) -> list[str]:
    os.environ.update(
        GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="core.fsmonitor", GIT_CONFIG_VALUE_0=world.program("evil", "exit 1")
    )
    return ["git", "diff"]


def submodule_config(world: World) -> list[str]:
    sh(world.repo, "git", "submodule", "--quiet", "add", str(world.repo), "module")
    commit_all(world.repo)
    sh(world.repo / "module", "git", "config", "filter.x.clean", world.program("evil"))
    world.write("module/.gitattributes", "* filter=x\n")
    # the same bytes with another time: only by reading them (through the filter) can plain git tell
    os.utime(world.repo / "module/sub/deep.txt", (1, 1))
    return ["git", "add", "-A", "--dry-run"]


def lazy_fetch(world: World) -> list[str]:
    """A partial clone whose missing object is "fetched" by the program."""
    blob = sh(world.repo, "git", "rev-parse", "HEAD:kept.txt")
    (world.repo / ".git/objects" / blob[:2] / blob[2:]).unlink()
    for setting in (
        "core.repositoryformatversion=1",
        "extensions.partialClone=origin",
        "remote.origin.promisor=true",
        "remote.origin.url=%s" % world.root,
        "remote.origin.uploadpack=" + world.program("evil", "exit 1"),
    ):
        sh(world.repo, "git", "config", *setting.split("=", 1))
    return ["git", "diff"]


ATTACKS: list[Callable[[World], list[str]]] = [
    fsmonitor,
    hooks,
    clean_filter,
    required_process_filter,
    filter_no_override_reaches,
    included_filter,
    text_conversion,
    diff_driver,
    external_diff,
    external_diff_in_the_environment,
    config_in_the_environment,
    submodule_config,
    lazy_fetch,
]


@pytest.fixture
def environment() -> object:
    saved = dict(os.environ)
    yield saved
    os.environ.clear()
    os.environ.update(saved)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: str(a.__name__))
@pytest.mark.usefixtures("environment")
def test_a_repository_runs_no_program_through_us(world: World, attack: Callable[[World], list[str]]) -> None:
    plain = attack(world)
    world.write("kept.txt", "dirty\n")
    world.write("module/kept.txt", "dirty\n")
    inside = world.inside()
    before = world.snapshot()
    world.write("kept.txt", "changed\n")
    world.write("new.txt", "new\n")
    after = world.changes(before)
    git.toplevel(str(world.repo))
    assert not world.ran.exists()
    assert world.inside() == inside
    assert after.files == ("kept.txt", "new.txt")
    assert "+changed" in world.patch.read_text()
    sh(world.repo, *plain, check=False)
    assert world.ran.exists(), "plain git does not run it: this test shows nothing"


def test_a_bare_repository_among_the_files_is_not_entered(world: World) -> None:
    sh(world.repo, "git", "init", "-q", "--bare", "inner")
    inner = world.repo / "inner"
    sh(inner, "git", "--git-dir=.", "--work-tree=.", "add", "description")
    (inner / "config").write_text(
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = %s\n"
        % world.program("evil")
    )
    before = git.snapshot(str(inner), str(world.scratch))
    assert before.tree == ""
    assert git.toplevel(str(inner)) == ""
    assert world.snapshot().note == ""
    assert not world.ran.exists()
    sh(inner, "git", "status", check=False)
    assert world.ran.exists()


def test_another_repository_in_the_environment_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sh(world.root, "git", "init", "-q", "other")
    for name, value in (("GIT_DIR", "other/.git"), ("GIT_WORK_TREE", "other"), ("GIT_INDEX_FILE", "other/x")):
        monkeypatch.setenv(name, str(world.root / value))
    assert git.toplevel(str(world.repo)) == world.snapshot().repo == str(world.repo)
    assert sh(world.repo, "git", "rev-parse", "--show-toplevel") == str(world.root / "other")


def test_global_filters_stay_in_force(world: World) -> None:
    """git-lfs is one: without it every touched large file would look changed."""
    sh(world.repo, "git", "config", "--global", "filter.upper.clean", "tr a-z A-Z")
    world.write(".gitattributes", "*.up filter=upper\n")
    before = world.snapshot()
    world.write("x.up", "loud\n")
    world.changes(before)
    assert "+LOUD" in world.patch.read_text()
