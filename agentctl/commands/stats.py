"""agentctl stats"""

from __future__ import annotations

import re
import time

from .. import config
from .. import fleet
from .. import text
from .. import ui
from ..errors import usage_error
from ..figures import cache
from ..figures import costs
from ..figures import of_run
from ..figures import totals
from ..model import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Any

    from ..figures.of_run import Figures
    from ..figures.totals import Totals
    from ..store import Home

EXAMPLES = """  agentctl stats
  agentctl stats --by model --since 7d
  agentctl stats --by day --project shop --json
  agentctl stats --export-sqlite runs.db

A figure is never made up: `-` is unknown, and `+` behind a sum says that not every run
told its part. Billed was paid by the token, virtual a subscription covered, of the third
nobody said which. CONTEXT is how full the fullest context was. Where a worker gave no
cost, the dated prices of config/prices.json count, and before these your own of
config.json, as in
  {"prices": {"gpt-5.5": {"since": "2026-11-01", "input": 5, "cached": 0.5, "output": 30}}}
A model without a price has an unknown cost, and its runs are counted as unpriced.

The database of --export-sqlite has the tables runs, usage, tools, files and events; its
table `about` says what is in them. It can be written again at any time."""

_FLEET = ("STATUS", "RUNS", "AGENTS")
_COLUMNS = {
    "RUNS": "runs",
    "MSGS": "messages",
    "TURNS": "turns",
    "TOOLS": "tool_calls",
    "INPUT": "input",
    "CACHED": "cached",
    "OUTPUT": "output",
    "BILLED": "billed_usd",
    "VIRTUAL": "virtual_usd",
    "UNKNOWN": "unknown_usd",
    "UNPRICED": "unpriced",
    "READ": "files_read",
    "WROTE": "files_written",
    "WAITED": "waiting_s",
    "WORKED": "working_s",
    "CONTEXT": "context_percent",
}
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?Z?)?\Z")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--by", metavar="GROUP", default="", help="a row for each: %s" % ", ".join(totals.BY))
    parser.add_argument("--since", metavar="WHEN", default="", help="only runs born since: 7d, 12h, 2026-11-01 (UTC)")
    parser.add_argument("--project", metavar="NAME", default="", help="only runs of this project")
    parser.add_argument("--export-sqlite", metavar="FILE", default="", help="write all that is known to a database")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    if args.by not in ("", *totals.BY):
        raise usage_error("--by %s is no way to group" % args.by, config.meant(args.by, list(totals.BY)))
    now = time.time()
    since = _moment(args.since, now) if args.since else 0.0
    home = ui.open_home(args)
    ui.warn_of_config(home)
    if args.export_sqlite:
        return _export(args)
    runs = [one for one in cache.every(home, now) if one.at >= since and args.project in ("", one.project)]
    if args.json:
        ui.data(_as_json(args, home, runs, since))
    else:
        _show(home, args.by, runs)
    return 0


def _export(args: Namespace) -> int:
    if args.by or args.since or args.project or args.json:
        raise usage_error("--export-sqlite stands alone: it writes everything")
    from ..figures import export

    count = export.export(ui.open_home(args), args.export_sqlite)
    ui.say("%d run%s in %s" % (count, "" if count == 1 else "s", args.export_sqlite))
    return 0


def _moment(words: str, now: float) -> float:
    """Seconds since the epoch of `7d` (ago), `2026-11-01` or `2026-11-01T12:30:00Z`. Raises AgentctlError."""
    found = _MOMENT.match(words)
    try:
        if not found:
            return now - text.seconds(words)
        parts = [int(part or 0) for part in found.groups()]
        moment = text.moment(*parts)
        if of_run.day(moment) == words[:10] and max(parts[4:]) < 60:
            return moment
    except ValueError:
        pass  # said below, in our words
    raise usage_error("--since %s is no time" % words, "as 7d, 12h, 30m or 2026-11-01")


def _as_json(args: Namespace, home: Home, runs: list[Figures], since: float) -> dict[str, Any]:
    groups = totals.grouped(runs, args.by) if args.by else []
    return {
        "format": FORMAT,
        "since": text.iso(since) if args.since else None,
        "project": args.project,
        "by": args.by,
        "prices_as_of": costs.table(home).as_of,
        "fleet": totals.fleet(runs, fleet.names(home)),
        "totals": totals.total(runs).to_json(),
        "groups": [{"key": key, **those.to_json()} for key, those in groups],
    }


def _show(home: Home, by: str, runs: list[Figures]) -> None:
    if not runs:
        ui.say("no such run")
        return
    counted = totals.fleet(runs, fleet.names(home))
    ui.table(_FLEET, [(row["status"], str(row["runs"]), str(row["agents"])) for row in counted])
    print()
    groups = totals.grouped(runs, by) if by else []
    rows = [(key or "-", *_cells(those)) for key, those in groups]
    total = totals.total(runs)
    ui.wide_table((by.upper() or "ALL", *_COLUMNS), [*rows, ("total", *_cells(total))])
    if total.tools:
        print("\ntools: " + ", ".join("%s %d" % (text.one_line(name, 60), n) for name, n in total.tools.items()))


def _cells(those: Totals) -> list[str]:
    return [_cell(those, name) for name in _COLUMNS.values()]


def _cell(those: Totals, name: str) -> str:
    value = getattr(those, name)
    if name.endswith("_usd"):
        return text.money(value)
    if name == "context_percent":
        return "-" if value is None else "%.0f%%" % value
    words = text.duration(value) if name.endswith("_s") else text.count(value)
    return words + "+" if value is not None and name in those.not_said else words
