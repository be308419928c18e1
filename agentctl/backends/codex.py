"""Codex CLI: `codex exec --json`. Seen with version 0.169.0.

It says less than it knows: no cost, no turns, no context size, and nothing at all
about most calls its sandbox refused. `turn.completed` counts the whole conversation,
resumes included, and the schema it was given is checked by nobody but us.
"""

from __future__ import annotations

import json
import re

from ..model import EDIT
from ..model import FULL
from ..model import READ_ONLY
from ..model import Command
from ..model import Event
from . import giving
from . import lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
    from typing import Optional

    from ..model import RunFiles
    from ..model import Spec

EXECUTABLES: tuple[str, ...] = ("codex",)
SCHEMA_FLAG = True
INSTRUCTIONS_FLAG = False
PRESET_SESSION = False
INTERRUPT_FIRST = False
STRICT_SCHEMA = True
"""The schema file must be OpenAI's strict kind: see `schema.strict`."""

_SANDBOX = {READ_ONLY: "read-only", EDIT: "workspace-write", FULL: "danger-full-access"}
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_RECONNECT = re.compile(r"Reconnecting\.\.\.(?: (\d{1,6})/(\d{1,6}))?")
_STATUS = re.compile(r"\bstatus:? (\d{3})\b")
_RESET = re.compile(r"[Tt]ry again (?:at|in) ([^\n]{1,60}?)\.?\s*\Z")
_LIMITS = (
    ("usage", re.compile(r"usage limit|quota|purchase more credits|out of credits|spend limit", re.I)),
    ("context", re.compile(r"context window", re.I)),
    ("rate", re.compile(r"rate.?limit|\b429\b", re.I)),
    ("login", re.compile(r"\b401 Unauthorized|refresh token|sign in again|not logged in|codex login", re.I)),
    ("overload", re.compile(r"overloaded|at capacity|high demand|high load|\b503 Service|capacity unavailable", re.I)),
)
"""In this order; the last are of its text: with a server's error 500 it speaks of high demand, too."""


def refuse(spec: Spec) -> str:
    """Why this backend cannot serve the spec, or "".

    `exec resume` with anything but a UUID starts a new conversation and exits 0.
    """
    if spec.resume and not _UUID.match(spec.session_id):
        return "codex can resume only a session whose id is a UUID, not %r" % spec.session_id[:80]
    return "" if lines.safe_words(spec.model, spec.effort) else "a model or effort looks like a flag"


def command(spec: Spec, files: RunFiles) -> Command:
    """Options stand before `resume`, which knows neither -s nor -C; they are given again
    because a resumed conversation forgets its sandbox and model."""
    argv = [spec.executable or EXECUTABLES[0], "exec", "--json"]
    argv += ["--output-schema", files.schema] if files.schema else []
    argv += _permissions(spec) + _worktree(spec) + _distrust(spec)
    argv += giving.to_codex(spec) if spec.mcp else []
    argv += ["-m", spec.model] if spec.model else []
    argv += ["-c", "model_reasoning_effort=" + _toml(spec.effort)] if spec.effort else []
    argv += ["-C", spec.cwd] if spec.cwd else []
    return Command(argv=(*argv, "--skip-git-repo-check", *_conversation(spec), "-"), stdin=files.input)


def _conversation(spec: Spec) -> tuple[str, ...]:
    if not spec.resume:
        return ()
    if not _UUID.match(spec.session_id):
        raise ValueError(refuse(spec))
    return ("resume", spec.session_id)


def _permissions(spec: Spec) -> list[str]:
    """Measured: a user's execpolicy rule (`prefix_rule(["touch"], allow)`) runs its command
    outside the sandbox even under `-s read-only`; --ignore-rules closes that. A user's
    sandbox_mode and default_permissions lose against -s; a user's MCP tool is refused
    ("requires approval") unless the sandbox is off, or the user's entry approves it."""
    mode = _SANDBOX.get(spec.permissions, _SANDBOX[READ_ONLY])
    closed = [] if spec.permissions in (EDIT, FULL) else ["--ignore-rules"]
    return ["-s", mode, "-c", 'approval_policy="never"', *closed]


def _worktree(spec: Spec) -> list[str]:
    """What a commit in a linked worktree writes of the repository, and no more.

    Measured: without it `git commit` fails (index.lock: read-only file system). All of
    .git opens hooks and config, which a git of the user's would run outside the sandbox,
    and fails all the same: the worktree's own git directory stays closed unless it is
    named itself. These four are enough; a user's own writable_roots stay.
    """
    if spec.permissions != EDIT:
        return []
    return [word for folder in spec.worktree.written_by_commits() for word in ("--add-dir", folder)]


def _distrust(spec: Spec) -> list[str]:
    """Leaves the repository's .codex/config.toml and .codex/rules out, whatever the user trusts above.

    Measured: the user's entry for a repository's top also opens its subdirectories and
    linked worktrees; MCP servers ran, and rules ran commands outside the sandbox. An
    entry for the directory itself closes a worktree, one for the top a subdirectory.
    A worker that is given our server has no other, so not those of a trusted repository.
    """
    if spec.trusted and not spec.mcp or not spec.cwd:
        return []
    entries = ",".join(_toml(folder) + '={trust_level="untrusted"}' for folder in _folders(spec.cwd, spec.top))
    return ["-c", "projects={%s}" % entries]


def _folders(cwd: str, top: str) -> list[str]:
    """The directory and those above it, up to the repository's top: each may have a .codex of its own."""
    found = [cwd]
    while top not in ("", found[-1]) and found[-1].startswith(top.rstrip("/") + "/"):
        found.append(found[-1].rpartition("/")[0] or "/")
    return found


def _toml(text: str) -> str:
    """A TOML basic string: JSON's, with DEL escaped as well and nothing else that is not ASCII."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def parse(line: bytes) -> list[Event]:
    """One line of `exec --json`. Total: what is not understood is an `other`."""
    return lines.parsed(line, _READ)


def _thread(raw: dict[str, Any]) -> list[Event]:
    """Neither model nor directory are in it, nor who pays."""
    return [Event(kind="session", data=lines.known(session_id=lines.text(raw, "thread_id", 80)))]


def _error(raw: dict[str, Any]) -> list[Event]:
    """A retry, or the reason of the turn.failed that follows."""
    words = lines.text(raw, "message")
    again = _RECONNECT.match(words)
    if again is None:
        return [Event(kind="error", text=words, data={"fatal": False})]
    status = _STATUS.search(words)
    return [
        Event(
            kind="retry",
            text=words,
            data=lines.known(
                attempt=_int(again.group(1)), max=_int(again.group(2)), status=_int(status.group(1)) if status else None
            ),
        )
    ]


def _int(digits: Optional[str]) -> Optional[int]:
    return int(digits) if digits else None


def _failed(raw: dict[str, Any]) -> list[Event]:
    words = lines.text(lines.obj(raw, "error"), "message") or "turn failed"
    reason = next((name for name, pattern in _LIMITS if pattern.search(words)), "")
    reset = _RESET.search(words)
    limit = (
        [Event(kind="limit", text=words, data=lines.known(reason=reason, reset_at=reset.group(1) if reset else None))]
        if reason
        else []
    )
    return [
        *limit,
        Event(kind="error", text=words, data={"fatal": True}),
        Event(kind="report", text=words, data={"ok": False, "reason": "turn_failed"}),
    ]


def _completed(raw: dict[str, Any]) -> list[Event]:
    """`input_tokens` includes the cached ones (as OpenAI counts); ours does not."""
    used = lines.obj(raw, "usage")
    given, cached = lines.count(used, "input_tokens"), lines.count(used, "cached_input_tokens")
    fresh = None if given is None else max(given - (cached or 0), 0)
    usage = lines.known(scope="session", input=fresh, cached=cached, output=lines.count(used, "output_tokens"))
    return [Event(kind="usage", data=usage), Event(kind="report", data={"ok": True, "reason": "completed"})]


def _item(raw: dict[str, Any]) -> list[Event]:
    item = lines.obj(raw, "item")
    kind = lines.text(item, "type", 60)
    reader = _ITEMS.get(kind)
    return reader(item, raw.get("type") == "item.completed") if reader else [lines.other(kind)]


def _agent_message(item: dict[str, Any], done: bool) -> list[Event]:
    words = item.get("text")
    return [lines.spoken("message", words)] if done and isinstance(words, str) else []


def _reasoning(item: dict[str, Any], done: bool) -> list[Event]:
    return [Event(kind="thinking", text=lines.text(item, "text"))] if done else []


def _warning(item: dict[str, Any], done: bool) -> list[Event]:
    """For example unknown metadata of a model: never the end of the turn."""
    return [Event(kind="error", text=lines.text(item, "message"), data={"fatal": False})] if done else []


def _shell(item: dict[str, Any], done: bool) -> list[Event]:
    if done:
        return [_tool_result(item, lines.text(item, "aggregated_output", 1000))]
    asked = lines.text(item, "command", lines.LONGEST_PATH)
    return [Event(kind="tool_call", text=asked, data=lines.known(id=_id(item), name="shell", command=asked))]


def _mcp(item: dict[str, Any], done: bool) -> list[Event]:
    name = ".".join(filter(None, (lines.text(item, "server", 60), lines.text(item, "tool", 60)))) or "mcp"
    if not done:
        return [Event(kind="tool_call", text=name, data=lines.known(id=_id(item), name=name))]
    failure = lines.text(lines.obj(item, "error"), "message", 1000)
    refused = [Event(kind="denied", text=name, data={"name": name})] if "requires approval" in failure else []
    return [_tool_result(item, failure), *refused]


def _file_change(item: dict[str, Any], done: bool) -> list[Event]:
    """One call of apply_patch, told twice; its failures are not told at all."""
    changes = lines.objects(item, "changes")
    if not done:
        paths = ", ".join(lines.text(c, "path", 200) for c in changes[:5])
        return [Event(kind="tool_call", text=paths, data=lines.known(id=_id(item), name="apply_patch"))]
    wrote = [_file_write(c) for c in changes] if item.get("status") == "completed" else []
    return [_tool_result(item, ""), *(event for event in wrote if event.text)]


def _file_write(change: dict[str, Any]) -> Event:
    path = lines.text(change, "path", lines.LONGEST_PATH)
    return Event(kind="file_write", text=path, data=lines.known(path=path, op=lines.text(change, "kind", 20)))


def _web_search(item: dict[str, Any], done: bool) -> list[Event]:
    """Known from the binary's text only; told at its end, whether or not it was announced."""
    asked = lines.text(item, "query", 200)
    return [Event(kind="tool_call", text=asked, data=lines.known(id=_id(item), name="web_search"))] if done else []


def _tool_result(item: dict[str, Any], words: str) -> Event:
    code = item.get("exit_code")
    ok = item.get("status") == "completed" and code in (None, 0)
    return Event(kind="tool_result", text=words, data=lines.known(id=_id(item), ok=ok))


def _id(item: dict[str, Any]) -> str:
    return lines.text(item, "id", 80)


_ITEMS: dict[str, Callable[[dict[str, Any], bool], list[Event]]] = {
    "agent_message": _agent_message,
    "reasoning": _reasoning,
    "error": _warning,
    "command_execution": _shell,
    "file_change": _file_change,
    "mcp_tool_call": _mcp,
    "collab_tool_call": _mcp,
    "web_search": _web_search,
}

_READ: dict[str, Callable[[dict[str, Any]], list[Event]]] = {
    "thread.started": _thread,
    "turn.completed": _completed,
    "turn.failed": _failed,
    "error": _error,
    "item.started": _item,
    "item.completed": _item,
    "item.updated": lines.nothing,
    "turn.started": lines.nothing,
}
