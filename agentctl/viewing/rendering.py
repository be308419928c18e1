"""A page as HTML. Pure; every text in it goes through markup.tag, which makes it text."""

from __future__ import annotations

from .. import text as words_of
from . import behaviour
from . import looks
from . import markup
from . import page
from .markup import fold
from .markup import lines
from .markup import many
from .markup import short
from .markup import tag
from .markup import words
from .rendering_goal import cycles
from .rendering_goal import members
from .rendering_timeline import counted
from .rendering_timeline import timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Optional

    from .markup import Html
    from .page import Change
    from .page import Figure
    from .page import Page
    from .page import Patch
    from .page import Text

GENERATOR = "agentctl view"
_FEW_LINES = 160


def html(made: Page) -> Html:
    """The whole document."""
    parts = [
        ("report", "Report", _report(made)),
        ("cycles", "Cycles", cycles(made.cycles)),
        ("timeline", "Timeline", _timeline(made)),
        ("team", "Team", members(made)),
        ("changes", "Changes", _changes(made)),
        ("files", "Files", _files(made)),
        ("cost", "Cost and tokens", _rows(made.costs)),
        ("asked", "What was asked", _asked(made.asked)),
        ("logs", "Logs", _logs(made)),
        ("facts", "Facts", _rows(made.facts)),
    ]
    there = [(name, title, inside) for name, title, inside in parts if inside]
    body = many(
        _header(made),
        _bar([(name, title) for name, title, _ in there]),
        tag("main", *(_section(*part) for part in there)),
        _footer(made),
    )
    title = "%s · %s" % (words_of.one_line(made.title, 80), made.ident)
    return markup.document(title, GENERATOR, body, looks.STYLE, behaviour.SCRIPT)


def _header(made: Page) -> Html:
    badges = [tag("span", said, cls="badge " + tone) for tone, said in made.badges]
    return tag(
        "header",
        tag("p", made.kind, " ", tag("code", made.ident), cls="kind"),
        tag("h1", words(short(made.title, 300))),
        tag("p", *badges, cls="badges"),
        tag("p", words(made.lead), cls="lead"),
        tag("div", *map(_tile, made.figures), cls="tiles") if made.figures else None,
    )


def _tile(figure: Figure) -> Html:
    note = tag("small", words(figure.note)) if figure.note else None
    return tag("div", tag("b", figure.value), " ", tag("span", figure.name), note, cls="tile")


def _bar(parts: Iterable[tuple[str, str]]) -> Html:
    """Where to go, and what to look for; the search needs the script, and is not there without it."""
    links = [tag("a", title, href="#" + name) for name, title in parts]
    find = tag(
        "div",
        tag("input", id="q", type="search", placeholder="Search this page", aria_label="Search this page"),
        tag("output", id="found"),
        tag("button", "Unfold all", id="unfold", type="button"),
        cls="find",
        hidden=True,
        id="find",
    )
    return tag("nav", tag("div", *links, cls="links"), find)


def _section(name: str, title: str, inside: Html) -> Html:
    return tag("section", tag("h2", title), inside, id=name)


def _report(made: Page) -> Optional[Html]:
    warned = [tag("p", words(made.error), cls="warning bad item")] if made.error else []
    warned += [tag("p", words(warning), cls="warning item") for warning in made.warnings]
    said = [tag("div", tag("h3", name), _text(text), cls="said item") for name, text in made.said]
    return many(*warned, *said) if warned or said else None


def _text(text: Text, cls: str = "words") -> Html:
    """A text from both ends, and between them what is left out."""
    if not text.left:
        return lines(text.head, cls=cls)
    return many(lines(text.head, cls=cls), _left(text.left, text.unit, text.whole), lines(text.tail, cls=cls))


def _left(number: int, unit: str, whole: str) -> Html:
    return tag("p", "%s are left out here. The whole: " % counted(number, unit), tag("code", whole), cls="gap")


def _timeline(made: Page) -> Optional[Html]:
    if not made.entries:
        return None
    kinds = [(kind, name) for kind, name in page.KINDS.items() if made.counts.get(kind)]
    chips = [
        tag(
            "button",
            name,
            " ",
            tag("b", counted(made.counts[kind])),
            type="button",
            data_kind=kind,
            aria_pressed="true",
        )
        for kind, name in kinds
    ]
    return many(
        tag("div", *chips, cls="chips") if len(chips) > 1 else None,
        timeline(made.entries, "agentctl show %s --events" % made.ident),
    )


def _changes(made: Page) -> Optional[Html]:
    patch = made.patch
    if not patch.changes and not patch.listed:
        return None
    few = sum(len(change.lines) for change in patch.changes) <= _FEW_LINES
    return many(*(_change(change, few, made.ident) for change in patch.changes), _unshown(patch, made.ident))


def _change(change: Change, open_: bool, ident: str) -> Html:
    """One file. What has no lines (a binary file, a new mode, an empty file) cannot be unfolded."""
    head = many(
        tag("code", words(change.path)),
        many(" from ", tag("code", words(change.old))) if change.old else None,
        tag("span", change.what, cls="what") if change.what != "changed" else None,
        tag("span", "+%d" % change.added, cls="plus") if change.added else None,
        tag("span", "−%d" % change.removed, cls="minus") if change.removed else None,
    )
    if not change.lines:
        return tag("div", head, cls="change item bare")
    left = _left(change.left, "lines", "agentctl show %s --diff" % ident) if change.left else None
    return fold(
        head, tag("pre", markup.Html("\n"), *_hunks(change.lines), cls="diff"), left, cls="change item", open_=open_
    )


_MARKS = {"+": "add", "-": "del", "@": "hunk"}


def _hunks(those: tuple[str, ...]) -> Iterable[Html]:
    """Neighbours of one kind share an element."""
    from itertools import groupby

    for mark, group in groupby(those, key=lambda line: _MARKS.get(line[:1], "")):
        yield tag("span", "\n".join(group), cls=mark or "same")


def _unshown(patch: Patch, ident: str) -> Optional[Html]:
    names = [tag("li", tag("code", words(name)), cls="item") for name in patch.listed]
    cut = _left(patch.left, "bytes", "agentctl show %s --diff" % ident) if patch.left else None
    return (
        many(cut, tag("p", "Also changed:") if patch.changes and names else None, tag("ul", *names))
        if names or cut
        else None
    )


def _files(made: Page) -> Optional[Html]:
    if not made.touched:
        return None
    rows = [
        tag("li", tag("code", words(row.path)), *(tag("span", how, cls="how " + how) for how in row.how), cls="item")
        for row in made.touched
    ]
    more = _left(made.touched_left, "files", "agentctl files %s" % made.ident) if made.touched_left else None
    return many(tag("ul", *rows, cls="files"), more)


def _rows(rows: tuple[tuple[str, str], ...]) -> Optional[Html]:
    if not rows:
        return None
    return tag("dl", *(tag("div", tag("dt", words(name)), tag("dd", words(value)), cls="item") for name, value in rows))


def _asked(asked: Text) -> Optional[Html]:
    if not asked.head.strip():
        return None
    size = len(asked.head) + asked.left + len(asked.tail)
    return fold("the prompt, %s" % counted(size, "characters"), _text(asked), cls="item", open_=size < 1200)


def _logs(made: Page) -> Optional[Html]:
    return many(*(fold(name, _text(text, "mono"), cls="item") for name, text in made.logs)) if made.logs else None


def _footer(made: Page) -> Html:
    said = words_of.iso(made.made_at) or ""
    return tag(
        "footer",
        "Made by agentctl, %s UTC. Nothing on this page is loaded from elsewhere." % said[:16].replace("T", " "),
    )
