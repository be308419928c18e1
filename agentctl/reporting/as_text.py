"""A page as lines of text for a terminal: (words, style). Pure."""

from __future__ import annotations

from .. import text
from .page import BAD
from .page import GOOD
from .page import WARN
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

    Styled = tuple[str, str]

_STYLES = {GOOD: "green", BAD: "red", WARN: "yellow"}
_CELL = 100


def lines(page: Page) -> Iterator[Styled]:
    """Every line is printable, and on one line."""
    yield "%s · %s" % (page.title, page.about), "dim"
    for section in page.sections:
        yield from _section(section)


def whole(page: Page) -> str:
    """As a file has it."""
    return "".join("%s\n" % words for words, _ in lines(page))


def _section(section: Section) -> Iterator[Styled]:
    yield "", ""
    title = text.one_line(" · ".join(words for words in (section.words, section.said) if words), 200)
    yield (title.upper() if section.level > 1 else title), "bold"
    if section.level == 1:
        yield "─" * min(len(title), 78), "bold"
    for block in section.blocks:
        yield from _READERS[type(block)](block)


def _line(line: Line) -> Iterator[Styled]:
    yield "  " + text.one_line("%s %s" % (line.words, line.said), 400), _STYLES.get(line.tone, "")


def _table(table: Table) -> Iterator[Styled]:
    rows = [[text.one_line(cell, _CELL) for cell in row[:-1]] + [text.one_line(row[-1], 400)] for row in table.rows]
    widths = [max(len(row[n]) for row in (table.head, *rows)) for n in range(len(table.head))]
    for number, row in enumerate((table.head, *rows)):
        words = "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        yield "    " + words, "" if number else "dim"


def _quote(quote: Quote) -> Iterator[Styled]:
    yield "  " + quote.words, "dim"
    for line in text.printable(quote.said).splitlines():
        yield ("    | " + line.replace("\n", " ")).rstrip(), ""


def _command(command: Command) -> Iterator[Styled]:
    yield "  " + text.one_line(command.command), "cyan"
    yield "      " + command.words, "dim"


_READERS: dict[type, Any] = {Line: _line, Table: _table, Quote: _quote, Command: _command}
