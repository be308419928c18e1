"""What it costs to watch: `status --watch` with 200 live runs, still ones and ones that all do something."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import struct
import termios
import threading
import time

import measure
import synthetic
from lab import Lab
from measure import AGENTCTL
from measure import BARE
from measure import BenchError
from table import WORST
from table import Goal
from table import Row

_RUNS = 200
_WATCHED_S = 5.0
_LOOKS = 3
_MOST = 2.0
_NAPS = "import time\nwhile True: time.sleep(0.5)"


def watched(rounds: int) -> list[Row]:
    """Per cent of a core, over some seconds; the floor is an interpreter that naps as the table does."""
    del rounds  # a few looks of some seconds each
    with Lab() as lab:
        rows = []
        for name, every in (("still", 0.0), ("each with an event twice a second", 0.5)):
            with synthetic.Homes(lab).living(_RUNS) as living:
                rows.append(_row(lab, living, name, every))
    return rows


def _row(lab: Lab, living: synthetic.Living, name: str, every: float) -> Row:
    stop = threading.Event()
    chatter = threading.Thread(target=_chatter, args=(living, every, stop))
    for number, run_id in enumerate(living.ids):
        _say(living.home, run_id, number)
    argv = (*AGENTCTL, "--home", living.home, "status", "--watch")
    table, master = _in_terminal(argv, lab.env)
    napper = measure.spawn((*BARE, "-c", _NAPS), lab.env)
    chatter.start()
    try:
        _until_painted(master)
        ours, floor = [], []
        for _ in range(_LOOKS):
            before = measure.ran(table), measure.ran(napper)
            _read_on(master, _WATCHED_S)
            after = measure.ran(table), measure.ran(napper)
            ours.append(_share(after[0] - before[0]))
            floor.append(_share(after[1] - before[1]))
    finally:
        stop.set()
        chatter.join()
        for pid in (table, napper):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(master)
    figure = "CPU of status --watch, %d runs, %s" % (_RUNS, name)
    return Row(figure, "%", tuple(ours), tuple(floor), "an interpreter napping", (Goal(WORST, most=_MOST),))


def _share(nanoseconds: float) -> float:
    return 100 * nanoseconds / 1e9 / _WATCHED_S


def _chatter(living: synthetic.Living, every: float, stop: threading.Event) -> None:
    """Every run says something new, spread over the time."""
    number = 0
    while every and not stop.wait(every / 20):
        for _ in range(_RUNS // 20):
            number += 1
            _say(living.home, living.ids[number % _RUNS], number)


def _say(home: str, run_id: str, number: int) -> None:
    """As a runner tells it: status.json by rename, and an event."""
    folder = os.path.join(home, "runs", run_id)
    usage = {"input": 1000 + number, "cached": 90_000, "output": 300, "turns": number % 90, "tool_calls": 12}
    said = {
        "session_id": "0d4cb5d4-0000-4000-8000-000000000000",
        "model": "model",
        "billing": "api",
        "doing": "Bash: python3 -m pytest tests/unit -q -k number_%d" % number,
        "messages": number % 90,
        "usage": {**usage, "cost_usd": 0.01 * (number % 500), "virtual_usd": None},
        "context_tokens": 90_000 + number % 1000,
        "context_window": 200_000,
        "tool_calls": {"Bash": 9, "Read": 20, "Edit": 7},
        "retries": 0,
        "limit": None,
        "files_written": number % 5,
        "denied": 0,
        "error": "",
        "status": "running",
        "runner": 1,
        "worker": 2,
        "worker_started": "3",
        "pane": "%4",
        "socket": "",
        "at": time.time(),
    }
    temporary = os.path.join(folder, "status.tmp")
    with open(temporary, "w", encoding="ascii") as f:
        json.dump(said, f)
    os.replace(temporary, os.path.join(folder, "status.json"))
    events = os.path.join(folder, "events.jsonl")
    if os.path.exists(events) and os.stat(events).st_nlink > 1:
        os.unlink(events)  # it is shared with the run that all of them are copies of
    with open(events, "a", encoding="ascii") as f:
        f.write('{"at": %.3f, "kind": "message", "text": "event %d"}\n' % (time.time(), number))


def _in_terminal(argv: tuple[str, ...], env: dict[str, str]) -> tuple[int, int]:
    """(pid, our end) of a program with a terminal of 160 by 50."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    actions = [(os.POSIX_SPAWN_DUP2, slave, number) for number in (0, 1, 2)]
    pid = os.posix_spawnp(argv[0], list(argv), env, file_actions=actions)
    os.close(slave)
    return pid, master


def _read_on(master: int, seconds: float) -> bytes:
    """What is painted within a time."""
    deadline, shown = time.monotonic() + seconds, []
    while time.monotonic() < deadline:
        if select.select([master], [], [], deadline - time.monotonic())[0]:
            shown.append(os.read(master, 1 << 16))
    return b"".join(shown)


def _until_painted(master: int) -> None:
    shown = b""
    deadline = time.monotonic() + 30
    while b"%d running" % _RUNS not in shown or b"q leave" not in shown:
        if time.monotonic() > deadline:
            raise BenchError("the table was not painted: %r" % shown[-200:])
        shown += _read_on(master, 0.1)
    _read_on(master, 1.0)


FIGURES = {"table": watched}
