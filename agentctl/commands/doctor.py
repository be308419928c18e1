"""agentctl doctor"""

from __future__ import annotations

import os

from .. import doctor
from .. import paths
from .. import text
from .. import ui
from ..installer import codex_profiles
from ..installer.edits import read
from ..model import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Optional

    from ..doctor import Row

EXAMPLES = "  agentctl doctor\n  agentctl doctor --json\n  agentctl doctor --wake\n  agentctl doctor --notify"

_STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--wake", action="store_true", help="also wake the orchestrator, by each transport")
    parser.add_argument("--notify", action="store_true", help="also send a test notice, by each way of `notify`")


def run(args: Namespace) -> int:
    home = paths.home_folder(args.home, os.environ)
    os.chdir("/")  # the vendors' CLIs read the settings of the folder they stand in: nobody's are wanted
    rows = list(doctor.examine(home, os.environ, missing_profiles))
    if args.wake:
        rows += doctor.wake_round_trip(home, os.environ)
    if args.notify:
        rows += doctor.notify_test(home, os.environ)
    healthy = doctor.healthy(rows)
    if args.json:
        ui.data({"format": FORMAT, "ok": healthy, "rows": [row.to_json() for row in rows]})
    else:
        _show(rows)
    return 0 if healthy else 1


def _show(rows: list[Row]) -> None:
    width = max(len(row.name) for row in rows)
    for row in rows:
        code = text.STYLES[_STYLES[row.state]] if ui.coloured() else ""
        state = "\033[%sm%-4s\033[0m" % (code, row.state) if code else "%-4s" % row.state
        print("%s  %-*s  %s" % (state, width, row.name, text.one_line(row.words)))
        if row.remedy:
            print("      → %s" % text.printable(row.remedy))


def missing_profiles(version: Optional[tuple[int, ...]]) -> tuple[list[str], str]:
    """Which of our Codex profiles this version would not find, and the command that installs them."""
    folder = codex_profiles.home()
    wanted = codex_profiles.sections(read(paths.asset("config", "codex-profiles.toml")).decode())
    config = read(os.path.join(folder, "config.toml"))
    layered = version is None or version >= codex_profiles.LAYERED_SINCE
    if layered:
        missing = [name for name in wanted if not os.path.isfile(os.path.join(folder, name + ".config.toml"))]
    else:
        missing = [name for name in wanted if b"[profiles.%s]" % name.encode() not in config]
    own = codex_profiles.defined_outside(config, wanted)
    return [name for name in missing if name not in own], _install()


def _install() -> str:
    """install.sh where there is one; a wheel has the functions that it calls."""
    import shlex
    import sys

    root = os.path.dirname(paths.PACKAGE)
    script = os.path.join(root, "install.sh")
    if os.path.isfile(script):
        return "%s --yes" % shlex.quote(script)
    code = (
        "import os, sys; sys.path.append(%r); from agentctl.installer import codex_profiles as c, main as m; "
        "os.makedirs(c.home(), exist_ok=True); c.install(c.home(), m._profiles(), c.layers_files())" % root
    )
    return "%s -IS -c %s" % (shlex.quote(sys.executable), shlex.quote(code))
