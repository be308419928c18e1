"""What git facts cost a run: before its worker starts, and between its end and the wake."""

from __future__ import annotations

import os
from typing import Callable

import measure
from figures_start import resident
from figures_start import until_first_instruction
from figures_wait import after_exit
from lab import Lab
from measure import Timing
from table import Row

_SMALL, _LARGE = 300, 50_000
_PER_FOLDER = 100
_IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")


def small(rounds: int) -> list[Row]:
    """A repository as most are."""
    return _rows(_SMALL, rounds)


def large(rounds: int) -> list[Row]:
    """A repository of 50,000 files; few rounds, for each takes seconds."""
    return _rows(_LARGE, max(rounds // 6, 1))


def _rows(count: int, rounds: int) -> list[Row]:
    with Lab() as lab:
        top = repository(lab, count)
        lab.agentctl("add-project", "repo", top)
        resident(lab)
        rows = [
            _row(lab, "worker's exit -> wait returned", count, rounds, after_exit),
            _row(lab, "call -> worker's first instruction", count, rounds, until_first_instruction),
            _by_hand(lab, top, count, rounds),
        ]
    return rows


def _row(lab: Lab, figure: str, count: int, rounds: int, sample: Callable[[Lab, str], Timing]) -> Row:
    pairs = measure.in_turns(rounds, lambda: sample(lab, "repo"), lambda: sample(lab, "p"))
    ours, floor = pairs.walls()
    return Row("%s, repository of %s files" % (figure, format(count, ",")), "ms", ours, floor, "no repository")


def _by_hand(lab: Lab, top: str, count: int, rounds: int) -> Row:
    """For scale: what one status and one diff cost."""
    git = ("git", "--no-optional-locks", "-C", top)
    status, diff = (*git, "status", "--porcelain"), (*git, "diff", "--stat")
    both = [measure.timed(status, lab.env) + measure.timed(diff, lab.env) for _ in range(rounds)]
    return Row("git status + git diff --stat by hand, %s files" % format(count, ","), "ms", tuple(t.wall for t in both))


def repository(lab: Lab, count: int) -> str:
    """A repository of so many small files, committed; its top."""
    top = lab.path("repository")
    for n in range(count):
        folder = os.path.join(top, "d%d" % (n // _PER_FOLDER))
        if n % _PER_FOLDER == 0:
            os.makedirs(folder)
        with open(os.path.join(folder, "f%d" % n), "w", encoding="ascii") as f:
            f.write("line\n" * (n % 50 + 1))
    for words in (("init", "-q"), ("add", "-A"), (*_IDENTITY, "commit", "-qm", "all")):
        measure.timed(("git", "-C", top, *words), lab.env)
    return top


FIGURES = {"git": small}
BIG = {"git-big": large}
