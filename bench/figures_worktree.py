"""What a worktree costs, against the bare git command that makes one as fast as git can."""

from __future__ import annotations

import os
import shutil

import measure
from figures_git import repository
from lab import Lab
from measure import Timing
from table import RATIO
from table import Goal
from table import Row

_COUNT = 20_000
_MAKE = """
import os, sys
sys.path.insert(0, sys.argv[1])
from agentctl.trees import making, surveying
top, where, run, scratch = sys.argv[2:]
plan = surveying.survey(top, "", "agentctl", "bench", where).of_run(run)
for order in making.orders(making.add(plan, lambda named: None), scratch, []):
    if os.waitpid(os.posix_spawn(order.argv[0], list(order.argv), {**os.environ, **dict(order.env)}), 0)[1]:
        sys.exit(1)
"""
"""What a runner does to make one, by the same functions, in a process of its own."""


def making(rounds: int) -> list[Row]:
    """Few rounds: each takes seconds."""
    with Lab() as lab:
        top = repository(lab, _COUNT)
        pairs = measure.in_turns(max(rounds // 4, 3), lambda: _ours(lab, top), lambda: _bare(lab, top))
    ours, floor = pairs.walls()
    figure, name = "worktree of %s files" % format(_COUNT, ","), "git -c checkout.workers=0 worktree add"
    return [Row(figure, "ms", ours, floor, name, (Goal(RATIO, most=1.15),), pairs.cpus())]


def _ours(lab: Lab, top: str) -> Timing:
    """From the survey to the last file; the worktree is gone afterwards."""
    scratch, run = lab.fresh("scratch"), "20260101-000000-%s" % os.urandom(2).hex()
    os.mkdir(scratch)
    argv = (*measure.BARE, "-c", _MAKE, measure.REPO, top, lab.path("trees"), run, scratch)
    taken = measure.timed(argv, lab.env)
    _remove(lab, top, lab.path("trees", run), "agentctl/bench-" + run[-4:])
    return taken


def _bare(lab: Lab, top: str) -> Timing:
    path = lab.fresh("bare")
    branch = os.path.basename(path)
    how = ("worktree", "add", "-q", "--no-track", "-b", branch, path)
    taken = measure.timed(("git", "-C", top, "-c", "checkout.workers=0", *how), lab.env)
    _remove(lab, top, path, branch)
    return taken


def _remove(lab: Lab, top: str, path: str, branch: str) -> None:
    shutil.rmtree(path)
    for words in (("worktree", "prune"), ("branch", "-qD", branch)):
        measure.timed(("git", "-C", top, *words), lab.env)


FIGURES = {"worktree": making}
