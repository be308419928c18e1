"""A page in some lines for a terminal: the outcome, what happened in words, files, cost. Pure."""

from __future__ import annotations

from .. import text
from . import page
from .rendering_timeline import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from .page import Cycle
    from .page import Entry
    from .page import Page

_STYLES = {page.GOOD: "green", page.BAD: "red", page.WARN: "yellow", page.LIVE: "cyan"}
_FIRST, _LAST = 5, 9
_MOST_FILES = 8


def lines(made: Page) -> list[tuple[str, str]]:
    """(words, style) for each line."""
    return [
        ("%s  %s" % (made.ident, text.one_line(made.title, 120)), "bold"),
        (", ".join(said for _, said in made.badges), _STYLES.get(_worst(made), "")),
        (made.lead, "dim"),
        *([(text.one_line(made.error, 300), "red")] if made.error else []),
        *((text.one_line(warning, 300), "yellow") for warning in made.warnings),
        *((text.one_line(said.head, 400), "") for name, said in made.said if name == "Summary"),
        *(line for cycle in made.cycles for line in _cycle(cycle)),
        *_shortened(list(_happened(made.entries))),
        *_files(made),
        (_figures(made), "dim"),
    ]


def _worst(made: Page) -> str:
    tones = [tone for tone, _ in made.badges]
    return next((tone for tone in (page.BAD, page.WARN, page.LIVE, page.GOOD) if tone in tones), "")


def _cycle(cycle: Cycle) -> Iterator[tuple[str, str]]:
    judged = {True: "accepted", False: "rejected", None: "not judged"}[cycle.accepted]
    style = {True: "green", False: "red", None: ""}[cycle.accepted]
    yield "cycle %d %s: %s" % (cycle.number, judged, text.one_line(cycle.summary, 200)), style
    for reason in cycle.reasons[:5]:
        yield "· %s" % text.one_line(reason, 200), ""


def _happened(entries: Sequence[Entry]) -> Iterator[tuple[str, int]]:
    """(words, how much they stand for): calls of tools that follow each other are one line, as is an output."""
    calls: dict[str, int] = {}
    since = ""
    for entry in entries:
        if entry.kind == page.TOOL and entry.tone != page.BAD:
            since = since if calls else _since(entry)
            calls[entry.name] = calls.get(entry.name, 0) + 1
            continue
        if calls:
            yield since + _called(calls), sum(calls.values())
            calls = {}
        said = _said(entry)
        if said:
            yield _since(entry) + said, entry.left if entry.kind == page.GAP else 1
    if calls:
        yield since + _called(calls), sum(calls.values())


def _called(calls: dict[str, int]) -> str:
    return "uses %s" % ", ".join(
        text.one_line(name, 40) + (" ×%d" % count if count > 1 else "") for name, count in calls.items()
    )


def _since(entry: Entry) -> str:
    return "%7s  " % ("" if entry.since is None else text.duration(entry.since))


def _said(entry: Entry) -> str:
    """What an entry says in a line; "" for what a summary can do without."""
    words = text.one_line(entry.title or entry.text, 110)
    if entry.kind == page.GAP:
        return "… %s" % counted(entry.left, "events")
    if entry.kind == page.OUTPUT:
        last = text.one_line(entry.text.rstrip().rpartition("\n")[2], 90)
        return "prints %s: %s" % (counted(entry.left, "lines"), last) if entry.left > 1 else "prints %s" % last
    if entry.kind == page.TOOL:
        return "%s fails: %s" % (text.one_line(entry.name, 40), words or text.one_line(entry.result, 110))
    if entry.kind == page.MESSAGE:
        return "says: %s" % words
    if entry.kind == page.THINKING or entry.name == "session":
        return ""
    return " ".join(filter(None, (entry.name, words)))


def _shortened(those: list[tuple[str, int]]) -> list[tuple[str, str]]:
    """The first and the last of many, and how much lies between."""
    if len(those) > _FIRST + _LAST + 1:
        between = sum(weight for _, weight in those[_FIRST:-_LAST])
        those = [*those[:_FIRST], ("… and %s more" % counted(between), 0), *those[-_LAST:]]
    return [(words, "") for words, _ in those]


def _files(made: Page) -> Iterator[tuple[str, str]]:
    changes = made.patch.changes
    for change in changes[:_MOST_FILES]:
        yield "%s  +%d −%d  %s" % (change.what, change.added, change.removed, text.one_line(change.path, 120)), ""
    left = len(changes) + len(made.patch.listed) - len(changes[:_MOST_FILES])
    if left:
        yield "and %s" % counted(left, "more files"), ""


def _figures(made: Page) -> str:
    return " · ".join("%s %s" % (figure.name, figure.value) for figure in made.figures)
