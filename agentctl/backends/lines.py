"""What every adapter does with a raw line before it knows the vendor.

A worker's line may hold anything a model, a tool or a hostile repository wrote.
So each value is checked where it is taken, and what leaves here is bounded: texts
are cut, numbers are finite and countable, a report is copied to a limited depth.
"""

from __future__ import annotations

import re

from .. import strictjson
from ..model import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
    from typing import Optional

    from ..model import Spec

LONGEST_LINE = 1 << 20
LONGEST_TEXT = 4000
LONGEST_TAIL = 32_000
LONGEST_PATH = 1000
LONGEST_NAME = 120
DEEPEST = 32
_MOST = 1 << 53
_API_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,119}\Z")
_SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}\Z")


def decoded(line: bytes) -> Optional[dict[str, Any]]:
    """The object on this line, or None for anything else. Never raises."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        value = strictjson.decoded(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def parsed(line: bytes, readers: dict[str, Callable[[dict[str, Any]], list[Event]]]) -> list[Event]:
    """The events that the reader of the line's `type` finds in it; what nobody reads is an `other`."""
    raw = decoded(line)
    if raw is None:
        return [other()]
    kind = text(raw, "type", 60)
    reader = readers.get(kind)
    return reader(raw) if reader else [other(kind)]


def told(line: bytes, kinds: frozenset[str], unshown: frozenset[str] = frozenset()) -> list[Event]:
    """The event on a line of our own language (events.py), if it is of these kinds; nothing for the `unshown`.

    What is no such line is shown as it is.
    """
    try:
        raw = strictjson.decoded(line)
    except ValueError:
        raw = None
    kind = raw.get("kind") if isinstance(raw, dict) else None
    if isinstance(kind, str) and kind in unshown:
        return []
    if not isinstance(raw, dict) or not isinstance(kind, str) or kind not in kinds:
        return [Event(kind="other", text=line[:1000].decode("utf-8", "replace"))]
    words, data = raw.get("text"), raw.get("data")
    return [Event(kind=kind, text=words if isinstance(words, str) else "", data=data if isinstance(data, dict) else {})]


_TALKED = frozenset(("session", "message", "tool_call", "tool_result", "usage", "limit", "retry", "error", "report"))
_UNSHOWN = frozenset(("said", "turn", "answer", "progress"))
"""Entries of a conversation, which are of no interest outside raw.jsonl; and that a call is still at work."""


def talked(line: bytes) -> list[Event]:
    """The event on a line of `agentctl _converse`."""
    return told(line, _TALKED, _UNSHOWN)


def unfit_for_api(spec: Spec) -> str:
    """Why a vendor's API cannot serve the spec, or ""."""
    if not spec.goal:
        return "the backend %s serves as a goal's orchestrator only" % spec.backend
    if not all(_API_WORD.match(word) for word in (spec.model, spec.effort) if word):
        return "no model or effort of an API looks like this: %s %s" % (clip(spec.model, 80), clip(spec.effort, 80))
    try:
        safe_session(spec.session_id or "new")
    except ValueError as unsafe:
        return str(unsafe)
    return ""


def nothing(_: dict[str, Any]) -> list[Event]:
    """The reader of what is known, and of no interest outside raw.jsonl."""
    return []


def text(raw: dict[str, Any], key: str, longest: int = LONGEST_TEXT) -> str:
    """`raw[key]` if it is a string, cut and printable as UTF-8, else ""."""
    return clip(raw.get(key), longest)


def clip(value: object, longest: int = LONGEST_TEXT) -> str:
    """A string of at most `longest` characters without lone surrogates; "" for another type."""
    if not isinstance(value, str):
        return ""
    cut = value if len(value) <= longest else value[: longest - 1] + "…"
    return cut.encode("utf-8", "replace").decode("utf-8")


def obj(raw: dict[str, Any], key: str) -> dict[str, Any]:
    """`raw[key]` if it is an object, else an empty one."""
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def objects(raw: dict[str, Any], key: str, most: int = 200) -> list[dict[str, Any]]:
    """The objects in the list `raw[key]`, at most `most`; [] for another type."""
    value = raw.get(key)
    return [v for v in value[:most] if isinstance(v, dict)] if isinstance(value, list) else []


def joined(raw: dict[str, Any], key: str) -> str:
    """The first strings of the list `raw[key]` as one text."""
    value = raw.get(key)
    return clip("; ".join(clip(v, 1000) for v in value[:5])) if isinstance(value, list) else ""


def count(raw: dict[str, Any], key: str) -> Optional[int]:
    """`raw[key]` if it is a whole number that can be a count, else None: unknown is not 0."""
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < _MOST else None


def number(raw: dict[str, Any], key: str) -> Optional[float]:
    """`raw[key]` if it is a number from 0 up, else None."""
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value < _MOST else None


def total(*counts: Optional[int]) -> Optional[int]:
    """The sum of what is known; None if nothing is."""
    known = [c for c in counts if c is not None]
    return sum(known) if known else None


def known(**values: object) -> dict[str, Any]:
    """An event's data without what is unknown or empty."""
    return {name: value for name, value in values.items() if value is not None and value != ""}


def plain(value: object, depth: int = DEEPEST) -> Any:
    """A copy that can be written as JSON: printable strings; None below `depth`."""
    if isinstance(value, str):
        return clip(value, LONGEST_TAIL)
    if depth <= 0:
        return None
    if isinstance(value, dict):
        return {clip(k, LONGEST_NAME): plain(v, depth - 1) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v, depth - 1) for v in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _MOST:
        return None
    return value


def spoken(kind: str, words: str, **data: object) -> Event:
    """An event whose text may be long: the text is cut, its end is kept in data.tail,
    because that is where a model without a schema flag puts its report."""
    if len(words) > LONGEST_TEXT:
        data["tail"] = clip(words[-LONGEST_TAIL:], LONGEST_TAIL)
    return Event(kind=kind, text=clip(words), data=known(**data))


def other(words: str = "") -> Event:
    """A line of no interest to `fold`, or one that is not understood."""
    return Event(kind="other", text=clip(words, LONGEST_NAME))


def safe_session(session_id: str) -> str:
    """The id if it can stand in an argv, where `--dangerously…` would be a flag.

    ValueError for any other; an adapter's `refuse` says it in words first.
    """
    if not _SESSION_ID.match(session_id):
        raise ValueError("not a session id: %r" % session_id[:80])
    return session_id


def safe_words(*words: str) -> bool:
    """True if none of a profile's words would be read as a flag, and all can stand in an argv."""
    return not any(w.startswith("-") or not passable(w) for w in words)


def passable(word: str) -> bool:
    """Whether it can stand in an argv: no NUL, no lone surrogate but those that stand for a byte."""
    try:
        return b"\0" not in word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
