"""The commands in PREFIX/bin: scripts bound to one interpreter and to this checkout.

The `agentctl` launcher is also the installer's memory: a comment in it notes what
was made besides, so that there is no other record to lose or to clean up.
"""

from __future__ import annotations

import json
import os
import shlex
import sys

from .edits import put
from .edits import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

COMMANDS = {"agentctl": "agentctl.cli", "orch": "agentctl.orch"}
MARK = "# agentctl launcher, written by install.sh; `install.sh --uninstall` removes it"
LONGEST_SHEBANG = 120
NOTHING = {"root": "", "folders": [], "home": "", "digests": {}, "codex_home": ""}


def write(folder: str, root: str, noted: dict[str, Any]) -> None:
    """Write each command, unless it stands there as it should."""
    for name, module in COMMANDS.items():
        put(os.path.join(folder, name), launcher(interpreter(), root, module, noted).encode(), 0o755)


def remove(folder: str) -> None:
    for name in COMMANDS:
        path = os.path.join(folder, name)
        if _is_ours(path):
            os.unlink(path)
            print("removed %s" % path)


def foreign(folder: str) -> list[str]:
    """The paths where a command of ours would stand and something else does."""
    places = [os.path.join(folder, name) for name in COMMANDS]
    return [path for path in places if os.path.lexists(path) and not _is_ours(path)]


def note(folder: str) -> Optional[dict[str, Any]]:
    """What the launcher in this folder notes; None where it is missing or not ours."""
    path = os.path.join(folder, "agentctl")
    if not _is_ours(path):
        return None
    found: dict[str, Any] = json.loads(read(path).decode().splitlines()[2][2:])
    return found


def _is_ours(path: str) -> bool:
    return os.path.isfile(path) and not os.path.islink(path) and read(path).splitlines()[1:2] == [MARK.encode()]


def launcher(python: str, root: str, module: str, noted: dict[str, Any]) -> str:
    """A script bound to one interpreter and this checkout.

    Why not `env python3`: a version manager's shim in front of Python costs 50 to
    70 ms at every start. A path with a space, or a long one, fits no `#!` line.
    """
    marks = "%s\n# %s\n" % (MARK, json.dumps(noted, sort_keys=True))
    if " " in python or len(python) >= LONGEST_SHEBANG:
        code = (
            "import sys; sys.argv[0] = sys.argv.pop(1); sys.path.append(sys.argv.pop(1)); "
            "from %s import main; sys.exit(main())" % module
        )
        return '#!/bin/sh\n%sexec %s -IS -c %s "$0" %s "$@"\n' % (
            marks,
            shlex.quote(python),
            shlex.quote(code),
            shlex.quote(root),
        )
    return "#!%s -IS\n%simport sys\n\nsys.path.append(%r)\nfrom %s import main\n\nsys.exit(main())\n" % (
        python,
        marks,
        root,
        module,
    )


def interpreter() -> str:
    """The real interpreter behind shims and virtual environments.

    Homebrew's real path names a patch release and vanishes with the next one.
    """
    real = os.path.realpath(sys.executable)
    return sys.executable if "/Cellar/" in real else real
