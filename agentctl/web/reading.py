"""Pieces of a run's files, of bounded length, by byte offsets that a client hands back."""

from __future__ import annotations

import os

from .. import files
from ..stream import decoded
from ..verbs import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PIECE = 128 << 10
"""Bytes of a file in one answer."""
_LONGEST_LINE = 16 << 20
_CHUNK = 1 << 16
_TEXT, _ENTRIES = 8000, 50
_WORDS = 4000


def events(path: str, begin: int, most: int = PIECE) -> dict[str, Any]:
    """The events from a byte on, or for a negative one from so many bytes before the end; `next` goes on from there.

    The first is the one that begins there or next.
    """
    length = size(path)
    begin = _line_start(path, begin if begin >= 0 else max(length + begin, 0))
    data = _piece(path, begin, most)
    whole = data.rfind(b"\n") + 1
    if whole:
        return _answer(begin, begin + whole, length, list(_events(data[:whole], begin)))
    if len(data) < most:
        return _answer(begin, begin, length, [])
    after = _line_start(path, begin + 1)
    left_out = {"kind": "other", "text": "a line of %d bytes is left out" % (after - begin), "data": {}, "at": 0.0}
    return _answer(begin, after, length, [{**left_out, "offset": begin}])


def _answer(begin: int, after: int, length: int, found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"events": found, "from": begin, "next": after, "bytes": length}


def _events(data: bytes, begin: int) -> Iterator[dict[str, Any]]:
    """A line that is damaged is passed over, as everywhere."""
    for line in data.split(b"\n")[:-1]:
        event = decoded(line)
        if event:
            raw = event.to_json()
            known = {"text": answers.piece(event.text, _TEXT), "data": answers.clipped(raw["data"], _WORDS, _ENTRIES)}
            yield {**raw, **known, "offset": begin}
        begin += len(line) + 1


def _line_start(path: str, at: int) -> int:
    """The beginning of the first line that begins at `at` or after it; somewhere in a line that is too long."""
    if at <= 0:
        return 0
    place = at - 1
    while place < at + _LONGEST_LINE:
        data = _piece(path, place, _CHUNK)
        found = data.find(b"\n")
        if found >= 0:
            return place + found + 1
        if not data:
            return place
        place += len(data)
    return place


def size(path: str) -> int:
    """0 where it is missing: nothing of it can be read."""
    return files.size(path) or 0


def text(path: str, begin: int, most: int = 2 * PIECE) -> dict[str, Any]:
    """A piece of a text file, up to the end of a line where one is there."""
    length = size(path)
    data = _piece(path, max(begin, 0), most)
    if begin + len(data) < length and b"\n" in data:
        data = data[: data.rfind(b"\n") + 1]
    return {"text": data.decode("utf-8", "replace"), "from": begin, "next": begin + len(data), "bytes": length}


def _piece(path: str, begin: int, most: int) -> bytes:
    """Empty where the file is missing, or ends before that."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return b""
    try:
        return os.pread(fd, most, begin)
    finally:
        os.close(fd)
