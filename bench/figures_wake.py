"""From the worker's end to an orchestrator that knows of it, and what waiting for that costs."""

from __future__ import annotations

import json
import os
import sys
import time

import measure
from figures_wait import raw
from figures_wait import woken
from lab import Lab
from measure import AGENTCTL
from measure import BARE
from measure import REPO
from measure import BenchError
from measure import Timing
from table import RATIO
from table import WORST
from table import Goal
from table import Row

_TUI = os.path.join(REPO, "bench", "tui.py")
_WATCHED_S = 10.0
_SETTLED_S = 3.0
_KEYS = "exit -> one client `send-keys` readable"


class Tui:
    """A stand-in TUI in a pane of the lab's tmux server: bench/tui.py."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._log = lab.fresh("keys")
        self.pane = measure.output(lab.split(*BARE, _TUI, self._log), lab.env, lab.fresh("out"))
        measure.until(lambda: self.pane and os.path.exists(self._log) and self._shows("❯"))
        server = measure.output(lab.tmux("display-message", "-p", "#{pid}"), lab.env, lab.fresh("out"))
        self.env = {**lab.env, "TMUX": "%s,%s,0" % (lab.socket, server), "TMUX_PANE": self.pane}

    def _shows(self, word: str) -> bool:
        return word in measure.output(
            self._lab.tmux("capture-pane", "-p", "-t", self.pane), self._lab.env, self._lab.fresh("out")
        )

    def reads(self) -> list[float]:
        """When it read something, in milliseconds of the shared clock."""
        with open(self._log, encoding="ascii") as f:
            return [int(line.split()[0]) / 1e6 for line in f.read().splitlines()]

    def emptied(self, before: int) -> bool:
        """Whether text and Enter have come since there were `before` reads."""
        return len(self.reads()) > before and not self._shows("agentctl")


_IDLE_S = 4.5
"""A tmux session in which somebody has just done something is not idle: the wake looks longer there."""


def keys(rounds: int) -> list[Row]:
    """An idle orchestrator in a pane, with nothing of ours that waits: its run's own runner types the line."""
    with Lab() as lab:
        measure.timed(lab.split("true"), lab.env)
        tui = Tui(lab)
        time.sleep(_IDLE_S)
        pairs = measure.in_turns(rounds * 2, lambda: _typed_by_us(lab, tui), lambda: _typed_by_one_client(lab, tui))
    ours, floor = pairs.walls()
    return [
        Row("worker's exit -> keys in an idle orchestrator's pane", "ms", ours, floor, _KEYS, (Goal(RATIO, most=2.0),))
    ]


def _typed_by_us(lab: Lab, tui: Tui) -> Timing:
    gate, stamp = lab.fifo(), lab.fresh("stamp")
    argv = (*AGENTCTL, "start", "--project", "p", "--", *lab.gated(gate, stamp))
    run_id = measure.output(argv, tui.env, lab.fresh("out"))
    timing = _typed(lab, tui, gate, stamp)
    lab.settle(run_id)
    measure.timed((*AGENTCTL, "inbox", "--all"), tui.env)
    return timing


def _typed_by_one_client(lab: Lab, tui: Tui) -> Timing:
    gate, stamp = lab.fifo(), lab.fresh("stamp")
    then = 'p=$1; s=$2; shift 2; "$@"; exec tmux -S "$s" send-keys -t "$p" -l ": agentctl" \\; send-keys -t "$p" Enter'
    measure.timed(lab.split("/bin/sh", "-c", then, "sh", tui.pane, lab.socket, *lab.gated(gate, stamp)), lab.env)
    return _typed(lab, tui, gate, stamp)


def _typed(lab: Lab, tui: Tui, gate: str, stamp: str) -> Timing:
    time.sleep(0.15)
    before = len(tui.reads())
    lab.open_gate(gate)
    measure.until(lambda: tui.emptied(before))
    return Timing(tui.reads()[before] - lab.stamped(stamp), 0.0)


def inbox(rounds: int) -> list[Row]:
    """As `wait`, for an orchestrator that waits for whatever comes next."""
    with Lab() as lab:
        measure.timed(lab.split("true"), lab.env)
        env = {**lab.env, "AGENTCTL_ORCHESTRATOR": "bench"}
        os.makedirs(os.path.join(lab.home, "inbox", "bench"), 0o700)
        pairs = measure.in_turns(rounds * 4, lambda: _told(lab, env), lambda: raw(lab))
    ours, floor = pairs.walls()
    return [Row("worker's exit -> inbox --wait returned", "ms", ours, floor, "raw tmux wait-for")]


def _told(lab: Lab, env: dict[str, str]) -> Timing:
    gate, stamp = lab.fifo(), lab.fresh("stamp")
    argv = (*AGENTCTL, "start", "--project", "p", "--", *lab.gated(gate, stamp))
    run_id = measure.output(argv, env, lab.fresh("out"))
    timing = woken(lab, (*AGENTCTL, "inbox", "--wait", "--all"), gate, stamp, env)
    lab.settle(run_id)
    return timing


def idle(rounds: int) -> list[Row]:
    """All that waits for an orchestrator, over ten seconds in which nothing happens."""
    del rounds
    with Lab() as lab:
        waiting = _everything_that_waits(lab)
        time.sleep(_SETTLED_S)
        before = {name: measure.ran(pid) for name, pid in waiting.items()}
        time.sleep(_WATCHED_S)
        used = {name: (measure.ran(pid) - before[name]) / 1e9 / _WATCHED_S * 3600 for name, pid in waiting.items()}
    return [
        Row("CPU of %s between events, per hour" % name, "s", (seconds,), goals=(Goal(WORST, most=0.0),))
        for name, seconds in used.items()
    ]


def _everything_that_waits(lab: Lab) -> dict[str, int]:
    """The pane's process of `orch` with the keeper, the hook's waiter, `inbox --wait` and `wait`; a run lives."""
    claude, folder = lab.fresh("claude"), lab.fresh("folder")
    hook = json.dumps([*AGENTCTL, "_hook", "wait"])
    log = lab.fresh("keys")
    with open(claude, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\nexec %s %s %s -- '%s'\n" % (" ".join(BARE), _TUI, log, hook))
    os.chmod(claude, 0o755)
    os.mkdir(folder)
    lab.config(executables={"claude": claude})
    measure.timed(lab.split("true"), lab.env)
    measure.timed((*BARE, os.path.join(REPO, "bin", "orch"), folder), lab.env)
    name = next(n for n in os.listdir(os.path.join(lab.home, "inbox")) if n.startswith("orch-"))
    env = {**lab.env, "AGENTCTL_ORCHESTRATOR": name}
    run_id = measure.output((*AGENTCTL, "start", "--project", "p", "--", "sleep", "86400"), env, lab.fresh("out"))
    for words in (("wait", run_id), ("inbox", "--wait")):
        measure.spawn((*AGENTCTL, *words), env)
    return {
        "the keeper": _one(lab, "letter-"),
        "the hook's waiter": _one(lab, "_hook"),
        "inbox --wait": _one(lab, "--wait"),
        "wait": _one(lab, "wait", run_id),
    }


def _one(lab: Lab, *words: str) -> int:
    """The python process of the lab that has these in its command line."""

    def found() -> list[int]:
        argvs = {pid: measure.argv_of(pid) for pid in measure.processes() if measure.mentions(pid, lab.root)}
        ours = {pid: argv for pid, argv in argvs.items() if argv[:1] == [sys.executable] or argv[0] == BARE[0]}
        ours = {pid: argv for pid, argv in ours.items() if _TUI not in argv}
        return [pid for pid, argv in ours.items() if all(any(word in part for part in argv) for word in words)]

    measure.until(found)
    if len(found()) != 1:
        raise BenchError("%d processes are `%s`" % (len(found()), " ".join(words)))
    return found()[0]


FIGURES = {"keys": keys, "inbox": inbox, "idle-wake": idle}
