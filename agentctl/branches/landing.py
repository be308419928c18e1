"""Branches put together as objects: forecasts, merges, squashes, rebases, and the target's move.

No checkout is needed for any of it. `git merge-tree` does the merging in a git
directory of our own: of .gitattributes the drivers that git has built in work
(merge=union), those of a config that a worker may have written do not. git reads
attributes from files, so those of the target are laid out in an otherwise empty folder.

What is written goes to the repository's object store, flushed to disk before the
target moves; the target moves by compare-and-swap or not at all.
"""

from __future__ import annotations

import os
import time

from .. import files
from .. import gitdoor
from ..errors import AgentctlError
from ..record import Record
from ..text import one_line
from . import mergetree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..gitdoor import Door

STRATEGIES = ("merge", "squash", "rebase")
HEADS = "refs/heads/"
KEPT = "refs/agentctl/merged/"
"""Where a verified commit waits that could not be landed."""
_DURABLE = ("-c", "core.fsync=committed,loose-object")
_STEP_S = 120.0
_NOBODY = "agentctl <agentctl@agentctl.invalid>"


class Work(Record):
    """What a run leaves to be landed: its branch at `tip`, and words for the commit."""

    run: str = ""
    branch: str = ""
    tip: str = ""
    title: str = ""
    author: str = ""


class Stacked(Record):
    """`commit` is what it was put upon, with it: the same commit where it brings nothing new.
    Else "", with the files in conflict, or another `problem`."""

    commit: str = ""
    conflicts: tuple[str, ...] = ()
    problem: str = ""


class Site:
    """A repository, and a folder of ours to work on it. Each call has its own time limit."""

    def __init__(self, common: str, scratch: str) -> None:
        self.common = common
        self._scratch = scratch
        self._refs = gitdoor.shared(common, _STEP_S)
        self._refs.argv += _DURABLE
        self._refs.env["GIT_NO_REPLACE_OBJECTS"] = "1"
        top = os.path.join(scratch, "attributes-" + os.urandom(4).hex())
        files.private_folder(top)
        self._objects = gitdoor.content(common, top, top + ".index", scratch, _STEP_S)
        self._objects.argv += _DURABLE

    @property
    def refs(self) -> Door:
        """For refs and the graph of commits."""
        self._refs.deadline = time.monotonic() + _STEP_S
        return self._refs

    @property
    def objects(self) -> Door:
        """For contents."""
        self._objects.deadline = time.monotonic() + _STEP_S
        return self._objects

    def write_elsewhere(self) -> None:
        """For a forecast: what it writes goes with our own folder."""
        objects = os.path.join(self._scratch, "objects")
        files.private_folder(objects)
        self._objects.env["GIT_OBJECT_DIRECTORY"] = objects
        self._objects.env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = gitdoor.quoted(os.path.join(self.common, "objects"))

    def take_attributes(self, commit: str) -> None:
        """Have the .gitattributes of this commit decide how contents are merged."""
        self.objects.ask("read-tree", commit)
        names = self.objects.ask("ls-files", "-z", "--", ":(glob)**/.gitattributes")
        self.objects.ask("checkout-index", "-f", "-z", "--stdin", stdin=names)


def require_merge_tree(common: str) -> None:
    """Raises AgentctlError where git is too old to merge without a checkout."""
    said = gitdoor.shared(common, 10.0).line("version").split()
    numbers = [int(part) for part in (said[2] if len(said) > 2 else "").split(".")[:2] if part.isdigit()]
    if numbers < [2, 38]:
        raise AgentctlError("git %s is too old for this: it needs git 2.38" % ".".join(map(str, numbers)), "update git")


def tip(site: Site, branch: str) -> str:
    """The commit of a branch; "" where there is no such branch."""
    try:
        return site.refs.line("rev-parse", "--quiet", "--verify", "%s%s^{commit}" % (HEADS, branch))
    except gitdoor.CannotError:
        return ""


def resolved(site: Site, branch: str) -> str:
    """The branch that a symbolic ref leads to, by its short name; of any other, itself."""
    try:
        found = site.refs.line("symbolic-ref", "--quiet", HEADS + branch)
    except gitdoor.CannotError:
        return branch  # a branch like most
    return found[len(HEADS) :] if found.startswith(HEADS) else branch


def head_of(site: Site, own: str) -> str:
    """The commit that the worktree whose own git directory this is stands on; "" where that cannot be told."""
    try:
        return gitdoor.linked(site.common, own, _STEP_S).line("rev-parse", "--quiet", "--verify", "HEAD^{commit}")
    except gitdoor.TROUBLE:
        return ""


def merge_base(site: Site, one: str, other: str) -> str:
    """The newest commit that both have; "" where there is none."""
    try:
        return site.refs.line("merge-base", one, other)
    except gitdoor.CannotError:
        return ""


def is_ancestor(site: Site, old: str, new: str) -> bool:
    return merge_base(site, old, new) == old


def forecast(site: Site, target: str, branch: str) -> tuple[str, ...]:
    """The files that would be in conflict if the one commit were merged into the other. Raises gitdoor.TROUBLE."""
    return _merged(site, target, branch)[1]


def _merged(site: Site, one: str, other: str) -> tuple[str, tuple[str, ...]]:
    """The merged tree, and the files in conflict."""
    try:
        out = site.objects.ask("merge-tree", "--write-tree", "--name-only", "-z", one, other)
        return out.partition(b"\0")[0].decode("ascii"), ()
    except gitdoor.CannotError as e:
        if e.done.code != 1:
            raise
        names = mergetree.in_conflict(e.done.out)
        if not names:
            raise
        return "", names


def stack(site: Site, onto: str, work: Work, strategy: str) -> Stacked:
    """A commit that is `onto` with the work of a run. Raises gitdoor.TROUBLE where git cannot say."""
    how: Callable[[Site, str, Work], Stacked] = {"merge": _merge, "squash": _squash, "rebase": _rebase}[strategy]
    try:
        return Stacked(commit=onto) if is_ancestor(site, work.tip, onto) else how(site, onto, work)
    except gitdoor.CannotError as e:
        return Stacked(problem=one_line(e, 200))


def _merge(site: Site, onto: str, work: Work) -> Stacked:
    tree, conflicts = _merged(site, onto, work.tip)
    if conflicts or tree == _tree(site, onto):
        return Stacked(conflicts=conflicts, commit="" if conflicts else onto)
    words = "Merge %s: %s\n\nagentctl run %s\n" % (work.branch, one_line(work.title), work.run)
    return Stacked(commit=_commit(site, tree, (onto, work.tip), "", words))


def _squash(site: Site, onto: str, work: Work) -> Stacked:
    tree, conflicts = _merged(site, onto, work.tip)
    if conflicts or tree == _tree(site, onto):
        return Stacked(conflicts=conflicts, commit="" if conflicts else onto)
    subjects = "".join("* %s\n" % one_line(subject) for _, subject in commits(site, onto, work.tip))
    words = "%s\n\nagentctl run %s\n\n%s" % (one_line(work.title), work.run, subjects)
    author = work.author or "worker"
    return Stacked(commit=_commit(site, tree, (onto,), "%s <%s@agentctl.invalid>" % (author, author), words))


def _rebase(site: Site, onto: str, work: Work) -> Stacked:
    """Commit by commit. A cherry-pick is a merge whose base is the commit's own parent: that
    parent is given our tree's commit as a child, for `merge-tree` finds its base by itself."""
    listed = site.refs.line("rev-list", "--reverse", "--topo-order", "--parents", _new(onto, work)).split("\n")
    if any(len(line.split()) != 2 for line in listed if line):
        return Stacked(problem="it holds merges, which rebase cannot take over: use --strategy merge")
    new = onto
    for commit, parent in (line.split() for line in listed if line):
        tree = _tree(site, new)
        beside = _commit(site, tree, (parent,), "", "")
        picked, conflicts = _merged(site, beside, commit)
        if conflicts:
            return Stacked(conflicts=conflicts)
        if picked != tree:
            new = _copy(site, picked, new, commit)
    return Stacked(commit=new)


def _new(onto: str, work: Work) -> str:
    return "%s..%s" % (onto, work.tip)


def _tree(site: Site, commit: str) -> str:
    return site.objects.line("rev-parse", "--verify", commit + "^{tree}")


def _commit(site: Site, tree: str, parents: tuple[str, ...], author: str, words: str) -> str:
    ours = committer(site)
    stamp = " ".join(ours.split(" ")[-2:])
    return _written(
        site, tree, parents, "%s %s" % (author, stamp) if author else ours, ours, words.encode("utf-8", "replace")
    )


def _copy(site: Site, tree: str, parent: str, commit: str) -> str:
    """The commit with its author, date and message, elsewhere."""
    head, _, message = site.objects.ask("cat-file", "commit", commit).partition(b"\n\n")
    lines = head.split(b"\n")
    author = next(os.fsdecode(line[7:]) for line in lines if line.startswith(b"author "))
    more = tuple(line for line in lines if line.startswith(b"encoding "))
    return _written(site, tree, (parent,), author, committer(site), message, more)


def _written(
    site: Site, tree: str, parents: tuple[str, ...], author: str, by: str, message: bytes, more: tuple[bytes, ...] = ()
) -> str:
    lines = [b"tree " + tree.encode("ascii"), *(b"parent " + parent.encode("ascii") for parent in parents)]
    lines += [b"author " + os.fsencode(author), b"committer " + os.fsencode(by), *more, b"", message]
    return (
        site.objects.ask("hash-object", "-t", "commit", "-w", "--stdin", stdin=b"\n".join(lines))
        .decode("ascii")
        .strip()
    )


def committer(site: Site) -> str:
    """Who commits, and now: the user where git knows him."""
    site.refs.env.update({k: v for k, v in os.environ.items() if k in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")})
    try:
        return site.refs.line("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT")
    except gitdoor.CannotError:
        return "%s %d +0000" % (_NOBODY, time.time())


def move(site: Site, branch: str, old: str, new: str) -> bool:
    """Move a branch if it still is at `old`; False where it is not."""
    try:
        site.refs.ask("update-ref", "-m", "agentctl merge: verified as a whole", HEADS + branch, new, old)
    except gitdoor.CannotError:
        if tip(site, branch) == old:
            raise
        return False
    return True


def keep(site: Site, branch: str, commit: str) -> str:
    """Keep a verified commit that could not be landed; the name of its ref."""
    site.refs.ask("update-ref", KEPT + branch, commit)
    return KEPT + branch


def changed_files(site: Site, old: str, new: str) -> tuple[str, ...]:
    """Names of the files that differ between two commits."""
    raw = site.objects.ask("diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new)
    return tuple(os.fsdecode(name) for name in raw.split(b"\0") if name)


def diff_stat(site: Site, old: str, new: str) -> str:
    """What `git diff --stat` says between two commits."""
    how = (
        "-r",
        "--no-ext-diff",
        "--no-textconv",
        "--ignore-submodules=all",
        "--no-color",
        "-M",
        "-l1000",
        "--stat=100",
    )
    return site.objects.ask("diff-tree", *how, old, new).decode("utf-8", "replace").rstrip("\n")


def commits(site: Site, old: str, new: str) -> list[tuple[str, str]]:
    """(commit, subject) of what `new` has and `old` has not, oldest first."""
    raw = site.refs.ask("rev-list", "--reverse", "--topo-order", "--format=%s", "%s..%s" % (old, new))
    lines = raw.decode("utf-8", "replace").split("\n")
    return [(head.partition(" ")[2], subject) for head, subject in zip(lines[0::2], lines[1::2])]
