"""The moment of landing: the target moves by compare-and-swap, the checkouts on it follow.

A checkout that is not clean, or has something under way, means that nothing moves: the
verified commit waits under a ref of its own, and the user is told the one command.
A note on disk lets the next merge or collect finish what a kill left between the two.
"""

from __future__ import annotations

import os

from .. import custody
from .. import gitdoor
from .. import locks
from ..branches import journals
from ..branches import landing
from ..branches.journals import Landing
from ..errors import AgentctlError
from ..record import Record
from ..store import ID
from ..trees import checkouts
from ..trees import making

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection

    from ..branches.landing import Site
    from ..store import Home
    from ..trees.checkouts import Checkout

    Say = Callable[[str], None]


class Arrival(Record):
    """How it went. `blocked`: why nothing was moved; then the verified commit is `ref`, and `command` lands it.
    `behind` are the checkouts on the branch whose files did not follow."""

    moved_by_others: bool = False
    blocked: str = ""
    ref: str = ""
    command: str = ""
    behind: tuple[str, ...] = ()


def land(
    home: Home, site: Site, scratch: str, branch: str, ways: tuple[str, str], ours: Collection[str], say: Say
) -> Arrival:
    """Move the branch from the first of `ways`, a commit, to the second, with the checkouts on it.

    `ours` are the worktrees that the caller holds alone already.
    """
    common, (old, new) = site.common, ways
    held: list[int] = []
    try:
        with locks.holding(making.lock(common)):
            if landing.tip(site, branch) != old:
                return Arrival(moved_by_others=True)
            standing = checkouts.standing_on(common, branch, _sources(home, common))
            for checkout in standing:
                reason = _in_use(home, common, checkout, ours, held)
                reason = reason or checkouts.why_not(common, checkout, scratch, old, new)
                if reason:
                    return _blocked(site, checkout, branch, new, reason)
            return _moved(home, site, scratch, Landing(common=common, branch=branch, old=old, new=new), standing, say)
    finally:
        for fd in held:
            os.close(fd)


def _sources(home: Home, common: str) -> set[str]:
    """The folders that worktrees of this repository were asked from."""
    return {kept.worktree.source for kept in custody.every(home) if kept.worktree.common == common}


def _in_use(home: Home, common: str, checkout: Checkout, ours: Collection[str], held: list[int]) -> str:
    """Why the worktree of a run cannot be held; "" where it is `held` now, or none of a run's."""
    run_id = os.path.basename(checkout.own)
    kept = custody.load(home, run_id) if checkout.own != common and ID.match(run_id) else None
    if kept is None or kept.worktree.common != common or run_id in ours:
        return ""
    lock = custody.seize(home, run_id)
    if lock is None:
        return "a run works there"
    held.append(lock)
    return ""


def _moved(home: Home, site: Site, scratch: str, note: Landing, standing: list[Checkout], say: Say) -> Arrival:
    journals.note(home, note)
    if not landing.move(site, note.branch, note.old, note.new):
        journals.done(home, note)
        return Arrival(moved_by_others=True)
    behind = tuple(checkout.path for checkout in standing if not _followed(checkout, note, scratch, say))
    if not behind:
        journals.done(home, note)
    return Arrival(behind=behind)


def _blocked(site: Site, checkout: Checkout, branch: str, new: str, reason: str) -> Arrival:
    import shlex

    ref = landing.keep(site, branch, new)
    there = "-C %s " % shlex.quote(checkout.path) if checkout.path else ""
    where = "in %s" % checkout.path if checkout.path else "out of %s" % checkout.own
    return Arrival(
        blocked="%s is checked out %s: %s" % (branch, where, reason),
        ref=ref,
        command="git %smerge --ff-only %s" % (there, shlex.quote(ref)),
    )


def _followed(checkout: Checkout, note: Landing, scratch: str, say: Say) -> bool:
    try:
        checkouts.follow(note.common, checkout, scratch, note.old, note.new)
    except gitdoor.TROUBLE as e:
        say("the files of %s did not follow (%s): `%s`" % (checkout.path, e, _by_hand(checkout, note)))
        return False
    return True


def _by_hand(checkout: Checkout, note: Landing) -> str:
    import shlex

    here = "git -C %s " % shlex.quote(checkout.path)
    return "%supdate-index -q --refresh; %sread-tree -m -u %s %s" % (here, here, note.old, note.new)


def bring_along(home: Home, common: str, scratch: str, say: Say) -> None:
    """Finish the landings of this repository that a kill left half done. The caller holds the merge's lock."""
    for note in journals.every(home):
        if note.common == common:
            with locks.holding(making.lock(common)):
                _finish(home, note, scratch, say)


def _finish(home: Home, note: Landing, scratch: str, say: Say) -> None:
    site = landing.Site(note.common, scratch)
    now = landing.tip(site, note.branch)
    if now == note.new:
        for checkout in checkouts.standing_on(note.common, note.branch, _sources(home, note.common)):
            if not _caught_up(note, checkout, scratch, say):
                return
    journals.done(home, note)  # not moved, or moved on since by somebody who saw what the checkout shows


def _caught_up(note: Landing, checkout: Checkout, scratch: str, say: Say) -> bool:
    try:
        if checkouts.shows(note.common, checkout, scratch, note.new):
            return True
        checkouts.adopt(note.common, checkout, scratch, note.old, note.new, note.at)
    except gitdoor.TROUBLE as e:
        words = "%s still shows %s as it was before a merge that was killed (%s): `%s`"
        say(words % (checkout.path, note.branch, e, _by_hand(checkout, note)))
        return False
    say("the files of %s have followed %s, after a merge that was killed" % (checkout.path, note.branch))
    return True


def bring_all_along(home: Home, scratch: str, say: Say) -> None:
    """As `bring_along` for every repository in which no merge is under way now."""
    for common in sorted({note.common for note in journals.every(home)}):
        try:
            lock = locks.try_take(os.path.join(common, "agentctl-merge.lock"))
        except (AgentctlError, OSError):
            continue  # the repository is gone
        if lock is not None:
            bring_along(home, common, scratch, say)
            os.close(lock)
