"""The one door to git: the state of a directory at a run's birth, and what became of it.

Plain `git diff --stat` says nothing of what the worker committed or of new files,
and says too much where the user had edits of his own. So both moments are written
as trees, uncommitted and untracked files included, and the trees are compared.
How that is done without touching the repository or running its code: gitdoor.py.

Submodules and repositories inside the repository are not looked into. Nothing
here raises for what git cannot do: the values carry a note.
"""

from __future__ import annotations

import os
import stat
import time

from . import files
from . import gitdoor
from . import proc
from .model import Git
from .record import Record
from .text import one_line

PATCH_LIMIT = 16 << 20
FILES_LIMIT = 2000
STAT_LIMIT = 4000
LARGE_FILE = 32 << 20
UNCOMMITTED_LIMIT = 256 << 20
"""Bytes: of diff.patch; of one uncommitted file, and of all of them, that a state holds."""

_NO_REPOSITORY = "not a git repository"
_DIFF = ("diff-tree", "-r", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "--no-color")


class Snapshot(Record):
    """A repository at one moment. `tree` is the working directory as it was, uncommitted and
    untracked files included, ignored ones not; its objects may live under `scratch` only.
    `head` is empty before the first commit; all but `note` is empty where there is no repository.
    `whole` is false where `tree` had to be that of HEAD."""

    repo: str = ""
    head: str = ""
    tree: str = ""
    note: str = ""
    whole: bool = True


def toplevel(cwd: str) -> str:
    """The top directory of the working tree `cwd` is in; "" where git sees none."""
    try:
        return gitdoor.Door(cwd, time.monotonic() + 5.0, gitdoor.environment()).line("rev-parse", "--show-toplevel")
    except gitdoor.TROUBLE:
        return ""  # no git, no repository, somebody else's: the same to who asks this


def snapshot(cwd: str, scratch: str, timeout: float = 10.0) -> Snapshot:
    """The state of `cwd`'s repository now. Takes `timeout` seconds at most; where that is
    too short for the working directory, `tree` is that of HEAD and `note` says so."""
    deadline = time.monotonic() + timeout
    try:
        repo = gitdoor.discover(cwd, deadline)
        return _recorded(repo, gitdoor.private(repo, scratch, deadline))
    except gitdoor.TROUBLE as e:
        return Snapshot(note=_reason(e))


def changes(cwd: str, scratch: str, before: Snapshot, stat_path: str, patch_path: str, timeout: float = 30.0) -> Git:
    """What became of the repository since `before` (same `scratch`): commits, edits and
    untracked files together; what was uncommitted before is not in it.

    Writes `diff --stat` and the patch to two new 0600 files. `files` are names from the
    top, bytes that are not UTF-8 as surrogates; `diff_stat` is the last line only where
    all of it is long. Takes `timeout` seconds at most.
    """
    if not before.tree:
        made = before.note == _NO_REPOSITORY and gitdoor.may_be_repository(cwd) and toplevel(cwd)
        return Git(base=before.head, note="a repository only since the run: no diff" if made else before.note)
    deadline = time.monotonic() + timeout
    try:
        repo = gitdoor.discover(before.repo, deadline)
        if repo.top != before.repo:
            raise gitdoor.CannotError("the repository of the run's birth is gone")
        door = gitdoor.private(repo, scratch, deadline)
        return _compared(door, before, _recorded(repo, door), stat_path, patch_path)
    except gitdoor.TROUBLE as e:
        return Git(base=before.head, note=_joined(before.note, "no diff: " + _reason(e)))


def _recorded(repo: gitdoor.Repo, door: gitdoor.Door) -> Snapshot:
    """The working directory as a tree; HEAD's where that fails, for which a fifth of the time is kept."""
    end = door.deadline
    door.deadline -= (end - time.monotonic()) / 5
    try:
        tree, note = working_tree(door, repo.top)
        return Snapshot(repo=repo.top, head=repo.head, tree=tree, note=note)
    except gitdoor.TROUBLE as e:
        note = "uncommitted changes not recorded: " + _reason(e)
    finally:
        door.deadline = end
    return Snapshot(repo=repo.top, head=repo.head, tree=_committed(door, repo.head), note=note, whole=False)


def _committed(door: gitdoor.Door, head: str) -> str:
    return door.line("rev-parse", "--quiet", "--verify", head + "^{tree}") if head else door.line("mktree")


def working_tree(door: gitdoor.Door, top: str) -> tuple[str, str]:
    """The directory as a tree, written where the door writes objects; and a note about what was left out.

    Plumbing, not `git add -A`: that runs `git status` inside submodules and fails
    as a whole on one unreadable file or one empty repository inside.
    """
    gone, changed = _edited(door.ask("diff-files", "--name-status", "-z", "--no-ext-diff", "--ignore-submodules=all"))
    untracked = door.ask("ls-files", "--others", "--exclude-standard", "-z").split(b"\0")
    changed += [name for name in untracked if name and not name.endswith(b"/")]
    kept, note = _storable(os.fsencode(top), changed)
    if gone:
        door.ask("update-index", "-z", "--force-remove", "--stdin", stdin=b"\0".join(gone))
    if kept:
        door.ask("update-index", "-z", "--add", "--remove", "--stdin", stdin=b"\0".join(kept))
    return door.line("write-tree"), note


def _edited(listing: bytes) -> tuple[list[bytes], list[bytes]]:
    """The names gone and the names changed, of `--name-status -z`."""
    fields = listing.split(b"\0")
    pairs = list(zip(fields[0::2], fields[1::2]))
    return [n for s, n in pairs if s == b"D"], [n for s, n in pairs if s != b"D"]


def _storable(top: bytes, names: list[bytes]) -> tuple[list[bytes], str]:
    """The names we can and want to store, and a note about the others."""
    kept, large, unreadable, total = [], 0, 0, 0
    for name in names:
        path = os.path.join(top, name)
        size, readable = _size(path)
        total += size if size <= LARGE_FILE else 0
        large += size > LARGE_FILE
        unreadable += not readable
        if readable and size <= LARGE_FILE:
            kept.append(name)
    if total > UNCOMMITTED_LIMIT:
        raise gitdoor.CannotError("more than %d MB of them" % (UNCOMMITTED_LIMIT >> 20))
    return kept, _joined(
        "left out: %d over %d MB" % (large, LARGE_FILE >> 20) if large else "",
        "left out: %d unreadable" % unreadable if unreadable else "",
    )


def _size(path: bytes) -> tuple[int, bool]:
    """Bytes, and whether it can be read. What vanished meanwhile can: as a removal."""
    try:
        info = os.lstat(path)
    except OSError:
        return 0, True
    return info.st_size, stat.S_ISLNK(info.st_mode) or os.access(path, os.R_OK)


def _compared(door: gitdoor.Door, before: Snapshot, after: Snapshot, stat_path: str, patch_path: str) -> Git:
    base = before.tree if after.whole else _committed(door, before.head)
    commits, moved = _commits(door, before.head, after.head)
    names = _diff(door, base, after.tree, "--name-only", "-z").split(b"\0")[:-1]
    summary = _diff(door, base, after.tree, "-M", "-l1000", "--stat=100")
    _write(stat_path, summary)
    return Git(
        base=before.head,
        head=after.head,
        commits=commits,
        diff_stat=_short(summary.decode("utf-8", "replace").rstrip("\n")),
        files=tuple(name.decode("utf-8", "surrogateescape") for name in names[:FILES_LIMIT]),
        note=_joined(
            before.note,
            after.note if after.note != before.note else "",
            moved,
            "%d files changed, %d listed" % (len(names), FILES_LIMIT) if len(names) > FILES_LIMIT else "",
            _patch(door, base, after.tree, patch_path),
        ),
    )


def _diff(door: gitdoor.Door, base: str, tree: str, *how: str, limit: int = 64 << 20) -> bytes:
    return door.ask(*_DIFF, *how, base, tree, limit=limit) if base != tree else b""


def _patch(door: gitdoor.Door, base: str, tree: str, path: str) -> str:
    """Write the patch, cut at a line where it is too long; a note about that."""
    try:
        _write(path, _diff(door, base, tree, "-M", "-l1000", "-p", limit=PATCH_LIMIT))
    except proc.ProcOverflow as e:
        _write(path, e.done.out[: e.done.out.rfind(b"\n") + 1])
        return "the patch is cut at %d MB" % (PATCH_LIMIT >> 20)
    except gitdoor.TROUBLE as e:
        return "no patch: " + _reason(e)
    return ""


def _commits(door: gitdoor.Door, base: str, head: str) -> tuple[int, str]:
    """How many commits are new, and a note where the base is not below them."""
    if base == head or not head:
        return 0, "no commit left" if base != head else ""
    if not base:
        return int(door.line("rev-list", "--count", head)), ""
    lost, new = door.line("rev-list", "--left-right", "--count", "%s...%s" % (base, head)).split()
    return int(new), "HEAD left its base commit (reset, rebase or another branch)" if int(lost) else ""


def _write(path: str, data: bytes) -> None:
    files.remove(path)
    files.create(path, data)


def _short(summary: str) -> str:
    return summary if len(summary) <= STAT_LIMIT else summary[summary.rfind("\n") + 1 :].strip()


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and error.filename == "git":
        return "git is not installed"
    text = one_line(error, 300)
    return _NO_REPOSITORY if text.startswith("fatal: not a git repository") else text
