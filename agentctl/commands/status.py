"""agentctl status"""

from __future__ import annotations

from .. import config
from .. import listing
from .. import pools
from .. import slots
from .. import text
from .. import ui
from ..model import FORMAT
from ..model import LIVE
from ..model import RUNNING
from ..model import Spec
from ..store import Run
from . import list as listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Any

    from ..config import Config
    from ..store import Home

EXAMPLES = """  agentctl status
  agentctl status --json

What workers started takes none of the home's slots: a worker may wait for it."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    home = ui.open_home(args)
    rows = listing.alive(home)
    specs = [Run(home, row["run_id"]).spec() for row in rows]
    counts = {status: sum(row["status"] == status for row in rows) for status in LIVE}
    nested = sum(row["status"] == RUNNING and pools.nested(home, spec) for row, spec in zip(rows, specs))
    first, *more = _loads(home, config.load(home)[0], specs)
    if args.json:
        said = {"format": FORMAT, **counts, "nested": nested, "slots_taken": first["taken"], "slots": first["slots"]}
        ui.data({**said, "pools": [first, *more], "runs": [text.public(row) for row in rows]})
        return 0
    words = ["%d %s" % (counts[status], status) for status in ("running", "queued", "paused")]
    words[0] += " (%d by workers, without a slot)" % nested if nested else ""
    ui.line("%s; %s" % (", ".join(words), _words(first, more)))
    if rows:
        listed.show(rows)
    return 0


def _loads(home: Home, configured: Config, specs: list[Spec]) -> list[dict[str, Any]]:
    """How many slots are in use, and of how many: of the home (None where it has no limit), of what else limits."""
    limits = {pools.HOME: pools.limit(configured, Spec(), pools.HOME)}
    for spec in specs:
        limits.update({n: pools.limit(configured, spec, n) for n in pools.limited(home, configured, spec)})
    return [{"pool": name, "taken": slots.taken(home, name), "slots": limit} for name, limit in limits.items()]


def _words(first: dict[str, Any], more: list[dict[str, Any]]) -> str:
    said = "%(taken)d of %(slots)d slots taken" % first if first["slots"] else "no limit on slots"
    return ", ".join([said, *("%(taken)d of %(slots)d in %(pool)s" % load for load in more)])
