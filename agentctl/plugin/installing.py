"""Having Claude Code itself install the plugin, and remove it so that the user's settings are as before.

Seen with Claude Code 2.1.197: `claude plugin install` writes the user's settings.json
anew, in a form of its own, and `uninstall` leaves two empty objects behind. So the bytes are
kept before, in a private file beside, and put back where nothing else has changed since.
"""

from __future__ import annotations

import os

from .. import claude_tui
from .. import files
from .. import paths
from .. import proc
from .. import text
from ..errors import AgentctlError
from . import making

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any
    from typing import Optional

_LONGEST_S = 120.0
_THEIRS = ("enabledPlugins", "extraKnownMarketplaces")
_NONE = b""
"""What is kept where there was no file: no settings.json is empty and valid."""


def install(folder: str, program: str, env: Mapping[str, str]) -> None:
    """By Claude Code's own commands. Raises AgentctlError, OSError."""
    path = _settings(env)
    if not os.path.exists(_kept(path)):
        files.create(_kept(path), _now(path) or _NONE)
    _claude(program, ["marketplace", "add", folder], env)
    _claude(program, ["install", making.ID], env)


def remove(program: str, env: Mapping[str, str]) -> None:
    """By Claude Code's own commands; then the settings as they were. Raises AgentctlError, OSError."""
    _claude(program, ["uninstall", making.ID], env)
    _claude(program, ["marketplace", "remove", making.NAME], env)
    path = _settings(env)
    kept, now = _now(_kept(path)), _now(path)
    if kept is not None and now is not None and same(kept, now):
        if kept == _NONE:
            files.remove(path)
        else:
            mode = os.stat(path).st_mode & 0o777
            files.replace(path, kept)
            os.chmod(path, mode)
    files.remove(_kept(path))


def same(kept: bytes, now: bytes) -> bool:
    """Whether they say the same, but for what an uninstalled plugin leaves. Pure."""
    try:
        before, after = files.parse(kept or b"{}"), files.parse(now)
    except ValueError:
        return False
    return isinstance(before, dict) and isinstance(after, dict) and _bare(before) == _bare(after)


def _bare(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in _THEIRS or value}


def program_of(asked: str, env: Mapping[str, str]) -> str:
    """The path of `claude`. Raises AgentctlError."""
    found = paths.executable(asked, env.get("PATH", ""))
    if not found:
        raise AgentctlError("%s is not on the PATH" % asked, "`npm install -g @anthropic-ai/claude-code` installs it")
    return found


def _settings(env: Mapping[str, str]) -> str:
    """The file itself, where what stands there is a link to it."""
    return os.path.realpath(os.path.join(claude_tui.folder_of(env), "settings.json"))


def _kept(path: str) -> str:
    return path + ".before-agentctl"


def _now(path: str) -> Optional[bytes]:
    try:
        return files.read(path)
    except FileNotFoundError:
        return None


def _claude(program: str, words: list[str], env: Mapping[str, str]) -> None:
    done = proc.run([program, "plugin", *words], env=env, timeout=_LONGEST_S)
    if done.code:
        said = text.one_line((done.err or done.out).decode("utf-8", "replace"), 300)
        raise AgentctlError("`claude plugin %s` failed: %s" % (words[0], said), "see `claude plugin --help`")
