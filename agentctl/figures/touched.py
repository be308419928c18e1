"""Which files runs read and wrote, named from the top of their repository.

Told by the worker's tools, and for what was written also seen by git. A run in a
worktree of its own touches the same file as one in the project: names are relative to
the top of the checkout, and runs meet where they share a repository.
"""

from __future__ import annotations

import os

from .. import files
from .. import listing
from ..errors import AgentctlError
from ..model import Result
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any
    from typing import Optional

    from ..model import Spec
    from ..store import Home

READ, WROTE = "read", "wrote"
_MARKS = {b'"file_read"': "files_read", b'"file_write"': "files_written"}


class Touch(Record):
    """A run and one file that it read or wrote. `place` is the repository, or the directory where there is none.

    `told` says that its tools named the file; else git saw it change meanwhile, which in a
    directory that runs share may have been another's work. `ended_at` is None while it lives.
    """

    place: str = ""
    path: str = ""
    how: str = ""
    told: bool = True
    run_id: str = ""
    status: str = ""
    agent: str = ""
    role: str = ""
    project: str = ""
    ended_at: Optional[float] = None


def read(result: Result, spec: Spec) -> set[str]:
    """The files that the worker's tools read."""
    return {_name(path, spec, result) for path in result.files_read}


def written(result: Result, spec: Spec) -> set[str]:
    """The files that its tools wrote, and those that git saw changed."""
    return _told(result, spec) | set(result.git_files)


def _told(result: Result, spec: Spec) -> set[str]:
    return {_name(path, spec, result) for path in result.files_written}


def _name(path: str, spec: Spec, result: Result) -> str:
    """From the repository's top, or the run's directory; absolute where it is in neither."""
    cwd = spec.cwd or result.cwd
    full, top = os.path.normpath(os.path.join(cwd, path)), spec.top or cwd
    for above in (top, os.path.realpath(top)) if top else ():
        if full.startswith(above.rstrip("/") + "/"):
            return full[len(above.rstrip("/")) + 1 :]
    return full


def of_run(home: Home, run_id: str, now: float) -> list[Touch]:
    """What a run has touched, so far where it lives. Nothing of a run that is gone or cannot be read."""
    try:
        record, run = listing.record_of(home, run_id, now), home.run(run_id)
    except AgentctlError:
        return []  # removed meanwhile
    if record is None:
        return []
    if "doing" in record:
        record = {**record, **_so_far(run.file("events.jsonl"))}
    return touches(Result.from_json(record), run.spec())


def touches(result: Result, spec: Spec) -> list[Touch]:
    """What a result says of files, those read first, by name."""
    who = {name: getattr(result, name) for name in ("run_id", "status", "agent", "role", "project")}
    where = {**who, "place": _place(spec, result), "ended_at": result.finished_at or None}
    told = _told(result, spec)
    found = [Touch(**where, how=READ, path=path) for path in sorted(read(result, spec))]
    return found + [Touch(**where, how=WROTE, path=p, told=p in told) for p in sorted(written(result, spec))]


def _so_far(events: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in _MARKS.values()}
    for line in files.lines_backwards(events):
        name = next((name for mark, name in _MARKS.items() if mark in line), "")
        path = _path_of(line) if name else ""
        if path:
            found[name].append(path)
    return found


def _path_of(line: bytes) -> str:
    try:
        event = files.parse(line)
    except ValueError:
        return ""  # the runner is still writing it
    data = event.get("data") if isinstance(event, dict) else None
    path = data.get("path") if isinstance(data, dict) else ""
    return path if isinstance(path, str) and "\0" not in path else ""


def _place(spec: Spec, result: Result) -> str:
    """What all worktrees of a repository share: its git directory; else the run's own directory."""
    own = os.path.join(spec.top, ".git") if spec.top else ""
    common = spec.worktree.common or (own if os.path.isdir(own) else "")
    return os.path.realpath(common) if common else spec.top or spec.cwd or result.cwd


def by_path(touches: Iterable[Touch]) -> list[dict[str, Any]]:
    """A row for each file: who wrote and who read it. Those that more than one run wrote come first."""
    found: dict[tuple[str, str], list[Touch]] = {}
    for touch in touches:
        found.setdefault((touch.place, touch.path), []).append(touch)
    rows = [_row(place, path, of_file) for (place, path), of_file in found.items()]
    return sorted(rows, key=lambda row: (not row["conflict"], not row["written_by"], row["place"], row["path"]))


def _row(place: str, path: str, touches: list[Touch]) -> dict[str, Any]:
    writers, readers = (_whos(touches, how) for how in (WROTE, READ))
    conflict = len({who["run_id"] for who in writers}) > 1
    return {"path": path, "place": place, "conflict": conflict, "written_by": writers, "read_by": readers}


def _whos(touches: list[Touch], how: str) -> list[dict[str, Any]]:
    names = ("run_id", "status", "agent", "role", "project", "ended_at", "told")
    those = sorted((touch for touch in touches if touch.how == how), key=lambda touch: touch.run_id)
    return [{name: getattr(touch, name) for name in names} for touch in those]
