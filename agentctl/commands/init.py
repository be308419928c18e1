"""agentctl init"""

from __future__ import annotations

import os

from .. import paths
from .. import store
from .. import ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = "  agentctl init\n  agentctl init --home ~/orch"


def add_arguments(_parser: ArgumentParser) -> None:
    """None of its own."""


def run(args: Namespace) -> int:
    home = store.create_home(paths.home_folder(args.home, os.environ))
    print(home.path)
    ui.say("next: `agentctl add-project NAME PATH`, or see it work: `agentctl demo`")
    return 0
