"""The one table of what can be asked for, and the answers as bytes of HTTP.

What a request says is matched against these patterns; an id goes on as an id. The files
of the page are read once, at the start.
"""

from __future__ import annotations

import json
import os
import re

from .. import files
from .. import text
from ..errors import AgentctlError
from ..record import Record
from . import acts
from . import facts
from .guard import PROTOCOL
from .guard import Head
from .guard import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .site import Site

    Answer = Callable[[Site, tuple[str, ...], dict[str, Any]], dict[str, Any]]

RUN = r"(\d{8}-\d{6}-[0-9a-f]{4})"
_ANY = r"(\d{8}-\d{6}-[0-9a-f]{4}|[A-Za-z0-9][A-Za-z0-9._-]{0,99})"
LIVE, SOCKET = "/api/live", "/ws/status"


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(words.replace("RUN", RUN).replace("ANY", _ANY) + r"\Z")


_TABLE: tuple[tuple[str, re.Pattern[str], Answer], ...] = (
    ("GET", _pattern("/api/status"), facts.status),
    ("GET", _pattern("/api/sessions"), facts.sessions),
    ("GET", _pattern("/api/worktrees"), facts.all_worktrees),
    ("GET", _pattern("/api/runs"), facts.runs),
    ("GET", _pattern("/api/runs/RUN"), facts.run),
    ("GET", _pattern("/api/runs/RUN/events"), facts.events),
    ("GET", _pattern("/api/runs/RUN/diff"), facts.diff),
    ("GET", _pattern("/api/stats"), facts.stats),
    ("GET", _pattern("/api/goals"), facts.goals),
    ("GET", _pattern("/api/goals/RUN"), facts.goal),
    ("GET", _pattern("/api/choices"), facts.choices),
    ("POST", _pattern("/api/spawn"), acts.spawn),
    ("POST", _pattern("/api/agents/ANY/pause"), acts.pause),
    ("POST", _pattern("/api/agents/ANY/resume"), acts.resume),
    ("POST", _pattern("/api/agents/ANY/stop"), acts.stop),
    ("POST", _pattern("/api/runs/RUN/continue"), acts.resume),
    ("POST", _pattern("/api/sessions/ANY/resume"), acts.adopt),
    ("POST", _pattern("/api/cleanup"), acts.cleanup),
)
_SCRIPTS = ("api", "base", "fleet", "forms", "main", "plots", "run")
_PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    **{"/%s.js" % name: (name + ".js", "text/javascript; charset=utf-8") for name in _SCRIPTS},
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_JSON = "application/json"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_ALWAYS = (
    "Connection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\nContent-Security-Policy: " + _POLICY + "\r\n"
)
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    421: "Misdirected Request",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Page(Record):
    """The files of the page, by the path that they are asked for by: (kind, bytes)."""

    files: dict[str, tuple[str, bytes]] = {}


def page() -> Page:
    """Read from beside this module, once. Raises OSError."""
    folder = os.path.join(os.path.dirname(__file__), "page")
    found = {path: (kind, files.read(os.path.join(folder, name))) for path, (name, kind) in _PAGE.items()}
    return Page(files=found)


def admitted(head: Head, shown: Page) -> None:
    """Raises RefusedError for what may not be asked for; only the page itself, which tells nothing, needs no token."""
    if head.path in shown.files and head.method == "GET":
        return
    if not head.known and not (head.path == SOCKET and head.socket):
        raise RefusedError(401, "the token is missing or wrong", "open the address that `agentctl web` printed")
    if head.path in (LIVE, SOCKET):
        if head.method != "GET" or bool(head.socket) != (head.path == SOCKET):
            raise RefusedError(400, "that is no way to ask for it")
        return
    found = {method for method, pattern, _ in _TABLE if pattern.match(head.path)}
    if head.method not in found:
        raise RefusedError(405 if found else 404, "there is no such thing here")


def answer(site: Site, shown: Page, head: Head, body: bytes) -> bytes:
    """Do what an admitted request asks for. Raises RefusedError."""
    if head.path in shown.files:
        kind, data = shown.files[head.path]
        return whole(200, data, kind)
    given = query(head.query) if head.method == "GET" else _object(body)
    for method, pattern, what in _TABLE:
        found = pattern.match(head.path)
        if found and method == head.method:
            return said(200, _done(site, what, found.groups(), given))
    raise RefusedError(404, "there is no such thing here")


def _done(site: Site, what: Answer, ids: tuple[str, ...], given: dict[str, Any]) -> dict[str, Any]:
    try:
        return what(site, ids, given)
    except AgentctlError as e:
        gone = bool(ids) and str(e).startswith("no run ")
        raise RefusedError(404 if gone else 400 if e.code == 2 else 409, str(e), e.hint) from None
    except OSError as e:
        raise RefusedError(500, e.strerror or "cannot read or write") from None


def query(words: str) -> dict[str, str]:
    """The pairs of a query, decoded. Raises RefusedError for one that is malformed."""
    pairs = [pair.partition("=") for pair in words.split("&") if pair]
    try:
        found = {_plain(name): _plain(value) for name, _, value in pairs}
    except ValueError:
        raise RefusedError(400, "the query is malformed") from None
    return {name: value for name, value in found.items() if value}


def live(words: str) -> dict[str, str]:
    """What a stream is asked for: perhaps a run, and from which byte of its events on. Raises RefusedError."""
    given = query(words)
    if not re.match(RUN + r"\Z", given.get("run") or "20260215-143022-ab12"):
        raise RefusedError(400, "`run` is no id of a run")
    if not re.match(r"-?[0-9]{1,15}\Z", given.get("from") or "0"):
        raise RefusedError(400, "`from` is no number of bytes")
    return given


def _plain(words: str) -> str:
    """Without the percent signs of a URL. Raises ValueError."""
    first, *rest = words.replace("+", " ").split("%")
    data = first.encode("ascii")
    for part in rest:
        if not re.match(r"[0-9A-Fa-f]{2}", part):
            raise ValueError(words)
        data += bytes.fromhex(part[:2]) + part[2:].encode("ascii")
    return data.decode("utf-8")


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = files.parse(body or b"{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RefusedError(400, "the body is not a JSON object")
    return value


def refusal(error: RefusedError) -> bytes:
    """A refusal as an answer."""
    words = {"error": text.one_line(error), "hint": text.one_line(error.hint) or None}
    return said(error.status, words)


def said(status: int, value: dict[str, Any]) -> bytes:
    """JSON, in ASCII: nothing in it acts anywhere."""
    return whole(status, json.dumps(value).encode("ascii") + b"\n", _JSON)


def whole(status: int, body: bytes, kind: str) -> bytes:
    """An answer to its last byte."""
    return opening(status, kind, "Content-Length: %d\r\n" % len(body)) + body


def opening(status: int, kind: str, more: str = "") -> bytes:
    """The head of an answer. Nothing in it comes from a request."""
    first = "HTTP/1.0 %d %s\r\nContent-Type: %s\r\n" % (status, _REASONS[status], kind)
    return (first + _ALWAYS + more + "\r\n").encode("ascii")


def upgraded(accepted: str, protocol: bool) -> bytes:
    """The answer to a WebSocket's handshake: the hash of its key, and our subprotocol where it offered that."""
    words = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    chosen = "Sec-WebSocket-Protocol: %s\r\n" % PROTOCOL if protocol else ""
    return (words + chosen + "Sec-WebSocket-Accept: %s\r\n\r\n" % accepted).encode("ascii")
