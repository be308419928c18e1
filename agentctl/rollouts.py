"""Codex's own record of a conversation, which knows what `exec --json` does not print.

Seen with codex-cli 0.169.0: $CODEX_HOME (else ~/.codex)/sessions/YYYY/MM/DD/
rollout-<time>-<thread id>.jsonl, in the folder of the day on which the thread began;
resumes append to it. Its `token_count` lines hold the size of the context and of the
model's window. Only the end of the file is read; it is the vendor's, and may be anything.
"""

from __future__ import annotations

import os
import re
import time

from . import files
from . import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from typing import Any
    from typing import Optional

_TAIL = 1 << 20
_MOST_DAYS = 40
_DAY_S = 86400.0
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_MOST_TOKENS = 1 << 40


def folder_of(env: Mapping[str, str]) -> str:
    """Where a Codex with this environment keeps its files."""
    return env.get("CODEX_HOME") or os.path.join(env.get("HOME") or os.path.expanduser("~"), ".codex")


def held(folder: str, threads: Iterable[str]) -> Optional[set[str]]:
    """Those of the threads that a live Codex has open; None where this system does not say.

    It holds a lock on thread-writer-locks/<thread id>.lock. The lock is not tried: whoever
    wants it in that moment would be told that the thread has a writer already.
    """
    if not processes.LINUX:
        return None
    place, locked = os.path.join(folder, "thread-writer-locks"), processes.locked()
    return {thread for thread in threads if _mark(os.path.join(place, thread + ".lock")) in locked}


def _mark(path: str) -> Optional[tuple[int, int]]:
    try:
        info = os.stat(path)
    except OSError:
        return None  # nobody has it open
    return info.st_dev, info.st_ino


def context(folder: str, thread: str, now: float) -> tuple[Optional[int], Optional[int]]:
    """(tokens in the context, tokens of the model's window) of a thread; None what is not known.

    `folder` is Codex's home. Total: whatever is wrong with the file, nothing is known.
    """
    path = _path(folder, thread, now) if _ID.match(thread) else ""
    try:
        tail = _tail(path) if path else b""
    except OSError:
        return None, None  # gone, not ours to read, or no file: it knows nothing
    for line in reversed(tail.split(b"\n")):
        found = _counted(line) if b'"token_count"' in line else None
        if found:
            return found
    return None, None


def _path(folder: str, thread: str, now: float) -> str:
    """Where the thread's file is, or "". Not all years are looked through: an id of version 7 says its day."""
    for day in _days(thread, now):
        place = os.path.join(folder, "sessions", time.strftime("%Y/%m/%d", time.gmtime(day)))
        try:
            names = os.listdir(place)
        except OSError:
            continue  # nothing began on that day
        for name in names:
            if name.startswith("rollout-") and name.endswith("-%s.jsonl" % thread):
                return os.path.join(place, name)
    return ""


def _days(thread: str, now: float) -> Iterator[float]:
    """Times of the days to look at: that of the id and those beside it, as days are local; else the newest."""
    if thread[14] == "7":
        began = int(thread.replace("-", "")[:12], 16) / 1000
        yield from (began + days * _DAY_S for days in (0, 1, -1) if 0 <= began < now + 2 * _DAY_S)
        return
    yield from (now - days * _DAY_S for days in range(-1, _MOST_DAYS))


def _tail(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        size = os.fstat(fd).st_size
        return os.pread(fd, min(_TAIL, size), max(0, size - _TAIL))
    finally:
        os.close(fd)


def _counted(line: bytes) -> Optional[tuple[Optional[int], Optional[int]]]:
    """The figures of one line; None where it is another one, or tells of rate limits only."""
    try:
        raw = files.parse(line)
    except ValueError:
        return None  # cut in two by where we began to read
    payload = _object(raw, "payload")
    info = _object(payload, "info")
    if payload.get("type") != "token_count" or not info:
        return None
    return _tokens(_object(info, "last_token_usage"), "input_tokens"), _tokens(info, "model_context_window")


def _object(raw: Any, key: str) -> dict[str, Any]:
    found = raw.get(key) if isinstance(raw, dict) else None
    return found if isinstance(found, dict) else {}


def _tokens(raw: dict[str, Any], key: str) -> Optional[int]:
    value = raw.get(key)
    return value if type(value) is int and 0 <= value < _MOST_TOKENS else None
