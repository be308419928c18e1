"""What goes on for as long as a page is open: the fleet's changes, and the events of the run that is looked at.

The same messages by Server-Sent Events and by WebSocket. A client that does not read is
cut: nothing is kept for it but what the kernel holds.
"""

from __future__ import annotations

import json
import select
import time

from ..errors import AgentctlError
from . import facts
from . import frames
from . import guard
from . import routes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket
    from typing import Any
    from typing import Optional
    from typing import Union

    from .site import Site

    Client = Union["Events", "Messages"]

BEAT_S = 10.0
_NAP_S = 0.25
_FIRST_WORDS_S = 5.0


class Events:
    """A client of Server-Sent Events."""

    def __init__(self, sock: socket, write: Callable[[bytes], None]) -> None:
        self._sock = sock
        self._write = write
        write(routes.opening(200, "text/event-stream"))

    def tell(self, kind: str, value: dict[str, Any]) -> None:
        self._write(b"event: %s\ndata: %s\n\n" % (kind.encode("ascii"), json.dumps(value).encode("ascii")))

    def beat(self) -> None:
        self._write(b": beat\n\n")

    def left(self) -> bool:
        """It has nothing to say: whatever can be read is its end."""
        return bool(select.select([self._sock], [], [], 0)[0])


class Messages:
    """A client of a WebSocket, after its handshake."""

    def __init__(self, sock: socket, write: Callable[[bytes], None], key: str, protocol: bool) -> None:
        self._sock = sock
        self._write = write
        self._held = b""
        write(routes.upgraded(frames.accepted(key), protocol))

    def tell(self, kind: str, value: dict[str, Any]) -> None:
        self._write(frames.framed(frames.TEXT, json.dumps({"type": kind, **value}).encode("ascii")))

    def beat(self) -> None:
        self._write(frames.framed(frames.PING, b""))

    def end(self, code: int) -> None:
        self._write(frames.closing(code))

    def left(self) -> bool:
        """Whether it has gone; pings are answered on the way, other words passed over."""
        try:
            return self._next(0) is None
        except frames.FrameError as e:
            self.end(e.code)
            return True

    def has_token(self, token: str) -> bool:
        """Whether its first message is `{"token": "…"}` with the right one."""
        deadline = time.monotonic() + _FIRST_WORDS_S
        while time.monotonic() < deadline:
            try:
                frame = self._next(max(deadline - time.monotonic(), 0))
            except frames.FrameError:
                frame = None
            if frame is None:
                return False
            if frame:
                return self._believed(frame, token)
        return False

    def _believed(self, words: bytes, token: str) -> bool:
        try:
            said = json.loads(words)
        except ValueError:
            said = None
        known = isinstance(said, dict) and guard.matches(str(said.get("token")), token)
        if not known:
            self.end(1008)
        return known

    def _next(self, seconds: float) -> Optional[bytes]:
        """The next text that it sent, b"" where there is none yet, None where it has gone. Raises FrameError."""
        if select.select([self._sock], [], [], seconds)[0]:
            data = self._sock.recv(4096)
            if not data:
                return None
            self._held += data
        while True:
            found = frames.taken(self._held)
            if not found:
                return b""
            frame, self._held = found
            if frame.opcode == frames.CLOSE:
                self.end(1000)
                return None
            if frame.opcode == frames.PING:
                self._write(frames.framed(frames.PONG, frame.payload))
            if frame.opcode == frames.TEXT:
                return frame.payload


def follow(site: Site, client: Client, given: dict[str, Any]) -> None:
    """Tell the whole fleet once and then what changes, and of the run `run` its events from the byte `from` on,
    until the client leaves. Raises OSError where it is gone or too slow."""
    first = site.feed.status()
    version, beaten = first["version"], time.monotonic()
    client.tell("status", first)
    run_id, at = given.get("run", ""), given.get("from", "0")
    while not client.left():
        version, changed, gone = site.feed.changes(version, _NAP_S)
        if changed or gone:
            client.tell("runs", {"version": version, "runs": changed, "gone": gone})
        if run_id:
            at = _tell_events(site, client, run_id, at)
        if time.monotonic() - beaten > BEAT_S:
            beaten = time.monotonic()
            client.beat()


def _tell_events(site: Site, client: Client, run_id: str, at: str) -> str:
    """What the run did since; where to go on."""
    try:
        piece = facts.events(site, (run_id,), {"from": at})
    except AgentctlError:
        return at  # removed meanwhile: `gone` tells it
    if piece["events"]:
        client.tell("events", piece)
    return str(piece["next"])
