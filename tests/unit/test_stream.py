from __future__ import annotations

import errno
import json
import os
import random
from pathlib import Path

import pytest

from agentctl import stream
from agentctl.model import Event
from agentctl.stream import Lines
from agentctl.stream import Stream


def told(path: Path) -> list[Event]:
    """The events of a file; torn lines are passed over."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [event for event in map(stream.decoded, lines) if event]


def cut(data: bytes, sizes: random.Random) -> list[bytes]:
    lines, found, at = Lines(), [], 0
    while at < len(data):
        size = sizes.randint(1, 9)
        found += list(lines.feed(data[at : at + size]))
        at += size
    return [*found, lines.rest()]


def test_lines_end_at_newline_only_wherever_the_chunks_end() -> None:
    """U+2028, U+0085, vertical tab, form feed and a lone CR are no line ends; half a line at the end is one."""
    data = "a\u2028b\u0085c\x0b\x0cd\re\r\n\n{}\nlast".encode()
    for seed in range(50):
        assert cut(data, random.Random(seed)) == data.split(b"\n")


def test_a_line_without_end_holds_no_memory() -> None:
    """100 MB without a newline: its first bytes are kept, and the next line is whole."""
    lines = Lines()
    for _ in range(400):
        assert list(lines.feed(b"x" * (1 << 18))) == []
        assert sum(map(len, lines._parts)) <= stream.LONGEST + (1 << 18)
    found = list(lines.feed(b"y\nnext\n"))
    assert (len(found[0]), found[1], lines.skipped) == (256, b"next", 400 * (1 << 18) + 1)


@pytest.fixture
def taken() -> list[Event]:
    return []


@pytest.fixture
def read(tmp_path: Path, taken: list[Event]) -> Stream:
    (tmp_path / "raw").write_bytes(b"")
    return Stream(
        str(tmp_path / "raw"),
        str(tmp_path / "events"),
        lambda line: [Event(kind="message", text=line.decode("utf-8", "replace"))],
        taken.append,
    )


def say(tmp_path: Path, data: bytes) -> None:
    with open(tmp_path / "raw", "ab") as f:
        f.write(data)


def test_events_are_written_as_they_come_and_the_unended_last_line_too(
    tmp_path: Path, read: Stream, taken: list[Event]
) -> None:
    say(tmp_path, b"one\ntw")
    assert read.pump() == 6
    assert [e.text for e in taken] == ["one"]
    say(tmp_path, b"o\nthree")
    read.drain()
    read.note(Event(kind="exited", text="\ud800\x1b"))
    assert [e.text for e in taken] == ["one", "two", "three", "\ud800\x1b"]
    seen = told(tmp_path / "events")
    assert [e.text for e in seen] == [e.text for e in taken] and all(e.at for e in seen)
    assert (tmp_path / "events").read_bytes().isascii()


def test_one_pump_is_bounded(tmp_path: Path, read: Stream) -> None:
    """A flood must leave the runner time to look at the clock."""
    say(tmp_path, b"x" * 99 + b"\n")
    say(tmp_path, (b"x" * 99 + b"\n") * 50_000)
    assert read.pump() <= 4 * stream.CHUNK


def test_of_a_flood_the_end_is_read(
    tmp_path: Path, read: Stream, taken: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead worker's backlog is bounded: its last words count, and what was left out is said."""
    monkeypatch.setattr(stream, "FLOOD", 1000)
    say(tmp_path, b"".join(b"line %05d\n" % n for n in range(10_000)))
    read.drain()
    assert [e.text for e in taken][-1] == "line 09999"
    assert 80 < len(taken) < 100 and all(len(e.text) == 10 for e in taken)
    assert "raw.jsonl only" in read.problem


def test_an_overlong_line_is_named_not_parsed(tmp_path: Path, read: Stream, taken: list[Event]) -> None:
    say(tmp_path, b"x" * (stream.LONGEST + 5) + b"\nafter\n")
    read.drain()
    assert [(e.kind, e.text) for e in taken] == [
        ("other", "a line of %d bytes is in raw.jsonl only" % (stream.LONGEST + 5)),
        ("message", "after"),
    ]


def test_a_full_disk_costs_events_and_never_tears_the_next(
    tmp_path: Path, read: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, full = os.write, [True]

    def write(fd: int, data: bytes) -> int:
        if full[0]:
            real(fd, bytes(data)[:7])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    read.note(Event(kind="note", text="lost"))
    full[0] = False
    read.note(Event(kind="note", text="kept"))
    assert "No space" in read.problem
    assert [e.text for e in told(tmp_path / "events")] == ["kept"]


def test_past_the_limit_only_what_fold_needs_is_written(
    tmp_path: Path, read: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "ENOUGH", 100)
    for _ in range(10):
        read.note(Event(kind="message", text="x" * 50))
    read.note(Event(kind="usage", data={"input": 1}))
    kinds = [e.kind for e in told(tmp_path / "events")]
    assert kinds[-1] == "usage" and len(kinds) < 5 and read.dropped == 11 - len(kinds)


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100000, b'{"at": NaN}'])
def test_a_line_that_is_no_event_is_passed_over(line: bytes) -> None:
    assert stream.decoded(line) is None
    wild = stream.decoded(b'{"kind": 7, "at": "x", "text": [1], "data": "y", "zz": 1}')
    assert wild == Event()


def test_a_missing_file_has_no_events(tmp_path: Path) -> None:
    assert list(told(tmp_path / "none")) == []
    (tmp_path / "torn").write_text(json.dumps({"kind": "note", "at": 1.0}) + '\n{"kind": "no')
    assert [e.kind for e in told(tmp_path / "torn")] == ["note"]


def test_where_a_further_worker_began_is_an_event(tmp_path: Path) -> None:
    """Also where the one before it was cut off in a line, and in what is left of a long file."""
    raw = tmp_path / "raw.jsonl"
    raw.write_bytes(b"one\ntwothree\nfour\n")
    (tmp_path / stream.STARTS).write_text("7\njunk\n")

    def parse(line: bytes) -> list[Event]:
        return [Event(kind="message", text=line.decode())]

    told = [event.text or event.kind for event in stream.raw_events(str(raw), parse)]
    assert told == ["one", "two", "started", "three", "four"]
