"""What a client of the Model Context Protocol says, and how it is answered: JSON-RPC 2.0, a line each way. Pure.

By the specification's revisions 2024-11-05 to 2025-11-25, as far as tools over stdio go,
which all of them put the same way. Claude Code 2.1.197 asks for 2025-11-25, codex-cli
0.169.0 for 2025-06-18. Batches, which one revision had, are refused.
"""

from __future__ import annotations

import json

from .. import strictjson
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any
    from typing import Optional
    from typing import Union

    from ..toolset import Answer
    from ..toolset import Tool

    Id = Union[str, int]

VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""The newest first, which is offered to a client that asks for another."""
PARSE_ERROR, INVALID_REQUEST, UNKNOWN_METHOD, BAD_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
LONGEST = 8 * 1024 * 1024
"""Bytes of a line that is read. No prompt is as long."""
INITIALIZE, PING, LIST, CALL = "initialize", "ping", "tools/list", "tools/call"
CANCEL = "notifications/cancelled"
_METHODS = (INITIALIZE, PING, LIST, CALL)


class RefusedError(Exception):
    """A request that gets an error for an answer: its code and words, and whose it is as far as that is known."""

    def __init__(self, code: int, words: str, of: Optional[Id] = None) -> None:
        super().__init__(words)
        self.code = code
        self.of = of

    def answer(self) -> dict[str, Any]:
        """What the client is told."""
        return {"jsonrpc": "2.0", "id": self.of, "error": {"code": self.code, "message": str(self)}}


class Message(Record):
    """A request; one without an id is a notification, which is never answered."""

    method: str = ""
    id: Any = None
    params: dict[str, Any] = {}


def read(line: bytes) -> Optional[Message]:
    """What a line says; None for an empty one and for an answer, which we never asked for. Raises RefusedError."""
    if len(line) > LONGEST:
        raise RefusedError(INVALID_REQUEST, "a line is longer than %d bytes" % LONGEST)
    if not line.strip():
        return None
    raw = _parsed(line)
    if isinstance(raw, list):
        raise RefusedError(INVALID_REQUEST, "batches are not taken: one message a line")
    if not isinstance(raw, dict):
        raise RefusedError(INVALID_REQUEST, "a message is a JSON object")
    return _message(raw)


def _parsed(line: bytes) -> Any:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as e:
        raise RefusedError(PARSE_ERROR, "not UTF-8 at byte %d" % e.start) from None
    try:
        return strictjson.decoded(line)
    except ValueError as e:
        raise RefusedError(PARSE_ERROR, "not JSON: %s" % e) from None


def _message(raw: dict[str, Any]) -> Optional[Message]:
    """The id is looked at first: an error says whose it is."""
    of = raw.get("id")
    known = isinstance(of, (str, int)) and not isinstance(of, bool)
    if "method" not in raw and ("result" in raw or "error" in raw):
        return None
    told, method, params = of if known else None, raw.get("method"), raw.get("params", {})
    if "id" in raw and not known:
        raise RefusedError(INVALID_REQUEST, "an id is a string or an integer")
    if raw.get("jsonrpc") != "2.0":
        raise RefusedError(INVALID_REQUEST, 'a message says "jsonrpc": "2.0"', told)
    if not isinstance(method, str):
        raise RefusedError(INVALID_REQUEST, "a message names its method, a string", told)
    if not isinstance(params, dict):
        if told is None:
            return None
        raise RefusedError(BAD_PARAMS, "params is a JSON object", told)
    return Message(method=method, id=told, params=params)


def check(message: Message, begun: bool) -> None:
    """Whether a request may come now. Raises RefusedError."""
    if message.method not in _METHODS:
        raise RefusedError(UNKNOWN_METHOD, "no method %s" % json.dumps(message.method[:80]), message.id)
    if message.method == INITIALIZE and begun:
        raise RefusedError(INVALID_REQUEST, "initialize came before", message.id)
    if message.method in (LIST, CALL) and not begun:
        raise RefusedError(INVALID_REQUEST, "initialize comes first", message.id)


def welcome(message: Message, version: str, instructions: str) -> dict[str, Any]:
    """The answer to `initialize`: the revision asked for where we speak it, else our newest. Raises RefusedError."""
    asked = message.params.get("protocolVersion")
    if not isinstance(asked, str):
        raise RefusedError(BAD_PARAMS, "protocolVersion is a string", message.id)
    return {
        "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": "agentctl", "title": "agentctl", "version": version},
        **({"instructions": instructions} if instructions else {}),
    }


def listing(message: Message, tools: Iterable[Tool]) -> dict[str, Any]:
    """The answer to `tools/list`: all on one page. Raises RefusedError for a cursor, as we gave none."""
    if message.params.get("cursor") is not None:
        raise RefusedError(BAD_PARAMS, "no such cursor", message.id)
    return {"tools": [_described(tool) for tool in tools]}


def _described(tool: Tool) -> dict[str, Any]:
    schema = tool.schema or {"type": "object", "properties": {}}
    return {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": schema,
        "annotations": {"readOnlyHint": tool.reads, "openWorldHint": False},
    }


def asked(message: Message) -> tuple[str, dict[str, Any], Any]:
    """Of `tools/call`: the tool's name, its arguments, the token for progress or None. Raises RefusedError."""
    name, given = message.params.get("name"), message.params.get("arguments")
    if not isinstance(name, str):
        raise RefusedError(BAD_PARAMS, "name is a string", message.id)
    if given is not None and not isinstance(given, dict):
        raise RefusedError(BAD_PARAMS, "arguments is a JSON object", message.id)
    meta = message.params.get("_meta")
    token = meta.get("progressToken") if isinstance(meta, dict) else None
    known = isinstance(token, (str, int)) and not isinstance(token, bool)
    return name, given or {}, token if known else None


def result(of: Id, value: dict[str, Any]) -> dict[str, Any]:
    """An answer that is no error."""
    return {"jsonrpc": "2.0", "id": of, "result": value}


def content(answer: Answer) -> dict[str, Any]:
    """What came of a call; a tool that failed is a result too, for the model to read."""
    return {"content": [{"type": "text", "text": answer.text}], "isError": answer.error}


def progress(token: Id, count: int, words: str) -> dict[str, Any]:
    """That a call goes on, and what it waits for. `count` must grow."""
    params = {"progressToken": token, "progress": count, "message": words}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


def line(message: dict[str, Any]) -> bytes:
    """As it is sent. Lone surrogates, which strict readers refuse, become question marks."""
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
