"""From the worker's bytes to our events: follow raw.jsonl as any reader would.

The worker writes the file itself, so a slow or dead runner never blocks it, its
last words are never lost in a pipe, and memory stays flat whatever it prints.
Lines end at "\\n" only (U+2028 in a JSON string is not a line end). A line over
LONGEST is kept in raw.jsonl and not parsed.
"""

from __future__ import annotations

import json
import os
import time

from . import files
from .model import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from typing import Optional

STARTS = "starts"
"""The file of a run with the places in raw.jsonl where the output of a further worker begins, a line each."""
LONGEST, _SHOWN = 1 << 20, 256
CHUNK = 1 << 18
MOST = 4 * CHUNK
ENOUGH = 32 << 20
"""Bytes of events.jsonl after which only events that `fold` needs are written."""
FLOOD = 128 << 20
"""Bytes that may wait to be read when the worker has ended (some 3 s of work); of more, the last are read."""
_CHATTER = ("message", "thinking", "tool_result", "other")


class Lines:
    """Cuts a stream of chunks into lines; holds at most one unfinished line."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held = 0
        self.skipped = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Whole lines, without their ends; an overlong one as its first bytes."""
        start = 0
        while True:
            end = chunk.find(b"\n", start)
            if end < 0:
                break
            yield self._line(chunk[start:end])
            start = end + 1
        self._keep(chunk[start:])

    def rest(self) -> bytes:
        """The last line, which nothing ended; its writer is dead."""
        return self._line(b"")

    def _keep(self, part: bytes) -> None:
        self._held += len(part)
        if part and self._held <= LONGEST:
            self._parts.append(part)
        elif self._held > LONGEST and len(self._parts) > 1:
            self._parts = [b"".join(part[:_SHOWN] for part in self._parts)[:_SHOWN]]

    def _line(self, last: bytes) -> bytes:
        self._keep(last)
        line = b"".join(self._parts)
        if self._held > LONGEST:
            self.skipped = self._held
            line = line[:_SHOWN]
        self._parts, self._held = [], 0
        return line


class Stream:
    """Reads new bytes of `raw`, parses them, appends the events and hands them on."""

    def __init__(
        self, raw: str, events: str, parse: Callable[[bytes], list[Event]], take: Callable[[Event], None]
    ) -> None:
        self._raw = files.open_read(raw)
        self._events = files.open_append(events)
        self._parse = parse
        self._take = take
        self._lines = Lines()
        self._batch: list[bytes] = []
        self._written = 0
        self._torn = False
        self.dropped = 0
        self.problem = ""

    def pump(self) -> int:
        """Take in up to about MOST new bytes; returns how many there were."""
        taken, at = 0, os.lseek(self._raw, 0, os.SEEK_CUR)
        if os.fstat(self._raw).st_size < at:
            self._begin_again(at)
        while taken < MOST:
            chunk = os.read(self._raw, CHUNK)
            if not chunk:
                break
            taken += len(chunk)
            for line in self._lines.feed(chunk):
                self._line(line)
            self._flush()
        return taken

    def _begin_again(self, read: int) -> None:
        """The worker has cut off its own output, by `> /dev/stdout` as a rule: what it says now comes after that."""
        self._lines = Lines()
        os.lseek(self._raw, 0, os.SEEK_SET)
        self._trouble("the worker cut off its own output: %d bytes, or more, are gone from raw.jsonl" % read)

    def _trouble(self, words: str) -> None:
        if words not in self.problem:
            self.problem = "; ".join(filter(None, (self.problem, words)))

    def drain(self, at_most: Optional[int] = None) -> None:
        """The worker is dead: everything it wrote, its unended last line too; of a flood the end.

        What is more than FLOOD bytes, or than `at_most` where that is less, is one.
        """
        most = min(FLOOD, at_most or FLOOD)
        behind = os.fstat(self._raw).st_size - os.lseek(self._raw, 0, os.SEEK_CUR)
        if behind > most:
            self._lines = Lines()
            os.lseek(self._raw, -most, os.SEEK_END)
            for line in self._lines.feed(os.read(self._raw, CHUNK).partition(b"\n")[2]):
                self._line(line)
            self._trouble("%d bytes of what it printed are in raw.jsonl only" % (behind - most))
        while self.pump():
            pass
        self._line(self._lines.rest())
        self._flush()

    def note(self, event: Event) -> None:
        """An event of the runner's own."""
        self._add(event)
        self._flush()

    def _line(self, line: bytes) -> None:
        if self._lines.skipped:
            text = "a line of %d bytes is in raw.jsonl only" % self._lines.skipped
            self._lines.skipped = 0
            self._add(Event(kind="other", text=text))
        elif line.strip():
            for event in self._parse(line):
                self._add(event)

    def _add(self, event: Event) -> None:
        now = time.time()
        self._take(Event(kind=event.kind, text=event.text, data=event.data, at=now))
        if self._written > ENOUGH and event.kind in _CHATTER:
            self.dropped += 1
            return
        self._batch.append(_encoded(event, now))

    def _flush(self) -> None:
        """A full disk costs events, which raw.jsonl can tell again, never the run."""
        if not self._batch:
            return
        data = (b"\n" if self._torn else b"") + b"".join(self._batch)
        self._batch = []
        self._written += len(data)
        try:
            files.write_all(self._events, data)
            self._torn = False
        except OSError as e:
            self._torn = True
            self._trouble("events.jsonl is incomplete: %s" % e.strerror)


def _encoded(event: Event, at: float) -> bytes:
    line: dict[str, object] = {"at": round(at, 3), "kind": event.kind}
    if event.text:
        line["text"] = event.text
    if event.data:
        line["data"] = event.data
    return json.dumps(line).encode("ascii") + b"\n"


def raw_events(path: str, parse: Callable[[bytes], list[Event]], most: int = 0) -> Iterator[Event]:
    """What a whole raw.jsonl tells, read as the runner reads it; the events have no times.

    Each further start of a worker is one, as `fold` wants to know. Of more than `most` bytes
    (0: any) only the beginning, which names the session, and the end, which holds the report.
    Raises OSError where it cannot be read.
    """
    lines, left_out = Lines(), (files.size(path) or 0) - most if most else 0
    starts = _starts(os.path.join(os.path.dirname(path), STARTS))
    with os.fdopen(files.open_read(path), "rb") as raw:
        while True:
            while raw.tell() >= starts[0]:
                starts.pop(0)
                yield from _parsed(lines, [lines.rest()], parse)
                yield Event(kind="started")
            if left_out > 0 and raw.tell() >= most // 4:
                raw.seek(left_out, os.SEEK_CUR)
                raw.readline(most)
                lines, left_out = Lines(), 0
                continue
            chunk = raw.read(min(CHUNK, starts[0] - raw.tell()))
            yield from _parsed(lines, lines.feed(chunk) if chunk else [lines.rest()], parse)
            if not chunk:
                return


def _parsed(lines: Lines, cut: Iterable[bytes], parse: Callable[[bytes], list[Event]]) -> Iterator[Event]:
    for line in cut:
        overlong, lines.skipped = lines.skipped, 0
        yield from () if overlong or not line.strip() else parse(line)


def _starts(path: str) -> list[int]:
    """Where workers began, in order, and a place that no file reaches."""
    try:
        words = files.read(path, 1 << 16).split()
    except OSError:
        words = []  # only one did
    return [*sorted(int(word) for word in words if word.isdigit()), 1 << 62]


def decoded(line: bytes) -> Event | None:
    """An event from its line, or None for a line that is none."""
    try:
        raw = files.parse(line)
    except ValueError:
        return None
    return Event.from_json(raw) if isinstance(raw, dict) else None
