"""agentctl view"""

from __future__ import annotations

import os
import sys
import time

from .. import finding
from .. import ui
from ..errors import usage_error
from ..viewing import making
from ..viewing import rendering
from ..viewing import saving
from ..viewing import telling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..viewing.page import Page

EXAMPLES = """  agentctl view @last                                 writes ID.html here, and prints its name
  agentctl view 20260215-143022-ab12 --open           and opens it
  agentctl view 20260215-143022-ab12 -o - | less      the page on stdout
  agentctl view 20260215-143022-ab12 --text           in some lines, here

One file that needs no network: timeline, messages, tool calls, diff, verdicts, cost. Of what is
long it has the beginning and the end, and says what it leaves out. It holds what the run's
files hold, so look at it before you hand it on."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a run or a goal: its id, a unique prefix, or @last")
    parser.add_argument("-o", dest="out", metavar="FILE", default="", help="the file (default: ID.html); - is stdout")
    parser.add_argument("--open", action="store_true", help="show it in the browser")
    parser.add_argument("--text", action="store_true", help="a summary for a terminal instead of a page")


def run(args: Namespace) -> int:
    if args.text and (args.out or args.open):
        raise usage_error("--text makes no page", "leave out -o and --open, or --text")
    if args.open and args.out == "-":
        raise usage_error(
            "what goes to stdout cannot be opened", "give a file: `agentctl view %s -o x.html --open`" % args.id
        )
    home = ui.open_home(args)
    made = making.page_of(home, finding.resolve(home, args.id), time.time())
    if args.text:
        for words, style in telling.lines(made):
            ui.line(words, style)
    else:
        _write(made, args)
    return 0


def _write(made: Page, args: Namespace) -> None:
    data = str(rendering.html(made)).encode("utf-8", "replace")
    if args.out == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    path = args.out or "%s.html" % made.ident
    if saving.save(path, data):
        print("agentctl: replaced the page that was there", file=sys.stderr)
    ui.answer(path, "the page is written all the same: %s" % path)
    if args.open:
        saving.show(os.path.abspath(path), os.environ)
