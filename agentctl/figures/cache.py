"""The figures of all runs: those of ended ones out of a cache that may be lost at any time.

A row is believed while the run's result.json is the file it was made of (inode, times,
size); so a folder that was removed, added or replaced by hand is seen at the next look.
What could not be read whole (a folder that is being copied, an error of the moment) gets
none, and is looked at again.
The cache is one file, replaced by rename: two processes do each other no harm, and the
last one's copy stays. A file that is damaged, of another version or not writable costs
time and nothing else. What is alive is looked at each time.
"""

from __future__ import annotations

import json
import os
import time

from .. import files
from .. import listing
from ..errors import AgentctlError
from ..model import Spec
from ..store import ID
from . import costs
from .of_run import Figures
from .of_run import day
from .of_run import figures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

    from ..store import Home

    Mark = list[int]
    Rows = dict[str, list[Any]]

_FIELDS = list(Figures().to_json())
_VERSION = "figures 2 " + " ".join(_FIELDS)
"""Changes with what a row holds, or what it means: then all are made again."""
_MARKS = 4


def every(home: Home, now: Optional[float] = None) -> list[Figures]:
    """The figures of every run, ended and alive, by run id, with today's table of prices."""
    moment = time.time() if now is None else now
    known, today = costs.table(home), day(moment)
    found, alive = _ended(home, moment)
    found += [made for run_id in alive for made in _of_live(home, run_id, moment)]
    return sorted((costs.priced(one, known, today) for one in found), key=lambda one: one.run_id)


def ids(home: Home) -> list[str]:
    """Every run whose folder is there, oldest first."""
    marks, alive = _marks(home)
    return sorted([*marks, *alive])


def _of_live(home: Home, run_id: str, now: float) -> list[Figures]:
    made, _ = _of_folder(home, run_id, now)
    return [made] if made else []


def _ended(home: Home, now: float) -> tuple[list[Figures], list[str]]:
    """(the figures of the runs that have a result, the ids of those that have none)."""
    marks, alive = _marks(home)
    cached = _load(home.figures_cache)
    rows = {i: row for i, row in cached.items() if marks.get(i) == row[:_MARKS]}
    known, passing = len(rows), []
    for run_id in [run_id for run_id in marks if run_id not in rows]:
        made, whole = _of_folder(home, run_id, now)
        if made and whole:
            rows[run_id] = [*marks[run_id], *(getattr(made, name) for name in _FIELDS)]
        elif made:
            passing.append(made)
    if len(rows) != known or known != len(cached):
        _save(home.figures_cache, rows)
    return passing + [Figures(**dict(zip(_FIELDS, row[_MARKS:]))) for row in rows.values()], alive


def _of_folder(home: Home, run_id: str, now: float) -> tuple[Optional[Figures], bool]:
    """(figures, whether they are of all that there is to know); None of a folder that is gone."""
    record = listing.record_of(home, run_id, now)
    if record is None:
        return None, False
    try:
        spec = home.run(run_id).spec()
    except AgentctlError:
        return None, False  # removed between the two looks
    return figures(record, spec), record.get("status") != listing.INVALID and spec != Spec(id=run_id)


def _marks(home: Home) -> tuple[dict[str, Mark], list[str]]:
    """What marks each result.json, by run; and the runs without one, staged ones too."""
    marks: dict[str, Mark] = {}
    alive = set()
    for name in os.listdir(home.runs):
        run_id = name[1:] if name[:1] == "." else name
        if not ID.match(run_id):
            continue
        try:
            info = os.stat("%s/%s/result.json" % (home.runs, name))
        except OSError:
            alive.add(run_id)
        else:
            marks[run_id] = [info.st_ino, info.st_mtime_ns, info.st_ctime_ns, info.st_size]
    return marks, sorted(alive - marks.keys())


def _load(path: str) -> Rows:
    """The rows of the cache; none where it is missing, damaged, or of another version."""
    try:
        mark, _, rest = files.read(path, 1 << 30).partition(b"\n")
        if mark.decode("ascii", "replace") != _digest(rest):
            return {}
        rows: Rows = json.loads(rest)
        return rows
    except (OSError, ValueError):
        return {}


def _save(path: str, rows: Rows) -> None:
    data = json.dumps(rows, separators=(",", ":")).encode("ascii")
    try:
        files.refresh(path, _digest(data).encode("ascii") + b"\n" + data)
    except OSError:
        pass  # a read-only home, a full disk: the next look reads the results again


def _digest(data: bytes) -> str:
    import hashlib  # as everything heavy, not before it is needed

    return hashlib.blake2b(data, digest_size=16, key=hashlib.sha256(_VERSION.encode("ascii")).digest()).hexdigest()
