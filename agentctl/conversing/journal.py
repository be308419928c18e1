"""The run's lines: what is printed while a conversation goes on, and the conversation again out of them.

Events, as every backend's (backends/lines.py has the language), and between them the entries
of the conversation. Lines that belong together are written by one call, the entry first, so that
whoever dies between two of them loses nothing: a torn last line is an entry that never was.
"""

from __future__ import annotations

import json
import threading

from .. import files
from ..backends import lines
from ..errors import AgentctlError
from ..record import Record
from .entries import ANSWER
from .entries import SAID
from .entries import TURN
from .entries import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any
    from typing import Optional

    from ..model import Spec
    from ..store import Home
    from ..store import Run

    Line = dict[str, Any]

_MOST_RUNS = 500
_SHORTEST_KEY = 12  # what is shorter is a word of a test, and may stand anywhere
_LONGEST = 256 << 20


class Begun(Record):
    """What a run has come to so far: its part of the conversation, and what that cost; `context` is the last turn's."""

    entries: tuple[Entry, ...] = ()
    cost: Optional[float] = None
    context: Optional[int] = None


class Stream:
    """Our standard output. `secret` never leaves by it, whoever says it."""

    def __init__(self, fd: int, secret: str = "") -> None:
        self._fd = fd
        self._secret = json.dumps(secret)[1:-1].encode("ascii") if len(secret) >= _SHORTEST_KEY else b""
        self._turn = threading.Lock()

    def show(self, *told: Line) -> None:
        """Write lines, all in one. Raises OSError."""
        data = b"".join(json.dumps(line, allow_nan=False).encode("ascii") + b"\n" for line in told)
        if self._secret:
            data = data.replace(self._secret, b"[key]")
        with self._turn:
            files.write_all(self._fd, data)


def event(kind: str, text: str = "", **data: object) -> Line:
    """A line of our own language."""
    made = lines.spoken(kind, text, **data)
    return {"kind": kind, "text": made.text, "data": made.data}


def line_of(entry: Entry) -> Line:
    """An entry as a line."""
    blank = Entry().to_json()
    return {
        "kind": entry.kind,
        "data": {name: value for name, value in entry.to_json().items() if name != "kind" and value != blank[name]},
    }


def entries(raw: bytes) -> list[Entry]:
    """The entries among the lines of a run. Total: what is no entry is passed over."""
    spoken = (line for line in _lines(raw) if line.get("kind") in (SAID, TURN, ANSWER))
    return [Entry.from_json({**line["data"], "kind": line["kind"]}) for line in spoken]


def so_far(run: Run) -> Begun:
    """What a run came to before its worker was started again, as it is after a limit of its vendor; else nothing."""
    try:
        return begun(files.read(run.file("raw.jsonl"), _LONGEST))
    except FileNotFoundError:
        return Begun()  # no runner has started us


def begun(raw: bytes) -> Begun:
    """The same, out of the lines of the run. Total."""
    figures = [line["data"] for line in _lines(raw) if line.get("kind") == "usage"]
    costs = [told["cost"] for told in figures if isinstance(told.get("cost"), (int, float))]
    contexts = [told["context_tokens"] for told in figures if isinstance(told.get("context_tokens"), int)]
    return Begun(
        entries=tuple(entries(raw)), cost=sum(costs) if costs else None, context=contexts[-1] if contexts else None
    )


def _lines(raw: bytes) -> Iterator[Line]:
    for line in raw.split(b"\n"):
        if not line.startswith(b'{"kind": "'):
            continue
        try:
            told = files.parse(line)
        except ValueError:
            continue  # the torn last line of a run that was killed
        if isinstance(told, dict) and isinstance(told.get("data"), dict):
            yield told


def earlier(home: Home, spec: Spec) -> list[Entry]:
    """The conversation that a run goes on with, out of the runs before it. AgentctlError where one of them is gone."""
    found: list[list[Entry]] = []
    for run in _chain(home, spec):
        try:
            found.append(entries(files.read(run.file("raw.jsonl"), _LONGEST)))
        except FileNotFoundError:
            pass  # it ended before its worker began
    if not any(found):
        raise AgentctlError("no conversation found with the session %s" % spec.session_id, "start a new run")
    return [entry for part in reversed(found) for entry in part]


def _chain(home: Home, spec: Spec) -> list[Run]:
    """The runs of this session before this one, newest first."""
    found: list[Run] = []
    while spec.resume and len(found) < _MOST_RUNS:
        backend, session = spec.backend, spec.session_id
        try:
            run = home.run(spec.parent)
        except AgentctlError as e:
            raise AgentctlError("the conversation %s cannot be read any more: %s" % (session, e), e.hint) from None
        spec = run.spec()
        if spec.backend != backend or spec.session_id != session:
            raise AgentctlError("run %s is not of the session %s" % (run.id, session), "start a new run")
        found.append(run)
    return found
