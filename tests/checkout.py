"""Worktrees for tests: made as a run's are, soiled in every way, and compared byte for byte."""

from __future__ import annotations

import hashlib
import os
import random
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

from agentctl import custody
from agentctl import store
from agentctl.model import Worktree
from agentctl.store import Home
from conftest import git


class Checkout:
    """A repository, and worktrees of it with custody records in a home."""

    def __init__(self, root: Path, home: Home | None = None) -> None:
        self.root = root
        self.repo = root / "project"
        self.home = home or store.create_home(str(root / "orch"))
        self._made = 0

    def init(self, *options: str) -> None:
        """A repository with a few files and a commit."""
        self.repo.mkdir(exist_ok=True)
        git(self.repo, "init", "-q", "-b", "main", *options)
        (self.repo / "a.txt").write_text("one\n")
        (self.repo / "sub").mkdir()
        (self.repo / "sub" / "b.txt").write_text("two\n")
        (self.repo / "tool.sh").write_text("#!/bin/sh\n")
        (self.repo / "tool.sh").chmod(0o755)
        (self.repo / ".gitignore").write_text("*.log\nbuild/\n")
        git(self.repo, "add", "-A")
        git(self.repo, "commit", "-q", "-m", "first")

    @property
    def common(self) -> Path:
        """The git directory that its worktrees share."""
        inside = self.repo / ".git"
        return inside if inside.is_dir() else self.repo

    def worktree(self, run_id: str = "", base: str = "HEAD") -> custody.Kept:
        """As `start --worktree` makes it, with its record."""
        self._made += 1
        run_id = run_id or "20260101-0000%02d-%04x" % (self._made % 60, self._made)
        path, branch = Path(self.home.worktrees) / run_id, "agentctl/t-%s" % run_id[-4:]
        git(self.repo, "worktree", "add", "-q", "-b", branch, str(path), base)
        made = Worktree(
            run=run_id,
            path=str(path),
            branch=branch,
            base=git(self.repo, "rev-parse", base).strip(),
            common=str(self.common),
            source=str(self.repo),
        )
        kept = custody.Kept(worktree=made, project="p", title="test %s" % run_id, author="shell", made_at=time.time())
        kept = kept.replace(filled_at=kept.made_at)
        custody.save(self.home, kept)
        return kept

    def rescued(self, kept: custody.Kept, path: str) -> bytes:
        """What a user sees of a file in the rescue."""
        name = "refs/agentctl/rescue/%s:%s" % (kept.worktree.run, path)
        return subprocess.run(["git", "-C", str(self.repo), "show", name], check=True, capture_output=True).stdout


def manifest(top: Path | str) -> dict[str, tuple[Any, ...]]:
    """Path → kind, mode, bytes, of everything below."""
    found: dict[str, tuple[Any, ...]] = {}
    for folder, folders, names in os.walk(top):
        for name in (*folders, *names):
            path = os.path.join(folder, name)
            info = os.lstat(path)
            kind = stat.S_IFMT(info.st_mode)
            content = b""
            if kind == stat.S_IFLNK:
                content = os.fsencode(os.readlink(path))
            elif kind == stat.S_IFREG:
                content = hashlib.sha256(Path(path).read_bytes()).digest()
            mode = stat.S_IMODE(info.st_mode) if kind != stat.S_IFLNK else 0
            found[os.path.relpath(path, top)] = (kind, mode, content)
    return found


def said(top: Path | str, *words: str) -> str:
    """What git prints, whatever its bytes; it writes nothing, no fresh index either."""
    argv, env = ["git", "-C", str(top), *words], {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    return os.fsdecode(subprocess.run(argv, env=env, check=True, capture_output=True).stdout)


def status(top: Path | str) -> str:
    """What git says of the index and the files."""
    return said(top, "status", "--porcelain=v2", "--branch", "--ignored")


class State:
    """A worktree as it is, to be compared."""

    def __init__(self, kept: custody.Kept) -> None:
        made = kept.worktree
        self.files = manifest(made.path)
        self.status = status(made.path)
        self.head = said(made.path, "rev-parse", "HEAD")
        self.staged = said(made.path, "ls-files", "--stage", "-z")
        self.reflog = said(made.path, "reflog", "--format=%H %gs")
        self.branch_log = said(made.path, "reflog", "--format=%H %gs", made.branch, "--")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self.__dict__ == other.__dict__

    def __repr__(self) -> str:
        return repr({name: value for name, value in self.__dict__.items() if name != "files"})

    __hash__ = None  # type: ignore[assignment]


def differences(one: State, other: State) -> str:
    """What differs, for people."""
    said = [name for name in one.__dict__ if getattr(one, name) != getattr(other, name)]
    paths = set(one.files) | set(other.files)
    said += [
        "%r: %s -> %s" % (p, one.files.get(p), other.files.get(p))
        for p in sorted(paths)
        if one.files.get(p) != other.files.get(p)
    ]
    return "\n".join(said)


NAMES = (
    "plain.txt",
    "ümläut ñ.txt",
    "new\nline",
    "-dash",
    "tab\tname",
    " space ",
    "quo\"te'",
    "back\\slash",
    "a%2eb",
    "~tilde",
    ".hidden",
    "git~1",
    "trailing\r",
    "colon:name",
    "日本/深い/ファイル",
    os.fsdecode(b"bytes-\xff\xfe"),
)


def soil(top: Path, dice: random.Random) -> None:
    """One random change of the files."""
    name = dice.choice(NAMES)
    path = top / (dice.choice(("", "x/", "build/", "sub/")) + name + dice.choice(("", "", ".log")))
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        path = path / "below"
    what = dice.randrange(8)
    if what == 0 and path.exists():
        path.unlink()
    elif what == 1 and not os.path.lexists(path):
        path.symlink_to(dice.choice(("a.txt", "/etc/passwd", "nowhere", "..", "../../.git")))
    elif what == 2:
        path.with_name("empty-%d" % dice.randrange(9)).mkdir(exist_ok=True)
    elif not path.is_symlink():
        path.write_bytes(dice.choice((b"", b"text\n", b"a\r\nb\r\n", b"\0\xff\x80", b"x" * 70000)) + dice.randbytes(4))
        path.chmod(dice.choice((0o644, 0o755, 0o600, 0o444, 0o640, 0o4755)))
