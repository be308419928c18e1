"""agentctl spawn"""

from __future__ import annotations

import os

from .. import api
from .. import spawning
from .. import ui
from ..errors import usage_error
from ..model import FORMAT
from ..store import Run
from . import _asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..model import Spec

EXAMPLES = """  agentctl spawn --project shop --worktree "fix the login" "test the cart" "document the API"
  agentctl spawn --file prompts.txt --parallel 4 --profile spark
  agentctl wait $(agentctl spawn --backend shell "make test" "make lint")

A file has one prompt a line, without empty lines and those that begin with #;
where it has a line `---`, such lines separate prompts of any number of lines.
With the shell backend each prompt is a command line, run by /bin/sh. Where one
of the runs cannot be started, none is."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("prompts", metavar="PROMPT", nargs="*", help="what one run is to do")
    parser.add_argument("--file", metavar="F", default="", help="more prompts, from a file; - is stdin")
    parser.add_argument(
        "--parallel",
        metavar="N",
        type=int,
        default=None,
        help="at most so many of them at work at a time (default: `default_parallel` of config.json)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the ids")
    _asking.add_place_arguments(parser)
    _asking.add_arguments(parser)
    _asking.add_worktree_arguments(parser)


def run(args: Namespace) -> int:
    if args.parallel is not None and args.parallel < 1:
        raise usage_error("--parallel wants a number above 0")
    prompts = [*args.prompts, *(spawning.prompts_of(ui.prompt_text(args.file)) if args.file else ())]
    if not prompts or not all(prompt.strip() for prompt in prompts):
        raise usage_error(
            "a prompt is empty" if prompts else "no prompt", 'give them: `agentctl spawn "…" "…"`, or --file FILE'
        )
    request = _asking.with_worktree(_asking.request(args), args)
    request = request.replace(project=args.project, cwd=os.getcwd(), after=tuple(args.after))
    home = ui.open_home(args)
    ui.demand_config(home)
    ids, problem = api.spawn(home, request, prompts, args.parallel)
    if args.json:
        runs = [_row(Run(home, run_id).spec()) for run_id in ids]
        ui.data({"format": FORMAT, "asked": len(prompts), "started": len(ids), "runs": runs})
    elif ids:
        ui.answer("\n".join(ids), "the runs were started: %s" % " ".join(ids))
        ui.say("started %d of %d; wait for them with `agentctl wait %s`" % (len(ids), len(prompts), " ".join(ids)))
    if problem:
        raise problem
    return 0


def _row(spec: Spec) -> dict[str, str]:
    return {"run_id": spec.id, "title": spec.title, "path": spec.worktree.path, "branch": spec.worktree.branch}
