"""Homes of many runs, made without running them: copies of one that really ran.

The copies are hard links to the files of a run made a moment before, so that they are
whatever format agentctl writes today. A live run is one whose lock this process holds.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time

import measure
from lab import Lab

_LINKS = 30_000  # ext4 allows 65,000 links to a file
LIVE = 5


class Living:
    """A home with runs that live until told to end."""

    def __init__(self, home: str, template: str, count: int) -> None:
        self.home = home
        self.ids = [run_id(n) for n in range(count)]
        self._template = template
        self._locks: list[int] = []
        for one in self.ids:
            make_run(home, one, template, ended=False)
            self._locks.append(_hold(os.path.join(home, "runs", one, "lock")))

    def __enter__(self) -> Living:
        return self

    def __exit__(self, *_: object) -> None:
        self.end_all()
        shutil.rmtree(self.home)

    def end_one(self) -> float:
        """End the run in the middle; returns when its lock was let go."""
        middle = len(self.ids) // 2
        _link(self._template, os.path.join(self.home, "runs", self.ids[middle]), "result.json")
        lock, self._locks[middle] = self._locks[middle], -1
        moment = measure.now()
        os.close(lock)
        return moment

    def end_all(self) -> None:
        """Let go of the locks that are still held."""
        for lock in self._locks:
            if lock >= 0:
                os.close(lock)
        self._locks = []


class Homes:
    """Makes homes beside the one of a lab, from a run of that one."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        ended = lab.start("--project", "p", "--no-pane", "--", "true")
        lab.settle(ended)
        self._template = os.path.join(lab.home, "runs", ended)

    def result(self, **fields: object) -> None:
        """Have the runs of the homes to come say more in their results than that one did."""
        path = os.path.join(self._template, "result.json")
        with open(path, encoding="utf-8") as f:
            raw = json.load(f)
        with open(path, "w", encoding="utf-8") as f:
            json.dump({**raw, **fields}, f)

    def living(self, count: int) -> Living:
        """A home of live runs."""
        return Living(self._home(), self._template, count)

    def of(self, count: int) -> tuple[str, list[int]]:
        """A home of `count` ended runs and a few live ones; and the locks that keep those alive."""
        home = self._home()
        template = self._template
        for n in range(count - LIVE):
            if n and n % _LINKS == 0:
                template = shutil.copytree(template, self._lab.fresh("template"))
            make_run(home, run_id(n), template, ended=True)
        locks = []
        for n in range(count - LIVE, count):
            make_run(home, run_id(n), template, ended=False)
            locks.append(_hold(os.path.join(home, "runs", run_id(n), "lock")))
        with open(os.path.join(home, "journal"), "w", encoding="ascii") as f:
            f.writelines("%s\tp\n" % run_id(n) for n in range(count))
        return home, locks

    def _home(self) -> str:
        home = self._lab.fresh("home")
        measure.timed((*measure.AGENTCTL, "--home", home, "init"), self._lab.env)
        return home


def run_id(n: int) -> str:
    """The id of the n-th run: ids sort by birth, here one a second, long ago."""
    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime(1_700_000_000 + n)) + "%04x" % (n & 0xFFFF)


def make_run(home: str, one: str, template: str, ended: bool) -> None:
    """A run's folder, linked from a run that ended."""
    folder = os.path.join(home, "runs", one)
    os.mkdir(folder, 0o700)
    for name in ("meta.json", "prompt.md", "events.jsonl", *(("result.json", "notified", "lock") if ended else ())):
        _link(template, folder, name)
    if not ended:
        for path in (os.path.join(folder, "lock"), os.path.join(home, "active", one)):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def _link(template: str, folder: str, name: str) -> None:
    source = os.path.join(template, name)
    if os.path.exists(source):
        os.link(source, os.path.join(folder, name))


def _hold(path: str) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return fd
