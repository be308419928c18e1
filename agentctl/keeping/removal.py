"""A saved worktree taken away, so that a kill at any moment leaves all of it or a finished rescue.

    <path>                      it stands
    .leaving-<run>   beside it  moved aside, to be looked at once more: goes back if we are killed now
    .removing-<run>             seen to be what was saved: goes, whoever finishes it
    .trash-<run>                what a removal that is over could not delete: another user's files, say

    <common>/agentctl-leaving-<run>, -removing-<run>, -trash-<run>
                                the same of its own git directory: with it away, nobody commits there meanwhile

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
    from collections.abc import Iterable

    from ..custody import Kept
    from .saving import Look


def lock(kept: Kept) -> locks.holding:
    """Of the repository: for whoever adds or removes worktrees, or moves refs of ours."""
    return locks.holding(making.lock(kept.worktree.common))


def restored(kept: Kept) -> bool:
    """Whether one that is on record as removed stands again: an undo was killed as it had done all but say so."""
    whole = os.path.lexists(kept.worktree.path) and os.path.lexists(worktree.admin(kept.worktree))
    return bool(kept.removed_at) and whole


def take_back(kept: Kept) -> None:
    """Put a worktree back that was moved aside by one who was killed before he looked again."""
    for leaving, place in zip(_leaving(kept), _places(kept)):
        if os.path.lexists(leaving) and not os.path.lexists(place):
            files.private_folder(os.path.dirname(place))
            os.rename(leaving, place)


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
    return bool(half) or bool(remains(kept))


def left(kept: Kept) -> bool:
    """Whether a removal, under way or over, has left something that is to go, or to come back."""
    return any(os.path.lexists(path) for path in (*_leaving(kept), *_going(kept), *_trash(kept)))


def remains(kept: Kept) -> list[str]:
    """Where something is that is still to go."""
    return [path for path in _going(kept) if os.path.lexists(path)]


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


def move_aside(kept: Kept, seen: Look) -> bool:
    """Take it from its place, own git directory and all; False, and it is back, where it is no more what was seen.

    The caller holds the repository's lock, for which he may have waited long.
    """
    make_way(kept)
    same = False
    try:
        _rename(_places(kept), _leaving(kept))
        same = _is_still(kept, seen)
    finally:
        if not same:
            take_back(kept)
    if same:
        _rename(_leaving(kept), _going(kept))
        files.sync_folder(os.path.dirname(kept.worktree.path))
    return same


def _rename(places: Iterable[str], names: Iterable[str]) -> None:
    for place, name in zip(places, names):
        if os.path.lexists(place):
            os.rename(place, name)


def _is_still(kept: Kept, seen: Look) -> bool:
    """Whether what was moved aside, and its branch, are as they were. Its HEAD is in its own git directory."""
    top, own = (walking.scan(os.fsencode(path)) if os.path.lexists(path) else None for path in _leaving(kept))
    tip = rescue.commit_of(rescue.references(kept.worktree.common, 60), "refs/heads/" + kept.worktree.branch)
    if (top is None, tip) != (seen.top is None, seen.tip):
        return False
    return walking.same(top or [], seen.top or []) and walking.same(own or [], seen.own)


def finish(kept: Kept) -> None:
    """Take away the own git directory, then all that was moved aside. May be repeated. Raises OSError."""
    going, own_going = _going(kept)
    for own in (worktree.admin(kept.worktree), _leaving(kept)[1]):
        if os.path.lexists(own):
            walking.remove(own_going)
            os.rename(own, own_going)
    try:
        os.rmdir(os.path.dirname(worktree.admin(kept.worktree)))
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


def _places(kept: Kept) -> tuple[str, str]:
    """Where the directory and its own git directory stand; in this order in all that follows."""
    return kept.worktree.path, worktree.admin(kept.worktree)


def _leaving(kept: Kept) -> tuple[str, str]:
    return _named(kept, "leaving")


def _going(kept: Kept) -> tuple[str, str]:
    return _named(kept, "removing")


def _trash(kept: Kept) -> tuple[str, str]:
    return _named(kept, "trash")


def _named(kept: Kept, how: str) -> tuple[str, str]:
    name, beside = "%s-%s" % (how, kept.worktree.run), os.path.dirname(kept.worktree.path)
    return os.path.join(beside, "." + name), os.path.join(kept.worktree.common, "agentctl-" + name)
