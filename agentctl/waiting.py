"""Waiting for runs to end: blocked in the kernel on their locks.

Only a run that is not born yet is looked for again and again, for some 50 ms as a rule.

A waiter costs no CPU and is woken in well under a millisecond when the runner
lets go of its lock, or dies. Any number of waiters may wait for the same run.
"""

from __future__ import annotations

import time

from . import locks
from . import openfiles
from .model import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Sequence
    from queue import SimpleQueue
    from typing import Optional

    from .store import Home
    from .store import Run

_FRESH = 10.0
"""Seconds after an end in which its own runner is taken to be still writing the last of it."""
_BEAT_S = 1.0


def until_ended(home: Home, run_id: str) -> Result:
    """Block until the run has ended and return its result. Raises AgentctlError if it is no more.

    A result under a held lock does not count yet: only its runner may say that it ended.
    """
    while True:
        try:
            return _ended(home, run_id)
        except OSError as e:
            if e.errno not in openfiles.SPENT:
                raise
        time.sleep(_BEAT_S)  # the run goes on, and so does the wait for it


def _ended(home: Home, run_id: str) -> Result:
    while True:
        run = home.run(run_id)
        try:
            locks.until_free(run.file("lock"))
        except FileNotFoundError:
            pass  # born between the look and the open, or damaged: settling tells which
        result = run.result()
        if result is None or not (run.told() or time.time() - result.finished_at < _FRESH):
            result = _settled(home.run(run_id)) or result
        if result:
            return result
        time.sleep(0.01 if run.staged() else 0.002)  # a staged run has no runner to wait for yet


def _settled(run: Run) -> Optional[Result]:
    """What a crashed runner left undone is done; the result, if it has one."""
    from . import settle  # which a wait for a run that ends well never needs

    return settle.settled(run, time.time())


def each(home: Home, ids: Sequence[str], timeout: Optional[float]) -> Iterator[Result]:
    """The results in order of ending. Ends early when `timeout` seconds are over."""
    if len(ids) == 1 and timeout is None:
        yield until_ended(home, ids[0])
    else:
        yield from each_while(home, ids, timeout, lambda: True)


def each_while(
    home: Home, ids: Sequence[str], timeout: Optional[float], wanted: Callable[[], bool]
) -> Iterator[Result]:
    """As `each`, asking about every second whether anybody still waits; ends early where nobody does.

    A result is there as soon as in `each`. Threads that nobody waits for go on until their runs end.
    A ^C that one of them takes is heard at that second at the latest (signals.LOOK_UP_S).
    """
    from queue import Empty

    deadline = None if timeout is None else time.monotonic() + timeout
    ended, left = _watch(home, ids), len(ids)
    while left and wanted():
        rest = _BEAT_S if deadline is None else min(max(deadline - time.monotonic(), 0.0), _BEAT_S)
        try:
            answer = ended.get(timeout=rest)
        except Empty:
            if deadline is not None and time.monotonic() >= deadline:
                return
            continue
        if isinstance(answer, Exception):
            raise answer
        yield answer
        left -= 1


def _watch(home: Home, ids: Sequence[str]) -> SimpleQueue[Result | Exception]:
    """A thread per run, blocked on its lock; they die with the process.

    Their stacks keep the usual size, which costs only addresses: in a small one deeply
    nested JSON is a crash and no RecursionError (seen with Python 3.13).
    """
    import _thread  # threading.Thread costs 0.3 ms each to start: 30 ms for a hundred runs
    from queue import SimpleQueue

    ended: SimpleQueue[Result | Exception] = SimpleQueue()
    openfiles.room_for(2 * len(ids))  # its lock, and what tells its end

    def watch(run_id: str) -> None:
        try:
            ended.put(until_ended(home, run_id))
        except Exception as e:
            # Raised where the answer is taken: a thread that dies silently would make `wait` hang.
            ended.put(e)

    for run_id in ids:
        _thread.start_new_thread(watch, (run_id,))
    return ended
