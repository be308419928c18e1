"""What a run's events add up to: `fold`.

Common to all backends, pure, and flat in memory whatever a worker prints: lists are
bounded, texts are cut. The runner adds events as they come (status.json is this fold
so far); a reader that settles a lost run folds raw.jsonl again and gets the same.
"""

from __future__ import annotations

from .meter import Meter
from .model import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from typing import Any
    from typing import Optional

    from .model import Event
    from .model import Spec

MOST_FILES = 2000
MOST_DENIED = 200
MOST_NEWS = 1000
MOST_TOOLS = 100
MOST_TAIL = 40
_NO_USAGE = Usage()


class Progress:
    """One run so far. `add` events in order; read the attributes at any time.

    session_id, model, version, billing      as the vendor last said them
    last_message, last_words, tail      the last message; its end, where it was cut; the last lines of a text stream
    reported, ok, reason, report      the turn's end; `report` is the last one that had an object
    error, fatal      the last error; the one after which the run cannot have succeeded
    usage_session, context_tokens, context_window      None where the vendor does not tell
    retrying, news      whether the last that it did was to try again; what it wants to be told, of its own backend
    tool_calls, files_read, files_written, denied, retries, limit, counts, doing
    """

    def __init__(self, usage_before: Usage = _NO_USAGE, resumed: bool = False) -> None:
        """`usage_before` is what a resumed conversation had used, for cumulative figures."""
        self.session_id = self.model = self.version = self.billing = ""
        self.last_message = self.error = self.fatal = self.reason = self.doing = ""
        self.tail: list[str] = []
        self.report: Optional[dict[str, Any]] = None
        self.reported = False
        self.ok: Optional[bool] = None
        self.context_tokens: Optional[int] = None
        self.context_window: Optional[int] = None
        self.tool_calls: dict[str, int] = {}
        self.files_read: list[str] = []
        self.files_written: list[str] = []
        self.denied: list[str] = []
        self.retries = 0
        self.retrying = False
        self.news: list[str] = []
        self.limit: Optional[dict[str, Any]] = None
        self._said = 0
        self.counts: dict[str, int] = {}
        self._meter = Meter(usage_before, resumed)
        self.last_words = ""
        self._seen: tuple[set[str], set[str], set[str]] = (set(), set(), set())

    def take_up(self, used: Usage, resumed: bool) -> None:
        """As was said at first, but seen only when the run's turn came."""
        self._meter.take_up(used, resumed)

    def go_on_after(self, used: Optional[Usage]) -> None:
        """The conversation had used this by the time our turn came; None: as was said at first."""
        if used is not None:
            self._meter.go_on_after(used)

    def add(self, event: Event) -> None:
        """Take one event into account. Total: data of an unexpected type is left out."""
        self.counts[event.kind] = self.counts.get(event.kind, 0) + 1
        self.retrying = event.kind == "retry" or self.retrying and event.kind in ("other", "note")
        reader = _READERS.get(event.kind)
        if reader is not None:
            reader(self, event)

    @property
    def messages(self) -> Optional[int]:
        """What the worker itself said; None of a stream of plain lines, or of one that never began."""
        began = self._said or self.session_id or self.reported
        return self._said if began and not self.tail else None

    @property
    def turns(self) -> Optional[int]:
        """As the backend counts them, else the responses seen, else None."""
        return self._meter.turns

    @property
    def usage(self) -> Usage:
        """This run's own. A figure nobody gave is None."""
        calls = sum(self.tool_calls.values()) if self.tool_calls or self.session_id else None
        return self._meter.usage(self.billing == "subscription").replace(tool_calls=calls)

    @property
    def usage_session(self) -> Usage:
        """What the conversation used, where the vendor tells that."""
        return self._meter.session

    def snapshot(self) -> dict[str, Any]:
        """What status.json says of a run under way: small, plain JSON values."""
        return {
            "session_id": self.session_id,
            "model": self.model,
            "billing": self.billing,
            "doing": self.doing,
            "messages": self.messages,
            "usage": self.usage.to_json(),
            "context_tokens": self.context_tokens,
            "context_window": self.context_window,
            "tool_calls": dict(self.tool_calls),
            "retries": self.retries,
            "limit": self.limit,
            "files_written": len(self.files_written),
            "denied": len(self.denied),
            "error": self.error,
        }

    def _session(self, event: Event) -> None:
        for name in ("session_id", "model", "version", "billing"):
            setattr(self, name, _str(event, name) or getattr(self, name))

    def _message(self, event: Event) -> None:
        self.doing = _short(event.text) or self.doing
        if event.data.get("parent"):  # a subagent's words are not the worker's
            return
        self._said += 1
        if event.data.get("line"):
            self.tail.append(event.text[:1000])
            del self.tail[:-MOST_TAIL]
        if event.text.strip():
            self.last_message, self.last_words = event.text, _str(event, "tail") or event.text

    def _thinking(self, event: Event) -> None:
        self.doing = "thinking"

    def _tool_call(self, event: Event) -> None:
        name = _str(event, "name") or "tool"
        if name not in self.tool_calls and len(self.tool_calls) >= MOST_TOOLS:
            name = "other"
        self.tool_calls[name] = self.tool_calls.get(name, 0) + 1
        self.doing = _short("%s: %s" % (name, event.text) if event.text else name)

    def _file_read(self, event: Event) -> None:
        _note(self.files_read, self._seen[0], _str(event, "path"), MOST_FILES)

    def _file_write(self, event: Event) -> None:
        _note(self.files_written, self._seen[1], _str(event, "path"), MOST_FILES)

    def _denial(self, event: Event) -> None:
        _note(self.denied, self._seen[2], _str(event, "name"), MOST_DENIED)

    def _used(self, event: Event) -> None:
        self.context_window = _int(event, "context_window") or self.context_window
        self.context_tokens = _int(event, "context_tokens") or self.context_tokens
        self._meter.add(_str(event, "scope"), _str(event, "id"), _usage_of(event), event.data.get("cost"))

    def _started(self, event: Event) -> None:
        """A run may start its worker more than once: how the last one ended counts no longer, what it used does."""
        self.reported, self.ok, self.reason, self.fatal, self.limit = False, None, "", "", None
        self._meter.begin_again()

    def _limited(self, event: Event) -> None:
        """Of a limit that is told more than once, the telling that knows its end counts."""
        if event.data.get("reset_at") or not (self.limit or {}).get("reset_at"):
            ends = event.data.get("reset_at")
            self.limit = {"reason": _str(event, "reason"), "reset_at": ends, "text": event.text[:500]}

    def _retry(self, event: Event) -> None:
        self.retries += 1
        self.doing = _short("waiting to try again: %s" % event.text)

    def _has_news(self, event: Event) -> None:
        if len(self.news) < MOST_NEWS:
            self.news.append(event.text[:2000])

    def _erred(self, event: Event) -> None:
        self.error = event.text
        if event.data.get("fatal") is True:
            self.fatal = event.text or "error"

    def _end(self, event: Event) -> None:
        """A turn without an object does not take away the report of the turn before."""
        self.reported, self.ok = True, event.data.get("ok") is True
        self.reason, self.doing = _str(event, "reason"), ""
        report = event.data.get("report")
        if isinstance(report, dict):
            self.report = report
        if self.ok:
            self.fatal = ""
        if event.text and not self.last_words:
            self.last_message, self.last_words = event.text, _str(event, "tail") or event.text


_READERS: dict[str, Callable[[Progress, Event], None]] = {
    "started": Progress._started,
    "session": Progress._session,
    "message": Progress._message,
    "thinking": Progress._thinking,
    "tool_call": Progress._tool_call,
    "file_read": Progress._file_read,
    "file_write": Progress._file_write,
    "denied": Progress._denial,
    "usage": Progress._used,
    "limit": Progress._limited,
    "retry": Progress._retry,
    "news": Progress._has_news,
    "error": Progress._erred,
    "report": Progress._end,
}


def fold(events: Iterable[Event], usage_before: Usage = _NO_USAGE, resumed: bool = False) -> Progress:
    """The progress after these events."""
    progress = Progress(usage_before, resumed)
    for event in events:
        progress.add(event)
    return progress


def of_spec(spec: Spec) -> Progress:
    """An empty progress that knows what the run's conversation had used before it."""
    return Progress(spec.usage_before if spec.resume else _NO_USAGE, spec.resume)


def _note(found: list[str], seen: set[str], name: str, most: int) -> None:
    if name and name not in seen and len(found) < most:
        seen.add(name)
        found.append(name)


def _str(event: Event, key: str) -> str:
    value = event.data.get(key)
    return value if isinstance(value, str) else ""


def _int(event: Event, key: str) -> Optional[int]:
    value = event.data.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _usage_of(event: Event) -> Usage:
    return Usage(**{name: _int(event, name) for name in ("input", "cached", "output", "turns")})


def _short(text: str, width: int = 80) -> str:
    words = " ".join(text[: 4 * width].split())
    return words if len(words) <= width else words[: width - 1] + "…"
