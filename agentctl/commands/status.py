"""agentctl status"""

from __future__ import annotations

from .. import config
from .. import listing
from .. import slots
from .. import text
from .. import ui
from ..model import FORMAT
from ..model import LIVE
from . import list as listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Any
    from typing import Optional

EXAMPLES = """  agentctl status
  agentctl status --json"""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    home = ui.open_home(args)
    rows = listing.alive(home)
    counts = {status: sum(row["status"] == status for row in rows) for status in LIVE}
    taken, limit = slots.taken(home), _limit(config.load(home)[0].max_parallel)
    if args.json:
        said = {"format": FORMAT, **counts, "slots_taken": taken, "slots": limit}
        ui.data({**said, "runs": [text.public(row) for row in rows]})
        return 0
    words = ", ".join("%d %s" % (counts[status], status) for status in ("running", "queued", "paused"))
    ui.line("%s; %s" % (words, "%d of %d slots taken" % (taken, limit) if limit else "no limit on slots"))
    if rows:
        listed.show(rows)
    return 0


def _limit(setting: Any) -> Optional[int]:
    """Of the home as a whole; None where it has none."""
    found = setting.get("*") if isinstance(setting, dict) else setting
    return found if type(found) is int and found > 0 else None
