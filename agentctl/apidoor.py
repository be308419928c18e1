"""The door to HTTP APIs: one POST of JSON, and what came back as a value, whatever it was.

A key goes to the host that was named and nowhere else: redirects are not followed, and
without TLS only this machine is spoken to, past any proxy. Otherwise proxies are those of
the environment, as urllib has them. No request and no header is ever repeated in words.
"""

from __future__ import annotations

import http.client
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO
    from typing import Any

LONGEST = 16 << 20
"""Bytes of an answer; what is longer is no answer."""
_LOOPBACK = ("localhost", "::1")
_CHUNK = 1 << 16
_LATE = (TimeoutError, socket.timeout)  # one and the same since Python 3.10


class Answer(Record):
    """What a server said: `status`, `headers` (names in small letters), `body`. Or `problem`: why there is nothing."""

    status: int = 0
    headers: dict[str, str] = {}
    body: bytes = b""
    problem: str = ""


def wrong_with(url: str) -> str:
    """Why nothing can be sent to this address, or ""."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as e:
        return "it is no address: %s" % e
    if parts.scheme not in ("http", "https") or not host:
        return "it is no address of the form https://HOST"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "it has more than a host and a path"
    if parts.scheme == "http" and not _is_loopback(host):
        return "a key is sent over https:// only, but to this machine"
    return "" if url.isascii() and url.isprintable() and " " not in url else "it has characters that no address has"


def _is_loopback(host: str) -> bool:
    parts = host.split(".")
    return host in _LOOPBACK or len(parts) == 4 and parts[0] == "127" and all(p.isdigit() for p in parts)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Never: the answer is then the redirect itself."""


def post(url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Answer:
    """Send it, and wait at most so long for the whole answer. The address is one that `wrong_with` has seen."""
    request = urllib.request.Request(url, body, {"content-type": "application/json", **headers}, method="POST")
    near = _is_loopback(urllib.parse.urlsplit(url).hostname or "")
    handlers: list[Any] = [_Stay(), *([urllib.request.ProxyHandler({})] if near else [])]
    deadline = time.monotonic() + seconds
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=seconds) as came:
            return _read(came.status, came.headers, came, deadline)
    except urllib.error.HTTPError as e:
        with e:
            try:
                return _read(e.code, e.headers, e, deadline)
            except (OSError, http.client.HTTPException):
                return Answer(status=e.code, headers=_small(e.headers))  # its status says enough
    except _LATE:
        return Answer(problem="no answer within %g s" % seconds)
    except urllib.error.URLError as e:
        late = isinstance(e.reason, _LATE)
        return Answer(problem="no answer within %g s" % seconds if late else "no connection: %s" % _said(e.reason))
    except (OSError, http.client.HTTPException) as e:
        return Answer(problem="the connection broke: %s" % _said(e))


def _said(problem: object) -> str:
    words = getattr(problem, "strerror", None) or str(problem)
    return "%s" % (words or type(problem).__name__)


def _read(status: int, headers: Any, came: IO[bytes], deadline: float) -> Answer:
    """The whole body. Raises OSError and HTTPException."""
    found: list[bytes] = []
    size = 0
    while True:
        chunk = came.read(_CHUNK)
        if not chunk:
            return Answer(status=status, headers=_small(headers), body=b"".join(found))
        size += len(chunk)
        found.append(chunk)
        if size > LONGEST:
            return Answer(problem="an answer of more than %d MB" % (LONGEST >> 20))
        if time.monotonic() > deadline:
            raise TimeoutError


def _small(headers: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in headers.items()}
