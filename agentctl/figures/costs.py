"""What a run's tokens would cost, where its worker gave no figure: from the dated table.

The vendor's own figure always wins. The table is config/prices.json; what config.json
says under `prices` comes before it, model by model.
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

    from ..store import Home
    from .of_run import Figures

_COLUMNS = {"api": "billed_usd", "subscription": "virtual_usd"}


class Table(Record):
    """The prices that count: by model, and since when and from where the shipped ones are known."""

    as_of: str = ""
    source: str = ""
    models: dict[str, Any] = {}


def table(home: Home) -> Table:
    """The shipped prices, with the user's own of the same model in their place."""
    shipped = Table.from_json(files.load(paths.asset("config", "prices.json")))
    return shipped.replace(models={**shipped.models, **(config.load(home)[0].prices or {})})


def priced(figures: Figures, known: Table, today: str) -> Figures:
    """The figures with the cost that the table gives, in the column of who pays; as they are where it gives none."""
    if not figures.unpriced:
        return figures
    entry = prices.in_force(known.models, figures.model, figures.ended or today)
    used = Usage(input=figures.input, cached=figures.cached, output=figures.output)
    cost = prices.cost(entry, used) if entry else None
    if cost is None:
        return figures
    return figures.replace(**{_COLUMNS.get(figures.billing or "", "unknown_usd"): cost, "unpriced": 0})
