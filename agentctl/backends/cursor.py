"""Cursor CLI: `cursor-agent -p --output-format stream-json`.

Nothing here was run: the CLI could not be installed where this was written. Flags and
lines are those of its documentation and of public captures of version 2026.08.11.
It has no flag for a schema, for instructions or for limits: what is asked goes in
front of the prompt, and the report is read from the last message.
"""

from __future__ import annotations

import re

from ..model import EDIT
from ..model import FULL
from ..model import Command
from ..model import Event
from . import lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..model import RunFiles
    from ..model import Spec

EXECUTABLES: tuple[str, ...] = ("cursor-agent", "agent")
SCHEMA_FLAG = False
INSTRUCTIONS_FLAG = False
PRESET_SESSION = False
INTERRUPT_FIRST = False
STRICT_SCHEMA = False

_LIMITS = (
    ("usage", re.compile(r"usage limit|spend limit|out of (?:usage|credits)|quota", re.I)),
    ("rate", re.compile(r"rate.?limit|too many requests|\b429\b|resource_exhausted", re.I)),
    ("login", re.compile(r"authentication required|not logged in|unauthenticated|agent login|invalid api key", re.I)),
    ("overload", re.compile(r"overloaded|high demand|\b529\b|\b503\b", re.I)),
)
"""By what its users report; nothing of this is documented."""
_RESET = re.compile(r"\b(?:resets?|try again)(?: at| in| on)? ([^.\n·|]{1,60})", re.I)
_WRITES = {"edit": "update", "write": "update", "delete": "delete"}


def refuse(spec: Spec) -> str:
    """Why this backend cannot serve the spec, or ""."""
    if spec.mcp:
        return "cursor has no flag that gives it an MCP server, so it cannot delegate"
    if not spec.trusted:
        return "cursor has no flag that leaves a repository's own settings out, and this project is not trusted"
    try:
        lines.safe_session(spec.session_id or "new")
    except ValueError as wrong:
        return str(wrong)
    return "" if lines.safe_words(spec.model) else "a model looks like a flag"


def command(spec: Spec, files: RunFiles) -> Command:
    """The prompt by stdin. The documented way is an argument, but that is limited to
    128 KB and visible in `ps`; several integrations pipe it (unverified here)."""
    argv = [spec.executable or EXECUTABLES[0], "-p", "--output-format", "stream-json", "--trust"]
    argv += _permissions(spec)
    argv += ["--model", spec.model] if spec.model else []
    argv += ["--workspace", spec.cwd] if spec.cwd else []
    argv += ["--resume", lines.safe_session(spec.session_id)] if spec.resume else []
    return Command(argv=tuple(argv), stdin=files.input)


def _permissions(spec: Spec) -> list[str]:
    """--trust alone: edits are allowed, shell calls come back rejected. Ask mode is
    documented as read-only; whether a user's rules open it was not tested."""
    if spec.permissions == FULL:
        return ["--force"]
    return [] if spec.permissions == EDIT else ["--mode", "ask"]


def parse(line: bytes) -> list[Event]:
    """One line of stream-json. Total: what is not understood is an `other`."""
    return lines.parsed(line, _READ)


def _system(raw: dict[str, Any]) -> list[Event]:
    if raw.get("subtype") != "init":
        return [lines.other(lines.text(raw, "subtype", 60))]
    source = lines.text(raw, "apiKeySource", 60)
    billing = "" if not source else "subscription" if source == "login" else "api"
    return [
        Event(
            kind="session",
            data=lines.known(
                session_id=lines.text(raw, "session_id", 80), model=lines.text(raw, "model", 120), billing=billing
            ),
        )
    ]


def _thinking(raw: dict[str, Any]) -> list[Event]:
    """Deltas are left to raw.jsonl."""
    words = lines.text(raw, "text")
    return [Event(kind="thinking", text=words)] if raw.get("subtype") == "completed" and words else []


def _assistant(raw: dict[str, Any]) -> list[Event]:
    blocks = lines.objects(lines.obj(raw, "message"), "content")
    said = [b["text"] for b in blocks if isinstance(b.get("text"), str)]
    return [lines.spoken("message", "".join(said))] if said else [lines.other("assistant")]


def _tool_call(raw: dict[str, Any]) -> list[Event]:
    """The one key of `tool_call` names the tool: {"shellToolCall": {args, result}}."""
    call = lines.obj(raw, "tool_call")
    key = next((k for k in call if isinstance(call[k], dict)), "")
    name = lines.clip(key[: -len("ToolCall")] if key.endswith("ToolCall") else key, lines.LONGEST_NAME) or "tool"
    what, call_id = lines.obj(call, key), lines.text(raw, "call_id", 200)
    if raw.get("subtype") == "started":
        return [_asked(name, call_id, lines.obj(what, "args"))]
    return _answered(name, call_id, what) if raw.get("subtype") == "completed" else []


def _asked(name: str, call_id: str, args: dict[str, Any]) -> Event:
    path, asked = lines.text(args, "path", lines.LONGEST_PATH), lines.text(args, "command", lines.LONGEST_PATH)
    return Event(
        kind="tool_call", text=asked or path, data=lines.known(id=call_id, name=name, path=path, command=asked)
    )


def _answered(name: str, call_id: str, what: dict[str, Any]) -> list[Event]:
    result, args = lines.obj(what, "result"), lines.obj(what, "args")
    success = lines.obj(result, "success")
    ok = "success" in result and success.get("exitCode") in (None, 0)
    said = lines.text(success, "stdout", 1000) or lines.text(lines.obj(result, "error"), "errorMessage", 1000)
    events = [Event(kind="tool_result", text=said, data=lines.known(id=call_id, ok=ok))]
    if "rejected" in result:
        events.append(Event(kind="denied", text=name, data={"name": name}))
    path = lines.text(success, "path", lines.LONGEST_PATH) or lines.text(args, "path", lines.LONGEST_PATH)
    if ok and path and name in _WRITES:
        events.append(Event(kind="file_write", text=path, data={"path": path, "op": _WRITES[name]}))
    elif ok and path and name == "read":
        events.append(Event(kind="file_read", text=path, data={"path": path}))
    return events


def _result(raw: dict[str, Any]) -> list[Event]:
    """The end of the turn, after which the process may hang: end it after a grace."""
    subtype = lines.text(raw, "subtype", 80)
    ok = subtype == "success" and raw.get("is_error") is False
    words = raw.get("result")
    said = words if isinstance(words, str) else ""
    used = lines.obj(raw, "usage")
    fresh = lines.total(lines.count(used, "inputTokens"), lines.count(used, "cacheWriteTokens"))
    usage = lines.known(
        scope="turn", input=fresh, cached=lines.count(used, "cacheReadTokens"), output=lines.count(used, "outputTokens")
    )
    failed = [] if ok else _failure(lines.clip(said) or subtype)
    return [Event(kind="usage", data=usage), *failed, lines.spoken("report", said, ok=ok, reason=subtype)]


def _failure(words: str) -> list[Event]:
    reason = next((name for name, pattern in _LIMITS if pattern.search(words)), "")
    reset = _RESET.search(words)
    data = lines.known(reason=reason, reset_at=reset.group(1).strip() if reset else None)
    limit = [Event(kind="limit", text=words, data=data)] if reason else []
    return [*limit, Event(kind="error", text=words, data={"fatal": True})]


_READ: dict[str, Callable[[dict[str, Any]], list[Event]]] = {
    "system": _system,
    "assistant": _assistant,
    "tool_call": _tool_call,
    "thinking": _thinking,
    "result": _result,
    "user": lines.nothing,
    "interaction_query": lines.nothing,
}
