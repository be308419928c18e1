"""`status --watch`: the table on the whole screen, painted anew where it changed.

A look is followed by a nap that is as much longer as the look cost: however many runs
there are, it takes no more than some hundredth of a core.
"""

from __future__ import annotations

import os
import sys
import time

from .. import api
from .. import config
from .. import inbox
from .. import judge
from .. import panes
from .. import pausing
from .. import proc
from .. import ui
from ..errors import AgentctlError
from ..glass import AGAIN
from ..glass import Glass
from ..model import LIVE
from ..model import PAUSED
from ..table import board
from ..table import frame
from ..table import rows
from ..table import summary
from ..table.board import Board
from ..table.looking import Fleet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..store import Home
    from ..table.layout import Line
    from ..table.rows import Row

_BEAT_S = 0.5
_SHARE = 0.01
"""Of a core, at most, for looking."""
_LATELY_S = 120.0
_STEPS = {"j": 1, "down": 1, "k": -1, "up": -1, "home": -1_000_000, "g": -1_000_000, "end": 1_000_000, "G": 1_000_000}


def watch(home: Home, project: str) -> int:
    """Until `q` (0) or a signal (128 and its number). Raises AgentctlError where no frame can be painted."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise AgentctlError("--watch needs a terminal", "for programs: `agentctl status --json`")
    if os.environ.get("TERM", "dumb") == "dumb":
        raise AgentctlError("this terminal (TERM=dumb) cannot be painted on", "look once: `agentctl status`")
    ui.warn_of_config(home)
    with Glass() as glass:
        watcher = Watcher(home, project, glass)
        try:
            while not watcher.left and not glass.ended:
                watcher.beat()
        finally:
            glass.left = watcher.last_frame()
    return 128 + glass.ended if glass.ended else 0


class Watcher:
    """One watched table: its rows, what is chosen, what is on the screen."""

    def __init__(self, home: Home, project: str, glass: Glass) -> None:
        self.left = False
        self._home = home
        self._glass = glass
        self._config = config.load(home)[0]
        self._fleet = Fleet(home, self._config.idle_notice_s, project, _LATELY_S)
        self._board = Board()
        self._rows: list[Row] = []
        self._counted: list[tuple[str, str]] = []
        self._summary = ""
        self._painted: list[Line] = []
        self._size = (0, 0)
        self._coloured = ui.coloured()
        self._told: list[str] = []
        self._cost = 0.0

    def beat(self) -> None:
        """Look, paint, and do what keys say until it is time to look again."""
        began = time.process_time()
        self._look()
        self._paint()
        before, self._cost = self._cost, time.process_time() - began
        rest = max(_BEAT_S, min(before, self._cost) / _SHARE)  # the first look, which reads everything, is no measure
        due = time.monotonic() + rest
        while not self.left and not self._glass.ended and time.monotonic() < due:
            for key in self._glass.heard(due - time.monotonic()):
                self._press(key)
            self._paint()

    def last_frame(self) -> str:
        """What was on the screen, but for its last line and the choice, to be left behind."""
        nobody = self._board.replace(chosen="")
        lines = board.frame(nobody, self._rows, self._summary, time.time(), self._size)[:-1]
        while lines and not lines[-1]:
            lines.pop()
        return frame.printed(lines, self._coloured)

    def _look(self) -> None:
        self._rows = self._fleet.look(time.time())
        counted = [(row.run_id, row.status + row.need) for row in self._rows]
        if counted != self._counted or not self._summary:
            self._counted, specs = counted, self._fleet.specs()
            used, within = summary.loads(self._home, self._config, specs), summary.nested(self._home, self._rows, specs)
            self._summary = summary.words(self._rows, within, used)

    def _paint(self) -> None:
        size = self._glass.size()
        if size != self._size:
            self._size, self._painted = size, []
        if self._told:
            self._board = self._board.replace(note=self._told.pop(0))
        self._board = board.kept(self._board, self._rows, size[1])
        lines = board.frame(self._board, self._rows, self._summary, time.time(), size)
        clean = "" if self._painted else "\033[2J"
        data = clean + frame.difference(self._painted, lines, self._coloured)
        self._painted = lines
        if data:
            self._glass.write(data)

    def _press(self, key: str) -> None:
        height = self._size[1]
        if key == AGAIN:
            self._painted = []
        elif key == "q":
            self.left = True
        elif key in _STEPS:
            self._board = board.moved(self._board, self._rows, _STEPS[key], height)
        elif key in ("page up", "page down"):
            steps = board.room(height) * (1 if key == "page down" else -1)
            self._board = board.moved(self._board, self._rows, steps, height)
        elif key in _VERBS:
            row = next((row for row in self._rows if row.run_id == self._board.chosen), None)
            if row:
                self._board = self._board.replace(note="")
                _VERBS[key](self, row)

    def _go_to(self, row: Row) -> None:
        try:
            argv, env = panes.way_to(*panes.of_run(self._home.run(row.run_id)), os.environ)
            code = self._glass.lend(lambda: proc.foreground(argv, env))
            self._told += ["`%s` failed (exit code %d)" % (" ".join(argv[-3:]), code)] if code else []
        except AgentctlError as e:
            self._told.append("%s (%s)" % (e, e.hint) if e.hint else str(e))
        self._painted = []

    def _stop(self, row: Row) -> None:
        if row.status not in LIVE:
            self._told.append("run %s has ended" % row.run_id)
            return
        self._told.append("stopping %s" % row.run_id)
        self._apart(lambda: ["%s: %s" % (r.run_id, judge.headline(r)) for r in api.stop(self._home, [row.run_id])])

    def _pause(self, row: Row) -> None:
        ids, goes_on = [row.run_id], row.status == PAUSED
        self._told.append(("has to go on: %s" if goes_on else "pausing %s") % row.run_id)

        def act() -> list[str]:
            outcomes = pausing.go_on(self._home, ids, os.environ) if goes_on else pausing.pause(self._home, ids)
            return ["%s: %s" % (one.followed_by or one.run_id, one.status) for one in outcomes]

        self._apart(act)

    def _seen(self, row: Row) -> None:
        """What it needs is acknowledged, unless that is for its orchestrator to do."""
        reader = self._home.run(row.run_id).spec().wake.orchestrator
        if row.need and reader:
            self._told.append("%s has not read of it yet: `agentctl inbox --ack %s`" % (reader, rows.event_of(row)))
        elif row.need:
            inbox.acknowledge(self._home, [rows.event_of(row)], "a person")
            self._told.append("%s: seen" % row.run_id)
            self._rows = self._fleet.look(time.time())

    def _apart(self, act: Callable[[], list[str]]) -> None:
        """What takes its time is done in a thread, and told when it is done."""
        import _thread

        def work() -> None:
            try:
                self._told += act()
            except (AgentctlError, OSError) as e:
                self._told.append(str(e))
            self._glass.wake()

        _thread.start_new_thread(work, ())


_VERBS: dict[str, Callable[[Watcher, Row], None]] = {
    "enter": Watcher._go_to,
    "s": Watcher._stop,
    "p": Watcher._pause,
    "x": Watcher._seen,
}
