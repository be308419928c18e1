"""What runs used and cost, from Python: the figures of `agentctl stats`."""

from __future__ import annotations

from ..errors import usage_error
from ..figures.totals import BY
from ..figures.totals import Totals
from . import runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..figures.of_run import Figures
    from .runs import AnyHome


def stats(*, project: str = "", since: float = 0.0, home: AnyHome = None) -> Totals:
    """The sums over all runs (of a project, born since a time in seconds of the epoch).

    A figure that no run gave is None, never 0; `not_said` tells how many did not give it.
    """
    from ..figures import totals

    return totals.total(_chosen(project, since, home))


def stats_by(group: str, *, project: str = "", since: float = 0.0, home: AnyHome = None) -> dict[str, Totals]:
    """The sums by agent, role, profile, backend, model, project, day or workflow, in the order of `agentctl stats`."""
    from ..figures import totals

    if group not in BY:
        raise usage_error("`%s` is no way to group" % group, "one of: %s" % ", ".join(BY))
    return dict(totals.grouped(_chosen(project, since, home), group))


def _chosen(project: str, since: float, home: AnyHome) -> list[Figures]:
    from ..figures import cache

    return [one for one in cache.every(runs.opened(home)) if one.at >= since and project in ("", one.project)]
