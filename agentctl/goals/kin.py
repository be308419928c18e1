"""Who belongs to a goal: the runs that it is, first to last, and those that work for it."""

from __future__ import annotations

import time

from .. import finding
from .. import listing
from .. import store
from ..errors import AgentctlError
from ..model import LIVE
from . import asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..store import Home
    from ..store import Run


def members(home: Home, root: str) -> list[Run]:
    """The runs that work, or worked, for a goal, oldest first. None was staged before the goal."""
    there = (store.Run(home, run_id) for run_id in finding.back_to(home, (root,)))
    return [run for run in there if run.spec().goal == root][::-1]


def runs(home: Home, root: str) -> list[Run]:
    """The runs that the goal itself is, oldest first: the first, and one for each time it was resumed.

    The first comes first, also where the journal has lost its line.
    """
    there = (store.Run(home, run_id) for run_id in finding.back_to(home, (root,)) if run_id != root)
    resumed = [run for run in there if asked.is_goal(run) and asked.load(run).root == root]
    first = store.Run(home, root)
    return [*([first] if first.exists() else []), *resumed[::-1]]


def every(home: Home) -> list[str]:
    """The first runs of all goals, newest first."""
    found = (store.Run(home, run_id) for run_id in finding.newest(home))
    return [run.id for run in found if asked.is_goal(run) and not asked.load(run).root]


def named(home: Home, word: str) -> list[Run]:
    """The runs of the goal that a word means: an id or prefix of one of its runs, `@last`. Raises AgentctlError."""
    if word in ("", "@last"):
        roots = every(home)
        if not roots:
            raise AgentctlError("no goal yet", "set one: `agentctl goal GOAL.md`")
        return runs(home, roots[0])
    run = home.run(finding.resolve(home, word))
    if not asked.is_goal(run):
        raise AgentctlError("run %s is no goal" % run.id, "see `agentctl goal list`")
    return runs(home, asked.root_of(home, run.id))


def agent_of(root: str, name: str) -> str:
    """The agent that a member of the team is in this goal: its runs are one conversation."""
    return "%s-%s" % (root, name)


def name_of(run: Run) -> str:
    """The member whose run this is; "" where it is nobody's."""
    spec = run.spec()
    return spec.agent[len(spec.goal) + 1 :] if spec.agent.startswith(spec.goal + "-") else ""


def live(home: Home, root: str) -> list[Run]:
    """The members that have not ended, as far as their folders tell."""
    ids = set(finding.live(home))
    return [run for run in members(home, root) if run.id in ids and run.recorded() is None]


def working_in(home: Home, top: str) -> list[str]:
    """The goals that are at work in a checkout itself, not in a worktree of it."""
    there = (store.Run(home, run_id) for run_id in finding.live(home))
    goals = (run for run in there if asked.is_goal(run) and not run.spec().worktree.path)
    here = [run for run in goals if asked.load(run).top == top and known(run)["status"] in LIVE]
    return [asked.load(run).root or run.id for run in here]


def known(run: Run) -> dict[str, Any]:
    """What is known of a member now: its result, or what its runner said last."""
    return listing.known(run, time.time())
