"""What git is in the middle of in a worktree: by the files that it keeps of it."""

from __future__ import annotations

import os

from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional


class Operation(Record):
    """`words` for a user (`a rebase`), and `end`: the git command, or commands, that end it."""

    words: str = ""
    end: str = ""


_FILES = {
    "rebase-merge": Operation(words="a rebase", end="`git rebase --continue` or `git rebase --abort`"),
    "rebase-apply": Operation(words="a rebase or am", end="see `git status`"),
    "MERGE_HEAD": Operation(words="a merge", end="`git merge --continue` or `git merge --abort`"),
    "CHERRY_PICK_HEAD": Operation(
        words="a cherry-pick", end="`git cherry-pick --continue` or `git cherry-pick --abort`"
    ),
    "REVERT_HEAD": Operation(words="a revert", end="`git revert --continue` or `git revert --abort`"),
    "BISECT_LOG": Operation(words="a bisect", end="`git bisect reset`"),
}


def under_way(own: str) -> Optional[Operation]:
    """The operation that the worktree with the git directory `own` is in, or None."""
    return next((found for name, found in _FILES.items() if os.path.lexists(os.path.join(own, name))), None)
