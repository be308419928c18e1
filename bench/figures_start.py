"""What a command costs before it does anything, and what a start costs."""

from __future__ import annotations

import os

import measure
from lab import Lab
from measure import AGENTCTL
from measure import PASS
from measure import Timing
from table import RATIO
from table import Goal
from table import Row

_STARTS = 30
_TELL = 'echo > "$1"'  # the cheapest first instruction that another process can see: sh, one open, one write


def nothing(rounds: int) -> list[Row]:
    """`agentctl --version`: what every command pays."""
    with Lab() as lab:
        pairs = measure.in_turns(
            rounds, lambda: measure.timed((*AGENTCTL, "--version"), lab.env), lambda: measure.timed(PASS, lab.env)
        )
    ours, floor = pairs.walls()
    return [
        Row(
            "no-op: --version",
            "ms",
            ours,
            floor,
            "python3 -c pass",
            (Goal(RATIO, most=1.5),),
            pairs.cpus(),
            note="stretch 0.8x",
        )
    ]


def start(rounds: int) -> list[Row]:
    """`start` returns, in a window that has a pane of ours already."""
    with Lab() as lab:
        resident(lab)

        def ours() -> Timing:
            out = lab.fresh("id")
            timing = measure.timed((*AGENTCTL, "start", "--project", "p", "--", "true"), lab.env, out)
            lab.settle(_read(out))
            return timing

        pairs = measure.in_turns(rounds, ours, lambda: measure.timed(PASS, lab.env) + _split(lab, "true"))
    walls, floor = pairs.walls()
    return [
        Row(
            "start returns",
            "ms",
            walls,
            floor,
            "pass + split-window",
            (Goal(RATIO, most=2.0),),
            pairs.cpus(),
            note="stretch 1.15x",
        )
    ]


def first_instruction(rounds: int) -> list[Row]:
    """From the call of `start` to the worker's first instruction, which is sh opening a FIFO."""
    with Lab() as lab:
        resident(lab)

        def floor() -> Timing:
            return measure.timed(PASS, lab.env) + measure.timed(PASS, lab.env) + _split(lab, "true")

        pairs = measure.in_turns(rounds, lambda: until_first_instruction(lab), floor)
    walls, floors = pairs.walls()
    return [
        Row(
            "call -> worker's first instruction", "ms", walls, floors, "2 pass + split-window", (Goal(RATIO, most=1.0),)
        )
    ]


def until_first_instruction(lab: Lab, project: str = "p") -> Timing:
    """One run, from the call to the line that its worker writes first."""
    fifo, out, began = lab.fifo(), lab.fresh("id"), measure.now()
    argv = (*AGENTCTL, "start", "--project", project, "--", "/bin/sh", "-c", _TELL, "sh", fifo)
    pid = measure.spawn(argv, lab.env, out)
    told = _told(fifo) - began
    measure.reap(pid, began, argv)
    lab.settle(_read(out))
    return Timing(told, 0.0)


def burst(rounds: int) -> list[Row]:
    """30 starts one after the other, until the last returns and until the last worker works."""
    returned, working, floors = [], [], []
    for _ in range(max(rounds // 10, 1)):
        with Lab() as lab:
            resident(lab)
            floor = [measure.timed(PASS, lab.env) + _split(lab, "true") for _ in range(_STARTS)]
            floors.append(sum(timing.wall for timing in floor) / _STARTS)
            fifo, began = lab.fifo(), measure.now()
            for _ in range(_STARTS):
                measure.timed(
                    (*AGENTCTL, "start", "--project", "p", "--", "/bin/sh", "-c", _TELL + "; sleep 600", "sh", fifo),
                    lab.env,
                )
            returned.append((measure.now() - began) / _STARTS)
            _told(fifo, _STARTS)
            working.append((measure.now() - began) / _STARTS)
    name, goals = "pass + split-window", (Goal(RATIO, most=2.0),)
    return [
        Row("30 starts in a row: each returns", "ms", tuple(returned), tuple(floors), name, goals),
        Row("30 starts in a row: each works", "ms", tuple(working), tuple(floors), name),
    ]


def resident(lab: Lab) -> None:
    """A pane that stays, so that the `workers` window is there as on a busy day."""
    measure.timed(lab.split("true"), lab.env)
    fifo = lab.fifo()
    lab.start("--project", "p", "--", "/bin/sh", "-c", _TELL + "; sleep 86400", "sh", fifo)
    _told(fifo)


def _split(lab: Lab, *argv: str) -> Timing:
    return measure.timed(lab.split(*argv), lab.env)


def _told(fifo: str, times: int = 1) -> float:
    """When the last of so many lines came through a FIFO."""
    fd, lines = os.open(fifo, os.O_RDONLY), 0
    try:
        while lines < times:
            data = os.read(fd, 4096)
            if not data:
                os.close(fd)
                fd = os.open(fifo, os.O_RDONLY)
            lines += data.count(b"\n")
        return measure.now()
    finally:
        os.close(fd)


def _read(path: str) -> str:
    with open(path, encoding="ascii") as f:
        return f.read().strip()


FIGURES = {"no-op": nothing, "start": start, "first": first_instruction, "burst": burst}
