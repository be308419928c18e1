"""The first line of the table: how many, how many need a person, how many slots are taken."""

from __future__ import annotations

from .. import pools
from .. import slots
from ..model import RUNNING
from ..model import Spec
from . import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..config import Config
    from ..store import Home
    from .rows import Row


def loads(home: Home, configured: Config, specs: Sequence[Spec]) -> list[dict[str, Any]]:
    """How many slots are in use, and of how many: of the home (None where it has no limit), of what else limits."""
    limits = {pools.HOME: pools.limit(configured, Spec(), pools.HOME)}
    for spec in specs:
        limits.update({n: pools.limit(configured, spec, n) for n in pools.limited(home, configured, spec)})
    return [{"pool": name, "taken": slots.taken(home, name), "slots": limit} for name, limit in limits.items()]


def nested(home: Home, shown: Sequence[Row], specs: Sequence[Spec]) -> int:
    """How many that run were started by workers, or are waited for by one: they take no slot."""
    running = {row.run_id for row in shown if row.status == RUNNING}
    return sum(spec.id in running and pools.nested(home, spec) for spec in specs)


def words(shown: Sequence[Row], within: int, pools_used: Sequence[dict[str, Any]]) -> str:
    """`1 needs you; 2 running, 0 queued, 1 paused; 2 of 2 slots taken`. `within`: see `nested`."""
    counts = rows.counted(shown)
    said = ["%d %s" % (counts[status], status) for status in ("running", "queued", "paused")]
    said[0] += " (%d by workers, without a slot)" % within if within else ""
    first, *more = pools_used
    taken = "%(taken)d of %(slots)d slots taken" % first if first["slots"] else "no limit on slots"
    pooled = ", ".join([taken, *("%(taken)d of %(slots)d in %(pool)s" % load for load in more)])
    need = counts["need"]
    wanted = ["%d need%s you" % (need, "s" if need == 1 else "")] if need else []
    return "; ".join([*wanted, ", ".join(said), pooled])
