"""Everything that is known of runs as one SQLite database, which can be made again at any time.

Built in a file beside it and put in its place whole. What a worker wrote is bound as a
parameter and nothing else. A file that is no database of ours is never written over.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time

from .. import files
from .. import listing
from .. import processes
from .. import stream
from .. import text
from ..errors import AgentctlError
from ..model import Result
from . import cache
from . import costs
from . import of_run
from . import tables
from . import touched

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from collections.abc import Sequence
    from typing import Any

    from ..store import Home

APPLICATION_ID = 0x41435446
"""`ACTF`, at byte 68 of the file: how we know a database of ours again."""
_MAGIC = b"SQLite format 3\0"
_MOST = 1 << 63


def export(home: Home, path: str) -> int:
    """Write the database; how many runs are in it. Raises AgentctlError where the place is not ours to write."""
    target = os.path.abspath(path)
    if not os.path.isdir(os.path.dirname(target)):
        raise AgentctlError("there is no directory %s" % os.path.dirname(target), "make it, or give another name")
    _demand_ours(target)
    temporary = os.path.join(os.path.dirname(target), ".%s.%d.tmp" % (os.path.basename(target), os.getpid()))
    _clear_away(target)
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


def _clear_away(target: str) -> None:
    """What an export of this database left behind that was killed on the way: it may be large."""
    folder, name = os.path.split(target)
    mark = re.compile(r"\.%s\.(\d{1,9})\.tmp\Z" % re.escape(name))
    for found in filter(None, map(mark.match, os.listdir(folder))):
        if processes.gone(int(found.group(1))):
            files.remove(os.path.join(folder, found.group()))


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
    now, known = time.time(), costs.table(home)
    database.execute("BEGIN")
    for statement in tables.STATEMENTS:
        database.execute(statement)
    for words in _about(home, known, now):
        _insert(database, "about", words)
    count = sum(_add(database, home, run_id, known, now) for run_id in cache.ids(home))
    database.execute("COMMIT")
    return count


def _about(home: Home, known: costs.Table, now: float) -> Iterator[tuple[str, str]]:
    yield "exported_at", text.iso(now) or ""
    yield "home", home.path
    yield "prices", "%s: %s" % (known.as_of, known.source)
    yield from tables.about()


def _add(database: sqlite3.Connection, home: Home, run_id: str, known: costs.Table, now: float) -> bool:
    """A run: what it was, what it used, and what happened in it. Whether it was there.

    All out of one look: of a run that ends meanwhile the status and the figures belong together.
    """
    record = listing.record_of(home, run_id, now)
    if record is None:
        return False
    try:
        run = home.run(run_id)
    except AgentctlError:
        return False  # removed between the two looks
    result, one = Result.from_json(record), costs.priced(of_run.figures(record, run.spec()), known, of_run.day(now))
    _insert(database, "runs", tables.run_row(result, one))
    _insert(database, "usage", tables.usage_row(one))
    for tool, calls in _tools(one.tools or {}).items():
        _insert(database, "tools", (run_id, tool, calls))
    for touch in touched.of_run(home, run_id, now):
        _insert(database, "files", (run_id, touch.place, touch.path, touch.how, int(touch.told)))
    for row in _events(run_id, run.file("events.jsonl")):
        _insert(database, "events", row)
    return True


def _tools(calls: dict[str, int]) -> dict[str, int]:
    """By the names that can be written: what a model called them may be the same then."""
    found: dict[str, int] = {}
    for name, count in calls.items():
        found[_bindable(name)] = found.get(_bindable(name), 0) + count
    return found


def _events(run_id: str, path: str) -> Iterator[tuple[Any, ...]]:
    try:
        lines = os.fdopen(files.open_read(path), "rb")
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
