"""agentctl show"""

from __future__ import annotations

import codecs
import os
import sys
import time

from .. import files
from .. import finding
from .. import listing
from .. import receipts
from .. import text
from .. import ui
from ..errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..store import Run

EXAMPLES = """  agentctl show 20260215-143022-ab12            what is known of it, as one JSON object
  agentctl show 20260215-143022-ab12 --diff     what it changed
  agentctl show @last --events                  what it did, an event a line

The exit code is 0 whenever it could be read; `agentctl wait` gives the verdict."""

_CHUNK = 1 << 18
_FILES = {"prompt": "prompt.md", "events": "events.jsonl", "raw": "raw.jsonl", "diff": "diff.patch"}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a run id, a unique prefix, or @last")
    one = parser.add_mutually_exclusive_group()
    add = one.add_argument
    add("--prompt", dest="part", action="store_const", const="prompt", default="", help="the prompt as it was given")
    add("--events", dest="part", action="store_const", const="events", help="what it did, as JSON lines")
    add("--raw", dest="part", action="store_const", const="raw", help="what the worker printed; piped, byte for byte")
    add("--diff", dest="part", action="store_const", const="diff", help="the patch of what changed")
    add("--result", dest="part", action="store_const", const="result", help="the result; an error while there is none")
    add("--pane", dest="part", action="store_const", const="pane", help="the id of its tmux pane; an error without one")
    parser.add_argument("--json", action="store_true", help="the JSON object, which is the default")


def run(args: Namespace) -> int:
    home = ui.open_home(args)
    run = home.run(finding.resolve(home, args.id))
    if args.part in _FILES:
        _print_file(run.file(_FILES[args.part]))
    elif args.part == "pane":
        _print_pane(run)
    else:
        known = listing.known(run, time.time())
        if args.part == "result" and "doing" in known:
            raise AgentctlError("run %s has not ended" % run.id, "wait for it: `agentctl wait %s`" % run.id)
        ui.data(known)
        if "doing" not in known:
            sys.stdout.flush()
            receipts.Reader(home, os.environ).seen([run.id])
    return 0


def _print_pane(run: Run) -> None:
    from .. import panes

    print(panes.of_run(run)[1])


def _print_file(path: str) -> None:
    """Bytes for programs; for people what their terminal can take. A missing file is empty."""
    try:
        file = os.fdopen(files.open_read(path), "rb")
    except FileNotFoundError:
        ui.say("nothing yet")
        return
    readable = codecs.getincrementaldecoder("utf-8")("replace")
    with file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            if ui.is_terminal():
                sys.stdout.write(text.printable(readable.decode(chunk)))
            else:
                sys.stdout.buffer.write(chunk)
    sys.stdout.flush()
