"""Custody by dice: worktrees are soiled, committed in, stopped, killed, removed, merged and brought back.

An episode is a repository in a random state and a random sequence of what users, workers
and cleanups do to it, some of it by the real command line with real runs, and some of it
killed (-9) in the middle. Before each cleanup the model writes down every file's bytes,
every staged blob and every commit of the worktree; ever after each of them must be
reachable from a ref, or stand in a worktree. And undo restores exactly.

    tests/run tests/chaos -k custody                    a share of the episodes
    AGENTCTL_LONG=1 (tests/run long)                    300 of them
    AGENTCTL_SEED=7 AGENTCTL_EPISODES=1 tests/run …     that one again; or on, from the seed after the last printed
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any
from typing import Callable
from typing import Optional

import pytest

from agentctl import custody
from agentctl import gitdoor
from agentctl import locks
from agentctl import proc
from agentctl import store
from agentctl.cleanup import clearing
from agentctl.cleanup import undoing
from agentctl.config import Config
from agentctl.custody import Kept
from agentctl.errors import AgentctlError
from checkout import Checkout
from checkout import State
from checkout import differences
from checkout import said
from checkout import soil
from conftest import World
from conftest import git

LONG = bool(os.environ.get("AGENTCTL_LONG"))
EPISODES = int(os.environ.get("AGENTCTL_EPISODES") or ("300" if LONG else "5"))
FIRST_SEED = int(os.environ.get("AGENTCTL_SEED") or "1")
STEPS = 14
CONFIG = Config()
ALLOWED = ("-c", "protocol.file.allow=always")
REFUSED = (AgentctlError, gitdoor.CannotError)


KINDS = (("time", 2), ("rename", 7), ("rename", 7), ("unlink", 60), ("rmdir", 20), ("replace", 4), ("git", 40))
"""What a process is killed at, and how far into it."""


def _doom(kind: str, number: int) -> None:
    """Have this process die of SIGKILL before the n-th call of a kind."""
    place, name = (proc, "run") if kind == "git" else (os, kind)
    real, calls = getattr(place, name, None), []

    def counted(*args: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **more)  # type: ignore[misc]

    if real:
        setattr(place, name, counted)


def _doomed(kind: str, number: int, what: Callable[[], object]) -> int:
    """A process that dies so while it does that."""
    pid = os.fork()
    if not pid:
        try:
            _doom(kind, number)
            what()
        finally:
            os._exit(0)
    return pid


class Play:
    """One episode: a world, its worktrees, and what must never be lost."""

    def __init__(self, root: Path, seed: int) -> None:
        root.mkdir()
        self.seed, self.dice = seed, random.Random(seed)
        self.world = World(root)
        self.world.ok("init")
        self.world.config(tmux_socket=self.world.socket, stop_grace_s=0.2, stagger_s=0)
        self.checkout = Checkout(root, store.open_home(str(self.world.home)))
        self.checkout.init()
        self.world.ok("add-project", "p", str(self.world.project))
        self.repo, self.home = self.checkout.repo, self.checkout.home
        self.precious: dict[str, tuple[str, str]] = {}
        self.states: dict[str, State] = {}
        self.story: list[str] = []
        self._prepare()

    def _prepare(self) -> None:
        """The repository in one of its states."""
        if self.dice.random() < 0.4:
            library = self.world.root / "library"
            library.mkdir()
            git(library, "init", "-q", "-b", "main")
            (library / "lib.c").write_text("int x;\n")
            git(library, "add", "-A")
            git(library, "commit", "-q", "-m", "lib")
            git(self.repo, *ALLOWED, "submodule", "add", "-q", str(library), "lib")
            git(self.repo, "commit", "-q", "-m", "a submodule")
        if self.dice.random() < 0.3:
            git(self.repo, "config", "core.autocrlf", self.dice.choice(("true", "input")))
        if self.dice.random() < 0.3:
            git(self.repo, "checkout", "-q", "--detach")
        for _ in range(self.dice.randrange(4)):
            soil(self.repo, self.dice)

    # -- the worktrees there are

    def kept(self, standing: bool) -> Optional[Kept]:
        """One of those that stand, or of those that were removed."""
        found = [k for k in custody.every(self.home) if bool(k.removed_at) != standing]
        return self.dice.choice(found) if found else None

    def top(self, kept: Kept) -> Path:
        return Path(kept.worktree.path)

    def stands(self, kept: Kept) -> bool:
        """All of it, as far as can be seen at a glance."""
        return self.top(kept).is_dir() and (self.checkout.common / "worktrees" / kept.worktree.run).is_dir()

    # -- what is done

    def make(self) -> None:
        self.checkout.worktree()

    def run(self) -> None:
        """A real run in a worktree of its own, which ends, is stopped, or loses its runner."""
        how = self.dice.choice(("ends", "ends", "is stopped", "loses its runner"))
        script = "echo %s > made; mkdir -p d/e; printf 'a\\r\\n' > d/crlf; chmod 700 made" % self.dice.random()
        script += "; git add made; git -c user.name=w -c user.email=w@w commit -qm w; echo more >> made"
        script += "" if how == "ends" else "; touch ready; sleep 60"
        options = ("--project", "p", "--backend", "shell", "--no-pane", "--worktree", "--title", "fuzz")
        run_id = self.world.shell(script, *options)
        if how != "ends":
            self.world.working(run_id)
            path = Path(self.home.worktrees) / run_id
            _until(lambda: (path / "ready").exists())
        if how == "is stopped":
            self.world.run("stop", run_id)
        elif how == "loses its runner":
            os.kill(self.world.runner_pid(run_id), signal.SIGKILL)
        self.world.result(run_id)
        self.story.append("run %s %s" % (run_id, how))

    def edit(self) -> None:
        kept = self.kept(True)
        for _ in range(self.dice.randrange(1, 12) if kept else 0):
            soil(self.top(kept), self.dice)  # type: ignore[arg-type]

    def stage(self) -> None:
        kept = self.kept(True)
        if kept:
            soil(self.top(kept), self.dice)
            self._git(kept, "add", self.dice.choice(("-A", "-u", "-N", "sub")))
            soil(self.top(kept), self.dice)

    def commit(self) -> None:
        kept = self.kept(True)
        if kept:
            (self.top(kept) / "a.txt").write_text("%s\n" % self.dice.random())
            self._git(kept, "commit", "-q", "-a", "-m", "c%d" % self.dice.randrange(1000))

    def rewind(self) -> None:
        """Commits that only a reflog names afterwards."""
        kept = self.kept(True)
        if kept:
            self._git(
                kept, *self.dice.choice((("reset", "-q", "--hard", "HEAD~1"), ("commit", "-q", "--amend", "-mx")))
            )

    def leave(self) -> None:
        """HEAD goes elsewhere."""
        kept = self.kept(True)
        if kept:
            name = "own-%d" % self.dice.randrange(10000)
            how = self.dice.choice((("checkout", "-q", "--detach"), ("checkout", "-q", "-b", name)))
            self._git(kept, *how)

    def clash(self) -> None:
        """An unmerged index."""
        kept = self.kept(True)
        if kept:
            self._git(kept, "merge", "-q", self.dice.choice(("main", "HEAD@{1}", "HEAD@{2}")))

    def nest(self) -> None:
        """A repository inside, or a submodule filled and worked in."""
        kept = self.kept(True)
        if kept and (self.top(kept) / "lib").is_dir() and self.dice.random() < 0.7:
            self._git(kept, *ALLOWED, "submodule", "update", "-q", "--init")
            (self.top(kept) / "lib" / "lib.c").write_text("int %d;\n" % self.dice.randrange(100))
        elif kept:
            nested = self.top(kept) / "nested"
            nested.mkdir(exist_ok=True)
            git(nested, "init", "-q")
            (nested / "n").write_text(str(self.dice.random()))
            git(nested, "add", "-A")
            git(nested, "commit", "-q", "-m", "n")

    def merge(self) -> None:
        """By the user: what `agentctl merge` leaves is the same to a cleanup."""
        kept = self.kept(True)
        if kept:
            self._quietly(self.repo, "merge", "-q", "-m", "merged", kept.worktree.branch)
            self._quietly(self.repo, "merge", "--abort")

    def _git(self, kept: Kept, *words: str) -> None:
        self._quietly(self.top(kept), *words)

    def _quietly(self, folder: Path, *words: str) -> None:
        """What a worker types may fail."""
        try:
            git(folder, *words)
        except subprocess.CalledProcessError:
            pass  # nothing to commit, a conflict, no such commit

    # -- cleanup and undo

    def cleanup(self) -> None:
        kept = self.kept(True)
        if kept:
            how = self.dice.choice(("in here", "in here", "killed", "killed", "by command", "user removed it"))
            before = dict(self.precious)
            self.remember(kept)
            self.story.append("cleanup %s of %s" % (how, kept.worktree.run))
            self._cleaned(kept, how)
            self.check()
            if self.stands(kept):
                self.precious = before  # it was killed before it removed anything: its worker may go on
                self.story.append("  and left it all")

    def _cleaned(self, kept: Kept, how: str) -> None:
        if how == "killed":
            self._killed(kept, lambda: clearing.remove_worktree(self.home, CONFIG, kept))
        elif how == "by command":
            self.world.ok("cleanup", kept.worktree.run, "--yes")
        elif how == "user removed it":
            del self.states[kept.worktree.run]
            run_id = kept.worktree.run  # what he removed himself was not ours to keep
            self.precious = {oid: of for oid, of in self.precious.items() if of[0] != run_id}
            git(self.repo, "worktree", "remove", "--force", "--force", str(self.top(kept)))
            clearing.remove_worktree(self.home, CONFIG, kept)
        else:
            clearing.remove_worktree(self.home, CONFIG, kept)

    def undo(self) -> None:
        kept = self.kept(False)
        if kept is None:
            return
        how = self.dice.choice(("in here", "in here", "killed", "by command"))
        self.story.append("undo %s of %s" % (how, kept.worktree.run))
        if how == "killed":
            self._killed(kept, lambda: undoing.undo(self.home, kept.worktree.run))
        if how == "by command":
            self.world.ok("undo", kept.worktree.run)
        else:
            self.restored(kept)

    def restored(self, kept: Kept) -> None:
        """Bring it back, if it is not, and compare."""
        known = custody.load(self.home, kept.worktree.run)
        if known and known.removed_at:
            undoing.undo(self.home, kept.worktree.run)
        before = self.states.get(kept.worktree.run)
        after = State(kept)
        assert before is None or before == after, differences(before, after)

    def _killed(self, kept: Kept, what: Callable[[], object]) -> None:
        """In a process that is killed after a while, or at the n-th thing of a kind that it does."""
        seconds, (kind, most) = self.dice.random() * 0.5, self.dice.choice(KINDS)
        number = self.dice.randrange(1, most)
        pid = _doomed(kind, number, what)
        self.story.append("  to be killed at %s %d" % (kind, number))
        if kind == "time":
            time.sleep(seconds)
            os.kill(pid, signal.SIGKILL)
        _, how = os.waitpid(pid, 0)
        self.story.append("  it was at its end" if os.WIFEXITED(how) else "  it was killed")
        _until(lambda: not locks.held(os.path.join(self.home.custody, kept.worktree.run + ".lock")))

    # -- the model

    def remember(self, kept: Kept) -> None:
        """Every byte and every commit that is in a worktree now."""
        self.states[kept.worktree.run] = State(kept)
        top = self.top(kept)
        for oid, path in contents(top):
            self.precious[oid] = (kept.worktree.run, path)
        for line in said(top, "ls-files", "--stage", "-z").split("\0"):
            if line and not line.startswith("160000"):
                self.precious[line.split()[1]] = (kept.worktree.run, "staged: " + line)
        log = git(top, "log", "--format=%H", "-g", "HEAD").split() + git(top, "rev-list", "HEAD").split()
        for oid in {*log, *git(top, "rev-list", kept.worktree.branch).split()}:
            self.precious[oid] = (kept.worktree.run, "a commit")

    def check(self) -> None:
        """Nothing is lost: it is reachable from a ref, or it stands in a worktree."""
        listing = said(self.repo, "rev-list", "--objects", "--all")
        missing = self.precious.keys() - {line.split(" ", 1)[0] for line in listing.splitlines()}
        if missing:
            for kept in custody.every(self.home):
                if self.top(kept).is_dir():
                    missing -= self._standing(kept)
        assert not missing, [self.precious[oid] for oid in sorted(missing)]

    def _standing(self, kept: Kept) -> set[str]:
        top = self.top(kept)
        staged = {line.split()[1] for line in said(top, "ls-files", "--stage", "-z").split("\0") if line}
        reflog = set(said(top, "rev-list", "--objects", "-g", "HEAD").split())
        return {oid for oid, _ in contents(top)} | staged | reflog

    def play(self) -> None:
        some = [self.make, self.edit, self.edit, self.stage, self.commit, self.rewind, self.leave, self.clash]
        some += [self.nest, self.merge, self.cleanup, self.cleanup, self.cleanup, self.undo, self.undo]
        self.make()
        if self.dice.random() < 0.4:
            self.run()
        for _ in range(STEPS):
            step = self.dice.choice(some)
            self.story.append(step.__name__)
            step()
            if step.__name__ in ("cleanup", "undo"):
                self._settle()
                self.check()
        self._end()

    def _settle(self) -> None:
        """What a killed one left is finished by the next, whichever that is; half of a worktree never stands."""
        for kept in custody.every(self.home):
            if not kept.removed_at and not self.stands(kept):
                self.story.append("  and left the half: %s" % sorted(os.listdir(self.home.worktrees)))
                self.check()
                how = self.dice.choice((clearing.remove_worktree, undoing.undo))
                self.story.append("then %s of %s" % (how.__name__, kept.worktree.run))
                if how is undoing.undo:
                    try:
                        undoing.undo(self.home, kept.worktree.run)
                    except AgentctlError as e:
                        assert "was not removed" in str(e), e
                else:
                    clearing.remove_worktree(self.home, CONFIG, kept)

    def _end(self) -> None:
        """Everything is removed, git collects its garbage, everything comes back."""
        for kept in custody.every(self.home):
            if not kept.removed_at:
                self.remember(kept)
            clearing.remove_worktree(self.home, CONFIG, kept) if not kept.removed_at else None
        clearing.sweep(self.home, time.time())
        git(self.repo, "reflog", "expire", "--expire=now", "--all")
        git(self.repo, "gc", "-q", "--prune=now")
        self.check()
        assert sorted(n for n in os.listdir(self.checkout.common) if n.startswith("agentctl-")) == []
        for kept in custody.every(self.home):
            try:
                self.restored(kept)
            except AgentctlError as e:
                assert "another branch" in str(e), e
        self.check()


def contents(top: Path) -> list[tuple[str, str]]:
    """The blob ids of all files and links below, as git would have them; and their paths."""
    found = []
    for folder, folders, names in os.walk(top):
        for name in (*names, *(n for n in folders if os.path.islink(os.path.join(folder, n)))):
            path = os.path.join(folder, name)
            data = os.fsencode(os.readlink(path)) if os.path.islink(path) else Path(path).read_bytes()
            found.append((hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(), path))
    return found


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + EPISODES))
def test_no_byte_is_lost(tmp_path: Path, seed: int) -> None:
    play = Play(tmp_path / "world", seed)
    try:
        play.play()
    finally:
        print("AGENTCTL_SEED=%d AGENTCTL_EPISODES=1\n%s" % (seed, "\n".join(play.story)))
        play.world.close()
    shutil.rmtree(tmp_path / "world", ignore_errors=True)


@pytest.mark.parametrize("number", range(1, 12 if LONG else 7))
def test_killed_at_any_rename_a_cleanup_has_left_it_all_or_saved_it_all(tmp_path: Path, number: int) -> None:
    """Whichever comes next finishes it or puts it back, and leaves nothing behind; and so it is with an undo."""
    checkout = Checkout(tmp_path)
    checkout.init()
    kept = checkout.worktree()
    top, run_id = Path(kept.worktree.path), kept.worktree.run
    (top / "new").write_text("new")
    git(top, "checkout", "-q", "--detach")
    git(top, "commit", "-q", "--allow-empty", "-m", "on no branch")
    before = State(kept)

    def settled() -> None:
        clearing.sweep(checkout.home, time.time())
        assert os.listdir(checkout.home.worktrees) == ([run_id] if top.exists() else [])
        assert [name for name in os.listdir(checkout.common) if name.startswith("agentctl-")] == []
        if not top.exists():
            undoing.undo(checkout.home, run_id)
        after = State(kept)
        assert after == before, differences(before, after)

    os.waitpid(_doomed("rename", number, lambda: clearing.remove_worktree(checkout.home, CONFIG, kept)), 0)
    settled()
    clearing.remove_worktree(checkout.home, CONFIG, custody.load(checkout.home, run_id) or kept)
    os.waitpid(_doomed("rename", number, lambda: undoing.undo(checkout.home, run_id)), 0)
    settled()
