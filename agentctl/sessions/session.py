"""A conversation as a value, and what all vendors' lines have in common. Pure."""

from __future__ import annotations

import re

from .. import strictjson
from .. import text
from ..backends import lines
from ..model import Usage
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from typing import Any
    from typing import Optional

_LONGEST_PATH = 4096
_LONGEST_PROMPT = 500
_TIME = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])-([0-3]\d)T([0-2]\d):([0-5]\d):([0-6]\d(?:\.\d{1,9})?)Z\Z", re.A)


class Session(Record):
    """What is known of a conversation; None and "" are unknown.

    `prompt` is the first thing that was asked. `live`: a process of the vendor has it open now,
    `doing` what that process says of itself. `run_id` is the newest run of this home that worked
    in it, `project` the registered one that it belongs to. `usage` is that of the whole
    conversation, `context_tokens` what its last turn had in view.
    """

    session_id: str = ""
    backend: str = ""
    cwd: str = ""
    project: str = ""
    prompt: Optional[str] = None
    title: str = ""
    model: str = ""
    branch: str = ""
    created_at: Optional[float] = None
    last_active_at: Optional[float] = None
    context_tokens: Optional[int] = None
    context_window: Optional[int] = None
    usage: Usage = Usage()
    live: Optional[bool] = None
    doing: str = ""
    ours: bool = False
    run_id: str = ""
    path: str = ""
    size: int = 0


class Place(Record):
    """A file that should hold the conversation `session_id`; `wrong` says why it cannot be read, else ""."""

    backend: str = ""
    session_id: str = ""
    path: str = ""
    changed_at: float = 0.0
    size: int = 0
    wrong: str = ""


class Said(Record):
    """One message of a conversation: `role` is user or assistant."""

    role: str = ""
    text: str = ""
    at: Optional[float] = None


def objects(those: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The JSON objects on some lines; a line that is torn, or none of ours, is passed over."""
    for line in those:
        if line[:1] == b"{" and len(line) <= lines.LONGEST_LINE:
            try:
                raw = strictjson.decoded(line)
            except ValueError:
                continue
            yield raw


def moment(raw: dict[str, Any], key: str = "timestamp") -> Optional[float]:
    """The time at `key`, as seconds; None where there is none that a calendar has."""
    value = raw.get(key)
    found = _TIME.match(value) if isinstance(value, str) else None
    if not found:
        return None
    *whole, seconds = found.groups()
    return text.utc(*map(int, whole)) + float(seconds)


def folder(raw: dict[str, Any], key: str = "cwd") -> str:
    """The absolute directory at `key`, or ""."""
    value = raw.get(key)
    fits = isinstance(value, str) and value.startswith("/") and len(value) <= _LONGEST_PATH and "\0" not in value
    return lines.clip(value, _LONGEST_PATH) if fits else ""


def prompt(words: str) -> Optional[str]:
    """What was asked, cut to what a list can use; None where it is nothing."""
    return lines.clip(words.strip(), _LONGEST_PROMPT) or None


def texts(content: object, *kinds: str) -> str:
    """The words in a message's content: a string, or those of its blocks that are of these kinds."""
    if isinstance(content, str):
        return content
    blocks = [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []
    said = [b["text"] for b in blocks if b.get("type") in kinds and isinstance(b.get("text"), str)]
    return "\n".join(said)
