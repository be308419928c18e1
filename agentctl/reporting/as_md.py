"""A page as Markdown. Pure.

What an agent wrote stands in a fence that it cannot close, or in a code span, where no
Markdown and no HTML is read.
"""

from __future__ import annotations

import re

from .. import prompting
from .. import text
from .page import Command
from .page import Line
from .page import Quote
from .page import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .page import Page
    from .page import Section

_SPECIAL = re.compile(r"([\\`*_\[\]<>&|~#!])")
_CELL = 300


def whole(page: Page) -> str:
    """As a file has it."""
    parts = ["# %s" % _ours(page.title), _ours(page.about)]
    for section in page.sections:
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> Iterator[str]:
    said = ": %s" % span(section.said) if section.said else ""
    yield "%s %s%s" % ("#" * (section.level + 1), _ours(section.words), said)
    for block in section.blocks:
        yield from _READERS[type(block)](block)


def _line(line: Line) -> Iterator[str]:
    yield "- %s" % " ".join(words for words in (_ours(line.words), span(line.said)) if words)


def _table(table: Table) -> Iterator[str]:
    rows = [table.head, ("---",) * len(table.head)]
    rows += [tuple(_cell(table, n, cell) for n, cell in enumerate(row)) for row in table.rows]
    yield "\n".join("| %s |" % " | ".join(row) for row in rows)


def _cell(table: Table, column: int, words: str) -> str:
    """Also in a code span a bar would end the cell."""
    return span(words).replace("|", "\\|") if column in table.said else _ours(words)


def _quote(quote: Quote) -> Iterator[str]:
    yield "%s\n\n%s" % (_ours(quote.words), prompting.fenced(text.printable(quote.said), "text"))


def _command(command: Command) -> Iterator[str]:
    yield "%s:\n\n%s" % (_ours(command.words), prompting.fenced(text.one_line(command.command), "sh"))


def _ours(words: str) -> str:
    """Our own words, which name folders and branches."""
    return _SPECIAL.sub(r"\\\1", text.one_line(words))


def span(said: str) -> str:
    """A code span, between more backticks than any that are in it; "" of nothing."""
    words = text.one_line(said, _CELL)
    if not words:
        return ""
    longest = max((len(found) for found in re.findall(r"`+", words)), default=0)
    ticks = "`" * (longest + 1)
    return "%s %s %s" % (ticks, words, ticks) if longest else "`%s`" % words


_READERS: dict[type, Any] = {Line: _line, Table: _table, Quote: _quote, Command: _command}
