"""From the files of a home to the facts of a report. It only reads, and asks no model."""

from __future__ import annotations

from .. import custody
from .. import listing
from ..figures import costs
from ..figures import of_run
from ..figures import totals
from ..goals import asked
from ..goals import journal
from ..goals import kin
from ..model import FINISHED
from ..model import LIVE
from ..model import Result
from ..record import typed
from . import advice
from . import cycles
from . import facts
from .facts import ACCEPTED
from .facts import Changed
from .facts import Goal
from .facts import Member

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    from ..figures.costs import Table
    from ..figures.of_run import Figures
    from ..goals.asked import GoalAsked
    from ..model import Spec
    from ..store import Home
    from ..store import Run

    Entry = dict[str, Any]
    Known = tuple[str, dict[str, Any], Figures]

_STAT = 4000


def goal(home: Home, runs: Sequence[Run], prices: Table, now: float) -> Goal:
    """All that is known of a goal; `runs` are those that it is, oldest first."""
    root, last = runs[0], runs[-1]
    wanted, spec, record = asked.load(last), last.spec(), listing.known(last, now)
    entries = journal.entries(runs)
    result = Result.from_json(record)
    outcome, why, doubt = end(result, cycles.last(entries, journal.OVER))
    known = list(_members(home, root.id, wanted, entries, prices, now))
    found = Goal(
        **_identity(runs, wanted, spec),
        status=result.status,
        outcome=outcome,
        why=why,
        doubt=doubt,
        doing=str(record.get("doing") or ""),
        cycles=cycles.cycles(entries),
        spent=cycles.spent(entries),
        changed=changed(home, spec, wanted, result, cycles.last(entries, journal.CHECKPOINT)),
        members=_by_member(known),
        totals=totals.total([figures for _, _, figures in known]),
        began_at=root.spec().created_at or None,
        ended_at=typed(record, "finished_at", (int, float)),
        took_s=_at_work(runs),
    )
    found = found.replace(needs=tuple(advice.needs(found, ((who, known) for who, known, _ in known))))
    return found.replace(advice=tuple(advice.commands(found, wanted.top or spec.top or spec.cwd)))


def _identity(runs: Sequence[Run], wanted: GoalAsked, spec: Spec) -> dict[str, Any]:
    """What it is, and what was asked."""
    return {
        "goal": runs[0].id,
        "run_id": runs[-1].id,
        "runs": tuple(run.id for run in runs),
        "title": spec.title,
        "project": spec.project,
        "mode": wanted.mode,
        "orchestrator": " ".join(word for word in (wanted.orchestrator, wanted.model) if word),
        "verify": wanted.verify,
        "max_cycles": wanted.max_cycles,
    }


def end(result: Result, over: Entry) -> tuple[str, str, str]:
    """(outcome, why, doubt): accepted only by the driver's own end, which no file can forge."""
    if result.status in LIVE:
        return result.status, "", ""
    said, why = cycles.word(over, "outcome", 60), cycles.word(over, "why")
    if result.status == FINISHED and result.exit_code == 0 and result.goal_met:
        return ACCEPTED, why, "" if said == ACCEPTED else "its journal does not say that it was accepted"
    if said == ACCEPTED:
        return result.status, result.error, "its journal says that it was accepted, and its driver's end does not"
    return said or result.status, why or result.error, ""


def _at_work(runs: Sequence[Run]) -> Optional[float]:
    """Without the time between two of its runs."""
    results = [run.result() for run in runs]
    spans = [r.finished_at - r.started_at for r in results if r and r.started_at and r.finished_at >= r.started_at]
    return sum(spans) if spans else None


def _members(
    home: Home, root: str, wanted: GoalAsked, entries: Sequence[Entry], prices: Table, now: float
) -> Iterable[Known]:
    """(who, what is known, figures) of each run that worked for the goal, oldest first."""
    named = {cycles.word(e, "run"): _part(e) for e in entries if e["step"] == journal.RUN}
    for run in kin.members(home, root):
        record, spec = listing.record_of(home, run.id, now), run.spec()
        if record is not None:
            who = named.get(run.id) or kin.name_of(run) or member_of(spec, wanted.team) or spec.backend
            yield who, record, figures(record, spec, prices, now)


def _part(entry: Entry) -> str:
    """The orchestrator as that, whatever program it is; a verifier by its name."""
    part = cycles.word(entry, "part", 60)
    return part if part == journal.ORCHESTRATOR else cycles.word(entry, "who", 60)


def member_of(spec: Spec, team: Mapping[str, Any]) -> str:
    """The name by which a run's worker is of the team; else what it was asked as."""
    known = [name for name in (spec.step, spec.role, spec.agent) if name]
    return next((name for name in known if name in team), known[0] if known else "")


def figures(record: dict[str, Any], spec: Spec, prices: Table, now: float) -> Figures:
    """The figures of a run, with what the table of prices makes of them."""
    return costs.priced(of_run.figures(record, spec), prices, of_run.day(now))


def _by_member(known: Iterable[Known]) -> tuple[Member, ...]:
    """In the order in which they came to work."""
    found: dict[str, list[Figures]] = {}
    for who, _, figures in known:
        found.setdefault(who, []).append(figures)
    return tuple(Member(who=who, totals=totals.total(those)) for who, those in found.items())


def changed(home: Home, spec: Spec, wanted: GoalAsked, result: Result, checkpoint: Entry) -> Changed:
    """By the last checkpoint, which tells of the whole goal; else by what git said at the end of its last run."""
    own = bool(result.git_head)
    found = Changed(
        base=wanted.base or spec.worktree.base or result.git_base,
        commit=cycles.word(checkpoint, "commit", 64) or result.git_head,
        files=typed(checkpoint, "files", int) if checkpoint else len(result.git_files) if own else None,
        commits=result.git_commits if own else None,
        diff_stat=(cycles.word(checkpoint, "diff_stat", _STAT) if checkpoint else result.git_diff_stat[-_STAT:]),
        folder=spec.cwd,
    )
    return of_worktree(home, spec, found)


def of_worktree(home: Home, spec: Spec, found: Changed) -> Changed:
    """With the worktree that a run worked in, if it had one, and what became of it."""
    kept = custody.load(home, spec.worktree.run) if spec.worktree.run else None
    if kept is None:
        return found
    return found.replace(
        branch=kept.worktree.branch,
        worktree=kept.worktree.path,
        landed=kept.into if kept.landed else "",
        removed=bool(kept.removed_at),
    )


def ended(home: Home, run: Run, record: dict[str, Any], prices: Table, now: float) -> tuple[facts.Ended, Figures]:
    """Another run that ended, in short, and its figures."""
    from .. import judge
    from .. import view

    spec, result = run.spec(), Result.from_json(record)
    used = figures(record, spec, prices, now)
    place = of_worktree(home, spec, Changed())
    good = not judge.shortfall(result)
    there = bool(place.branch) and not place.landed and not place.removed
    return facts.Ended(
        run_id=run.id,
        title=spec.title,
        project=spec.project,
        outcome=judge.outcome(result.status, result.goal_met, result.verified),
        good=good,
        error=result.error,
        files=len(result.git_files),
        branch=place.branch,
        waits=good and there and bool(result.git_files or result.git_commits),
        took_s=used.working_s,
        billed_usd=used.billed_usd,
        virtual_usd=used.virtual_usd,
        unknown_usd=used.unknown_usd,
        next="" if good else view.next_command(result),
    ), used
