"""What stands beside an idle worker, and what a waiter costs while it waits."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from typing import Callable

import measure
from lab import Lab
from measure import AGENTCTL
from measure import BARE
from measure import BenchError
from table import MEDIAN
from table import WORST
from table import Goal
from table import Row

_WORKERS = 10
_WATCHED_S = 10.0
_SETTLED_S = 4.0


def watch(rounds: int) -> list[Row]:
    """Ten idle workers in panes, a waiter for each. Memory is PSS: what is shared is counted once."""
    del rounds  # one look at ten of each, over ten seconds
    with Lab() as lab:
        floor = _idle_interpreters(lab)
        measure.timed(lab.split("true"), lab.env)
        runs = [lab.start("--project", "p", "--", "sleep", "86400") for _ in range(_WORKERS)]
        pairs = [_runner_and_sentinel(lab.runner(run)) for run in runs]
        waiters = [measure.spawn((*AGENTCTL, "wait", run), lab.env) for run in runs]
        time.sleep(_SETTLED_S)
        beside, waiting = [_used(pair, _pss) for pair in pairs], [_used([pid], _pss) for pid in waiters]
        if not all(measure.blocked_on_locks(pid) for pid in waiters):
            raise BenchError("a waiter does not wait")
        before = [_used(pair, measure.ran) for pair in pairs], [_used([pid], measure.ran) for pid in waiters]
        time.sleep(_WATCHED_S)
        after = [_used(pair, measure.ran) for pair in pairs], [_used([pid], measure.ran) for pid in waiters]
    idle, zero = ([_per_hour(b - a) for a, b in zip(*both)] for both in zip(before, after))
    name = "python3 -IS idling"
    return [
        Row(
            "memory beside an idle worker: runner + sentinel",
            "MB",
            tuple(beside),
            floor,
            name,
            (Goal(MEDIAN, most=3.5),),
        ),
        Row("memory of a waiter", "MB", tuple(waiting), floor, name, (Goal(MEDIAN, most=3.0),)),
        Row("CPU beside an idle worker, per hour", "s", tuple(idle), goals=(Goal(MEDIAN, most=0.5),)),
        Row("CPU of a waiter, per hour", "s", tuple(zero), goals=(Goal(WORST, most=0.0),)),
    ]


def _idle_interpreters(lab: Lab) -> tuple[float, ...]:
    pids = [measure.spawn((*BARE, "-c", "import time; time.sleep(86400)"), lab.env) for _ in range(_WORKERS)]
    try:
        time.sleep(0.5)
        return tuple(_pss(pid) for pid in pids)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _runner_and_sentinel(runner: int) -> list[int]:
    """The sentinel is the runner's child that has the runner's own command line."""

    def sentinels() -> list[int]:
        return [pid for pid in measure.children(runner) if measure.argv_of(pid) == measure.argv_of(runner)]

    measure.until(lambda: len(measure.children(runner)) == 2 and sentinels())
    return [runner, *sentinels()]


def _used(pids: Sequence[int], what: Callable[[int], float]) -> float:
    return sum(what(pid) for pid in pids)


def _pss(pid: int) -> float:
    return measure.kilobytes(pid, "smaps_rollup", "Pss") / 1024


def _per_hour(nanoseconds: float) -> float:
    return nanoseconds / 1e9 / _WATCHED_S * 3600


FIGURES = {"idle": watch}
