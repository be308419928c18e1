"""agentctl continue"""

from __future__ import annotations

import os

from .. import pausing
from .. import ui
from . import _outcomes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = """  agentctl continue 20260215-143022-ab12
  agentctl continue $A $B

Where slots are limited it waits for one. A run that was lost (a restart of the
machine) or stopped while it was paused is gone on with by a new run, in its
session. The first word of each line is the id of the run that goes on."""


def add_arguments(parser: ArgumentParser) -> None:
    _outcomes.add_arguments(parser, "a paused run: its id, a unique prefix, or @last; or a workflow's id")


def run(args: Namespace) -> int:
    return _outcomes.tell(args, pausing.go_on(ui.open_home(args), args.ids, os.environ))
