"""Events as entries of a timeline: a tool's call and its result are one, lines of an output are one. Pure."""

from __future__ import annotations

from . import page
from .page import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    from ..model import Event

_MOST_OUTPUT = 64_000
_MOST_WROTE = 20
_PLAIN = {
    "thinking": (page.THINKING, "", ""),
    "step": (page.STEP, "", ""),
    "news": (page.NOTE, "news", ""),
    "limit": (page.TROUBLE, "limit", page.WARN),
    "retry": (page.TROUBLE, "tries again", page.WARN),
    "denied": (page.TROUBLE, "was refused", page.WARN),
    "queued": (page.NOTE, "", ""),
    "started": (page.NOTE, "begins", ""),
    "note": (page.NOTE, "", ""),
    "exited": (page.NOTE, "", ""),
    "verified": (page.NOTE, "", ""),
}
"""What an event is shown as: kind, name, tone. Of those not here `_READERS` knows, or nobody need see them."""


def entries(
    head: Sequence[Event], left: int = 0, tail: Sequence[Event] = (), began: Optional[float] = None
) -> tuple[Entry, ...]:
    """The entries of both ends of a stream, and a gap for the `left` events between; `since` counts from `began`."""
    made = Timeline(began)
    for event in head:
        made.add(event)
    if left:
        made.gap(left)
    for event in tail:
        made.add(event)
    return tuple(made.entries)


class Timeline:
    """Entries so far, and which of them are calls that nobody answered yet."""

    def __init__(self, began: Optional[float]) -> None:
        self.entries: list[Entry] = []
        self._began = began
        self._open: dict[str, int] = {}
        self._room = 0
        self._cut = False

    def gap(self, left: int) -> None:
        """So many events are left out here."""
        self.entries.append(Entry(kind=page.GAP, left=left))
        self._cut = True

    def add(self, event: Event) -> None:
        """Take an event in. Total: data of an unexpected type is passed over."""
        if event.kind in _PLAIN:
            kind, name, tone = _PLAIN[event.kind]
            last = self.entries[-1] if self.entries else Entry()
            if kind == page.TROUBLE and (last.kind, last.text) == (kind, event.text) and event.kind == "limit":
                self.entries[-1] = last.replace(name=name)
            else:
                self._put(event, kind=kind, name=name, tone=tone, text=event.text)
        elif event.kind in _READERS:
            _READERS[event.kind](self, event)

    def _put(self, event: Event, **fields: Any) -> int:
        at = event.at or None
        since = max(at - self._began, 0.0) if at and self._began else None
        self.entries.append(Entry(at=at, since=since, **fields))
        return len(self.entries) - 1

    def _session(self, event: Event) -> None:
        words = " ".join(filter(None, (_str(event, "model"), _str(event, "version"))))
        self._put(event, kind=page.NOTE, name="session", text=words or _str(event, "session_id"))

    def _message(self, event: Event) -> None:
        if event.data.get("line"):
            self._line(event)
            return
        tail = _str(event, "tail")
        whole = event.text if not tail else "%s\n\n[…]\n\n%s" % (event.text.rstrip("…"), tail)
        self._put(event, kind=page.MESSAGE, name="its helper" if event.data.get("parent") else "", text=whole)

    def _line(self, event: Event) -> None:
        """One of the lines of an output: part of the entry before it, as far as that goes."""
        last = self.entries[-1] if self.entries else Entry()
        if last.kind != page.OUTPUT or self._room < len(event.text):
            self._put(event, kind=page.OUTPUT, text=event.text, left=1)
            self._room = _MOST_OUTPUT
        else:
            self.entries[-1] = last.replace(text=last.text + "\n" + event.text, left=last.left + 1)
        self._room -= len(event.text) + 1

    def _call(self, event: Event) -> None:
        number = self._put(event, kind=page.TOOL, name=_str(event, "name") or "tool", title=event.text)
        self._open[_str(event, "id")] = number
        command = _str(event, "command")
        if command and command != event.text:
            self.entries[number] = self.entries[number].replace(text=command)

    def _result(self, event: Event) -> None:
        """Of a call that is here, or may be among those left out; a report's own call is told by no vendor."""
        number = self._open.pop(_str(event, "id"), None)
        if number is None:
            if not self._cut:
                return
            number = self._put(event, kind=page.TOOL, name="result")
        call = self.entries[number]
        took = event.at - call.at if call.at and event.at >= call.at else None
        tone = page.BAD if event.data.get("ok") is False else page.GOOD
        self.entries[number] = call.replace(result=event.text, took=took, tone=tone)

    def _wrote(self, event: Event) -> None:
        """Of the tool that was answered last, or by itself."""
        last = self.entries[-1] if self.entries else Entry()
        if last.kind == page.TOOL and len(last.wrote) < _MOST_WROTE:
            self.entries[-1] = last.replace(wrote=(*last.wrote, event.text or _str(event, "path")))
        else:
            self._put(event, kind=page.TOOL, name="wrote", title=event.text or _str(event, "path"), tone=page.GOOD)

    def _error(self, event: Event) -> None:
        """Vendors say the same thing up to three times, in words that differ in nothing but their kind."""
        tone = page.BAD if event.data.get("fatal") is True else page.WARN
        last = self.entries[-1] if self.entries else Entry()
        if last.kind == page.TROUBLE and last.text == event.text:
            self.entries[-1] = last.replace(tone=tone if tone == page.BAD else last.tone)
        else:
            self._put(event, kind=page.TROUBLE, name="error", text=event.text, tone=tone)

    def _other(self, event: Event) -> None:
        """A sentence is for people: a line that is in no event. A single word is a vendor's name for a line of its."""
        if " " in event.text:
            self._put(event, kind=page.NOTE, text=event.text)

    def _report(self, event: Event) -> None:
        """What it reports stands at the top; here only that it could not."""
        if event.data.get("ok") is not True:
            self._put(event, kind=page.TROUBLE, name="ends its turn", text=_str(event, "reason"), tone=page.BAD)


_READERS: dict[str, Callable[[Timeline, Event], None]] = {
    "session": Timeline._session,
    "message": Timeline._message,
    "tool_call": Timeline._call,
    "tool_result": Timeline._result,
    "file_write": Timeline._wrote,
    "error": Timeline._error,
    "report": Timeline._report,
    "other": Timeline._other,
}


def _str(event: Event, key: str) -> str:
    value = event.data.get(key)
    return value if isinstance(value, str) else ""


def counts(entries: Sequence[Entry]) -> dict[str, int]:
    """How many there are of each kind that a reader may choose."""
    found = {kind: sum(1 for entry in entries if entry.kind == kind) for kind in page.KINDS}
    return {kind: number for kind, number in found.items() if number}
