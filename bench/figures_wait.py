"""From the worker's end to `wait` having returned, for one run and for the first of a hundred."""

from __future__ import annotations

import os
import signal
import time
from typing import Optional

import measure
import synthetic
from lab import Lab
from measure import AGENTCTL
from measure import BenchError
from measure import Timing
from table import MEDIAN
from table import RATIO
from table import WORST
from table import Goal
from table import Row

_BLOCKED_AFTER_S = 0.12  # ours and the floor's waiter are asleep by then
_MANY = 100


def wait(rounds: int) -> list[Row]:
    """The worker stamps the time as its last act; the waiter's end is seen by its parent."""
    with Lab() as lab:
        measure.timed(lab.split("true"), lab.env)
        pairs = measure.in_turns(rounds * 4, lambda: after_exit(lab), lambda: raw(lab))
    ours, floor = pairs.walls()
    return [
        Row(
            "worker's exit -> wait returned",
            "ms",
            ours,
            floor,
            "raw tmux wait-for",
            (Goal(RATIO, most=1.0), Goal(WORST, most=15.0)),
        )
    ]


def after_exit(lab: Lab, project: str = "p") -> Timing:
    """One gated run: from its worker's last act to the return of a `wait` that slept."""
    gate, stamp = lab.fifo(), lab.fresh("stamp")
    run_id = lab.start("--project", project, "--", *lab.gated(gate, stamp))
    argv = (*AGENTCTL, "wait", run_id)
    timing = woken(lab, argv, gate, stamp)
    lab.settle(run_id)
    return timing


def raw(lab: Lab) -> Timing:
    """The floor: a worker in a pane, and a tmux client that waits to be told by another."""
    gate, stamp, channel = lab.fifo(), lab.fresh("stamp"), os.path.basename(lab.fresh("channel"))
    then = 'c=$1; s=$2; shift 2; "$@"; exec tmux -S "$s" wait-for -S "$c"'
    measure.timed(lab.split("/bin/sh", "-c", then, "sh", channel, lab.socket, *lab.gated(gate, stamp)), lab.env)
    return woken(lab, lab.tmux("wait-for", channel), gate, stamp)


def woken(lab: Lab, argv: tuple[str, ...], gate: str, stamp: str, env: Optional[dict[str, str]] = None) -> Timing:
    """From the last act of a gated worker to the return of a process that waits for its end."""
    pid = measure.spawn(argv, env or lab.env)
    time.sleep(_BLOCKED_AFTER_S)
    if argv[: len(AGENTCTL)] == AGENTCTL and os.path.exists("/proc/locks"):
        measure.until(lambda: measure.blocked_on_locks(pid))
    lab.open_gate(gate)
    cpu = measure.reap(pid, 0.0, argv).cpu
    return Timing(measure.now() - lab.stamped(stamp), cpu)


def wait_any(rounds: int) -> list[Row]:
    """`wait --any` of 100 live runs against `wait` of one: set-up, and return after the event.

    The runs are folders whose locks this process holds, so that only the waiter is measured.
    """
    set_up: tuple[list[float], list[float]] = ([], [])
    told: tuple[list[float], list[float]] = ([], [])
    with Lab() as lab:
        homes = synthetic.Homes(lab)
        for n in range(rounds + 1):
            for index, many in enumerate((_MANY, 1)):
                with homes.living(many) as live:
                    blocked, returned = _first_of(lab, live)
                if n:
                    set_up[index].append(blocked)
                    told[index].append(returned)
    more = tuple(a - b for a, b in zip(*set_up))
    return [
        Row("wait --any of 100: set-up, beyond that of one", "ms", more, goals=(Goal(MEDIAN, most=10.0),)),
        Row(
            "wait --any of 100: event -> returned",
            "ms",
            tuple(told[0]),
            tuple(told[1]),
            "wait of one",
            (Goal(MEDIAN, most=2.0),),
        ),
    ]


def _first_of(lab: Lab, live: synthetic.Living) -> tuple[float, float]:
    argv = (*AGENTCTL, "--home", live.home, "wait", "--any", *live.ids)
    began = measure.now()
    pid = measure.spawn(argv, lab.env)
    try:
        measure.until(lambda: measure.blocked_on_locks(pid) == len(live.ids), every=0.0005)
    except BenchError:
        os.kill(pid, signal.SIGKILL)
        raise
    blocked = measure.now() - began
    time.sleep(0.02)
    ended = live.end_one()
    return blocked, measure.reap(pid, 0.0, argv).wall - ended


FIGURES = {"wait": wait, "wait-any": wait_any}
