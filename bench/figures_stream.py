"""What a flood of output costs: the runner's speed and memory, and the worker's own speed.

In memory where the machine has a folder for that (/dev/shm): a disk would be measured
otherwise. `max_output_bytes` is raised, or the run would be stopped, as it should be.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from typing import NamedTuple

import measure
from lab import Lab
from measure import AGENTCTL
from measure import BARE
from measure import BenchError
from table import RATIO
from table import WORST
from table import Goal
from table import Row

_KB, _MB = 1 << 10, 1 << 20
_TOTAL = 1 << 30
_SOME = 32 << 20
_PEAK_MB = 16.0
_NEEDED = 5 * _TOTAL  # a raw stream, a copy of it, and room
_EVENT = (
    b'{"type":"assistant","message":{"id":"m","role":"assistant","content":[{"type":"text","text":"%s"}]},'
    b'"session_id":"s"}'
)
# argv: stamp of the begin, stamp of the end, line file, bytes to write, file of the last words, gate or "".
# Writes blocks of 1 MB or a whole line; lives on until its gate is opened.
_WRITER = """import os,sys,time
def stamp(path): f=os.open(path,os.O_WRONLY|os.O_CREAT);os.write(f,b'%d'%time.monotonic_ns());os.close(f)
line=open(sys.argv[3],'rb').read();left=int(sys.argv[4]);block=line*max((1<<20)//len(line),1);stamp(sys.argv[1])
def out(data):
    v=memoryview(data)
    while v: v=v[os.write(1,v):]
while left>0: left-=len(block);out(block)
out(open(sys.argv[5],'rb').read());stamp(sys.argv[2])
if sys.argv[6]: os.close(os.open(sys.argv[6],os.O_RDONLY))
os._exit(0)"""
_FLOORS = {"shell": ("through cat", '"$@" | cat > "$raw"'), "flood": ("to a plain file", '"$@" > "$raw"')}
"""What the worker's own speed is held against: a command has pipes that are emptied into its files."""
_REPORT = {"goal_met": True, "summary": "a flood of output", "followup_prompt": "", "notes": ""}
_LAST = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "result": json.dumps(_REPORT),
    "structured_output": _REPORT,
    "session_id": "s",
    "num_turns": 1,
}


class Sample(NamedTuple):
    """One worker's output. Moments in ms: begun and done by the worker, read or told by us; MB of the runner's peak."""

    begun: float
    done: float
    ended: float
    peak_mb: float = 0.0

    def speed(self, size: int) -> float:
        """MB per second from the worker's first byte to the end."""
        return size / _MB / ((self.ended - self.begun) / 1e3)


def stream(rounds: int) -> list[Row]:
    """1 GB in short lines, in events of a vendor, and in overlong lines."""
    rows: list[Row] = []
    with Lab(fast=True) as lab:
        if shutil.disk_usage(lab.root).free < _NEEDED:
            raise BenchError("%s has less than %d GB free" % (lab.root, _NEEDED >> 30))
        for name, backend, line, least in (
            ("1 KB lines of text", "shell", b"x" * (_KB - 1) + b"\n", 0.35),
            ("1 KB events of Claude Code", "flood", _EVENT % (b"x" * (_KB - len(_EVENT) + 1)) + b"\n", 0.35),
            ("10 MB lines", "flood", _EVENT % (b"x" * (10 * _MB)) + b"\n", 1.0),
            ("100 MB lines", "flood", _EVENT % (b"x" * (100 * _MB)) + b"\n", 1.0),
        ):
            rows += _rows(lab, name, backend, line, least, max(rounds // 10, 1))
    return rows


def _rows(lab: Lab, name: str, backend: str, line: bytes, least: float, rounds: int) -> list[Row]:
    path = lab.fresh("line")
    with open(path, "wb") as f:
        f.write(line)
    some = max(_SOME, len(line))
    live, tee, flood, plain = [], [], [], []
    for _ in range(rounds):
        live.append(_followed(lab, backend, path, some).speed(some))
        tee.append(_through_sh(lab, path, some, '"$@" | tee "$raw" > /dev/null').speed(some))
        flood.append(_flooded(lab, backend, path))
        plain.append(_through_sh(lab, path, _TOTAL, _FLOORS[backend][1]))
    peaks = tuple(s.peak_mb for s in flood)
    return [
        Row("%s: followed live, all read" % name, "MB/s", tuple(live), tuple(tee), "tee", (Goal(RATIO, least=least),)),
        Row(
            "%s: worker writes 1 GB" % name,
            "ms",
            tuple(s.done - s.begun for s in flood),
            tuple(s.done - s.begun for s in plain),
            _FLOORS[backend][0],
            (Goal(RATIO, most=1.1),),
        ),
        Row("%s: runner's peak at 1 GB" % name, "MB", peaks, goals=(Goal(WORST, most=_PEAK_MB),)),
        Row(
            "%s: 1 GB written -> told" % name,
            "ms",
            tuple(s.ended - s.done for s in flood),
            note="may skip what is behind",
        ),
    ]


def _start(lab: Lab, backend: str, line: str, size: int, gate: str) -> tuple[str, str, str]:
    """Start a worker that floods: (run, where it stamps its begin, where its end)."""
    begun, done = lab.fresh("begun"), lab.fresh("done")
    argv = (*BARE, "-c", _WRITER, begun, done, line, str(size), _last_words(lab, backend), gate)
    described = {"flood": {"argv": list(argv), "stream": "claude"}}
    lab.config(max_output_bytes=1 << 40, exit_grace_s=600.0, backends=described)
    worker = ("--", *argv) if backend == "shell" else ("--backend", backend, "--prompt-file", _file(lab, "flood\n"))
    return lab.start("--project", "p", "--no-pane", *worker), begun, done


def _followed(lab: Lab, backend: str, line: str, size: int) -> Sample:
    """The worker lives until the runner's own read position is at the end: what is skipped was not read."""
    gate = lab.fifo()
    run_id, begun, done = _start(lab, backend, line, size, gate)
    runner, raw = lab.runner(run_id), lab.run_file(run_id, "raw.jsonl")
    measure.until(lambda: os.path.exists(done) and measure.position(runner, raw) == os.path.getsize(raw), 120.0)
    read = measure.now()
    lab.open_gate(gate)
    lab.settle(run_id)
    shutil.rmtree(os.path.dirname(raw))
    return Sample(lab.stamped(begun), lab.stamped(done), read)


def _flooded(lab: Lab, backend: str, line: str) -> Sample:
    """1 GB as fast as it goes. Only a run that ended well is a sample: `wait` must exit 0."""
    run_id, begun, done = _start(lab, backend, line, _TOTAL, "")
    argv = (*AGENTCTL, "wait", "--quiet", run_id)
    waiter = measure.spawn(argv, lab.env)
    peak = _peak(lab.runner(run_id))
    told = measure.reap(waiter, 0.0, argv).wall
    shutil.rmtree(lab.run_file(run_id, ""))
    return Sample(lab.stamped(begun), lab.stamped(done), told, peak)


def _peak(runner: int) -> float:
    """The high-water mark of a process's resident memory, asked until it is gone; MB."""
    peak = 0.0
    while True:
        try:
            peak = max(peak, measure.kilobytes(runner, "status", "VmHWM") / 1024)
        except BenchError:
            if not peak:
                raise
            return peak
        time.sleep(0.01)


def _last_words(lab: Lab, backend: str) -> str:
    """A vendor's run must end with a report, or it failed; only a run that ended well is a sample."""
    return _file(lab, json.dumps(_LAST) + "\n" if backend == "flood" else "")


def _file(lab: Lab, words: str) -> str:
    path = lab.fresh("file")
    with open(path, "w", encoding="ascii") as f:
        f.write(words)
    return path


def _through_sh(lab: Lab, line: str, size: int, script: str) -> Sample:
    begun, done, raw = lab.fresh("begun"), lab.fresh("done"), lab.fresh("raw")
    argv = (*BARE, "-c", _WRITER, begun, done, line, str(size), os.devnull, "")
    measure.timed(("/bin/sh", "-c", "raw=$1; shift; " + script, "sh", raw, *argv), lab.env)
    ended = measure.now()
    os.unlink(raw)
    return Sample(lab.stamped(begun), lab.stamped(done), ended)


FIGURES = {"stream": stream}
