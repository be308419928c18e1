"""Which MCP servers the user's own configuration of Codex names: they can be closed by name only.

Read line by line, as Python 3.9 has no TOML reader; in the forms that Codex and people
write. Seen with codex-cli 0.169.0: tables of -c are merged into those of the files.
"""

from __future__ import annotations

import os
import re

from . import files
from .errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SYSTEM = "/etc/codex/config.toml"
_KEY = r"""(?:([A-Za-z0-9_-]+)|"((?:[^"\\]|\\.)*)"|'([^']*)')"""
_TABLE = re.compile(r"\s*\[\s*(?:mcp_servers|\"mcp_servers\"|'mcp_servers')\s*\.\s*" + _KEY)
_DOTTED = re.compile(r"\s*mcp_servers\s*\.\s*" + _KEY + r"\s*[.=]")
_WITHIN = re.compile(r"\s*" + _KEY + r"\s*[.=]")
_ALL = re.compile(r"\s*\[\s*(?:mcp_servers|\"mcp_servers\"|'mcp_servers')\s*\]")
_INLINE = re.compile(r"\s*(?:mcp_servers|\"mcp_servers\"|'mcp_servers')\s*=")
_LONGEST = 1 << 20


def of_codex(env: Mapping[str, str]) -> tuple[str, ...]:
    """Their names. Raises AgentctlError where the file does not let them be told."""
    home = env.get("HOME") or os.path.expanduser("~")
    own = os.path.join(env.get("CODEX_HOME") or os.path.join(home, ".codex"), "config.toml")
    found: list[str] = []
    for path in (_SYSTEM, own):
        try:
            words = files.read(path, _LONGEST).decode("utf-8", "replace")
        except OSError:
            continue  # not there, or not for us: Codex itself says so where it matters
        names = named(words)
        if names is None:
            raise AgentctlError(
                "cannot tell which MCP servers %s names" % path, "give each a table of its own: [mcp_servers.NAME]"
            )
        found += names
    return tuple(dict.fromkeys(found))


def named(words: str) -> list[str] | None:
    """The names in a config.toml; None where they stand in an inline table. Pure."""
    found, head, within = [], True, False
    for line in words.splitlines():
        table = _TABLE.match(line)
        if line.lstrip().startswith("["):
            head, within = False, bool(_ALL.match(line))
        elif head and _INLINE.match(line):
            return None
        name = table or (_DOTTED.match(line) if head else _WITHIN.match(line) if within else None)
        if name:
            found.append(_unquoted(*name.groups()))
    return found


def _unquoted(bare: str | None, basic: str | None, literal: str | None) -> str:
    if basic is None:
        return bare or literal or ""
    try:
        return str(files.parse(b'"%s"' % basic.encode("utf-8")))
    except ValueError:
        return basic  # an escape that only TOML has
