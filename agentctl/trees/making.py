"""Door to git: making a worktree.

`add` is short and done under the repository's lock: of twenty `git worktree add` at
once a quarter fails. Filling it takes long in a large repository, so that it is
given out as commands (filling.py, submodules.py) which the runner starts like a
worker: a stop is heard, and nothing goes on when the runner is killed.

Nothing of the repository's own config or hooks is run (gitdoor.py).
"""

from __future__ import annotations

import os
import shutil
import time

from .. import files
from .. import gitdoor
from .. import locks
from ..errors import AgentctlError
from ..text import one_line
from . import filling
from . import submodules
from . import worktree as worktrees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Callable

    from ..model import Worktree
    from .filling import Order

_SECONDS = 60.0
_TRIES = 5
_MOST_NAMES = 100


def lock(common: str) -> str:
    """The file whose lock is held, shortly, by whoever adds, removes or moves something of a repository."""
    return os.path.join(common, "agentctl.lock")


def add(planned: Worktree, tell: Callable[[Worktree], None]) -> Worktree:
    """Make the worktree, empty, on its new branch: another one where the planned name is taken.

    `tell` hears of it before it is made, so that it is on record should we be killed.
    Raises AgentctlError and OSError; then nothing of it is left.
    """
    try:
        return _added(planned, tell)
    except gitdoor.CannotError as e:
        raise AgentctlError(one_line(e, 300)) from None


def _added(planned: Worktree, tell: Callable[[Worktree], None]) -> Worktree:
    if os.path.lexists(planned.path):
        raise gitdoor.CannotError("%s is there already" % planned.path)
    files.private_folder(os.path.dirname(planned.path))
    with locks.holding(lock(planned.common)):
        named = planned.replace(branch=_free_name(planned))
        tell(named)
        for left in reversed(range(_TRIES)):
            try:
                _add(named)
                return named
            except gitdoor.CannotError as e:
                _undo(named)
                if "commondir" not in str(e) or not left:  # a race with a git that knows no lock of ours
                    raise
                time.sleep(0.05)
    raise gitdoor.CannotError("not made")


def discard(made: Worktree) -> None:
    """Take back a worktree that nobody has worked in, with its branch. Never raises."""
    try:
        with locks.holding(lock(made.common)):
            _undo(made)
    except OSError:
        pass  # the repository is gone, and so is what we made there


def _free_name(planned: Worktree) -> str:
    door = gitdoor.shared(planned.common, _SECONDS)
    names = [planned.branch, *("%s-%d" % (planned.branch, n) for n in range(2, _MOST_NAMES))]
    listing = door.line("for-each-ref", "--format=%(refname)", *("refs/heads/%s*" % planned.branch,))
    taken = set(listing.split("\n"))
    return next(name for name in names if "refs/heads/" + name not in taken)


def _add(named: Worktree) -> None:
    door = gitdoor.shared(named.common, _SECONDS)
    how = ("--no-track", "--no-checkout", "-b", named.branch)
    door.ask("-c", "worktree.useRelativePaths=false", "worktree", "add", *how, named.path, named.base)
    dot_git = os.fsdecode(files.read(os.path.join(worktrees.admin(named), "gitdir"), 1 << 14)).rstrip("\n")
    if os.path.realpath(os.path.dirname(dot_git)) != os.path.realpath(named.path):
        raise gitdoor.CannotError("git has another worktree named %s" % named.run)


def _undo(named: Worktree) -> None:
    """Of a worktree that was not there, on a branch that was not there. Git has undone a part of it."""
    shutil.rmtree(named.path, ignore_errors=True)
    shutil.rmtree(worktrees.admin(named), ignore_errors=True)
    try:
        gitdoor.shared(named.common, _SECONDS).ask("update-ref", "-d", "refs/heads/" + named.branch, named.base)
    except gitdoor.TROUBLE:
        pass  # not made, or not ours any more


def orders(made: Worktree, scratch: str, notes: list[str]) -> Iterator[Order]:
    """What fills the worktree, submodules included; each to be run before the next is asked for.

    `notes` gets what a user should know. Raises AgentctlError and OSError.
    """
    try:
        yield from _orders(made, scratch, notes)
    except gitdoor.CannotError as e:
        raise AgentctlError(one_line(e, 300)) from None


def _orders(made: Worktree, scratch: str, notes: list[str]) -> Iterator[Order]:
    own = worktrees.admin(made)
    yield filling.order(made.common, made.path, own, made.base, scratch, "fills the worktree")
    notes += filling.ignored(made.common)
    level = submodules.Level(
        common=made.common,
        top=made.path,
        own=own,
        commit=made.base,
        source=made.source,
        theirs=tuple(dict.fromkeys(filter(None, (made.common, worktrees.own_of_source(made))))),
    )
    yield from submodules.orders(level, scratch, notes)
