"""Everything that is known of runs as one SQLite database, which can be made again at any time.

Built in a file beside it and put in its place whole. What a worker wrote is bound as a
parameter and nothing else. A file that is no database of ours is never written over.
"""

from __future__ import annotations

import json
import os
import stat
import time

from .. import files
from .. import listing
from .. import stream
from .. import text
from ..errors import AgentctlError
from ..model import Result
from . import cache
from . import costs
from . import tables
from . import touched

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from collections.abc import Sequence
    from typing import Any

    from ..store import Home
    from .of_run import Figures

APPLICATION_ID = 0x41435446
"""`ACTF`, at byte 68 of the file: how we know a database of ours again."""
_MAGIC = b"SQLite format 3\0"
_MOST = 1 << 63


def export(home: Home, path: str) -> int:
    """Write the database; how many runs are in it. Raises AgentctlError where the place is not ours to write."""
    target = os.path.abspath(path)
    _demand_ours(target)
    temporary = os.path.join(os.path.dirname(target), ".%s.%d.tmp" % (os.path.basename(target), os.getpid()))
    try:
        files.remove(temporary)
        files.create(temporary, b"")
        count = _build(home, temporary)
        _flush(temporary)
        os.replace(temporary, target)
        files.sync_folder(os.path.dirname(target))
        return count
    finally:
        files.remove(temporary)


def _demand_ours(path: str) -> None:
    """Nothing is there, or a database that we made and nobody has open."""
    another = "give the name of a file that does not exist"
    try:
        head, mode = b"", os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISREG(mode):
        head = files.read(path, 100)
    if head[:16] != _MAGIC or int.from_bytes(head[68:72], "big") != APPLICATION_ID:
        raise AgentctlError("%s is there and is no database that agentctl has written" % path, another)
    for more in ("-wal", "-journal"):
        if os.path.lexists(path + more):
            raise AgentctlError("%s is being written by somebody: %s%s is there" % (path, path, more), another)


def _flush(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        files.sync(fd)
    finally:
        os.close(fd)


def _build(home: Home, path: str) -> int:
    try:
        import sqlite3
    except ImportError:
        raise AgentctlError("this python has no sqlite3", "run agentctl with a python that has it") from None
    try:
        database = sqlite3.connect(path, isolation_level=None)
        try:
            return _fill(database, home)
        finally:
            database.close()
    except sqlite3.Error as e:
        raise AgentctlError("cannot write the database: %s" % text.one_line(e)) from None


def _fill(database: sqlite3.Connection, home: Home) -> int:
    for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "application_id=%d" % APPLICATION_ID, "user_version=1"):
        database.execute("PRAGMA " + pragma)
    now = time.time()
    runs = cache.every(home, now)
    database.execute("BEGIN")
    for statement in tables.STATEMENTS:
        database.execute(statement)
    for words in _about(home, now):
        _insert(database, "about", words)
    for one in runs:
        _add(database, home, one, now)
    database.execute("COMMIT")
    return len(runs)


def _about(home: Home, now: float) -> Iterator[tuple[str, str]]:
    known = costs.table(home)
    yield "exported_at", text.iso(now) or ""
    yield "home", home.path
    yield "prices", "%s: %s" % (known.as_of, known.source)
    yield from tables.about()


def _add(database: sqlite3.Connection, home: Home, one: Figures, now: float) -> None:
    """A run: what it was, what it used, and what happened in it."""
    record = listing.record_of(home, one.run_id, now)
    if record is None:
        return  # removed meanwhile
    result, run = Result.from_json(record), home.run(one.run_id)
    _insert(database, "runs", tables.run_row(result, one))
    _insert(database, "usage", tables.usage_row(one))
    for tool, calls in (one.tools or {}).items():
        _insert(database, "tools", (one.run_id, tool, calls))
    for touch in touched.of_run(home, one.run_id, now):
        _insert(database, "files", (one.run_id, touch.place, touch.path, touch.how, int(touch.told)))
    for row in _events(one.run_id, run.file("events.jsonl")):
        _insert(database, "events", row)


def _events(run_id: str, path: str) -> Iterator[tuple[Any, ...]]:
    try:
        lines = open(path, "rb")
    except OSError:
        return  # a run that never began has none
    with lines:
        for number, line in enumerate(lines, 1):
            event = stream.decoded(line)
            if event is not None:
                yield run_id, number, event.at, event.kind, event.text, json.dumps(event.data)


def _insert(database: sqlite3.Connection, table: str, row: Sequence[Any]) -> None:
    marks = ",".join("?" * len(row))
    database.execute("INSERT INTO %s VALUES (%s)" % (table, marks), [_bindable(value) for value in row])


def _bindable(value: Any) -> Any:
    """What SQLite takes: text without lone surrogates, numbers of 64 bits."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int) and not -_MOST <= value < _MOST:
        return float(value)
    return value
