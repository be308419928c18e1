"""What is known of a goal, from its files: for `goal list`, `goal show` and the report."""

from __future__ import annotations

from .. import budgets
from ..model import FINISHED
from ..model import FORMAT
from ..record import Record
from ..store import Run
from ..text import one_line
from . import deciding
from . import journal
from . import kin
from .asked import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    from ..store import Home
    from .journal import Entry


class Summary(Record):
    """A row of `goal list`. `outcome` is "" while it is at work, or was lost; `doing` is the last step in words."""

    goal: str = ""
    run: str = ""
    title: str = ""
    project: str = ""
    status: str = ""
    outcome: str = ""
    why: str = ""
    cycle: int = 0
    max_cycles: int = 0
    orchestrator: str = ""
    branch: str = ""
    doing: str = ""
    created_at: float = 0.0
    finished_at: Optional[float] = None
    usage: dict[str, Any] = {}


def summary(home: Home, root: str) -> Summary:
    """One goal. Raises AgentctlError where it is none."""
    runs = kin.named(home, root)
    return summed_up(home, runs, journal.entries(runs))


def summed_up(home: Home, runs: Sequence[Run], history: Sequence[Entry]) -> Summary:
    """The row of a goal whose runs and steps were read already."""
    newest, spec, asked = runs[-1], runs[-1].spec(), load(runs[-1])
    known = kin.known(newest)
    over = history[-1] if history and _is_over(history[-1], known) else {}
    return Summary(
        goal=runs[0].id,
        run=newest.id,
        title=spec.title,
        project=spec.project,
        status=known["status"],
        outcome=str(over.get("outcome") or ""),
        why=str(over.get("why") or known.get("error") or ""),
        cycle=sum(1 for entry in history if entry["step"] == journal.CYCLE),
        max_cycles=asked.max_cycles,
        orchestrator=asked.orchestrator,
        branch=known.get("branch") or spec.worktree.branch,
        doing=one_line(history[-1]["text"], 300) if history else "",
        created_at=runs[0].spec().created_at,
        finished_at=known.get("finished_at"),
        usage=budgets.spent(kin.members(home, runs[0].id)).to_json(),
    )


def _is_over(entry: Entry, known: dict[str, Any]) -> bool:
    """A worker could have written it, so that it is believed where the driver's exit code says the same."""
    accepted = entry.get("outcome") == journal.ACCEPTED
    return entry["step"] == journal.OVER and known["status"] == FINISHED and known["goal_met"] is accepted


def whole(home: Home, word: str) -> dict[str, Any]:
    """All of a goal: its summary, its cycles with checks and verdicts, and everyone who worked for it."""
    runs = kin.named(home, word)
    history = journal.entries(runs)
    asked = load(runs[-1])
    return {
        "format": FORMAT,
        **summed_up(home, runs, history).to_json(),
        "text": runs[0].text("prompt.md"),
        "asked": asked.to_json(),
        "runs": [run.id for run in runs],
        "cycles": [_cycle(cycle) for cycle in deciding.cycles(history)],
        "members": [_member(home, run) for run in kin.members(home, runs[0].id)],
    }


def _cycle(cycle: deciding.Cycle) -> dict[str, Any]:
    return {
        "cycle": cycle.number,
        "orchestrator": list(cycle.attempts),
        "claim": cycle.claim,
        "summary": cycle.ended.get("summary") or "",
        "checkpoint": cycle.checkpoint.get("commit"),
        "files": cycle.checkpoint.get("files"),
        "checks": list(cycle.checks.values()),
        "verdicts": list(cycle.verdicts.values()),
        "accepted": cycle.judged.get("accepted"),
        "reasons": list(cycle.judged.get("reasons") or ()),
    }


def _member(home: Home, run: Run) -> dict[str, Any]:
    known = kin.known(run)
    names = ("status", "goal_met", "title", "role", "backend", "model", "step", "summary", "error", "usage")
    return {"run": run.id, "name": kin.name_of(run), **{name: known.get(name) for name in names}}
