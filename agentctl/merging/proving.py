"""Proving a commit: a fresh checkout of it, the project's setup, and the check, to its end.

The check runs like a worker: in a session of its own, with a sentinel that ends it
should we be killed, bounded in time and in what it prints, and swept afterwards.
"""

from __future__ import annotations

import os
import time

from .. import environ
from .. import files
from .. import gitdoor
from .. import judge
from .. import paths
from .. import piping
from .. import signals
from ..branches.testbed import PREFIX
from ..branches.testbed import Testbed
from ..branches.testbed import UnfitError
from ..errors import AgentctlError
from ..record import Record
from ..text import duration
from ..text import one_line
from ..worker import Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config import Config
    from ..signals import Alarm
    from ..store import Home

_NAP_S = 1.0
_TAIL = 4000
_MOST_LOGS = 20


class Proof(Record):
    """What a check found: `why` it is red, and the end of what was printed."""

    green: bool = True
    why: str = ""
    tail: str = ""


class Step(Record):
    """A command, where it runs (below the top of the tree), and how long at most."""

    inside: str = ""
    command: str = ""
    seconds: float = 0.0


class Prover:
    """The checks of one merge: `steps` in order, each of which must exit 0 in time."""

    def __init__(self, home: Home, bed: Testbed, alarm: Alarm, config: Config, steps: Sequence[Step]) -> None:
        self.log = os.path.join(home.custody, bed.name + ".log")
        self._home = home
        self._bed = bed
        self._alarm = alarm
        self._config = config
        self._steps = steps

    def prove(self, commit: str, words: str) -> Proof:
        """Try a commit; one that git cannot lay out is red.

        Raises AgentctlError where there is no place to try it in, which says nothing of the commit;
        KeyboardInterrupt where we were asked to stop.
        """
        began = files.size(self.log) or 0
        try:
            self._bed.lay_out(commit)
        except UnfitError as e:
            why = "its files cannot be laid out: %s" % one_line(e, 300)
            files.append_line(self.log, "=== %s (%s): %s" % (words, commit[:12], why))
            return Proof(green=False, why=why, tail=self._tail(began))
        except gitdoor.TROUBLE as e:
            said = "there is no checkout to run the check in: %s" % one_line(e, 300)
            raise AgentctlError(said, "look at %s, and at the space that is left" % self._home.worktrees) from None
        for step in self._steps:
            files.append_line(self.log, "=== %s (%s): %s" % (words, commit[:12], one_line(step.command)))
            why = self._tried(step)
            if why:
                return Proof(green=False, why="`%s`: %s" % (one_line(step.command, 80), why), tail=self._tail(began))
        return Proof()

    def end_log(self, wanted: bool) -> str:
        """Keep the log, with the newest of other merges, where it tells of anything red; its path, or ""."""
        if not wanted:
            files.remove(self.log)
            return ""
        folder = os.path.dirname(self.log)
        logs = [os.path.join(folder, n) for n in os.listdir(folder) if n.startswith(PREFIX) and n.endswith(".log")]
        for old in sorted(logs, key=lambda path: files.mtime(path) or 0.0)[:-_MOST_LOGS]:
            files.remove(old)
        return self.log

    def _tail(self, began: int) -> str:
        size = (files.size(self.log) or 0) - began
        return files.read_tail(self.log, min(size, _TAIL)).decode("utf-8", "replace").strip()

    def _tried(self, step: Step) -> str:
        """Why it failed, or ""."""
        try:
            check = self._started(step)
        except OSError as e:
            return "cannot start: %s" % e.strerror
        try:
            status, why = self._followed(check, step.seconds)
        except BaseException:
            check.stop(False, self._config.stop_grace_s, lambda: None)
            raise
        finally:
            check.clear_away()
            check.dismiss_sentinel()
        ended = judge.ended_by(status, judge.OWN, "")
        return why or ("" if ended.exit_code == 0 else judge.how(ended))

    def _started(self, step: Step) -> Worker:
        folder = os.path.join(self._bed.tree, step.inside) if step.inside else self._bed.tree
        env = environ.for_worker(os.environ, self._bed.name, self._home.path, (("PWD", folder),))
        back = os.open(".", os.O_RDONLY | os.O_CLOEXEC)
        will = (*paths.PROGRAM, "_sweep", self._home.path)
        try:
            os.chdir(folder)
            argv, outlet = ("/bin/sh", "-c", step.command), piping.of_command(self.log, self.log)
            return Worker(self._bed.name, self._alarm, argv, env, environ.umask(), "", outlet, will)
        finally:
            os.fchdir(back)
            os.close(back)

    def _followed(self, check: Worker, seconds: float) -> tuple[int, str]:
        """The wait status, and why it was stopped."""
        deadline = time.monotonic() + seconds
        most = self._config.max_output_bytes
        while True:
            status = check.ended()
            if status is not None:
                return status, ""
            if self._alarm.take(signals.STOPPING):
                raise KeyboardInterrupt
            why = "it took longer than %s" % duration(seconds) if time.monotonic() > deadline else ""
            if not why and (files.size(self.log) or 0) > most:
                why = "it printed more than %d MB" % (most >> 20)
            if why:
                return check.stop(False, self._config.stop_grace_s, lambda: None), why
            self._alarm.sleep(min(_NAP_S, max(deadline - time.monotonic(), 0.0)))
