"""What `spawn` saves: thirty runs by one command against thirty commands, in tmux's time and as a whole."""

from __future__ import annotations

import sys

import measure
from figures_start import resident
from lab import Lab
from measure import AGENTCTL
from measure import REPO
from measure import Timing
from table import RATIO
from table import Goal
from table import Row

sys.path.insert(0, REPO)
from agentctl import manypanes  # noqa: E402
from agentctl import tmux  # noqa: E402
from agentctl.tmux import Place  # noqa: E402
from agentctl.tmux import Server  # noqa: E402

_RUNS, _PER_WINDOW = 30, 6
_WORDS = "sleep 600"


def panes(rounds: int) -> list[Row]:
    """The time in tmux clients alone, which is waited for; the workers do nothing."""
    with Lab() as lab:
        measure.timed(lab.split("true"), lab.env)
        pairs = measure.in_turns(max(rounds // 3, 1), lambda: _in_session(lab, True), lambda: _in_session(lab, False))
    ours, floor = pairs.walls()
    goals = (Goal(RATIO, most=0.5),)
    return [Row("tmux time per worker: spawn of %d" % _RUNS, "ms", ours, floor, "%d single starts" % _RUNS, goals)]


def _in_session(lab: Lab, together: bool) -> Timing:
    """Thirty panes in a tmux session of their own.

    The argv is as long as a runner's, the program light: a Python that starts in the pane
    before takes the CPU from tmux, which is the worker's time and not tmux's.
    """
    length = len(" ".join((*AGENTCTL, "_run", lab.home, "20260215-143022-ab12")))
    argv = ["sleep", "600.".ljust(length, "0")]
    argvs, server, last = [argv] * _RUNS, Server(socket=lab.socket), Place()
    measure.timed(lab.tmux("new-session", "-d", "-s", "many", "-x", "200", "-y", "50", "sleep", "600"), lab.env)
    began = measure.now()
    if together:
        for _ in manypanes.open_all(server, "many", argvs, _PER_WINDOW, last):
            pass
    else:
        for words in argvs:
            last = tmux.open_pane(server, "many", words, _PER_WINDOW, last)
    took = (measure.now() - began) / _RUNS
    measure.timed(lab.tmux("kill-session", "-t", "=many"), lab.env)
    return Timing(took, 0.0)


def commands(rounds: int) -> list[Row]:
    """The whole: from the call until the command has returned, a worker's share of it."""
    spawned, started = [], []
    for n in range(max(rounds // 10, 1)):
        for samples, sample in ((spawned, _spawn), (started, _starts))[:: 1 if n % 2 else -1]:
            with Lab() as lab:
                resident(lab)
                samples.append(sample(lab) / _RUNS)
    return [Row("spawn of %d: returns, per run" % _RUNS, "ms", tuple(spawned), tuple(started), "%d starts" % _RUNS)]


def _spawn(lab: Lab) -> float:
    argv = (*AGENTCTL, "spawn", "--project", "p", "--backend", "shell", *[_WORDS] * _RUNS)
    return measure.timed(argv, lab.env).wall


def _starts(lab: Lab) -> float:
    argv = (*AGENTCTL, "start", "--project", "p", "--", "/bin/sh", "-c", _WORDS)
    return sum(measure.timed(argv, lab.env).wall for _ in range(_RUNS))


FIGURES = {"spawn-tmux": panes, "spawn": commands}
