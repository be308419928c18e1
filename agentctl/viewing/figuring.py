"""A run's numbers for people: what it took, used and cost. What nobody counted is left out."""

from __future__ import annotations

from .. import text
from ..figures import costs
from ..figures import of_run
from ..model import LIVE
from . import patches
from .page import Figure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

    from ..figures.of_run import Figures
    from ..model import Result
    from ..model import Spec
    from ..store import Home
    from .page import Patch


def of_record(home: Home, known: dict[str, Any], spec: Spec, now: float) -> tuple[Figures, str]:
    """The figures of a run, and "" or the day of the prices where its cost is ours."""
    figures = of_run.figures(known, spec)
    table = costs.table(home)
    priced = costs.priced(figures, table, of_run.day(now))
    return priced, table.as_of if priced != figures else ""


def tiles(result: Result, figures: Figures, priced: str, now: float) -> list[Figure]:
    """What a reader wants to know at once."""
    ended = result.finished_at or (now if result.status in LIVE else None)
    start = result.started_at or (result.created_at if result.status in LIVE else None)
    took = text.duration(ended - start) if start and ended else "-"
    cost, who = money(figures, priced)
    cells = [
        Figure(value=took, name="so far" if result.status in LIVE else "took", note=_waited(figures)),
        Figure(value=cost, name="cost", note=who),
        Figure(value=text.count(figures.output), name="tokens out", note=given(figures.input, figures.cached)),
        Figure(value=text.count(figures.turns), name="turns"),
        Figure(value=text.count(figures.tool_calls), name="tool calls", note=_tools(figures)),
        Figure(value=_share(figures), name="context", note=_context(figures)),
        Figure(value=text.count(figures.denied or None), name="refused"),
        Figure(value=text.count(figures.retries or None), name="tries again"),
    ]
    return [cell for cell in cells if cell.value != "-"]


def changed(patch: Patch) -> list[Figure]:
    """How much of the directory is another now."""
    count = len(patch.changes) + len(patch.listed)
    added, removed = patches.sums(patch.changes)
    note = "+%d −%d%s" % (added, removed, " at least" if patch.left else "") if added or removed else ""
    return [Figure(value=str(count), name="file changed" if count == 1 else "files changed", note=note)]


def money(figures: Figures, priced: str) -> tuple[str, str]:
    """What it cost, and who pays; `-` where nobody knows."""
    columns = (
        (figures.billed_usd, "billed"),
        (figures.virtual_usd, "covered by a subscription"),
        (figures.unknown_usd, "who pays is unknown"),
    )
    value, who = next(((value, who) for value, who in columns if value is not None), (None, ""))
    return text.money(value), "%s, by the prices of %s" % (who, priced) if priced and who else who


def _waited(figures: Figures) -> str:
    waited = figures.waiting_s
    return "after waiting %s" % text.duration(waited) if waited is not None and waited >= 2 else ""


def given(fresh: Optional[int], cached: Optional[int]) -> str:
    """Tokens that went in, as far as they were counted."""
    said = [(fresh, "in"), (cached, "cached")]
    return " · ".join("%s %s" % (text.count(tokens), name) for tokens, name in said if tokens is not None)


def _tools(figures: Figures) -> str:
    most = sorted((figures.tools or {}).items(), key=lambda item: -item[1])
    words = ["%s %d" % (text.one_line(name, 24), count) for name, count in most[:3]]
    return " · ".join(words) + (" …" if len(most) > len(words) else "")


def _share(figures: Figures) -> str:
    if figures.context_tokens is None:
        return "-"
    if not figures.context_window:
        return text.count(figures.context_tokens)
    return "%.0f%%" % (100.0 * figures.context_tokens / figures.context_window)


def _context(figures: Figures) -> str:
    window = figures.context_window
    return "%s of %s" % (text.count(figures.context_tokens), text.count(window)) if window else ""


def cost_rows(figures: Figures, priced: str) -> tuple[tuple[str, str], ...]:
    """Tokens and money, a row each; what nobody counted is left out."""
    cost, who = money(figures, priced)
    rows = [
        ("tokens in, not cached", number(figures.input)),
        ("tokens in, from the cache", number(figures.cached)),
        ("tokens out", number(figures.output)),
        ("turns", number(figures.turns)),
        ("context at the end", number(figures.context_tokens)),
        ("context of the model", number(figures.context_window)),
        ("cost", "%s, %s" % (cost, who) if who else ""),
    ]
    calls = sorted((figures.tools or {}).items(), key=lambda item: (-item[1], item[0]))
    rows += [("calls of %s" % name, number(count)) for name, count in calls[:40]]
    return tuple(row for row in rows if row[1])


def number(value: Optional[int]) -> str:
    """Every digit of it; "" where unknown."""
    return "" if value is None else f"{value:,}"
