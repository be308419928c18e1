"""What a request must be before anything is done for it: its head, checked. Pure.

In this order: Host (a page whose name was bound to this machine sends its own name), Origin
and Sec-Fetch-Site (pages of others), framing (one length or none, nothing that could hide
a second request), token. Nothing of a request is ever part of an answer's head, and no
refusal repeats what it refuses.
"""

from __future__ import annotations

import hmac
import re

from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

LONGEST_HEAD = 16 << 10
LONGEST_BODY = 1 << 20
PROTOCOL = "agentctl"
"""The WebSocket subprotocol; one that begins `token.` beside it carries the token."""
_MOST_FIELDS = 64
_REQUEST = re.compile(rb"([A-Z]{1,16}) (/[!-~]*) HTTP/1\.[01]\Z")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*([\t -~\x80-\xff]*)\Z")
_LENGTH = re.compile(r"[0-9]{1,7}\Z")
_JSON = re.compile(r"application/json *(; *charset=\"?utf-8\"? *)?\Z", re.I)
_ONCE = ("host", "origin", "content-length", "authorization", "content-type", "sec-fetch-site", "upgrade")
_OURS = ("same-origin", "none")


class RefusedError(Exception):
    """A request that is not answered: the status of HTTP, and why in words of ours."""

    def __init__(self, status: int, words: str, hint: str = "") -> None:
        super().__init__(words)
        self.status = status
        self.hint = hint


class Gate(Record):
    """Who may come in: the Hosts we are reached by, and the token."""

    hosts: tuple[str, ...] = ()
    token: str = ""


class Head(Record):
    """A request as it was checked. `length` is that of the body; `socket` the key of a WebSocket that is asked for,
    `protocol` whether it offers our subprotocol; `known` says that it carried the token."""

    method: str = ""
    path: str = ""
    query: str = ""
    length: int = 0
    socket: str = ""
    protocol: bool = False
    known: bool = False


def end_of_head(data: bytes) -> Optional[int]:
    """Where the body begins; None while the head is not whole. Raises RefusedError for what will never be one."""
    end = data.find(b"\r\n\r\n")
    head = data[: end + 2] if end >= 0 else data
    if head.count(b"\n") != head.count(b"\r\n") or b"\0" in head:
        raise RefusedError(400, "the head of the request is malformed")
    if len(head) > LONGEST_HEAD:
        raise RefusedError(431, "the head of the request is too long")
    return end + 4 if end >= 0 else None


def checked(data: bytes, gate: Gate) -> Head:
    """The head of a request, without its last empty line. Raises RefusedError."""
    method, target, fields = _parsed(data)
    _check_host(fields, gate)
    _check_origin(method, fields)
    length = _length(method, fields)
    path, _, query = target.partition("?")
    return Head(
        method=method,
        path=path,
        query=query,
        length=length,
        socket=_socket(method, fields),
        protocol=PROTOCOL in _offered(fields),
        known=_carries_token(fields, gate.token),
    )


def _parsed(data: bytes) -> tuple[str, str, dict[str, str]]:
    """Method, target and fields by their names in lower case."""
    first, *rest = data.split(b"\r\n")
    request = _REQUEST.match(first)
    if not request or len(rest) > _MOST_FIELDS:
        raise RefusedError(400, "the request line is malformed" if not request else "too many fields in the head")
    fields: dict[str, str] = {}
    for line in rest:
        field = _FIELD.match(line)
        if not field:
            raise RefusedError(400, "a field of the head is malformed")
        name, value = field.group(1).decode("ascii").lower(), field.group(2).decode("latin-1").strip()
        if name in fields and name in _ONCE:
            raise RefusedError(421 if name == "host" else 400, "the field %s stands there twice" % name)
        fields[name] = value
    return request.group(1).decode("ascii"), request.group(2).decode("ascii"), fields


def _check_host(fields: dict[str, str], gate: Gate) -> None:
    if fields.get("host", "").lower() not in gate.hosts:
        raise RefusedError(421, "this is not the address of that host", "open the address that `agentctl web` printed")


def _check_origin(method: str, fields: dict[str, str]) -> None:
    """A link to the page may stand anywhere; everything else is for our own page alone."""
    host, origin, site = fields["host"].lower(), fields.get("origin"), fields.get("sec-fetch-site")
    if origin is not None and origin.lower() not in ("http://" + host, "https://" + host):
        raise RefusedError(403, "the request comes from a page of another origin")
    opens = (
        method == "GET" and fields.get("sec-fetch-mode") == "navigate" and fields.get("sec-fetch-dest") == "document"
    )
    if site is not None and site not in _OURS and not opens:
        raise RefusedError(403, "the request comes from a page of another origin")


def _length(method: str, fields: dict[str, str]) -> int:
    if "transfer-encoding" in fields:
        raise RefusedError(400, "a body is sent with its length, not in chunks")
    said = fields.get("content-length")
    if method not in ("GET", "POST"):
        raise RefusedError(405, "only GET and POST are answered")
    if method == "GET":
        if said not in (None, "0"):
            raise RefusedError(400, "a GET has no body")
        return 0
    if said is None:
        raise RefusedError(411, "the length of the body is missing")
    if not _LENGTH.match(said):
        raise RefusedError(400 if not said.isdigit() or not said.isascii() else 413, "the length of the body is wrong")
    if int(said) > LONGEST_BODY:
        raise RefusedError(413, "the body is longer than %d bytes" % LONGEST_BODY)
    if not _JSON.match(fields.get("content-type", "")):
        raise RefusedError(415, "the body of a POST is application/json")
    return int(said)


def _socket(method: str, fields: dict[str, str]) -> str:
    """The key of a WebSocket's handshake; "" where none is asked for. Raises RefusedError for a malformed one."""
    if "upgrade" not in fields:
        return ""
    key = fields.get("sec-websocket-key", "")
    upgrades = "upgrade" in [word.strip() for word in fields.get("connection", "").lower().split(",")]
    if fields["upgrade"].lower() != "websocket" or not upgrades or method != "GET":
        raise RefusedError(400, "the only upgrade is to a WebSocket")
    if fields.get("sec-websocket-version") != "13" or not re.match(r"[A-Za-z0-9+/]{22}==\Z", key):
        raise RefusedError(400, "the handshake of the WebSocket is malformed")
    return key


def _carries_token(fields: dict[str, str], token: str) -> bool:
    """In the Authorization field, or among the subprotocols of a WebSocket, which can send no such field."""
    kind, _, word = fields.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return matches(word.strip(), token)
    words = [one[len("token.") :] for one in _offered(fields) if one.startswith("token.")]
    return "upgrade" in fields and any(matches(word, token) for word in words)


def _offered(fields: dict[str, str]) -> list[str]:
    return [one.strip() for one in fields.get("sec-websocket-protocol", "").split(",")]


def matches(word: str, token: str) -> bool:
    """Compared in a time that does not tell how much of it was right."""
    return bool(token) and hmac.compare_digest(word.encode("utf-8", "replace"), token.encode("ascii"))
