"""agentctl start"""

from __future__ import annotations

import os

from .. import api
from .. import ui
from ..errors import usage_error
from . import _asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = """  agentctl start --project shop --profile spark < prompt.md
  RUN=$(agentctl start --title "fix login" --verify "make test" --escalate < prompt.md); agentctl wait $RUN
  agentctl start --project shop --after 20260215-143022-ab12 --profile review --prompt-file review.md
  agentctl start --project shop --worktree --touches "src/cart/**" < prompt.md
  agentctl start --project shop --title tests -- make test"""


def add_arguments(parser: ArgumentParser) -> None:
    _asking.add_place_arguments(parser)
    _asking.add_arguments(parser)
    _asking.add_prompt_file(parser)
    _asking.add_worktree_arguments(parser)
    parser.add_argument(
        "argv", metavar="COMMAND", nargs="*", help="after `--`: a command to run as the worker (the shell backend)"
    )


def run(args: Namespace) -> int:
    if args.argv and args.backend not in ("", "shell"):
        raise usage_error("a command after `--` runs on the shell backend, not on %s" % args.backend)
    if args.argv and not args.prompt_file:
        prompt = ""
    else:
        prompt = ui.prompt_text(args.prompt_file)
    request = _asking.request(args).replace(
        prompt=prompt, project=args.project, cwd=os.getcwd(), after=tuple(args.after), argv=tuple(args.argv)
    )
    request = _asking.with_worktree(request, args)
    home = ui.open_home(args)
    ui.demand_config(home)
    run_id = api.start(home, request)
    ui.answer(run_id, "the run was started: %s" % run_id)
    if request.touches:
        from . import _touching

        _touching.warn(home, [run_id])
    ui.say("started; see it with `agentctl follow %s`" % run_id)
    return 0
