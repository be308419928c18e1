"""Attending to a run: what every phase between birth and verdict has at hand.

An attendant hears signals and stop requests in whatever it waits for. The phases
are queueing.py (what must come first), labour.py (the worker) and checking.py (our
own check); runner.py says in which order.
"""

from __future__ import annotations

import os
import signal
import threading
import time

from . import bell
from . import environ
from . import files
from . import paths
from . import signals
from . import supervise
from .errors import AgentctlError
from .model import PAUSED
from .model import QUEUED
from .worker import Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    from .budgets import Day
    from .config import Config
    from .model import Spec
    from .piping import Outlet
    from .signals import Alarm
    from .slots import Seat
    from .store import Run
    from .story import Story

LONG_NAP = 1.0
"""Seconds between two looks at what may have no way to wake us: a request whose bell was lost, new output."""
_SERVER_DEATH_S = 1.5
_STOP_WORDS = {
    signal.SIGINT: "stopped by ^C in its pane",
    signal.SIGHUP: "stopped: its pane was closed",
    signal.SIGTERM: "stopped by a signal",
}


class Attendant:
    """The run, how to tell of it, what the caller handed over, and whether we were asked to stop.

    `seed` is what a fresh conversation is told before the prompt, `conversation` why it is
    one. `remarks` become warnings of the result. `crew` holds the process started last, whose sentinel its
    owner dismisses when all is done. `pool` is the one that it may find held (held.py), `holds` how
    often its own worker did, `falls_back_to` the backend that goes on for it. `began` is when its
    worker first did, by `now`; `day` the budget that it has to keep.
    """

    def __init__(
        self,
        run: Run,
        spec: Spec,
        config: Config,
        story: Story,
        alarm: Alarm,
        env: dict[str, str],
        umask: int,
        crew: list[Worker],
    ) -> None:
        self.run = run
        self.spec = spec
        self.config = config
        self.story = story
        self.alarm = alarm
        self.left = self.holds = self.told = 0
        self.stopped = self.seed = self.conversation = self.pool = self.falls_back_to = ""
        self.seat: Optional[Seat] = None
        self.began: Optional[float] = None
        self.day: Optional[Day] = None
        self._bells: Optional[list[bell.Bell]] = None
        self._stood_s = 0.0
        self._stands_since: Optional[float] = None
        self._env = env
        self._umask = umask
        self.remarks: list[str] = []
        self._crew = crew

    def stop_asked(self) -> str:
        """Why we should stop, from a signal or a request file; "" while nobody asked."""
        if not self.stopped:
            number = self.alarm.take(signals.STOPPING)
            if number == signal.SIGHUP and _only_the_screen_went():
                self.story.screen.alive = False
                self.story.note("note", "the tmux server is gone; going on without a pane")
            elif number:
                self.stopped = _STOP_WORDS[signal.Signals(number)]
            elif os.path.exists(self.run.file("stop")):
                self.stopped = "stopped on request"
        return self.stopped

    def pause_asked(self) -> bool:
        """Whether the run is to stand still: by a request file, which we take away when asked to go on."""
        at = self.run.file
        if not os.path.exists(at("pause")):
            return False
        if not os.path.exists(at("continue")):
            return True
        files.remove(at("pause"))
        files.remove(at("continue"))
        return False

    def nap(self, seconds: float, also: Iterable[int] = ()) -> None:
        """As `alarm.sleep`, but a request to stop, pause or continue ends it.

        The first one makes the bell, off the way to the worker's first instruction, and
        returns at once: whoever asked before could not ring.
        """
        if self._bells is None:
            self._bells = _bells(self.run.file(bell.OF_RUN))
            return
        self.alarm.sleep(seconds, also=[*(ours.fileno() for ours in self._bells), *also])
        for ours in self._bells:
            ours.hush()

    def now(self) -> float:
        """Seconds of a clock for time limits: it stands still while the run does."""
        return (time.monotonic() if self._stands_since is None else self._stands_since) - self._stood_s

    def stop_clock(self) -> None:
        self._stands_since = time.monotonic()

    def start_clock(self) -> None:
        if self._stands_since is not None:
            self._stood_s += time.monotonic() - self._stands_since
            self._stands_since = None

    def interruptibly(
        self, block: Callable[[], Any], doing: str = "waits", needless: Callable[[], bool] = lambda: False
    ) -> Any:
        """The answer (or error) of a blocking call made in a thread; None if we are to stop, or it is needless."""
        answers: list[Any] = []
        read, write = os.pipe()

        def ask() -> None:
            try:
                answers.append(block())
            except Exception as e:
                # Handed to who waits: a thread that ends without an answer would have the run wait for ever.
                answers.append(e)
            os.write(write, b".")

        threading.Thread(target=ask, daemon=True).start()
        while not answers and not self.stop_asked() and not needless():
            self.story.status(PAUSED if self.pause_asked() else QUEUED, doing, 0)
            self.nap(LONG_NAP, also=(read,))
        answer = answers[0] if answers else None
        if isinstance(answer, Exception) and not isinstance(answer, (AgentctlError, OSError)):
            raise answer
        return answer

    def as_caller(self, make: Callable[[], Any]) -> Any:
        """What `make` makes is as open to others as what the caller himself makes."""
        before = os.umask(self._umask)
        try:
            return make()
        finally:
            os.umask(before)

    @property
    def environment(self) -> dict[str, str]:
        """What the caller handed over."""
        return self._env

    def variable(self, name: str) -> str:
        """A variable of the environment that the caller handed over."""
        return self._env.get(name, "")

    def start(
        self, argv: Sequence[str], more: Sequence[tuple[str, str]], stdin: str, outlet: Callable[[], Outlet]
    ) -> Worker:
        """Start a process of this run, whose output goes through what `outlet` makes. Raises OSError."""
        more = (*(self.seat.env() if self.seat else ()), *more)
        env = environ.for_worker(self._env, self.run.id, self.run.home.path, more)
        while self._crew:
            self._crew.pop().dismiss_sentinel()
        will = (*paths.PROGRAM, "_settle", self.run.home.path, self.run.id)
        self._crew.append(Worker(self.run.id, self.alarm, argv, env, self._umask, stdin, outlet(), will))
        return self._crew[-1]


def _bells(folder: str) -> list[bell.Bell]:
    """Our bell; none where the file system has no FIFOs: then a request is seen at the next look.

    Nor where the run's folder was taken away, which must not come to be again.
    """
    try:
        if not os.path.isdir(folder):
            os.mkdir(folder, files.FOLDER_MODE)
        return [bell.Bell(folder)]
    except OSError:
        return []


def _only_the_screen_went() -> bool:
    """A hang-up: did a person close the pane (stop), or did the whole tmux server die (go on)?"""
    word = os.environ.get("TMUX", "").rpartition(",")[0].rpartition(",")[2]
    deadline = time.monotonic() + _SERVER_DEATH_S
    while word.isdigit() and time.monotonic() < deadline:
        if not supervise.alive(int(word)):
            return True
        time.sleep(0.02)
    return False
