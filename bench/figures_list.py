"""`list` with few runs and with very many: it is to be flat."""

from __future__ import annotations

import os

import measure
import synthetic
from lab import Lab
from measure import AGENTCTL
from measure import PASS
from measure import BenchError
from table import RATIO
from table import Goal
from table import Row

_COUNTS = (30, 10_000, 100_000)
_SHOWN = 30
_WAYS = (("list",), ("list", "--running"))


def listing(rounds: int) -> list[Row]:
    """`list` and `list --running` at each size, with a few runs alive."""
    rows = []
    with Lab() as lab:
        homes = synthetic.Homes(lab)
        for count in _COUNTS:
            home, locks = homes.of(count)
            rows += [_row(lab, home, count, way, rounds) for way in _WAYS]
            for lock in locks:
                os.close(lock)
    return rows


def _row(lab: Lab, home: str, count: int, way: tuple[str, ...], rounds: int) -> Row:
    argv = (*AGENTCTL, "--home", home, *way)
    shown = len(measure.output(argv, lab.env, lab.fresh("out")).splitlines()) - 1  # without the headings
    expected = synthetic.LIVE if "--running" in way else min(count, _SHOWN)
    if shown != expected:
        raise BenchError("%s shows %d runs and not %d" % (" ".join(way), shown, expected))
    pairs = measure.in_turns(rounds, lambda: measure.timed(argv, lab.env), lambda: measure.timed(PASS, lab.env))
    ours, floor = pairs.walls()
    return Row(
        "%s, %s runs" % (" ".join(way), format(count, ",")),
        "ms",
        ours,
        floor,
        "python3 -c pass",
        (Goal(RATIO, most=2.0),),
        pairs.cpus(),
    )


FIGURES = {"list": listing}
