"""`stats` over many ended runs, the second time: it looks at each result, and reads none."""

from __future__ import annotations

import json
import os

import measure
import synthetic
from lab import Lab
from measure import AGENTCTL
from measure import BARE
from measure import BenchError
from measure import Timing
from table import MEDIAN
from table import RATIO
from table import Goal
from table import Row

_COUNT = 10_000
_FLOOR = (
    "import os,sys\nruns=sys.argv[1]\n"
    "for name in os.listdir(runs):\n"
    " try: os.stat(runs+'/'+name+'/result.json')\n"
    " except OSError: pass"
)
"""The least that sees a folder removed, added or replaced by hand."""
_SAID = {
    "backend": "claude",
    "model": "claude-opus-4-8[1m]",
    "billing": "api",
    "agent": "tester",
    "role": "tester",
    "messages": 12,
    "usage": {
        "input": 123_456,
        "cached": 1_234_567,
        "output": 12_345,
        "turns": 31,
        "tool_calls": 30,
        "cost_usd": 1.54321,
    },
    "tool_calls": {"Bash": 12, "Read": 10, "Edit": 6, "Grep": 2},
    "context_tokens": 98_765,
    "context_window": 1_000_000,
}
"""What a worker says; a command says next to nothing."""


def warm(rounds: int) -> list[Row]:
    """`stats --by agent` with its cache, against looking at the same files; and once without."""
    with Lab() as lab:
        homes = synthetic.Homes(lab)
        homes.result(**_SAID)
        home, locks = homes.of(_COUNT)
        argv = (*AGENTCTL, "--home", home, "stats", "--by", "agent", "--json")
        floor = (*BARE, "-c", _FLOOR, os.path.join(home, "runs"))
        _check(json.loads(measure.output(argv, lab.env, lab.fresh("out"))))
        pairs = measure.in_turns(rounds, lambda: measure.timed(argv, lab.env), lambda: measure.timed(floor, lab.env))
        cold = [_cold(lab, home, argv) for _ in range(3)]
        for lock in locks:
            os.close(lock)
    ours, least = pairs.walls()
    name, seen = "stats, %s runs" % format(_COUNT, ","), "stat of the same files"
    goals = (Goal(MEDIAN, most=500.0), Goal(RATIO, most=12.0))
    return [
        Row(name, "ms", ours, least, seen, goals, pairs.cpus()),
        Row(name + ", without its cache", "ms", tuple(timing.wall for timing in cold)),
    ]


def _check(said: dict[str, dict[str, object]]) -> None:
    told = said["totals"]
    ended = _COUNT - synthetic.LIVE
    if told["runs"] != _COUNT or told["messages"] != 12 * ended:
        raise BenchError("stats counts %s runs and %s messages" % (told["runs"], told["messages"]))


def _cold(lab: Lab, home: str, argv: tuple[str, ...]) -> Timing:
    os.unlink(os.path.join(home, "figures.cache"))
    return measure.timed(argv, lab.env)


FIGURES = {"stats": warm}
