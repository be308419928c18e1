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
from ..text import one_line
from ..trees import checkouts
from ..trees import indexlock
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
    common = site.common
    held: list[int] = []
    locked: list[Checkout] = []
    note = Landing(common=common, branch=branch, old=ways[0], new=ways[1])
    try:
        with locks.holding(making.lock(common)) as lock:
            os.set_inheritable(lock, True)  # a git that outlives us writes files: who comes next waits for it
            try:
                if landing.tip(site, branch) != note.old:
                    return Arrival(moved_by_others=True)
                for checkout in checkouts.standing_on(common, branch, _sources(home, common)):
                    reason = _in_use(home, common, checkout, ours, held) or _held_back(checkout, note, scratch, locked)
                    if reason:
                        return _blocked(site, checkout, note, reason)
                return _moved(home, site, scratch, note, locked, say)
            finally:
                for checkout in locked:
                    checkouts.release(checkout)
    finally:
        for fd in held:
            os.close(fd)


def _held_back(checkout: Checkout, note: Landing, scratch: str, locked: list[Checkout]) -> str:
    """Why its files cannot follow; "" where they can, as long as it is `locked`, which it is now."""
    try:
        locked.append(checkouts.locked(checkout, scratch))
        return checkouts.why_not(note.common, locked[-1], scratch, note.old, note.new)
    except gitdoor.TROUBLE as e:
        return one_line(e, 300)


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


def _blocked(site: Site, checkout: Checkout, note: Landing, reason: str) -> Arrival:
    import shlex

    ref = landing.keep(site, note.branch, note.new)
    there = "-C %s " % shlex.quote(checkout.path) if checkout.path else ""
    where = "in %s" % checkout.path if checkout.path else "out of %s" % checkout.own
    return Arrival(
        blocked="%s is checked out %s: %s" % (note.branch, where, reason),
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
            with locks.holding(making.lock(common)) as lock:
                os.set_inheritable(lock, True)
                _finish(home, note, scratch, say)
    indexlock.sweep(common)


def _finish(home: Home, note: Landing, scratch: str, say: Say) -> None:
    now = landing.tip(landing.Site(note.common, scratch), note.branch)
    if now and now != note.old:
        for checkout in checkouts.standing_on(note.common, note.branch, _sources(home, note.common)):
            if not (_caught_up if now == note.new else _went_on)(note, now, checkout, scratch, say):
                return
    journals.done(home, note)


def _caught_up(note: Landing, now: str, checkout: Checkout, scratch: str, say: Say) -> bool:
    """Whether it shows the branch as it is `now`, since the landing."""
    try:
        held = checkouts.locked(checkout, scratch)
        try:
            if checkouts.shows(note.common, held, scratch, now):
                return True
            checkouts.adopt(note.common, held, scratch, note.old, now, note.at)
        finally:
            checkouts.release(held)
    except gitdoor.TROUBLE as e:
        words = "%s still shows %s as it was before a merge that was killed (%s): `%s`"
        say(words % (checkout.path or checkout.own, note.branch, e, _by_hand(checkout, note)))
        return False
    say("the files of %s have followed %s, after a merge that was killed" % (checkout.path, note.branch))
    return True


def _went_on(note: Landing, now: str, checkout: Checkout, scratch: str, say: Say) -> bool:
    """Whether it has nothing to do with the landing any more, after which somebody has moved the branch on."""
    if not checkout.path or not checkouts.shows(note.common, checkout, scratch, note.old):
        return True
    if checkouts.shows(note.common, checkout, scratch, now):
        words = "commit %s on %s has all as it was before a merge that was killed: if that is not meant, revert it"
        say(words % (now[:12], note.branch))
        return True
    words = (
        "%s shows %s as it was before a merge that was killed: a commit there takes back what has landed; first `%s`"
    )
    say(words % (checkout.path, note.branch, _by_hand(checkout, note.replace(new=now))))
    return False


def bring_all_along(home: Home, scratch: str, say: Say) -> None:
    """As `bring_along` for every repository in which no merge is under way now."""
    theirs = {kept.worktree.common for kept in custody.every(home)}
    locked = {common for common in theirs if common and indexlock.left(common)}
    for common in sorted({note.common for note in journals.every(home)} | locked):
        try:
            lock = locks.try_take(os.path.join(common, "agentctl-merge.lock"))
        except (AgentctlError, OSError):
            continue  # the repository is gone
        if lock is not None:
            bring_along(home, common, scratch, say)
            os.close(lock)
