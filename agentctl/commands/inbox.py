"""agentctl inbox"""

from __future__ import annotations

import os
import sys

from .. import desk
from .. import text
from .. import ui
from .. import view
from ..errors import usage_error
from ..model import FORMAT
from . import _asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..desk import Desk
    from ..inbox import Entry

EXAMPLES = """  agentctl inbox                                        what nobody has acknowledged
  agentctl inbox --all                                  show it, and acknowledge all of it
  agentctl inbox --ack 20260215-143022-ab12.ended       acknowledge this
  agentctl inbox --wait --timeout 1h                    wait until there is something

`agentctl wait` and `agentctl show` acknowledge what they show to the orchestrator
that called them. From a terminal that is no orchestrator, all inboxes are shown.
Exit code 124: `--timeout` ran out and there was nothing."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--wait", action="store_true", help="where there is nothing, wait for something")
    parser.add_argument("--timeout", metavar="TIME", default="", help="with --wait: give up after this time")
    parser.add_argument("--ack", metavar="ID", nargs="+", default=[], help="acknowledge these events, or all of a run")
    parser.add_argument("--all", action="store_true", help="acknowledge all that is shown")
    parser.add_argument("--orchestrator", metavar="NAME", default="", help="the inbox of this one")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    if args.ack and (args.wait or args.all):
        raise usage_error("--ack goes alone", "`agentctl inbox --all` acknowledges all that it shows")
    if args.timeout and not args.wait:
        raise usage_error("--timeout goes with --wait")
    reader = desk.Desk(ui.open_home(args), os.environ, args.orchestrator)
    if args.ack:
        return _acknowledge(reader, args)
    seconds = 0.0 if args.timeout == "0" else _asking.seconds(args.timeout)
    try:
        entries = reader.awaited(seconds) if args.wait else reader.entries()
    except KeyboardInterrupt:
        return 130
    _show(entries, args.json)
    sys.stdout.flush()
    if args.all:
        reader.acknowledge([entry.id for entry in entries])
    else:
        reader.hear(entries)
    return 124 if args.wait and not entries else 0


def _acknowledge(reader: Desk, args: Namespace) -> int:
    taken = reader.acknowledge(reader.named(args.ack))
    if args.json:
        ui.data({"format": FORMAT, "acknowledged": taken})
    else:
        for event in taken:
            ui.line(event)
    return 0


def _show(entries: list[Entry], as_json: bool) -> None:
    if as_json:
        ui.data({"format": FORMAT, "events": [text.public(entry.to_json()) for entry in entries]})
        return
    for entry in entries:
        ui.line("%s  %s  %s" % (text.clock(entry.at), entry.id, view.inbox_line(entry).partition("  ")[2]))
        if entry.text and entry.kind != "ended":
            ui.line("          " + text.one_line(entry.text, 200))
    if not entries:
        ui.say("nothing that nobody has acknowledged")
