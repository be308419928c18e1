"""Door to git: what leads git from a worktree to its repository, kept as it was made.

A worker that can commit can write these files, and so name a repository of its own,
whose programs a git of the user's would run, and whose refs ours would take for true.
"""

from __future__ import annotations

import os

from . import files


def mend(top: str, own: str) -> list[str]:
    """Put right the `.git` file in `top` and the `commondir` in `own`, the worktree's own git
    directory, where they are otherwise; what was. Never raises."""
    places = ((os.path.join(top, ".git"), "gitdir: " + own), (os.path.join(own, "commondir"), "../.."))
    there = os.path.isdir(top) and os.path.isdir(own)
    return [_mended(*place) for place in places if there and not _holds(*place)]


def _holds(path: str, words: str) -> bool:
    try:
        return not os.path.islink(path) and files.read(path, 1 << 14).rstrip(b"\n") == os.fsencode(words)
    except OSError:
        return False


def _mended(path: str, words: str) -> str:
    try:
        files.replace(path, os.fsencode(words) + b"\n")
    except OSError:
        return "%s leads git elsewhere: do not use git in this worktree" % path
    return "%s led git elsewhere, and was mended" % path
