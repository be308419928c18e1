"""A saved worktree taken away, so that a kill at any moment leaves all of it or a finished rescue.

    <path>                      it stands
    .leaving-<run>   beside it  moved aside, to be looked at once more: goes back if we are killed now
    .removing-<run>             seen to be what was saved: goes, whoever finishes it
    <common>/agentctl-removing-<run>   the worktree's own git directory, on its way out
    .trash-<run>, <common>/agentctl-trash-<run>
                                what a removal that is over could not delete: another user's files, say

Only what is named so by a rename of ours is ever removed, never what stands at the
worktree's own place.
"""

from __future__ import annotations

import os

from .. import files
from .. import locks
from ..trees import checkouts
from ..trees import making
from ..trees import worktree
from . import rescue
from . import walking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from ..custody import Kept
    from .walking import Entry


def lock(kept: Kept) -> locks.holding:
    """Of the repository: for whoever adds or removes worktrees, or moves refs of ours."""
    return locks.holding(making.lock(kept.worktree.common))


def restored(kept: Kept) -> bool:
    """Whether one that is on record as removed stands again: an undo was killed as it had done all but say so."""
    whole = os.path.lexists(kept.worktree.path) and os.path.lexists(worktree.admin(kept.worktree))
    return bool(kept.removed_at) and whole


def take_back(kept: Kept) -> None:
    """Put a worktree back that was moved aside by one who was killed before he looked again."""
    leaving = _beside(kept, "leaving")
    if walking.is_folder(leaving) and not os.path.lexists(kept.worktree.path):
        os.rename(leaving, kept.worktree.path)


def stands(kept: Kept) -> bool:
    """Whether it is where it was made, or is there again."""
    places = (os.path.join(kept.worktree.path, ".git"), worktree.admin(kept.worktree))
    return all(os.path.lexists(place) for place in places)


def begun(kept: Kept) -> bool:
    """Whether its directory is on its way out: what was saved is all, and only the end is missing.

    Never of one that stands: what lies beside it then is no more than a leftover.
    """
    if stands(kept):
        return False
    half = (
        kept.removed_at and not os.path.lexists(kept.worktree.path) and os.path.lexists(worktree.admin(kept.worktree))
    )
    return bool(half) or any(os.path.lexists(path) for path in _going(kept))


def left(kept: Kept) -> bool:
    """Whether a removal, under way or over, has left something that is to go."""
    return any(os.path.lexists(path) for path in (*_going(kept), *_trash(kept)))


def make_way(kept: Kept) -> None:
    """Put what a removal that is over could not delete under a name that nobody takes for a removal's."""
    for path, trash in zip(_going(kept), _trash(kept)):
        if os.path.lexists(path):
            files.private_folder(trash)
            os.rename(path, os.path.join(trash, os.urandom(8).hex()))


def clear(kept: Kept) -> None:
    """Delete what was put out of the way. Raises OSError where that still cannot be."""
    for trash in _trash(kept):
        walking.remove(trash)


def move_aside(kept: Kept, seen: Optional[list[Entry]]) -> bool:
    """Take the directory from its place; False, and it is back, where it is no more what was seen."""
    if seen is None:
        return not os.path.lexists(kept.worktree.path)
    leaving, removing = _beside(kept, "leaving"), _beside(kept, "removing")
    make_way(kept)
    os.rename(kept.worktree.path, leaving)
    if not walking.same(walking.scan(os.fsencode(leaving)), seen):
        os.rename(leaving, kept.worktree.path)
        return False
    os.rename(leaving, removing)
    files.sync_folder(os.path.dirname(removing))
    return True


def finish(kept: Kept) -> None:
    """Take away the own git directory, then all that was moved aside. May be repeated. Raises OSError."""
    own, (going, own_going) = worktree.admin(kept.worktree), _going(kept)
    if os.path.lexists(own):
        walking.remove(own_going)
        os.rename(own, own_going)
    try:
        os.rmdir(os.path.dirname(own))
    except OSError:
        pass  # other worktrees are there, or none ever was
    walking.remove(going)
    walking.remove(own_going)


def drop_branch(kept: Kept, tip: str) -> str:
    """Remove the branch, if it is where it was saved; else the reason why it stays."""
    branch = "refs/heads/" + kept.worktree.branch
    door = rescue.references(kept.worktree.common, 60)
    now = rescue.commit_of(door, branch) if kept.worktree.branch else ""
    if not now:
        return ""
    if now != tip:
        return "it was moved meanwhile"
    own = worktree.admin(kept.worktree)
    for other in checkouts.standing_on(kept.worktree.common, kept.worktree.branch, (kept.worktree.source,)):
        if other.own != own:
            return "it is checked out at %s" % (other.path or other.own)
    door.ask("update-ref", "-d", branch, tip)
    return ""


def _beside(kept: Kept, how: str) -> str:
    return os.path.join(os.path.dirname(kept.worktree.path), ".%s-%s" % (how, kept.worktree.run))


def _in_common(kept: Kept, how: str) -> str:
    return os.path.join(kept.worktree.common, "agentctl-%s-%s" % (how, kept.worktree.run))


def _going(kept: Kept) -> tuple[str, str]:
    return _beside(kept, "removing"), _in_common(kept, "removing")


def _trash(kept: Kept) -> tuple[str, str]:
    return _beside(kept, "trash"), _in_common(kept, "trash")
