"""agentctl status"""

from __future__ import annotations

import sys
import time

from .. import config
from .. import listing
from .. import text
from .. import ui
from ..errors import usage_error
from ..model import FORMAT
from ..model import LIVE
from ..table import board
from ..table import frame
from ..table import rows
from ..table import summary
from ..table.looking import Fleet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Any

    from ..store import Home

EXAMPLES = """  agentctl status
  agentctl status --watch
  agentctl status --project shop --json

First come those that need a person: a permission was denied, a limit was reached, a goal
rejected; a run failed within twelve hours, and nobody has gone on from it or acknowledged it;
nothing was printed for long. Keys of --watch: j and k choose a run, Enter goes to its pane,
s stops it, p has it pause and go on, x says that you have seen what it needs, q leaves.

`~` before a cost: a subscription covered it. A goal's members stand below it. What workers
started takes none of the home's slots: a worker may wait for it."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--watch", action="store_true", help="keep looking, on the whole screen")
    parser.add_argument("--project", metavar="NAME", default="", help="only runs of this project")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    if args.watch and args.json:
        raise usage_error("--watch and --json do not go together", "for programs: `agentctl status --json`")
    home = ui.open_home(args)
    if args.watch:
        from . import _watching  # which the short look need not load

        return _watching.watch(home, args.project)
    _show(home, args)
    return 0


def _show(home: Home, args: Namespace) -> None:
    configured, now = config.load(home)[0], time.time()
    fleet = Fleet(home, configured.idle_notice_s, args.project)
    shown = fleet.look(now)
    specs = fleet.specs()
    used, within = summary.loads(home, configured, specs), summary.nested(home, shown, specs)
    if args.json:
        counts = rows.counted(shown)
        live = {row.run_id for row in shown}
        said: dict[str, Any] = {"format": FORMAT, **{status: counts[status] for status in LIVE}, "need": counts["need"]}
        said = {**said, "nested": within, "slots_taken": used[0]["taken"], "slots": used[0]["slots"], "pools": used}
        listed = [text.public(row) for row in listing.alive(home) if row["run_id"] in live]
        ui.data({**said, "runs": listed, "table": [text.public(row.to_json()) for row in shown]})
        return
    ui.line(summary.words(shown, within, used))
    if shown:
        sys.stdout.write(frame.printed(board.table(shown, now, ui.columns()), ui.coloured()))
