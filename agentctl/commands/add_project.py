"""agentctl add-project"""

from __future__ import annotations

import os

from .. import paths
from .. import projects
from .. import store
from .. import ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = """  agentctl add-project shop ~/src/shop
  agentctl add-project shop --default-profile deep
  agentctl add-project shop ~/src/shop --trust      its hooks and MCP servers may run
  agentctl add-project shop ~/src/shop --worktree --setup 'npm ci'"""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="letters, digits, `.`, `_`, `-`")
    parser.add_argument(
        "path",
        metavar="PATH",
        nargs="?",
        default="",
        help="its directory (default: the one it has, else the current one)",
    )
    parser.add_argument("--default-profile", metavar="P", default="", help="the profile when `start` names none")
    parser.add_argument(
        "--trust",
        action="store_true",
        help="workers may run what the repository configures (see `agentctl help trust`); "
        "adding it again without --trust takes the trust back",
    )
    parser.add_argument(
        "--worktree",
        action="store_true",
        help="each of its runs works in a git worktree of its own; adding it again without --worktree takes that back",
    )
    parser.add_argument(
        "--setup",
        metavar="CMD",
        default="",
        help="a shell command run in each new worktree before its worker, for example `npm ci`; "
        "adding it again without --setup takes it back",
    )


def run(args: Namespace) -> int:
    home = store.create_home(paths.home_folder(args.home, os.environ))
    ui.warn_of_config(home)
    path = os.path.expanduser(args.path)
    project = projects.add(home, args.name, path, args.default_profile, args.trust, args.worktree, args.setup)
    print(project.path)
    ui.say("next: `agentctl start --project %s < prompt.md`" % project.name)
    return 0
