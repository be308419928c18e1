"""Writing the plugin's folder: whole, again and again the same, and into no folder of somebody else's.

The folder is its own marketplace, so that Claude Code installs it from there. Its hooks
name this installation by absolute paths, as bin/orch does, and do nothing once that is gone.
"""

from __future__ import annotations

import json
import os

from .. import files
from .. import hooks
from .. import paths
from ..errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

NAME = "agentctl"
ID = "%s@%s" % (NAME, NAME)
"""The plugin, in the marketplace that its folder is."""
_MANIFEST = os.path.join(".claude-plugin", "plugin.json")
_ABOUT = "Hands work out to coding agents in tmux panes, and tells Claude what became of it"
_MADE = "made by `agentctl plugin`"
_COMMANDS = ("status", "inbox", "start")
"""Slash commands: `/agentctl:status`. None may run `agentctl start` unasked, by which any command can be run."""


def contents(version: str, home: str) -> dict[str, str]:
    """Relative path → text of every file. `home`: the one that the hooks are to look into, "" for the usual."""
    author = {"name": NAME}
    manifest = {"name": NAME, "version": version, "description": _ABOUT, "author": author, "keywords": [NAME, _MADE]}
    listed = {"name": NAME, "source": "./", "description": _ABOUT, "version": version}
    market = {"name": NAME, "owner": author, "description": _ABOUT, "plugins": [listed]}
    found = {
        _MANIFEST: _json(manifest),
        os.path.join(".claude-plugin", "marketplace.json"): _json(market),
        os.path.join("hooks", "hooks.json"): _json({"description": _ABOUT, "hooks": hooks.table(_program(home))}),
        os.path.join("skills", NAME, "SKILL.md"): _text("SKILL.md"),
    }
    found.update({os.path.join("commands", name + ".md"): _text(name + ".md") for name in _COMMANDS})
    return found


def _text(name: str) -> str:
    """What a model is told; the skill is prompts/orchestrator.md in short."""
    return files.read(paths.asset("prompts", os.path.join("plugin", name))).decode("utf-8")


def _json(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"


def _program(home: str) -> Sequence[str]:
    return [*paths.PROGRAM, *(["--home", home] if home else [])]


def write(folder: str, version: str, home: str) -> list[str]:
    """Make the folder so; the files that were not so already. Raises AgentctlError for one that is not ours."""
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise AgentctlError("%s is no directory" % folder, "name a new one: `agentctl plugin DIR`")
    if not is_ours(folder) and os.path.isdir(folder) and os.listdir(folder):
        raise AgentctlError("%s has other files in it" % folder, "name a new or empty directory")
    written = []
    for name, text in contents(version, home).items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if _now(path) != text.encode("utf-8"):
            files.replace(path, text.encode("utf-8"))
            written.append(name)
    return written


def is_ours(folder: str) -> bool:
    """Whether it holds a plugin that we made."""
    manifest = files.load(os.path.join(folder, _MANIFEST))
    return isinstance(manifest, dict) and manifest.get("name") == NAME and _MADE in (manifest.get("keywords") or ())


def _now(path: str) -> bytes:
    try:
        return files.read(path)
    except FileNotFoundError:
        return b""
