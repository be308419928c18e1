"""agentctl roles"""

from __future__ import annotations

import os

from .. import roles
from .. import text
from .. import ui
from ..model import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Any

    from ..settings import Role
    from ..store import Home

EXAMPLES = """  agentctl roles
  agentctl roles reviewer
  agentctl start --project shop --role planner < goal.md

A role is a prompt in a file. Your own stand in the home, as prompts/roles/NAME.md,
and come before those of the same name that are shipped. The file begins with:

  ---
  description: a line for people
  profile: the one that serves where none is named
  permissions: read-only, edit or full: the most it gets, never more than the profile has
  ---

Each of the three may be left out, and so may all of it. The rest of the file is
told in place of the profile's own prompt."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="R", nargs="?", default="", help="print this one's prompt (default: list all)")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    home = ui.open_home(args)
    if args.name:
        return _print(home, roles.named(home, args.name), args.json)
    known, problems = roles.every(home)
    if args.json:
        ui.data({"format": FORMAT, "roles": [_entry(home, role) for role in known]})
    else:
        ui.table(
            ("NAME", "PROFILE", "PERMISSIONS", "FROM", "DESCRIPTION"),
            [(r.name, r.profile or "-", r.permissions or "-", _origin(home, r), r.description or "-") for r in known],
        )
    if problems:
        raise problems[0]  # the others can be used all the same
    return 0


def _print(home: Home, role: Role, as_json: bool) -> int:
    if as_json:
        ui.data({"format": FORMAT, **_entry(home, role), "prompt": role.text})
    else:
        print(text.printable(role.text), end="")
    return 0


def _origin(home: Home, role: Role) -> str:
    return "own" if os.path.dirname(os.path.dirname(role.path)) == home.prompts else "shipped"


def _entry(home: Home, role: Role) -> dict[str, Any]:
    fields = ("name", "profile", "permissions", "description", "path")
    return {**{name: getattr(role, name) for name in fields}, "from": _origin(home, role)}
