"""What was said in a conversation: its last messages, and where some words stand.

A search reads the files from the newest on, and is bounded: by the bytes it reads and by
what it finds. Only what was said is searched, not what tools printed.
"""

from __future__ import annotations

import json

from .. import text
from ..record import Record
from . import session as common
from . import walking
from .finding import VENDORS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from .session import Said
    from .session import Session

_TAILS = (1 << 16, 1 << 20, 1 << 23)
_EACH = 1 << 28
_ALL = 1 << 30
_AROUND = 60
_MOST_IN_ONE = 3


class Hit(Record):
    """A message with the words: in which session, who said it, and `excerpt`, the words and what stands around them."""

    session_id: str = ""
    backend: str = ""
    role: str = ""
    excerpt: str = ""


class Search(Record):
    """What was found; `whole` is false where a bound ended the search before the last file."""

    hits: tuple[Hit, ...] = ()
    searched: int = 0
    whole: bool = True


def last(found: Session, most: int) -> list[Said]:
    """The last messages, the oldest of them first; fewer where the end of the file has no more. Raises OSError."""
    said: list[Said] = []
    for size in _TAILS:
        _, tail, whole = walking.ends(found.path, 0, size)
        said = list(_said(found, tail))[-most:]
        if whole or len(said) == most:
            break
    return said


def _said(found: Session, those: Sequence[bytes]) -> Iterator[Said]:
    for raw in common.objects(those):
        message = VENDORS[found.backend].said(raw)
        if message:
            yield message


def search(those: Sequence[Session], words: str, most: int) -> Search:
    """The messages that hold the words, of the sessions in their order; capital letters make no difference."""
    hits: list[Hit] = []
    left = _ALL
    for number, session in enumerate(those):
        if left <= 0 or len(hits) >= most:
            return Search(hits=tuple(hits[:most]), searched=number, whole=False)
        hits += _in_one(session, words.lower(), min(left, _EACH))
        left -= session.size
    return Search(hits=tuple(hits[:most]), searched=len(those), whole=len(hits) <= most)


def _in_one(found: Session, words: str, most: int) -> list[Hit]:
    hits: list[Hit] = []
    try:
        for block in walking.blocks(found.path, most):
            hits += _in_block(found, words, block)
            if len(hits) >= _MOST_IN_ONE:
                break
    except OSError:
        return hits  # gone meanwhile
    return hits[:_MOST_IN_ONE]


def _in_block(found: Session, words: str, block: bytes) -> list[Hit]:
    """By a look at the bytes first: few lines need be read as JSON."""
    forms, lowered = _forms(words), block.lower()
    if not any(form in lowered for form in forms):
        return []
    lines = [line for line in block.split(b"\n") if any(form in line.lower() for form in forms)]
    hits = []
    for message in _said(found, lines):
        at = message.text.lower().find(words)
        if at >= 0:
            excerpt = text.one_line(message.text[max(0, at - _AROUND) : at + len(words) + _AROUND])
            hits.append(Hit(session_id=found.session_id, backend=found.backend, role=message.role, excerpt=excerpt))
    return hits


def _forms(words: str) -> set[bytes]:
    """The bytes by which JSON writes the words: as they are, and all in ASCII."""
    written = (json.dumps(words, ensure_ascii=plain)[1:-1].lower() for plain in (True, False))
    return {form.encode("utf-8", "replace") for form in written}
