"""Door to git: whether a worktree can be made of a project, and the plan of it.

Two calls of git that look at no content: `start` must return at once, in a
repository of any size. What cannot be is refused here, with a reason and a
remedy, before a run exists.
"""

from __future__ import annotations

import os
import re
import time

from .. import gitdoor
from ..errors import AgentctlError
from ..model import Worktree
from ..record import Record
from ..text import one_line
from . import operations

_SECONDS = 10.0
_SLUG_LENGTH = 40
_COMMIT = re.compile(r"[0-9a-f]{40,64} commit\Z")


class _Place(Record):
    """Where a folder stands: its own git directory and the common one; the top of its
    checkout ("" in a bare repository) and what of the folder's path is below that."""

    own: str = ""
    common: str = ""
    top: str = ""
    inside: str = ""


def survey(folder: str, base: str, prefix: str, slug: str, where: str) -> Worktree:
    """The plan of a worktree: branch `<prefix>/<slug>-…` from `base` ("": HEAD), below the directory `where`.

    Raises AgentctlError where git has no repository, no commit, or is in the middle of something.
    """
    if "\n" in where + folder:
        raise AgentctlError("no worktree: git cannot record a path with a line end in it", "choose another directory")
    try:
        place, door = _placed(folder)
        if not base:
            _refuse_operation(place)
        commit = _resolved(door, place, base, prefix)
        _refuse_partial(place, commit, folder)
    except FileNotFoundError:
        raise AgentctlError("no worktree: git is not installed", "install git, or start without --worktree") from None
    except (gitdoor.CannotError, OSError) as e:
        raise AgentctlError("no worktree: git says: %s" % one_line(e, 300), "see `git -C %s status`" % folder) from None
    return Worktree(
        path=where,
        inside=place.inside,
        branch="%s/%s-" % (prefix, slugged(slug)),
        base=commit,
        common=place.common,
        source=place.top,
    )


def slugged(title: str) -> str:
    """What of a title can stand in the name of a branch: a-z, 0-9, `-`; never empty."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:_SLUG_LENGTH].strip("-") or "run"


def _placed(folder: str) -> tuple[_Place, gitdoor.Door]:
    env = gitdoor.offline()
    bare = _is_bare(folder)
    if bare:
        env["GIT_DIR"] = folder  # one that is found by itself is refused: safe.bareRepository
    door = gitdoor.Door(folder, time.monotonic() + _SECONDS, env)
    try:
        answer = door.line("rev-parse", "--is-inside-work-tree", "--git-dir", "--git-common-dir", "--show-prefix")
    except gitdoor.CannotError as e:
        if "not a git repository" not in str(e):
            raise
        raise _no_repository(folder) from None
    parts = answer.split("\n")
    if len(parts) != 4 or parts[0] == "true" and bare:
        raise gitdoor.CannotError("a path with a line end" if len(parts) != 4 else "a git directory is no checkout")
    own, common = (os.path.realpath(os.path.join(folder, part)) for part in parts[1:3])
    if parts[0] != "true":
        return _Place(own=own, common=common), door
    inside = parts[3].rstrip("/")
    top = os.path.realpath(folder)
    return _Place(own=own, common=common, inside=inside, top=top[: -len(inside) - 1] if inside else top), door


def _is_bare(folder: str) -> bool:
    """Whether the folder itself is a git directory."""
    there = [os.path.exists(os.path.join(folder, name)) for name in ("HEAD", "objects", "refs")]
    return all(there) and not os.path.lexists(os.path.join(folder, ".git"))


def _no_repository(folder: str) -> AgentctlError:
    return AgentctlError(
        "no worktree: %s is in no git repository" % folder,
        "make it one with `git init` and a first commit, or start without --worktree",
    )


def _refuse_operation(place: _Place) -> None:
    found = operations.under_way(place.own) if place.top else None
    if found:
        raise AgentctlError(
            "no worktree: %s is in progress in %s" % (found.words, place.top),
            "end it (%s), or say what to begin from: `--base BRANCH`" % found.end,
        )


def _resolved(door: gitdoor.Door, place: _Place, base: str, prefix: str) -> str:
    """The commit to begin from. One call tells as well whether a branch is in the way of ours."""
    parts = prefix.split("/")
    above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    asked = ["%s^{commit}" % (base or "HEAD"), *("refs/heads/" + name for name in above)]
    if "\n" in base:
        raise _unknown(base)
    listed = "".join(line + "\n" for line in asked)
    answers = os.fsdecode(
        door.ask("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=os.fsencode(listed))
    ).splitlines()
    for name, answer in zip(above, answers[1:]):
        if not answer.endswith(" missing"):
            raise AgentctlError(
                "no worktree: the branch `%s` is in the way of branches named %s/…" % (name, prefix),
                'rename it, or set another "branch_prefix" in config.json',
            )
    if not _COMMIT.match(answers[0]):
        raise _unknown(base) if base else _no_commit(place)
    return answers[0].partition(" ")[0]


def _refuse_partial(place: _Place, commit: str, folder: str) -> None:
    """What lies outside of a sparse checkout is not needed. Else git would have to fetch, as our git must not."""
    door = gitdoor.shared(place.common, _SECONDS)
    named = r"^(extensions\.partialclone|remote\..*\.promisor)$"
    try:
        door.ask("config", "--name-only", "--get-regexp", named)
    except gitdoor.CannotError:
        return  # not a partial clone
    if os.path.isfile(os.path.join(place.own, "info", "sparse-checkout")):
        return
    try:
        door.ask("rev-list", "--objects", "--quiet", "-n", "1", commit)
    except gitdoor.CannotError:
        import shlex

        raise AgentctlError(
            "no worktree: this is a partial clone, and not all files of commit %s are here" % commit[:12],
            "get them: `git -C %s fetch --refetch --no-filter`" % shlex.quote(folder),
        ) from None


def _unknown(base: str) -> AgentctlError:
    return AgentctlError(
        "no worktree: `%s` is no commit here" % one_line(base, 80), "give a branch, a tag, a commit, or a run's id"
    )


def _no_commit(place: _Place) -> AgentctlError:
    return AgentctlError(
        "no worktree: %s has no commit yet" % (place.top or place.common),
        "make the first one, or start without --worktree",
    )
