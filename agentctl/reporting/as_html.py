"""A page as HTML that stands for itself. Pure.

Nothing is loaded and no script can run: the page's own policy allows the one style in it,
which it knows by its digest. Everything that is not ours in it is escaped.
"""

from __future__ import annotations

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

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}"
    "h1{font-size:1.2rem}h2{font-size:1.3rem;margin-top:2.5rem;border-bottom:1px solid #8886}"
    "h3{font-size:1rem;margin-bottom:.3rem}p{margin:.3rem 0}"
    "pre,code{font:13px/1.4 ui-monospace,monospace}"
    "pre{margin:.3rem 0;padding:.5rem;background:#8881;border-radius:.4rem;white-space:pre-wrap}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem}"
    "th,td{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0;border-bottom:1px solid #8883;"
    "overflow-wrap:normal}td.said{min-width:9rem;overflow-wrap:anywhere}"
    ".good{color:#1a7f37}.bad{color:#c62828}.warn{color:#9a6700}.about{opacity:.7}"
    "@media(prefers-color-scheme:dark){.good{color:#4ac26b}.bad{color:#ff7b72}.warn{color:#e3b341}}"
)
DIGEST = "1uCs41OpMrvYZ9jYhMxJ4JdT7HhVZta+0JwVz38HhZ8="
"""Of STYLE: SHA-256, in base64. A test holds it against the style."""
POLICY = "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'" % DIGEST
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="%s">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>%s</title>
<style>%s</style>
</head>
<body>
"""
_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&#39;"}


def whole(page: Page) -> str:
    """As a file has it."""
    parts = [_HEAD % (POLICY, safe(page.title), STYLE), "<h1>%s</h1>\n" % safe(page.title)]
    parts.append('<p class="about">%s</p>\n' % safe(page.about))
    for section in page.sections:
        parts += _section(section)
    return "".join([*parts, "</body>\n</html>\n"])


def safe(words: str) -> str:
    """Text, and nothing but text: also within an attribute."""
    return text.printable(words).translate(_ESCAPES)


def _section(section: Section) -> Iterator[str]:
    title = " · ".join(words for words in (section.words, section.said) if words)
    yield "<h%d>%s</h%d>\n" % (section.level + 1, safe(text.one_line(title, 300)), section.level + 1)
    for block in section.blocks:
        yield from _READERS[type(block)](block)


def _line(line: Line) -> Iterator[str]:
    said = " <code>%s</code>" % safe(text.one_line(line.said, 600)) if line.said.strip() else ""
    tone = ' class="%s"' % line.tone if line.tone else ""
    yield "<p%s>%s%s</p>\n" % (tone, safe(line.words), said)


def _table(table: Table) -> Iterator[str]:
    head = "".join("<th>%s</th>" % safe(words) for words in table.head)
    yield '<div class="wide"><table>\n<tr>%s</tr>\n' % head
    for row in table.rows:
        yield "<tr>%s</tr>\n" % "".join(_cell(n in table.said, words) for n, words in enumerate(row))
    yield "</table></div>\n"


def _cell(said: int, words: str) -> str:
    return "<td%s>%s</td>" % (' class="said"' if said else "", safe(text.one_line(words, 600)))


def _quote(quote: Quote) -> Iterator[str]:
    yield "<p>%s</p>\n<pre>%s</pre>\n" % (safe(quote.words), safe(quote.said))


def _command(command: Command) -> Iterator[str]:
    yield "<p>%s:</p>\n<pre>%s</pre>\n" % (safe(command.words), safe(text.one_line(command.command)))


_READERS: dict[type, Any] = {Line: _line, Table: _table, Quote: _quote, Command: _command}
