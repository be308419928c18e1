"""WebSocket frames (RFC 6455), as far as a status needs them: small texts, pings, an end. Pure."""

from __future__ import annotations

import binascii

from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
LONGEST = 4096
"""Bytes of a client's frame: it has a token to say, and pings to answer."""
LATER = 1013
"""The code of an end that says: too many at a time, come again."""
_FINAL, _MASKED = 0x80, 0x80
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class FrameError(Exception):
    """What the client sent is no frame that we take; `code` is the one to close with."""

    def __init__(self, code: int) -> None:
        super().__init__("WebSocket closed with %d" % code)
        self.code = code


class Frame(Record):
    """One whole frame of a client, unmasked."""

    opcode: int = 0
    payload: bytes = b""


def accepted(key: str) -> str:
    """The answer to a handshake's key."""
    import hashlib

    digest = hashlib.sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()
    return binascii.b2a_base64(digest, newline=False).decode("ascii")


def taken(data: bytes) -> Optional[tuple[Frame, bytes]]:
    """The first frame and what follows it; None while it is not whole. Raises FrameError.

    A client's frames are masked. Messages in pieces are refused: nothing that we are told is long.
    """
    if len(data) < 2:
        return None
    opcode, size = data[0] & 0x0F, data[1] & 0x7F
    if data[0] & 0x70 or not data[1] & _MASKED or opcode not in (TEXT, CLOSE, PING, PONG):
        raise FrameError(1003 if opcode in (0, 2) else 1002)
    if not data[0] & _FINAL or (opcode >= CLOSE and size > 125):
        raise FrameError(1003 if opcode < CLOSE else 1002)
    at = 2
    if size == 126:
        if len(data) < 4:
            return None
        size, at = int.from_bytes(data[2:4], "big"), 4
    if size > LONGEST:
        raise FrameError(1009)
    if len(data) < at + 4 + size:
        return None
    mask, body = data[at : at + 4], data[at + 4 : at + 4 + size]
    plain = bytes(byte ^ mask[n % 4] for n, byte in enumerate(body))
    return Frame(opcode=opcode, payload=plain), data[at + 4 + size :]


def framed(opcode: int, payload: bytes) -> bytes:
    """A frame of ours: whole, not masked."""
    size = len(payload)
    if size < 126:
        length = bytes([size])
    elif size < 1 << 16:
        length = b"\x7e" + size.to_bytes(2, "big")
    else:
        length = b"\x7f" + size.to_bytes(8, "big")
    return bytes([_FINAL | opcode]) + length + payload


def closing(code: int) -> bytes:
    return framed(CLOSE, code.to_bytes(2, "big"))
