"""agentctl projects"""

from __future__ import annotations

from .. import projects
from .. import ui
from ..model import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = "  agentctl projects\n  agentctl projects --json"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    known = projects.every(ui.open_home(args))
    if args.json:
        ui.data({"format": FORMAT, "projects": [p.to_json() for p in known.values()]})
    elif known:
        ui.table(
            ("NAME", "PROFILE", "TRUST", "PATH"),
            [(p.name, p.default_profile or "-", "yes" if p.trust else "no", p.path) for p in known.values()],
        )
    else:
        ui.say("no project yet: `agentctl add-project NAME PATH`")
    return 0
