"""Which goals and runs a report is on: one goal, or what ended since the last report or a moment.

reported.json in the home: `at`, when the last report was made, and `live`, the runs that
had not ended then. What ended since was one of these, or was born later. So nothing falls
between two reports, also not a run whose end was being written down meanwhile.
"""

from __future__ import annotations

from .. import files
from .. import finding
from .. import listing
from ..figures import costs
from ..figures import totals
from ..goals import asked
from ..goals import kin
from ..model import LIVE
from ..record import Record
from ..record import typed
from ..store import Run
from . import facts
from . import gathering

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from collections.abc import Iterable
    from collections.abc import Iterator
    from typing import Any
    from typing import Optional

    from ..store import Home

_MOST_RUNS = 100


class Mark(Record):
    """When the last report was made, and which runs had not ended then. `at` 0.0: there was none."""

    at: float = 0.0
    live: tuple[str, ...] = ()


def mark(home: Home) -> Mark:
    """The mark of the last report."""
    return Mark.from_json(files.load(home.reported))


def remember(home: Home, report: facts.Report) -> None:
    """By who has told all that is in a report on everything. Raises OSError."""
    live = tuple(sorted(run.run_id for run in report.alive))
    files.replace(home.reported, files.dump(Mark(at=report.at, live=live).to_json()))


def on_goal(home: Home, word: str, now: float) -> facts.Report:
    """A report on one goal. Raises AgentctlError."""
    prices = costs.table(home)
    found = gathering.goal(home, kin.named(home, word), prices, now)
    return facts.Report(at=now, goals=(found,), prices_as_of=prices.as_of, totals=found.totals)


def since_last(home: Home, now: float) -> facts.Report:
    """A report on everything since the last one."""
    last = mark(home)
    untold = frozenset(last.live)
    return _on(home, _since_moment(home, last.at, untold), untold, last.at or None, now)


def since(home: Home, moment: float, now: float) -> facts.Report:
    """A report on what ended since a moment."""
    return _on(home, _since_moment(home, moment, frozenset()), frozenset(), moment, now)


def _since_moment(home: Home, moment: float, untold: Container[str]) -> Iterator[str]:
    """Those that may have ended since, and `untold`. A result is written once, so its file is as old as the end."""
    for run_id in finding.newest(home):
        written = files.mtime(Run(home, run_id).file("result.json"))
        if run_id in untold or written is None or written >= moment:
            yield run_id


def _on(home: Home, ids: Iterable[str], untold: Container[str], moment: Optional[float], now: float) -> facts.Report:
    """The goals first, then what ended and belongs to none, then what lives."""
    prices = costs.table(home)
    live = {row["run_id"]: row for row in listing.alive(home)}  # first: what ends meanwhile is told the next time
    roots, others = _sorted(home, (i for i in ids if i not in live), untold, moment or 0.0, now)
    at_work = {asked.root_of(home, run_id) for run_id in live if asked.is_goal(Run(home, run_id))}
    roots = [root for root in roots if root not in at_work and Run(home, root).exists()]
    goals = tuple(gathering.goal(home, kin.runs(home, root), prices, now) for root in roots)
    ended = [gathering.ended(home, Run(home, record["run_id"]), record, prices, now) for record in others[:_MOST_RUNS]]
    return facts.Report(
        at=now,
        since=moment,
        prices_as_of=prices.as_of,
        goals=goals,
        runs=tuple(run for run, _ in ended),
        more=max(len(others) - _MOST_RUNS, 0),
        totals=totals.total([used for _, used in ended]),
        alive=tuple(_alive(home, row) for row in live.values()),
    )


def _sorted(
    home: Home, ids: Iterable[str], untold: Container[str], moment: float, now: float
) -> tuple[list[str], list[dict[str, Any]]]:
    """(the goals of which a run ended since, the records of other runs that did); `untold` are surely of these."""
    roots: dict[str, bool] = {}
    others = []
    for run_id in ids:
        record = listing.record_of(home, run_id, now)
        if record is None or record.get("status") in LIVE or not (run_id in untold or _since(record, moment)):
            continue
        root = asked.root_of(home, run_id)
        if not root:
            others.append(record)
        elif asked.is_goal(Run(home, run_id)):
            roots[root] = True
    return list(roots), others


def _since(record: dict[str, Any], moment: float) -> bool:
    """Also where nobody knows when: better twice than never."""
    ended = typed(record, "finished_at", (int, float))
    return not ended or ended >= moment


def _alive(home: Home, row: dict[str, Any]) -> facts.Alive:
    return facts.Alive(
        run_id=row["run_id"],
        title=row["title"],
        status=row["status"],
        doing=row["doing"] or "",
        goal=asked.root_of(home, row["run_id"]),
        created_at=row["created_at"],
    )
