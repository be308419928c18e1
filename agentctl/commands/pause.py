"""agentctl pause"""

from __future__ import annotations

from .. import pausing
from .. import ui
from . import _outcomes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = """  agentctl pause 20260215-143022-ab12
  agentctl pause $A $B; agentctl continue $A

All of the run's processes stand still, its slot is free, and none of its time
limits runs until `agentctl continue`. A run that is still queued does not begin."""


def add_arguments(parser: ArgumentParser) -> None:
    _outcomes.add_arguments(parser, "a run id, a unique prefix, @last, or a workflow's id")


def run(args: Namespace) -> int:
    return _outcomes.tell(args, pausing.pause(ui.open_home(args), args.ids))
