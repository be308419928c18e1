"""The half of install.sh that edits files: launchers, the home, the Codex profiles.

Uninstalling must leave every file as it was, byte for byte. So nothing is edited
that cannot be told apart again: files of ours carry a mark, text in a file of the
user's stands between two marks that also say what was there before, and the
folders and the home that we made are noted in the launcher. There is no other
record. A second installation changes no byte.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil

from .. import paths
from .. import store
from ..errors import AgentctlError
from . import codex_profiles
from . import launchers
from .edits import digest
from .edits import files_below
from .edits import folders_named
from .edits import make_folder
from .edits import missing_folders
from .edits import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

ROOT = os.path.dirname(paths.PACKAGE)

REBUILT = re.compile(r"(lock|journal|notify\.log|crash\.log|(active|inbox|sessions|slots|wakes)/.*|.*\.lock)$")


def main(words: Sequence[str]) -> int:
    """What install.sh asks for, once an interpreter is found. Raises AgentctlError."""
    import argparse

    parser = argparse.ArgumentParser(prog="install.sh")
    parser.add_argument("action", choices=("install", "uninstall"))
    parser.add_argument("--prefix", required=True)
    for switch in ("--yes", "--codex", "--purge"):
        parser.add_argument(switch, choices=("yes", "no"), default="no")
    options = parser.parse_args(words)
    prefix = os.path.abspath(options.prefix)
    try:
        if options.action == "install":
            return install(prefix, options.yes == "yes", options.codex == "yes")
        return uninstall(prefix, options.purge == "yes")
    except OSError as e:
        raise AgentctlError("%s: %s" % (e.filename or "error", e.strerror)) from None


def install(prefix: str, yes: bool, codex: bool) -> int:
    folder = os.path.join(prefix, "bin")
    note = launchers.note(folder) or dict(launchers.NOTHING, root=ROOT, folders=[])
    for path in launchers.foreign(folder):
        raise AgentctlError("%s is there and is not ours" % path, "move it away, or choose another --prefix")
    if note["root"] != ROOT:
        print("%s/agentctl was bound to %s; what is in its home stays there" % (folder, note["root"]))
        note.update(root=ROOT, home="", digests={})
    note["folders"] += make_folder(folder)
    launchers.write(folder, ROOT, note)  # before the rest, so that --uninstall finds the note whatever fails
    _make_home(folder, note)
    if codex and codex_profiles.wanted(yes):
        note["codex_home"] = codex_profiles.home()
        note["folders"] += make_folder(note["codex_home"])
        codex_profiles.install(note["codex_home"], _profiles(), codex_profiles.layers_files())
    launchers.write(folder, ROOT, note)
    print("agentctl: %s" % os.path.join(folder, "agentctl"))
    if folder not in os.environ.get("PATH", "").split(os.pathsep):
        print(
            'hint: %s is not on your PATH; add this to your shell\'s profile:\n  export PATH=%s:"$PATH"'
            % (folder, shlex.quote(folder))
        )
    return 0


def _make_home(folder: str, note: dict[str, Any]) -> None:
    """`agentctl init`; what a home that we made holds is noted, to tell later what the user added."""
    home = paths.home_folder("", os.environ)
    is_new = not os.path.lexists(home)
    parents = missing_folders(os.path.dirname(home))
    print(store.create_home(home).path)
    if is_new and os.path.isdir(home):
        note["home"] = home
        note["folders"] += parents
        note["digests"] = {name: digest(read(os.path.join(home, name))) for name in files_below(home)}


def _profiles() -> dict[str, str]:
    return codex_profiles.sections(read(paths.asset("config", "codex-profiles.toml")).decode())


def uninstall(prefix: str, purge: bool) -> int:
    folder = os.path.join(prefix, "bin")
    note = launchers.note(folder) or dict(launchers.NOTHING, root=ROOT, folders=[])
    if note["root"] != ROOT:
        raise AgentctlError("%s/agentctl belongs to %s" % (folder, note["root"]), "run install.sh --uninstall there")
    for home in {note["codex_home"], codex_profiles.home()} - {""}:
        codex_profiles.remove(home, _profiles())
    _remove_home(note, purge)
    launchers.remove(folder)
    for made in sorted(note["folders"], key=len, reverse=True):
        if os.path.isdir(made) and not os.listdir(made):
            os.rmdir(made)
    for cache in folders_named("__pycache__", os.path.join(ROOT, "agentctl")):
        shutil.rmtree(cache)
    return 0


def _remove_home(note: dict[str, Any], purge: bool) -> None:
    """Delete the home where nothing of the user's is in it, or where that was asked for."""
    home = paths.home_folder("", os.environ) if purge else note["home"]
    if not home or not os.path.isdir(home):
        return
    theirs = [name for name in files_below(home) if _is_theirs(home, name, note["digests"])]
    if theirs and not purge:
        runs = {name.split("/")[1] for name in theirs if name.startswith("runs/")}
        print(
            "kept %s: %d runs, %d other files of yours; --purge deletes them"
            % (home, len(runs), sum(not name.startswith("runs/") for name in theirs))
        )
        return
    if home != note["home"] and not os.path.isdir(os.path.join(home, "runs")):
        raise AgentctlError("%s does not look like a home of agentctl" % home, "delete it yourself if it is one")
    shutil.rmtree(home)
    print("removed %s" % home)


def _is_theirs(home: str, name: str, digests: dict[str, str]) -> bool:
    if REBUILT.match(name):
        return False
    return name not in digests or digests[name] != digest(read(os.path.join(home, name)))
