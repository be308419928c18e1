"""agentctl execute"""

from __future__ import annotations

from ..workflows import definition
from . import _flowing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = """  agentctl execute "the cart forgets its items"
  agentctl execute "add a search" --task-type feature_implementation --mode sequential --wait
  agentctl execute "look at the login" --roles analyst,reviewer

The same as `agentctl workflow run`; without a type, a cheap model chooses one."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("prompt", metavar="PROMPT", nargs="?", default=None, help="what is to be done (default: stdin)")
    parser.add_argument(
        "--task-type",
        metavar="WORKFLOW",
        default="",
        help="a workflow's name: see `agentctl workflow list`; custom; auto, which has a model choose (default)",
    )
    _flowing.add_arguments(parser)
    _flowing.in_any_order(parser)


def run(args: Namespace) -> int:
    usual = definition.CUSTOM if args.roles else definition.AUTO
    return _flowing.start(args, args.task_type or usual, args.prompt)
