"""The two ends of a file that may be of any size, and how much lies between them."""

from __future__ import annotations

import os

from ..record import Record

_CHUNK = 1 << 20


class Most(Record):
    """How much of a file to take from its beginning and from its end, in bytes and in lines."""

    head: int = 512 << 10
    tail: int = 1 << 20
    head_lines: int = 1000
    tail_lines: int = 2000


class Ends(Record):
    """Whole lines without their ends; between `head` and `tail` so many lines and bytes are left out."""

    head: tuple[bytes, ...] = ()
    tail: tuple[bytes, ...] = ()
    left_lines: int = 0
    left_bytes: int = 0
    size: int = 0


def of_file(path: str, most: Most) -> Ends:
    """What is there now; nothing where the file is missing or cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return Ends()
    try:
        size = os.fstat(fd).st_size
        if size <= most.head + most.tail:
            return _cut(_lines(_pread(fd, 0, size)), [], 0, 0, size, most)
        start = size - most.tail - 1  # a byte more, which may be the end of the line before
        head, tail = _pread(fd, 0, most.head), _pread(fd, start, most.tail + 1)
        first, last = head.rfind(b"\n") + 1, tail.find(b"\n") + 1
        until = start + last if last else size
        between = _count(fd, first, until)
        return _cut(_lines(head[:first]), _lines(tail[last:]) if last else [], between, until - first, size, most)
    except OSError:
        return Ends()  # a folder in its place, a failed disk: the page says that nothing was read
    finally:
        os.close(fd)


def _cut(head: list[bytes], tail: list[bytes], lines: int, between: int, size: int, most: Most) -> Ends:
    """No more lines than wanted: what is left out lies in the middle."""
    if not tail and not between:
        if len(head) <= most.head_lines + most.tail_lines:
            return Ends(head=tuple(head), size=size)
        head, tail = head[: most.head_lines], head[most.head_lines :]
    kept_head, kept_tail = head[: most.head_lines], tail[max(0, len(tail) - most.tail_lines) :]
    gone = [*head[len(kept_head) :], *tail[: len(tail) - len(kept_tail)]]
    return Ends(
        head=tuple(kept_head),
        tail=tuple(kept_tail),
        left_lines=lines + len(gone),
        left_bytes=between + sum(len(line) + 1 for line in gone),
        size=size,
    )


def _lines(data: bytes) -> list[bytes]:
    found = data.split(b"\n")
    return found[:-1] if not found[-1] else found


def _pread(fd: int, start: int, size: int) -> bytes:
    parts = []
    while size > 0:
        part = os.pread(fd, min(size, _CHUNK), start)
        if not part:
            break  # it was cut meanwhile
        parts.append(part)
        start, size = start + len(part), size - len(part)
    return b"".join(parts)


def _count(fd: int, start: int, end: int) -> int:
    """How many lines end in this part of the file."""
    found = 0
    while start < end:
        part = os.pread(fd, min(end - start, _CHUNK), start)
        if not part:
            break  # it was cut meanwhile
        found += part.count(b"\n")
        start += len(part)
    return found


def of_text(value: str, head: int, tail: int) -> tuple[str, int, str]:
    """A long text's beginning, how many characters are left out, its end; a short one whole."""
    if len(value) <= head + tail + 200:
        return value, 0, ""
    return value[:head], len(value) - head - tail, value[len(value) - tail :] if tail else ""
