"""agentctl resume"""

from __future__ import annotations

from .. import api
from .. import ui
from . import _asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = """  agentctl resume --parent-run-id 20260215-143022-ab12 < followup.md
  agentctl resume --parent-run-id @last --profile deep < followup.md

The same backend goes on with the same session; another one begins afresh and is
told what was asked, reported and changed."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--parent-run-id", metavar="ID", required=True, help="the ended run to go on from")
    _asking.add_arguments(parser)
    _asking.add_prompt_file(parser)


def run(args: Namespace) -> int:
    request = _asking.request(args).replace(prompt=ui.prompt_text(args.prompt_file))
    home = ui.open_home(args)
    ui.demand_config(home)
    run_id = api.resume(home, args.parent_run_id, request)
    ui.answer(run_id, "the run was started: %s" % run_id)
    ui.say("started; see it with `agentctl follow %s`" % run_id)
    return 0
