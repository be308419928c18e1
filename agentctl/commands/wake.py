"""agentctl wake"""

from __future__ import annotations

import os
import sys

from .. import config
from .. import orchestrators
from .. import trial
from .. import ui
from ..errors import AgentctlError
from ..errors import usage_error
from ..model import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..trial import Heard

EXAMPLES = """  agentctl wake --test orch-1a2b3c4d    `agentctl doctor` lists the names
  agentctl wake --test                  the orchestrator in this very pane

Sends a test event through each transport that config.json has for the orchestrator, and
says what arrived and after how long. Its Claude is told, and takes a turn for it. One that
is in a turn just now, as when it runs this itself, is told by hook and keys only afterwards.
Exit code 1: one of those that could be tried did not arrive."""

_SIGNS = {True: "arrived", False: "LOST", None: "not tried"}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", default="", help="the orchestrator (default: the caller)")
    parser.add_argument("--test", action="store_true", help="test every transport")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    if not args.test:
        raise usage_error("wake does nothing by itself", "`agentctl wake --test` tests it")
    home = ui.open_home(args)
    name = args.name or orchestrators.of_caller(home, os.environ)
    if name not in [at.name for at in orchestrators.known(home)]:
        raise AgentctlError(
            "no orchestrator named `%s`" % name if name else "this is no orchestrator's pane",
            "name one that `agentctl doctor` lists, or start one: `orch`",
        )
    heard = []
    for one in trial.each(home, config.load(home)[0], name, os.environ):
        heard.append(one)
        if not args.json:
            _show(one)
    if args.json:
        ui.data({"format": FORMAT, "orchestrator": name, "transports": [one.to_json() for one in heard]})
    return 1 if any(one.arrived is False for one in heard) else 0


def _show(one: Heard) -> None:
    after = "%7.3f s" % one.seconds if one.seconds is not None else ""
    ui.line("%-7s %-9s %-10s %s" % (one.transport, _SIGNS[one.arrived], after, one.words))
    sys.stdout.flush()
