"""What a page says, as values: made of facts by others, turned into HTML or words by others. Pure.

Texts in here are as they were written, by whomever; whoever shows them makes them safe.
Unknown is None, or a figure that is not there.
"""

from __future__ import annotations

from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

GOOD, BAD, WARN, LIVE, QUIET = "good", "bad", "warn", "live", "quiet"
"""Tones; none of them carries a meaning that no word carries."""


class Text(Record):
    """A text of any length: its beginning, how much is left out (in `unit`s), its end, and where the whole is."""

    head: str = ""
    left: int = 0
    tail: str = ""
    unit: str = "characters"
    whole: str = ""


class Entry(Record):
    """Something that happened. `kind` is one of KINDS, `name` and `title` its line, `text` what it said.

    `since` is in seconds from the begin, `took` how long a tool worked. A `gap` stands for what is left out.
    """

    kind: str = ""
    since: Optional[float] = None
    at: Optional[float] = None
    name: str = ""
    title: str = ""
    text: str = ""
    result: str = ""
    tone: str = ""
    took: Optional[float] = None
    left: int = 0
    wrote: tuple[str, ...] = ()


MESSAGE, TOOL, THINKING, OUTPUT, STEP, TROUBLE, NOTE, GAP = (
    *("message", "tool", "thinking", "output", "step", "trouble", "note", "gap"),
)
KINDS = {
    MESSAGE: "messages",
    TOOL: "tool calls",
    OUTPUT: "output",
    THINKING: "thinking",
    STEP: "steps",
    TROUBLE: "trouble",
    NOTE: "notes",
}
"""The kinds that a reader may choose among, by what they are called; a gap is always shown."""


class Change(Record):
    """What became of one file: lines of a patch, each with its mark (`+`, `-`, ` `, `@`); `left` are not here."""

    path: str = ""
    old: str = ""
    what: str = "changed"
    added: int = 0
    removed: int = 0
    lines: tuple[str, ...] = ()
    left: int = 0


class Patch(Record):
    """The changed files; of a patch that is too long, those at its beginning. `left` bytes are not here."""

    changes: tuple[Change, ...] = ()
    left: int = 0
    size: int = 0
    listed: tuple[str, ...] = ()


class Figure(Record):
    """A number for people, what it counts, and what there is to say of it."""

    value: str = ""
    name: str = ""
    note: str = ""


class Touched(Record):
    """A file and how it was touched: `read`, `wrote`, `changed` (which git saw, and no tool told)."""

    path: str = ""
    how: tuple[str, ...] = ()


class Finding(Record):
    """What a check or a verifier said of the work. `good` is None where it said nothing."""

    who: str = ""
    what: str = ""
    good: Optional[bool] = None
    reasons: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    tail: str = ""


class Cycle(Record):
    """One cycle of a goal. `accepted` is None where it was not judged."""

    number: int = 0
    claim: str = ""
    summary: str = ""
    accepted: Optional[bool] = None
    files: Optional[int] = None
    commit: str = ""
    findings: tuple[Finding, ...] = ()
    reasons: tuple[str, ...] = ()


class Member(Record):
    """Somebody's run for a goal, in short."""

    run_id: str = ""
    name: str = ""
    step: str = ""
    outcome: str = ""
    tone: str = ""
    says: str = ""
    took: Optional[float] = None
    cost: str = ""
    entries: tuple[Entry, ...] = ()


class Page(Record):
    """All of it. `badges` are (tone, words); `said` and `logs` are (name, Text)."""

    ident: str = ""
    kind: str = "run"
    title: str = ""
    lead: str = ""
    made_at: Optional[float] = None
    began_at: Optional[float] = None
    badges: tuple[tuple[str, str], ...] = ()
    figures: tuple[Figure, ...] = ()
    error: str = ""
    warnings: tuple[str, ...] = ()
    said: tuple[tuple[str, Text], ...] = ()
    asked: Text = Text()
    cycles: tuple[Cycle, ...] = ()
    members: tuple[Member, ...] = ()
    members_left: int = 0
    entries: tuple[Entry, ...] = ()
    counts: dict[str, int] = {}
    patch: Patch = Patch()
    touched: tuple[Touched, ...] = ()
    touched_left: int = 0
    costs: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    logs: tuple[tuple[str, Text], ...] = ()
