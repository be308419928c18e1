"""What must come before a worker: the runs it follows, its turn in a conversation, a slot.

Waiting is blocking on locks, in a thread, so that a request to stop is still heard.
"""

from __future__ import annotations

import os

from . import files
from . import judge
from . import locks
from . import pools
from . import slots
from . import waiting
from .errors import AgentctlError
from .model import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Optional

    from .attend import Attendant
    from .model import Result


def wait_for_parents(attendant: Attendant) -> str:
    """Wait for the runs in `after`; returns why this run must not start, or "".

    A parent that has a successor is over when the last run of its chain is.
    """
    for parent in attendant.spec.after:
        answer = _over(attendant, parent)
        if answer is None:
            return attendant.stopped
        if isinstance(answer, Exception):
            return "%s, which it was to follow: %s" % (parent, answer)
        short = judge.shortfall(answer)
        if short and short not in attendant.run.home.run(parent).spec().continue_on:
            return "%s, which it was to follow, ended: %s" % (answer.run_id, judge.headline(answer))
    return ""


def take_turn(attendant: Attendant) -> str:
    """Of an agent's run: wait until those before it have ended, and see which conversation it goes on with.

    Why it must not start, or "". One that was at work had waited for those before it. Raises OSError.
    """
    if not attendant.spec.agent:
        return ""
    from . import conversation  # most runs are nobody's

    for before in conversation.earlier(attendant.run.home, attendant.spec):
        answer = _over(attendant, before.id)
        if answer is None:
            return attendant.stopped
        if not isinstance(answer, Exception) and answer.started_at:
            break
    conversation.take_up(attendant)
    return ""


def _over(attendant: Attendant, parent: str) -> Result | Exception | None:
    """As `_ended`, of the last run that went on for it; it may be us who go on."""
    answer = _ended(attendant, parent)
    while answer and not isinstance(answer, Exception) and answer.successor not in ("", attendant.run.id):
        answer = _ended(attendant, answer.successor)
    return answer


def _ended(attendant: Attendant, parent: str) -> Result | Exception | None:
    """The result; None where we were told to stop. What lies under a held lock may be a worker's own words."""
    home = attendant.run.home
    try:
        run = home.run(parent)
    except AgentctlError as e:
        return e
    result = run.result()
    if result and not run.runner_alive():
        return result
    attendant.story.note("queued", "waits for %s" % parent)
    answer: Result | Exception | None = attendant.interruptibly(lambda: waiting.until_ended(home, parent))
    return answer


class Conversation:
    """Our turn in a vendor's session: one run at a time goes on with it, or turns get lost.

    The lock's file keeps what the session had used when the last turn ended, for vendors
    whose figures are cumulative: what the caller knew when he asked may be older.
    """

    def __init__(self, lock: int) -> None:
        self._lock = lock

    def used_before(self) -> Optional[Usage]:
        """None where no turn that we saw has ended yet."""
        try:
            return Usage.from_json(files.parse(os.pread(self._lock, 1 << 16, 0)))
        except ValueError:
            return None

    def leave(self, used: Usage) -> None:
        """End our turn. Figures that are unknown leave what was known before."""
        if used != Usage():
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, files.dump(used.to_json()), 0)
        os.close(self._lock)


def join_conversation(attendant: Attendant) -> Optional[Conversation]:
    """Wait for our turn; None where the run begins a session, or we were told to stop. Raises OSError."""
    if not attendant.spec.resume:
        return None
    path = os.path.join(attendant.run.home.sessions, attendant.spec.session_id + ".lock")
    lock = locks.try_take(path)
    if lock is None:
        attendant.story.note("queued", "waits for the other run of its conversation")
        lock = attendant.interruptibly(lambda: locks.take(path))
    if isinstance(lock, Exception):
        raise lock
    return None if lock is None else Conversation(lock)


def take_slot(attendant: Attendant) -> None:
    """Wait until the run may work: see slots.py. Without a slot only where we were told to stop. Raises OSError."""

    def wait(block: Callable[[], bool]) -> object:
        attendant.story.note("queued", "waits for a slot")
        lent = pools.nested(attendant.run.home, attendant.spec)
        return attendant.interruptibly(
            block, "waits for a slot", lambda: not lent and pools.nested(attendant.run.home, attendant.spec)
        )

    attendant.seat = slots.Seat(attendant.run, attendant.spec, attendant.config, wait)
    attendant.seat.take()


def leave_slot(attendant: Attendant) -> None:
    """Nothing of the run works any more: the next one may begin, before our end is written down."""
    if attendant.seat:
        attendant.seat.leave()
