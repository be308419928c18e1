"""Claude Code: `claude -p --output-format stream-json`. Seen with version 2.1.197.

What a line means is decided by its fields, never by one of them alone: an API
failure says `subtype: success`, an interrupted stream exits 0, and a run may have
two `result` lines of which only the first holds the report.
"""

from __future__ import annotations

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

EXECUTABLES: tuple[str, ...] = ("claude",)
SCHEMA_FLAG = True
INSTRUCTIONS_FLAG = True
PRESET_SESSION = True
INTERRUPT_FIRST = True
"""Only SIGINT makes it end its tools: they live in sessions of their own."""
STRICT_SCHEMA = False

_ENV = (
    # A background command ending after the report starts another turn, without a report.
    ("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1"),
    ("DISABLE_AUTOUPDATER", "1"),
)
_READERS = "Read,Grep,Glob"
_MODES = {READ_ONLY: "dontAsk", EDIT: "acceptEdits", FULL: "bypassPermissions"}
_SPOKEN_LIMIT = re.compile(
    r"(usage|session|weekly|5-hour|spend|hourly|monthly|opus|sonnet|credits?) limit|out of (extra )?usage"
    r"|credit balance|(hit|reached) your [^.\n·|]{0,40}limit", re.I)
_SPOKEN_LOGIN = re.compile(r"/login\b|not logged in|invalid api key|oauth token|failed to authenticate", re.I)
_OF_STATUS = {401: "login", 403: "login", 429: "rate", 503: "overload", 529: "overload"}
_FULL_CONTEXT = ("prompt_too_long", "blocking_limit")
_RESET = re.compile(r"\bresets?(?: at| in)? ([^.\n·|]{1,60})|\|(\d{10})\b")


def refuse(spec: Spec) -> str:
    """Why this backend cannot serve the spec, or ""."""
    try:
        lines.safe_session(spec.session_id or "new")
    except ValueError as wrong:
        return str(wrong)
    return "" if lines.safe_words(spec.model, spec.effort, *spec.allow) else "a model, effort or rule looks like a flag"


def command(spec: Spec, files: RunFiles) -> Command:
    """The prompt by stdin; nothing a person or a model wrote in the argv but the schema.

    --json-schema takes the text, not a path; stream-json needs --verbose.
    """
    argv = [spec.executable or EXECUTABLES[0], "-p", "--output-format", "stream-json", "--verbose"]
    argv += _permissions(spec) + _conversation(spec)
    for flag, value in (
        ("--json-schema", files.schema_text),
        ("--model", spec.model),
        ("--effort", spec.effort),
        ("--max-turns", spec.limits.max_turns),
        ("--max-budget-usd", spec.limits.max_cost_usd),
        ("--append-system-prompt-file", files.instructions if spec.instructions else ""),
    ):
        argv += [flag, str(value)] if value else []
    return Command(argv=tuple(argv), stdin=files.input, env=_ENV + (giving.CLAUDE_ENV if spec.mcp else ()))


def _conversation(spec: Spec) -> list[str]:
    if not spec.session_id:
        return []
    return ["--resume" if spec.resume else "--session-id", lines.safe_session(spec.session_id)]


def _permissions(spec: Spec) -> list[str]:
    """Flags that a user's own settings cannot open.

    Measured: with `"allow": ["Bash", "Write"]` or a PreToolUse hook in the user's
    settings, dontAsk and plan both wrote files. With only reading tools to call there
    is nothing to allow; MCP tools are not covered by --tools, hence the strict flag.
    So read-only has no Bash at all, and the profile's `allow` is not passed on.
    """
    mode = ["--permission-mode", _MODES.get(spec.permissions, _MODES[READ_ONLY])]
    project = [] if spec.trusted else ["--setting-sources", "user"]
    given = giving.to_claude(spec) if spec.mcp else []
    if spec.permissions not in (EDIT, FULL):
        allowed = ["--allowedTools", giving.CLAUDE_RULE] if spec.mcp else []
        closed = ["--tools", _READERS, "--strict-mcp-config", "--disable-slash-commands"]
        return allowed + given + closed + project + mode
    allow = [*spec.allow, giving.CLAUDE_RULE] if spec.mcp else list(spec.allow)
    rules = ["--allowedTools", *allow] if allow else []
    strict = [] if spec.trusted and not spec.mcp else ["--strict-mcp-config"]
    return rules + given + strict + project + mode


def parse(line: bytes) -> list[Event]:
    """One line of stream-json. Total: what is not understood is an `other`."""
    return lines.parsed(line, _READ)


def _system(raw: dict[str, Any]) -> list[Event]:
    subtype = lines.text(raw, "subtype", 60)
    if subtype == "init":
        return [_session(raw)]
    if subtype == "api_retry":
        return [_retry(raw)]
    if subtype == "status":
        subtype = lines.text(raw, "status", 60) or "status"
    return [lines.other(subtype)]


def _session(raw: dict[str, Any]) -> Event:
    source = lines.text(raw, "apiKeySource", 60)
    billing = "" if not source else "subscription" if source == "none" else "api"
    return Event(kind="session", data=lines.known(
        session_id=lines.text(raw, "session_id", 80), model=lines.text(raw, "model", 120),
        version=lines.text(raw, "claude_code_version", 60), billing=billing))


def _retry(raw: dict[str, Any]) -> Event:
    delay = lines.number(raw, "retry_delay_ms")
    return Event(kind="retry", text=lines.text(raw, "error", 120), data=lines.known(
        attempt=lines.count(raw, "attempt"), max=lines.count(raw, "max_retries"),
        delay_s=None if delay is None else delay / 1000, status=lines.count(raw, "error_status")))


def _assistant(raw: dict[str, Any]) -> list[Event]:
    message = lines.obj(raw, "message")
    parent = lines.text(raw, "parent_tool_use_id", 80)
    blocks = lines.objects(message, "content")
    if message.get("model") == "<synthetic>":  # the CLI's own words about a failed call
        return [Event(kind="error", text=lines.text(b, "text"), data={"fatal": False}) for b in blocks]
    events = [event for block in blocks for event in _block(block, parent)]
    return [*events, *_message_usage(message, parent)] or [lines.other("assistant")]


def _block(block: dict[str, Any], parent: str) -> list[Event]:
    kind = block.get("type")
    if kind == "text":
        words = block.get("text")
        return [lines.spoken("message", words, parent=parent)] if isinstance(words, str) else []
    if kind == "thinking":
        return [Event(kind="thinking", text=lines.text(block, "thinking"))]
    if kind == "tool_use" and block.get("name") != "StructuredOutput":  # the report, not a deed
        return [_tool_call(block)]
    return []


def _tool_call(block: dict[str, Any]) -> Event:
    asked = lines.obj(block, "input")
    path = lines.text(asked, "file_path", lines.LONGEST_PATH) or lines.text(asked, "path", lines.LONGEST_PATH)
    data = lines.known(id=lines.text(block, "id", 80), name=lines.text(block, "name", lines.LONGEST_NAME),
                       path=path, command=lines.text(asked, "command", lines.LONGEST_PATH))
    said = data.get("command") or path or lines.text(asked, "description", 200) or lines.text(asked, "pattern", 200)
    return Event(kind="tool_call", text=said, data=data)


def _message_usage(message: dict[str, Any], parent: str) -> list[Event]:
    """The start value of output_tokens is left out: it is not what was used.

    Events of one response repeat its id and figures; `fold` counts an id once.
    A subagent's context is not the conversation's.
    """
    used = _tokens(lines.obj(message, "usage"))
    context = None if parent else lines.total(*used.values())
    data = lines.known(scope="message", id=lines.text(message, "id", 80), context_tokens=context, **used)
    return [Event(kind="usage", data=data)] if "input" in data else []


def _user(raw: dict[str, Any]) -> list[Event]:
    blocks = [b for b in lines.objects(lines.obj(raw, "message"), "content") if b.get("type") == "tool_result"]
    events = [_tool_result(block) for block in blocks]
    if len(events) == 1 and events[0].data["ok"]:
        events += _files(lines.obj(raw, "tool_use_result"))
    return events or [lines.other("user")]


def _tool_result(block: dict[str, Any]) -> Event:
    content = block.get("content")
    if isinstance(content, list):
        content = "\n".join(lines.text(part, "text") for part in lines.objects(block, "content"))
    return Event(kind="tool_result", text=lines.clip(content, 1000), data=lines.known(
        id=lines.text(block, "tool_use_id", 80), ok=block.get("is_error") is not True))


def _files(done: dict[str, Any]) -> list[Event]:
    """Which file a tool read or wrote, from its typed result."""
    read = lines.text(lines.obj(done, "file"), "filePath", lines.LONGEST_PATH)
    if read:
        return [Event(kind="file_read", text=read, data={"path": read})]
    path = lines.text(done, "filePath", lines.LONGEST_PATH) or lines.text(done, "notebook_path", lines.LONGEST_PATH)
    if not path or not ({"structuredPatch", "newString", "new_source"} & done.keys()):
        return []
    op = "add" if done.get("type") == "create" else "update"
    return [Event(kind="file_write", text=path, data={"path": path, "op": op})]


def _rate_limit(raw: dict[str, Any]) -> list[Event]:
    """Of a subscription; its shape was read in the CLI's text, no such line was seen."""
    info = lines.obj(raw, "rate_limit_info")
    if info.get("status") != "rejected":
        return [lines.other("rate_limit_event")]
    return [Event(kind="limit", text=lines.text(info, "rateLimitType", 60),
                  data=lines.known(reason="usage", reset_at=lines.number(info, "resetsAt")))]


def _result(raw: dict[str, Any]) -> list[Event]:
    """The end of a turn: figures, what was denied, limits, and the report if there is one."""
    subtype = lines.text(raw, "subtype", 80)
    ok = subtype == "success" and raw.get("is_error") is False
    denied = [lines.text(d, "tool_name", lines.LONGEST_NAME) for d in lines.objects(raw, "permission_denials")]
    events = [_run_usage(raw), *_turns(raw), *(Event(kind="denied", text=n, data={"name": n}) for n in denied if n)]
    if not ok:
        events += _failure(raw, subtype)
    report, said = raw.get("structured_output"), raw.get("result")
    return [*events, lines.spoken(
        "report", said if isinstance(said, str) else "", ok=ok, reason=_reason(raw, subtype),
        report=lines.plain(report) if isinstance(report, dict) else None)]


def _reason(raw: dict[str, Any], subtype: str) -> str:
    status = lines.count(raw, "api_error_status")
    if status is not None:
        return "api_error_%d" % status
    return subtype if subtype != "success" else lines.text(raw, "terminal_reason", 80)


def _failure(raw: dict[str, Any], subtype: str) -> list[Event]:
    words = lines.joined(raw, "errors") or lines.text(raw, "result") or subtype or "no reason given"
    reason = _limit_reason(raw, subtype, words)
    found = _RESET.search(words)
    reset = (found.group(1) or found.group(2)).strip() if found else None
    limit = [Event(kind="limit", text=words, data=lines.known(reason=reason, reset_at=reset))] if reason else []
    return [*limit, Event(kind="error", text=words, data={"fatal": True})]


def _limit_reason(raw: dict[str, Any], subtype: str, words: str) -> str:
    if subtype == "error_max_turns":
        return "turns"
    if subtype == "error_max_budget_usd":
        return "budget"
    if lines.text(raw, "terminal_reason", 80) in _FULL_CONTEXT or words.startswith("Prompt is too long"):
        return "context"
    if _SPOKEN_LIMIT.search(words):
        return "usage"
    reason = _OF_STATUS.get(lines.count(raw, "api_error_status") or 0, "")
    return reason or ("login" if _SPOKEN_LOGIN.search(words) else "")


def _run_usage(raw: dict[str, Any]) -> Event:
    """The whole process so far. `usage` misses the last call of a run cut short, and
    everything before a second result, so the sum over `modelUsage` is preferred."""
    by_model = [m for m in lines.obj(raw, "modelUsage").values() if isinstance(m, dict)][:50]
    main_loop = lines.obj(raw, "usage")
    used = _sum_of(by_model) if by_model else {**_tokens(main_loop), "output": lines.count(main_loop, "output_tokens")}
    largest = max(by_model, key=lambda m: lines.total(*_taken(m)) or 0, default={})
    return Event(kind="usage", data=lines.known(
        scope="run", cost=lines.number(raw, "total_cost_usd"),
        context_window=lines.count(largest, "contextWindow"), **used))


def _turns(raw: dict[str, Any]) -> list[Event]:
    """Of this result alone: a second result begins to count anew, while its `modelUsage` goes on."""
    turns = lines.count(raw, "num_turns")
    return [] if turns is None else [Event(kind="usage", data={"scope": "turn", "turns": turns})]


def _taken(by_model: dict[str, Any]) -> list[Optional[int]]:
    return [lines.count(by_model, k) for k in ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")]


def _sum_of(by_model: list[dict[str, Any]]) -> dict[str, Optional[int]]:
    def over(*keys: str) -> Optional[int]:
        return lines.total(*(lines.count(m, k) for m in by_model for k in keys))

    return {"input": over("inputTokens", "cacheCreationInputTokens"),
            "cached": over("cacheReadInputTokens"), "output": over("outputTokens")}


def _tokens(used: dict[str, Any]) -> dict[str, Optional[int]]:
    fresh = lines.total(lines.count(used, "input_tokens"), lines.count(used, "cache_creation_input_tokens"))
    return {"input": fresh, "cached": lines.count(used, "cache_read_input_tokens")}


_READ: dict[str, Callable[[dict[str, Any]], list[Event]]] = {
    "system": _system, "assistant": _assistant, "user": _user, "result": _result,
    "rate_limit_event": _rate_limit, "stream_event": lines.nothing,
}
