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
  agentctl add-project shop ~/src/shop --trust      its hooks and MCP servers may run"""


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


def run(args: Namespace) -> int:
    home = store.create_home(paths.home_folder(args.home, os.environ))
    ui.warn_of_config(home)
    project = projects.add(home, args.name, os.path.expanduser(args.path), args.default_profile, args.trust)
    print(project.path)
    ui.say("next: `agentctl start --project %s < prompt.md`" % project.name)
    return 0
