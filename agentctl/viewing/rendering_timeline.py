"""Entries of a timeline as HTML. Pure."""

from __future__ import annotations

from .. import text as words_of
from . import page
from .markup import fold
from .markup import lines
from .markup import many
from .markup import short
from .markup import tag
from .markup import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .markup import Html
    from .markup import Node
    from .page import Entry

_LONG = 2600
_SHOWN = 2000
_FEW_LINES = 24
_TITLE = 160


def timeline(entries: Sequence[Entry], whole: str) -> Html:
    """A list, oldest first; `whole` is the command that prints all of it."""
    return tag("ol", *(_entry(entry, whole) for entry in entries), cls="timeline")


def counted(number: int, unit: str = "") -> str:
    """`12,345 events`, `1 event`: the unit is given for many."""
    word = unit[:-1] if number == 1 and unit.endswith("s") else unit
    return f"{number:,} {word}".rstrip()


def _entry(entry: Entry, whole: str) -> Html:
    if entry.kind == page.GAP:
        said = "%s are left out here. All of them: " % counted(entry.left, "events")
        return tag("li", said, tag("code", whole), cls="gap")
    inside = _INSIDE.get(entry.kind, _plain)(entry)
    return tag(
        "li", _time(entry), inside, cls=" ".join(filter(None, ("item", entry.kind, entry.tone))), data_kind=entry.kind
    )


def _time(entry: Entry) -> Html:
    at = words_of.iso(entry.at)
    said = "" if entry.since is None else words_of.duration(entry.since)
    return tag("time", said, datetime=at, title=at) if said else tag("span", cls="time")


def _plain(entry: Entry) -> Html:
    """A line, or a few."""
    return tag("div", tag("b", entry.name) if entry.name else None, " ", words(entry.title or entry.text), cls="line")


def _message(entry: Entry) -> Html:
    name = tag("b", entry.name) if entry.name else None
    if len(entry.text) <= _LONG:
        return tag("div", name, lines(entry.text, cls="words"))
    rest = entry.text[_SHOWN:]
    more = fold("%s more" % counted(len(rest), "characters"), lines(rest, cls="words"), cls="more")
    return tag("div", name, lines(entry.text[:_SHOWN], cls="words"), more)


def _thinking(entry: Entry) -> Html:
    if not entry.text.strip():
        return tag("div", tag("b", "thinks"), cls="line")
    return fold(many(tag("b", "thinks"), " ", words(short(entry.text, _TITLE))), lines(entry.text, cls="words"))


def _output(entry: Entry) -> Html:
    number = entry.left
    if number <= 1 and len(entry.text) <= _TITLE:
        return lines(entry.text, cls="mono")
    said = counted(number, "lines")
    return fold(many(tag("b", "output"), " ", said), lines(entry.text, cls="mono"), open_=number <= _FEW_LINES)


def _tool(entry: Entry) -> Html:
    """The call in a line; below it, folded, what was asked in full, what came back, what was written."""
    title = short(entry.title or entry.text, _TITLE)
    head = many(
        tag("b", words(short(entry.name, 60))),
        many(" ", tag("code", words(title))) if title else None,
        tag("span", "failed", cls="mark") if entry.tone == page.BAD else None,
        tag("span", "no answer", cls="mark") if not entry.tone else None,
        tag("small", words_of.duration(entry.took)) if entry.took and entry.took >= 1 else None,
    )
    inside = _told(entry, title)
    return fold(head, *inside) if inside else tag("div", head, cls="line")


def _told(entry: Entry, title: str) -> list[Node]:
    asked = [one for one in (entry.title, entry.text) if one and one != title]
    found: list[Node] = [lines(one, cls="mono asked") for one in asked]
    found += [lines(entry.result, cls="mono")] if entry.result.strip() else []
    found += [tag("p", "wrote ", tag("code", words(path)), cls="wrote") for path in entry.wrote if path != entry.title]
    return found


_INSIDE = {page.MESSAGE: _message, page.THINKING: _thinking, page.OUTPUT: _output, page.TOOL: _tool}
