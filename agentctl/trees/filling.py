"""Door to git: the command that writes a commit's files into an empty worktree.

In a private git directory, as gitdoor.py says: of the repository's own config only
what cannot name a program is used. With parallel checkout, which is three to five
times as fast as without where the disk is one.
"""

from __future__ import annotations

import os

from .. import files
from .. import gitdoor
from .. import proc
from ..record import Record

_SECONDS = 60.0
_PARALLEL = ("-c", "checkout.workers=0")
_REMOTES = ("https://", "http://", "ssh://", "git@")


class Order(Record):
    """A command that fills something: `words` say what it does; `env` is added to the worker's own."""

    argv: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    words: str = ""


def order(common: str, top: str, own: str, commit: str, scratch: str, words: str) -> Order:
    """Fill `top`, whose own git directory is `own`. Raises what gitdoor.TROUBLE names."""
    door = gitdoor.content(common, top, os.path.join(own, "index"), scratch, _SECONDS)
    folder = door.env["GIT_DIR"]
    more: tuple[str, ...] = _PARALLEL
    sparse = os.path.join(own, "info", "sparse-checkout")
    if os.path.isfile(sparse):
        files.create(os.path.join(folder, "info", "sparse-checkout"), files.read(sparse))
    if os.path.lexists(os.path.join(folder, "lfs")):
        more += _remote(common)
    return ordered(door, words, *more, "read-tree", "-m", "-u", commit)


def _remote(common: str) -> tuple[str, ...]:
    """For git-lfs, which may have to fetch."""
    url = configured(gitdoor.shared(common, _SECONDS), "remote.origin.url")
    return ("-c", "remote.origin.url=" + url) if url.startswith(_REMOTES) else ()


def ordered(door: gitdoor.Door, words: str, *args: str) -> Order:
    """What a door would ask, as a command for somebody else to start."""
    env = tuple((k, v) for k, v in door.env.items() if k.startswith("GIT_") or k == "LC_ALL")
    return Order(argv=(proc.find(door.argv[0], door.env), *door.argv[1:], *args), env=env, words=words)


def configured(door: gitdoor.Door, *words: str) -> str:
    """What `git config` says, as data; "" where nothing is set."""
    try:
        return door.line("config", *words)
    except gitdoor.CannotError:
        return ""


def ignored(common: str) -> list[str]:
    """Programs that the repository itself wants to have run over its files: said, not run."""
    door = gitdoor.shared(common, _SECONDS)
    listing = configured(door, "--local", "--name-only", "--get-regexp", r"^filter\..*\.(smudge|process)$")
    names = sorted({line.split(".", 1)[1].rpartition(".")[0] for line in listing.split("\n") if "." in line})
    return ["not run, for the repository itself names them: the filters %s" % ", ".join(names)] if names else []
