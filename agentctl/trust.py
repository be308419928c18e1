"""Has the user trusted this directory? Their word to us, or to the vendor itself.

A vendor's CLI runs hooks, helpers and MCP servers that a repository configures
(seen with Claude Code 2.1.197: `claude -p` asks nobody). Without trust, adapters
pass the flags that leave the repository's settings out.
"""

from __future__ import annotations

import os

from . import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def by_vendor(backend: str, folder: str, env: Mapping[str, str]) -> bool:
    """Whether the vendor's own record, made by the user's answer in its dialog, trusts the folder."""
    home = env.get("HOME") or os.path.expanduser("~")
    if backend == "claude":
        config = env.get("CLAUDE_CONFIG_DIR")
        return _claude(os.path.join(config or home, ".claude.json"), folder)
    if backend == "codex":
        return _codex(os.path.join(env.get("CODEX_HOME") or os.path.join(home, ".codex"), "config.toml"), folder)
    return False


def _claude(path: str, folder: str) -> bool:
    """~/.claude.json: projects.<dir>.hasTrustDialogAccepted (2.1.197)."""
    raw = files.load(path)
    entries = raw.get("projects") if isinstance(raw, dict) else None
    entry = entries.get(folder) if isinstance(entries, dict) else None
    return isinstance(entry, dict) and entry.get("hasTrustDialogAccepted") is True


def _codex(path: str, folder: str) -> bool:
    """config.toml: [projects."<dir>"] trust_level = "trusted" (codex-cli 0.169.0).

    Read line by line: Python 3.9 has no TOML reader, and Codex writes this form.
    """
    try:
        lines = files.read(path, 1 << 20).decode("utf-8", "replace").splitlines()
    except OSError:
        return False
    wanted, inside = '[projects."%s"]' % folder, False
    for line in (raw.strip() for raw in lines):
        if line.startswith("["):
            inside = line == wanted
        elif inside and line.replace(" ", "").startswith('trust_level="trusted"'):
            return True
    return False
