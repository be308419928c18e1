"""A worktree written into one commit (rescue.py tells its form), with nothing of the worktree changed.

Files are stored raw: filters, line ends and modes are what `undo` must not have to
guess. Everything is hashed, for the index's word about what is unchanged is a worker's.
And everything is looked at again afterwards: what was written to meanwhile is stored anew.
"""

from __future__ import annotations

import os
import time

from .. import files
from .. import gitdoor
from ..custody import Kept
from ..record import Record
from ..text import one_line
from ..trees import checkouts
from ..trees import worktree
from . import bundling
from . import rescue
from . import tracing
from . import walking
from .rescue import About
from .rescue import Rescue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..gitdoor import Door
    from .bundling import Bundle

_TRIES = 3
_TEXT_LIMIT = 16 << 20


class Wants(Record):
    """How to save: ignored files too; at most so many bytes beyond what HEAD has; in so many seconds."""

    ignored: bool = True
    limit: int = 2048 << 20
    seconds: float = 600.0


class Saved(Record):
    """What is saved, or would be: `files` and `size` (bytes) beyond HEAD, `commits` that no other ref
    holds, `ignored` files that are left out; `commit` is the rescue, `tip` where the branch is."""

    commit: str = ""
    tip: str = ""
    files: int = 0
    size: int = 0
    commits: int = 0
    ignored: int = 0


class Look:
    """A worktree at one moment: its directory (None where that is gone), its own git directory, its refs."""

    def __init__(self, kept: Kept, seconds: float) -> None:
        path, own, common = kept.worktree.path, worktree.admin(kept.worktree), kept.worktree.common
        _refuse(path, own, common)
        self.top = walking.scan(os.fsencode(path)) if _stands(path) else None
        self.own = walking.scan(os.fsencode(own)) if _stands(own) else []
        self.tip = rescue.commit_of(gitdoor.shared(common, seconds), "refs/heads/" + kept.worktree.branch)
        self.head = rescue.commit_of(gitdoor.linked(common, own, seconds), "HEAD") if self.own else self.tip

    def same(self, other: Look) -> bool:
        """Whether nothing was written between the two."""
        if (self.top is None, self.head, self.tip) != (other.top is None, other.head, other.tip):
            return False
        return walking.same(self.top or [], other.top or []) and walking.same(self.own, other.own)


def _refuse(path: str, own: str, common: str) -> None:
    """Raises where somebody wants it to stay."""
    if os.path.lexists(os.path.join(own, "locked")):
        raise gitdoor.CannotError("it is locked: `git worktree unlock %s`" % path)
    moved = _moved_to(path, own)
    if moved:
        raise gitdoor.CannotError("it was moved to %s: `git worktree move` it back" % moved)
    for other in checkouts.every(common):
        if other.path.startswith(path + "/"):
            raise gitdoor.CannotError("another worktree stands in it: %s" % other.path)


def _moved_to(path: str, own: str) -> str:
    """Where its own git directory says that it is, if that is elsewhere and something is there."""
    words = os.fsdecode(_text(os.path.join(own, "gitdir"))).rstrip("\n")
    there = os.path.dirname(os.path.normpath(os.path.join(own, words))) if words else path
    return there if os.path.realpath(there) != os.path.realpath(path) and os.path.lexists(there) else ""


def _stands(path: str) -> bool:
    if os.path.lexists(path) and not walking.is_folder(path):
        raise gitdoor.CannotError("what stands at %s is no folder" % path)
    return os.path.lexists(path)


def measure(kept: Kept, scratch: str, wants: Wants) -> Saved:
    """What `save` would save. Raises what gitdoor.TROUBLE names, with the reason why it cannot be saved."""
    return _Saving(kept, Look(kept, wants.seconds), scratch, wants).measured()


def save(kept: Kept, scratch: str, wants: Wants) -> tuple[Saved, Look]:
    """Save all of it under refs/agentctl/rescue/<run>, on disk when this returns; and what was seen.

    The caller holds the worktree alone. Raises what gitdoor.TROUBLE names, with the
    reason; nothing was changed then.
    """
    for _ in range(_TRIES):
        before = Look(kept, wants.seconds)
        saving = _Saving(kept, before, scratch, wants)
        saved = saving.stored()
        if before.same(Look(kept, wants.seconds)):
            _flush()
            _point(kept, saved.commit, saving.earlier)
            return saved, before
    raise gitdoor.CannotError("it is written to all the time")


def _flush() -> None:
    """Everything that was written is on disk, not only what we wrote: a worker's git flushes none of its objects.

    On macOS it is no more than handed to the drive; git, as it then writes the ref, has the drive write what it has.
    """
    os.sync()


def _point(kept: Kept, commit: str, earlier: str) -> None:
    door = rescue.references(kept.worktree.common, 60)
    old = earlier or "0" * len(commit)
    door.ask("update-ref", "-m", "agentctl cleanup", rescue.ref(kept.worktree.run), commit, old)


class _Saving:
    """One try."""

    def __init__(self, kept: Kept, look: Look, scratch: str, wants: Wants) -> None:
        self.kept, self.look, self.wants = kept, look, wants
        common, run = kept.worktree.common, kept.worktree.run
        self.door: Door = rescue.objects(common, scratch, wants.seconds)
        refs = gitdoor.shared(common, wants.seconds)
        listing = refs.line("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
        self.refs = {name: oid for oid, _, name in (line.partition(" ") for line in listing)}
        self.earlier = self.refs.get(rescue.ref(run), "")
        self.log = _text(rescue.branch_log(kept))
        texts = (*self._texts(), self.log, look.tip.encode("ascii"))
        self.traced = tracing.trace(self.door, texts, look.head, list(self.refs.values()))
        self.bundle: Bundle = bundling.Bundle(self.door, scratch, _left_out(kept, look, scratch, wants))
        self.bundle.add_top(kept.worktree.path, look.top or [])
        self.bundle.add_own(worktree.admin(kept.worktree), look.own)
        self.committed = self._committed()

    def _texts(self) -> Iterator[bytes]:
        """All that the own git directory says, but for the index and submodules' repositories."""
        own = worktree.admin(self.kept.worktree)
        for entry in self.look.own:
            passed = entry.path.startswith((b"modules/", b"sharedindex.")) or entry.path == b"index"
            if entry.kind == walking.FILE and not passed:
                yield _text(os.path.join(own, os.fsdecode(entry.path)))

    def _committed(self) -> dict[str, tuple[str, str]]:
        """HEAD's files: path → mode, id."""
        return {s.path: (s.mode, s.oid) for s in rescue.stored(self.door, self.traced.head)} if self.traced.head else {}

    def measured(self) -> Saved:
        """Raises where it is more than may be saved."""
        known = {oid for _, oid in self.committed.values()}
        size = sum(self.bundle.sizes(known).values())
        if size > self.wants.limit:
            words = "%d MB to save: more than the %d MB of rescue_limit_mb"
            raise gitdoor.CannotError(words % (-(-size >> 20), self.wants.limit >> 20))
        mine = (rescue.ref(self.kept.worktree.run), "refs/heads/" + self.kept.worktree.branch)
        others = [oid for name, oid in self.refs.items() if name not in mine]
        tips = [oid for oid in (self.traced.head, *self.traced.tips) if oid]
        changed = [path for path, *blob in self.bundle.files() if self.committed.get(path) != tuple(blob)]
        return Saved(
            tip=self.look.tip,
            files=len(changed),
            size=size,
            commits=tracing.fresh(self.door, tips, others),
            ignored=len(self.bundle.left_out),
        )

    def stored(self) -> Saved:
        """The commit, with all that is in it; no ref leads to it yet."""
        saved = self.measured()
        self.bundle.write({oid for _, oid in self.committed.values()})
        index = self._commit(self.bundle.staged_tree(), b"what was staged\n", self.traced.head)
        git = self._commit(self._git_tree(), b"what git keeps of a worktree\n")
        trees = [self._commit(tree, b"a tree that was named\n") for tree in self.traced.trees]
        made = Rescue(head=self.traced.head, index=index, git=git, earlier=self.earlier)
        parents = (self.traced.head, index, git, *self.traced.tips, *trees, self.earlier)
        title = one_line("%s %s" % (self.kept.worktree.run, self.kept.title), 120)
        tree = self.bundle.top_tree() if self.look.top is not None else self._tree_of_head()
        return saved.replace(commit=self._commit(tree, rescue.message(title, made), *parents))

    def _tree_of_head(self) -> str:
        return (
            self.door.line("rev-parse", self.traced.head + "^{tree}") if self.traced.head else self.door.line("mktree")
        )

    def _git_tree(self) -> str:
        about = About(
            kept=self.kept,
            saved_at=time.time(),
            tip=self.look.tip,
            top=bundling.beside(self.bundle.entries),
            own=bundling.beside(self.look.own),
            unsound=self.traced.unsound,
            ignored=len(self.bundle.left_out),
            missing=self.look.top is None,
        )
        texts = {rescue.ABOUT: files.dump(about.to_json()), **({rescue.BRANCH: self.log} if self.log else {})}
        return self.bundle.git_tree(texts, self.traced.blobs)

    def _commit(self, tree: str, words: bytes, *parents: str) -> str:
        named = [word for parent in dict.fromkeys(parents) if parent for word in ("-p", parent)]
        return os.fsdecode(self.door.ask("commit-tree", tree, *named, stdin=words)).strip()


def _left_out(kept: Kept, look: Look, scratch: str, wants: Wants) -> list[bytes]:
    """Ignored files and folders, if they are not to be saved."""
    if wants.ignored or look.top is None:
        return []
    index = os.path.join(scratch, "index-for-ignored")
    files.remove(index)
    own_index = os.path.join(worktree.admin(kept.worktree), "index")
    if os.path.isfile(own_index):
        files.create(index, files.read(own_index, 1 << 30))
    door = gitdoor.content(kept.worktree.common, kept.worktree.path, index, scratch, wants.seconds)
    listing = door.ask("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
    return [path for path in listing.split(b"\0") if path]


def _text(path: str) -> bytes:
    """A regular file's content; nothing where it is none."""
    if os.path.islink(path) or not os.path.isfile(path):
        return b""
    return files.read(path, _TEXT_LIMIT)
