"""A cleanup as a whole, for whoever asks for one: what it would do, doing it, and saying it to programs."""

from __future__ import annotations

from . import cleaning
from . import clearing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    from ..config import Config
    from ..store import Home
    from .cleaning import Facts
    from .cleaning import Item
    from .cleaning import Wanted
    from .clearing import Outcome

    Pair = tuple[Facts, Item]


def made(home: Home, config: Config, wanted: Wanted, now: float) -> list[Pair]:
    """What would become of each run that is meant. Raises AgentctlError where none can be meant."""
    cleaning.check(wanted)
    found = cleaning.Survey(home, config, wanted, now).facts()
    return [(facts, cleaning.planned(facts, wanted.folders)) for facts in found]


def carried_out(home: Home, config: Config, will: Sequence[Pair], now: float) -> dict[str, Outcome]:
    """What became of each, by run."""
    clearing.sweep(home, now)
    return {item.run_id: clearing.carry_out(home, config, facts, item) for facts, item in will}


def row(item: Item, outcome: Optional[Outcome]) -> dict[str, Any]:
    """One run of the plan, and what was done about it, if anything was."""
    saved = {"files": item.saved.files, "bytes": item.saved.size, "commits": item.saved.commits}
    return {
        "run_id": item.run_id,
        "title": item.title,
        "project": item.project,
        "worktree": item.worktree or None,
        "branch": item.branch or None,
        "pane": item.pane or None,
        "run_folder": bool(item.folder),
        "saves": {**saved, "ignored_left_out": item.saved.ignored} if item.worktree else None,
        "removed": list(outcome.removed) if outcome else [],
        "rescue": (outcome.rescue if outcome else "") or None,
        "keeps": list(outcome.stays if outcome else item.stays),
    }
