"""Waiting for an orchestrator's news, whatever it will be, without polling.

Blocked on a bell that whoever posts an event, or starts a run, rings; and on the locks
of the orchestrator's live runs, so that a runner that was killed is noticed as well:
the vigil then settles the run itself, which posts its event.
"""

from __future__ import annotations

import time

from . import finding
from . import inbox
from . import locks
from . import openfiles
from . import settle
from . import waiting
from .bell import Bell
from .errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Sequence
    from typing import Optional

    from .inbox import Entry
    from .store import Home


_RUNNERS_OWN_S = 0.5
"""How long a runner that let go of its lock is left to post the event and to make its mark itself."""
_AGAIN_S = 1.0
"""Until what could not be watched, for want of a thread or a descriptor, is tried again."""


class Vigil:
    """A waiter for one inbox; its threads die with the process. Raises OSError where the home cannot be written."""

    def __init__(self, home: Home, name: str) -> None:
        self._home = home
        self._name = name
        self._bell = Bell(inbox.folder(home, name, "bells"))
        self._watched: set[str] = set()
        self._unwatched = False

    def wait(self, seconds: Optional[float] = None, also: Iterable[int] = (), promises: Iterable[str] = ()) -> None:
        """Block until there may be news, a descriptor of `also` is readable, or time is over.

        `promises` are locks that a look has relied on: one that was let go of since then has us look again at once.
        """
        self._arm()
        for path in promises:
            if path not in self._watched:
                self._watch(path, self._end_of_promise(path))
        self._bell.wait(self._patience(seconds), also)

    def until(
        self, wanted: Callable[[], Sequence[Entry]], also: Sequence[int], seconds: Optional[float]
    ) -> list[Entry]:
        """Wait until there are wanted events: those, or [] where time is over or one of `also` is readable.

        Armed before each look: what a promise hid from the look rings when it is gone.
        """
        import select

        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            self._arm()
            found = list(wanted())
            left = None if deadline is None else deadline - time.monotonic()
            if found or (left is not None and left <= 0) or (also and select.select(also, [], [], 0)[0]):
                return found
            if not self._arm():
                self._bell.wait(self._patience(left), also)

    def _patience(self, seconds: Optional[float]) -> Optional[float]:
        """How long to be blocked: not long where there is something that no thread watches."""
        unwatched, self._unwatched = self._unwatched, False
        return min(_AGAIN_S, _AGAIN_S if seconds is None else seconds) if unwatched else seconds

    def _arm(self) -> bool:
        """Watch the locks of what is new; whether anything was."""
        before = len(self._watched)
        for run_id in finding.live(self._home):
            if run_id not in self._watched and self._is_mine(run_id):
                self._watch(run_id, self._end_of(run_id))
        promises = [inbox.waited(self._home, entry.run_id) for entry in inbox.pending(self._home, self._name)]
        for path in (*promises, inbox.folder(self._home, self._name, "pull.lock")):
            if path not in self._watched and locks.held(path):
                self._watch(path, self._end_of_promise(path))
        return len(self._watched) > before

    def close(self) -> None:
        self._bell.close()

    def _is_mine(self, run_id: str) -> bool:
        try:
            return inbox.heir(self._home, self._home.run(run_id).spec().wake.orchestrator) == self._name
        except AgentctlError:
            return False  # gone since it was listed

    def _end_of(self, run_id: str) -> Callable[[], None]:
        def block() -> None:
            waiting.until_ended(self._home, run_id)
            time.sleep(_RUNNERS_OWN_S)
            settle.settled(self._home.run(run_id), time.time())

        return block

    def _end_of_promise(self, path: str) -> Callable[[], None]:
        """Who promised to tell may have died before it did."""

        def block() -> None:
            try:
                locks.until_free(path)
            finally:
                self._watched.discard(path)  # it may be promised again

        return block

    def _watch(self, what: str, block: Callable[[], None]) -> None:
        import _thread

        def watch() -> None:
            try:
                block()
            except (AgentctlError, FileNotFoundError):
                pass  # the run or the file is gone, or damaged, which is news too
            except Exception:
                # A thread's error would only paint over a TUI; what could not be watched is watched anew.
                time.sleep(_AGAIN_S)
                self._watched.discard(what)
            self._bell.ring()

        self._watched.add(what)
        openfiles.room_for(2 * len(self._watched))
        try:
            _thread.start_new_thread(watch, ())
        except RuntimeError:  # the system has no thread for us
            self._watched.discard(what)
            self._unwatched = True
