"""A page as a value: what is on it, and of which words an agent is the author. Pure.

`words` are ours, `said` is data that an agent, a command or a file name brought: each
form of the page (as_text, as_md, as_html) makes both safe, and marks the latter.
"""

from __future__ import annotations

from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Block = Union["Line", "Table", "Quote", "Command"]

GOOD, BAD, WARN, PLAIN = "good", "bad", "warn", ""


class Line(Record):
    """One line: ours, then theirs. `tone` is how it is meant."""

    words: str = ""
    said: str = ""
    tone: str = PLAIN


class Table(Record):
    """Aligned cells; those in the columns `said` are theirs."""

    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    said: tuple[int, ...] = ()


class Quote(Record):
    """Lines of theirs, under a line of ours that says what they are."""

    words: str = ""
    said: str = ""


class Command(Record):
    """A command for whoever reads the page, and what it does."""

    command: str = ""
    words: str = ""


class Section(Record):
    """A part of the page. `level` 1 stands for itself, 2 belongs to the one of level 1 before it."""

    words: str = ""
    said: str = ""
    level: int = 1
    blocks: tuple[Block, ...] = ()


class Page(Record):
    """All of it. `about` says when it was made, and of what time it tells."""

    title: str = ""
    about: str = ""
    sections: tuple[Section, ...] = ()
