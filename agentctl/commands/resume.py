"""agentctl resume"""

from __future__ import annotations

from .. import api
from .. import ui
from ..errors import usage_error
from . import _asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..request import Request
    from ..store import Home

EXAMPLES = """  agentctl resume --parent-run-id 20260215-143022-ab12 < followup.md
  agentctl resume --parent-run-id @last --profile deep < followup.md
  agentctl resume --session 0d583187 --profile deep < followup.md

The same backend goes on with the same session; another one begins afresh and is
told what was asked, reported and changed. A session is any conversation that
`agentctl sessions` lists, also one that you had by hand: its directory must be in
a registered project, and nobody may have it open. It keeps its model, unless
--model or --profile says otherwise."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--parent-run-id", metavar="ID", default="", help="the ended run to go on from")
    parser.add_argument(
        "--session", metavar="SESSION", default="", help="the session to go on with, or how its id begins"
    )
    parser.add_argument("--project", metavar="NAME", default="", help="--session: the project that it must be of")
    _asking.add_arguments(parser)
    _asking.add_prompt_file(parser)


def run(args: Namespace) -> int:
    if bool(args.parent_run_id) == bool(args.session):
        raise usage_error("resume wants one of --parent-run-id and --session", "see `agentctl resume --help`")
    if args.project and not args.session:
        raise usage_error("a run stays in its project: --project goes with --session", "leave it out")
    request = _asking.request(args).replace(prompt=ui.prompt_text(args.prompt_file))
    home = ui.open_home(args)
    ui.demand_config(home)
    run_id = _session(home, args, request) if args.session else api.resume(home, args.parent_run_id, request)
    ui.answer(run_id, "the run was started: %s" % run_id)
    ui.say("started; see it with `agentctl follow %s`" % run_id)
    return 0


def _session(home: Home, args: Namespace, request: Request) -> str:
    from ..sessions import adopting

    return adopting.adopt(home, args.session, request.replace(project=args.project))
