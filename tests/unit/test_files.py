from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from agentctl import files


def test_a_file_is_created_once_and_private_whatever_the_umask(tmp_path: Path) -> None:
    path = str(tmp_path / "f")
    before = os.umask(0)
    try:
        files.create(path, b"one")
        files.private_folder(str(tmp_path / "a" / "b"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "a" / "b").st_mode) == 0o700
    with pytest.raises(FileExistsError):
        files.create(path, b"two")
    assert files.read(path) == b"one"


def test_a_planted_link_is_never_written_through(tmp_path: Path) -> None:
    """A symlink in place of a file: create and append refuse, replace and publish leave the victim alone."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link = tmp_path / "link"
    link.symlink_to(victim)
    with pytest.raises(FileExistsError):
        files.create(str(link), b"x")
    with pytest.raises(OSError):
        files.append_line(str(link), "x")
    assert files.publish(str(link), b"x") is False
    files.replace(str(link), b"new")
    assert victim.read_text() == "precious"
    assert not link.is_symlink() and link.read_text() == "new"


def test_publish_is_once_and_complete(tmp_path: Path) -> None:
    """The second publisher is told so, and theirs stands not."""
    path = str(tmp_path / "result.json")
    assert files.publish(path, b"first") is True
    assert files.publish(path, b"second") is False
    assert files.read(path) == b"first"
    assert os.listdir(tmp_path) == ["result.json"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_publish_works_where_there_are_no_hard_links(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    path = str(tmp_path / "result.json")
    assert files.publish(path, b"first") is True
    assert files.publish(path, b"second") is False
    assert files.read(path) == b"first"
    assert os.listdir(tmp_path) == ["result.json"]


@pytest.mark.parametrize("write", [files.replace, files.publish])
def test_a_disk_that_is_full_at_any_write_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: object
) -> None:
    """The N-th write fails, for every N until it succeeds: old or new content, no litter."""
    path = str(tmp_path / "f")
    real = os.write
    for n in range(10):
        Path(path).unlink(missing_ok=True)
        if write is files.replace:
            files.create(path, b"old")
        left = [n]

        def fails(fd: int, data: bytes, left: list[int] = left) -> int:
            if not left[0]:
                raise OSError(errno.ENOSPC, "full")
            left[0] -= 1
            return real(fd, bytes(data)[:3])  # short writes

        monkeypatch.setattr(os, "write", fails)
        try:
            write(path, b"new content")  # type: ignore[operator]
            done = True
        except OSError:
            done = False
        monkeypatch.setattr(os, "write", real)
        assert os.listdir(tmp_path) == (["f"] if done or write is files.replace else [])
        if done:
            assert files.read(path) == b"new content"
            return
        assert write is files.publish or files.read(path) == b"old"
    pytest.fail("it never succeeded")


def test_a_result_is_flushed_before_its_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power cut: content, then name, then folder. Any weaker order was seen to lose or empty the record."""
    order: list[str] = []
    for name in ("fsync", "link", "replace"):
        real = getattr(os, name)

        def noted(*a: object, name: str = name, real: object = real) -> object:
            kind = "folder" if name == "fsync" and stat.S_ISDIR(os.fstat(a[0]).st_mode) else name  # type: ignore[arg-type]
            order.append(kind)
            return real(*a)  # type: ignore[operator]

        monkeypatch.setattr(os, name, noted)
    files.publish(str(tmp_path / "a"), b"x")
    assert order == ["fsync", "link", "folder"]
    del order[:]
    files.replace(str(tmp_path / "a"), b"x")
    assert order[:2] == ["fsync", "replace"]


def test_lines_of_many_writers_are_whole(tmp_path: Path) -> None:
    """Concurrent appends: one write each, none torn, none lost."""
    path = str(tmp_path / "log")
    pids = []
    for n in range(8):
        pid = os.fork()
        if not pid:
            try:
                for m in range(50):
                    files.append_line(path, "%d-%d-" % (n, m) + "x" * 9000)
            finally:
                os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    lines = [
        line for line in Path(path).read_text().split("\n") if line
    ]  # a line being written can look torn for a moment
    assert len(lines) == 400 == len(set(lines))
    assert {len(line.rpartition("-")[2]) for line in lines} == {9000}


def test_a_torn_line_is_ended_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"half')
    files.append_line(str(path), "whole é")
    assert path.read_bytes() == b'{"half\nwhole \\xe9\n'


def test_reading_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    path = tmp_path / "f"
    assert files.read_tail(str(path), 5) == b"" and files.size(str(path)) is None and files.mtime(str(path)) is None
    assert files.load(str(path)) is None
    files.remove(str(path))
    path.write_bytes(b"0123456789")
    assert (
        files.read(str(path), 4) == b"0123" and files.read_tail(str(path), 4) == b"6789" and files.size(str(path)) == 10
    )
    with pytest.raises(IsADirectoryError) as caught:
        files.read(str(tmp_path))
    assert caught.value.filename == str(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert files.read(str(tmp_path / "pipe")) == b""  # and does not hang


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b"1" * 400,
        b"[-" + b"9" * 5000 + b"]",
        b"[" * 100000,
        b"\xff",
    ],
)
def test_only_json_is_json_and_nothing_else_than_value_error_comes(data: bytes) -> None:
    """NaN, 1e999, deep nesting, junk: ValueError only."""
    with pytest.raises(ValueError):
        files.parse(data)


def test_json_goes_out_as_ascii_and_never_as_nan() -> None:
    assert files.dump({"a": "\ud800\x1b\u202e"}) == b'{"a": "\\ud800\\u001b\\u202e"}\n'
    with pytest.raises(ValueError):
        files.dump({"a": float("nan")})
    assert json.loads(files.dump([1, None, "é"])) == [1, None, "é"]
