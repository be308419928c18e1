"""The worktrees there are, for people and programs to look at."""

from __future__ import annotations

from . import custody
from . import finding
from .errors import AgentctlError
from .store import Run
from .trees import leftover
from .trees import worktree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any
    from typing import Optional

    from .custody import Kept
    from .store import Home


def rows(home: Home, project: str = "") -> Iterator[dict[str, Any]]:
    """One object per worktree that was made and not removed, oldest first; of a project only, where one is named.

    `state` is `live` while a run works in it, or waits to, `ended` when none does, and `gone`
    where somebody removed it by other means. What cannot be told is null.
    """
    busy = in_use(home)
    for kept in custody.every(home):
        if not kept.removed_at and project in ("", kept.project):
            yield _row(home, kept, kept.worktree.run in busy)


def in_use(home: Home) -> set[str]:
    """The worktrees of the runs that have not ended, by the run that each was made for."""
    found = set()
    for run_id in finding.live(home):
        run = Run(home, run_id)
        if run.exists() and run.result() is None and (run.staged() or run.runner_alive()):
            found.add(run.spec().worktree.run)
    return found - {""}


def _row(home: Home, kept: Kept, live: bool) -> dict[str, Any]:
    made, target = kept.worktree, worktree.default_target(kept)
    there = worktree.exists(made)
    dirty = _dirty(home, kept) if there else None
    ahead, behind = worktree.ahead_behind(kept, target)
    return {
        "run_id": made.run,
        "project": kept.project,
        "title": kept.title,
        "branch": made.branch,
        "base": made.base,
        "target": target,
        "ahead": ahead,
        "behind": behind,
        "dirty": dirty,
        "merged": not dirty and worktree.merged(kept, target),
        "size": worktree.size(kept) if there else 0,
        "state": "live" if live else "ended" if there else "gone",
        "path": made.path,
        "inside": made.inside,
        "repository": made.source or made.common,
        "made_at": kept.made_at,
    }


def _dirty(home: Home, kept: Kept) -> Optional[bool]:
    try:
        return leftover.dirty(home, kept)
    except AgentctlError:
        return None  # its index is damaged, or git is gone
