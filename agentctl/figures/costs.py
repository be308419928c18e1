"""What a run's tokens would cost, where its worker gave no figure: from the dated table.

The vendor's own figure always wins. The table is config/prices.json; what config.json
says under `prices` comes before it, from the day on that it names.
"""

from __future__ import annotations

from .. import config
from .. import files
from .. import paths
from .. import prices
from ..measures import Usage
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

    from ..store import Home
    from .of_run import Figures

_COLUMNS = {"api": "billed_usd", "subscription": "virtual_usd"}


class Table(Record):
    """The prices that count: `own` of the user's by model, then the shipped, and when and where these were found."""

    as_of: str = ""
    source: str = ""
    models: dict[str, Any] = {}
    own: dict[str, Any] = {}


def table(home: Home) -> Table:
    """The shipped prices and the user's own."""
    shipped = Table.from_json(files.load(paths.asset("config", "prices.json")))
    return shipped.replace(own=config.load(home)[0].prices or {})


def entry(known: Table, model: str, day: str) -> Optional[dict[str, Any]]:
    """The price of a model on a day (2026-11-20), or None: the user's own before the shipped one."""
    return prices.in_force(known.own, model, day) or prices.in_force(known.models, model, day)


def priced(figures: Figures, known: Table, today: str) -> Figures:
    """The figures with the cost that the table gives, in the column of who pays; as they are where it gives none."""
    if not figures.unpriced:
        return figures
    price = entry(known, figures.model, figures.ended or today)
    used = Usage(input=figures.input, cached=figures.cached, output=figures.output)
    cost = prices.cost(price, used) if price else None
    if cost is None:
        return figures
    return figures.replace(**{_COLUMNS.get(figures.billing or "", "unknown_usd"): cost, "unpriced": 0})
