"""The one MCP server that a worker is given, in the vendors' words. Seen with Claude Code 2.1.197, codex-cli 0.169.0.

`spec.mcp` is its argv, to which the run that calls is added. A call may wait for hours:
both vendors' limits are set here, where the user's own settings do not reach.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model import Spec

NAME = "agentctl"
_LONGEST_CALL_S = 7 * 86400
_START_S = 60
CLAUDE_ENV = (("MCP_TIMEOUT", str(_START_S * 1000)), ("MCP_TOOL_TIMEOUT", str(_LONGEST_CALL_S * 1000)))
"""In milliseconds. `timeout` of the server's own entry comes before the latter, which settings.json can set, too."""
CLAUDE_RULE = "mcp__" + NAME
"""Allows all tools of the server, in every mode: dontAsk refused them without it."""


def argv(spec: Spec) -> list[str]:
    """What starts the server."""
    return [*spec.mcp, "--caller", spec.id]


def to_claude(spec: Spec) -> list[str]:
    """Measured: --tools takes no MCP tool away; --strict-mcp-config leaves all other servers out.

    The server has the worker's whole environment. `timeout` holds although the call sends
    progress, and comes before $MCP_TOOL_TIMEOUT. `alwaysLoad`: its tools are not deferred
    behind ToolSearch, which is on with Anthropic's own API, and the first prompt waits for it.
    """
    command, *rest = argv(spec)
    server = {"command": command, "args": rest, "timeout": _LONGEST_CALL_S * 1000, "alwaysLoad": True}
    return ["--mcp-config", json.dumps({"mcpServers": {NAME: server}}, separators=(",", ":"))]


def to_codex(spec: Spec) -> list[str]:
    """Measured: `-c` merges tables, so servers of the user's own are closed by name; a name that
    is not there ends Codex ("invalid transport"). Of the user's entry of our name ours wins.

    "approve" lets the calls through under `-s read-only` and `approval_policy="never"`, which
    else refuse them; the server runs outside the sandbox. It has only the variables that are
    named here, and HOME, PATH and the like. `required`: without it, Codex ends with exit 1.
    A call is given up after 300 s without tool_timeout_sec, progress or not. The features that are switched
    off have other tools to delegate, or bring servers. The tools are deferred: the model
    is told the name `mcp__agentctl` and finds them by `tool_search`.
    """
    command, *rest = argv(spec)
    entry = (
        "command=%s,args=%s,env_vars=%s,enabled=true,required=true,supports_parallel_tool_calls=true,"
        'startup_timeout_sec=%d,tool_timeout_sec=%d,default_tools_approval_mode="approve"'
        % (_toml(command), _list(rest), _list(spec.mcp_env), _START_S, _LONGEST_CALL_S)
    )
    closed = "".join(",%s={enabled=false}" % _toml(name) for name in spec.mcp_closed if name != NAME)
    features = "multi_agent=false,goals=false,apps=false,plugins=false"
    return ["-c", "mcp_servers={%s={%s}%s}" % (NAME, entry, closed), "-c", "features={%s}" % features]


def _list(words: list[str] | tuple[str, ...]) -> str:
    return "[%s]" % ",".join(_toml(word) for word in words)


def _toml(text: str) -> str:
    """A TOML basic string: JSON's, with DEL escaped as well and nothing else that is not ASCII."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
