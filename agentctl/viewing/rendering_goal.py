"""What a goal has more than a run, as HTML: its cycles with checks and verdicts, and who worked for it. Pure."""

from __future__ import annotations

from .. import text as words_of
from .markup import fold
from .markup import lines
from .markup import many
from .markup import tag
from .markup import words
from .rendering_timeline import counted
from .rendering_timeline import timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Optional

    from .markup import Html
    from .page import Cycle
    from .page import Finding
    from .page import Member
    from .page import Page

_JUDGED = {True: ("good", "accepted"), False: ("bad", "rejected"), None: ("live", "not judged")}
_SAID = {True: ("good", "accepts"), False: ("bad", "rejects"), None: ("warn", "gave no verdict")}
_CHECKED = {True: ("good", "passes"), False: ("bad", "fails"), None: ("warn", "was not run")}


def cycles(those: Sequence[Cycle]) -> Optional[Html]:
    """Nothing of what is no goal."""
    return many(*map(_cycle, those)) if those else None


def _cycle(cycle: Cycle) -> Html:
    tone, judged = _JUDGED[cycle.accepted]
    work = "" if cycle.files is None else "%s changed" % counted(cycle.files, "files")
    return tag(
        "article",
        tag("h3", "Cycle %d " % cycle.number, tag("span", judged, cls="badge " + tone)),
        tag("p", "%s: " % _claim(cycle.claim), words(cycle.summary)) if cycle.summary or cycle.claim else None,
        tag(
            "p",
            work,
            " at " if cycle.commit else "",
            tag("code", cycle.commit[:12]) if cycle.commit else None,
            cls="dim",
        )
        if work
        else None,
        tag("ul", *map(_finding, cycle.findings), cls="findings") if cycle.findings else None,
        _reasons(cycle),
        cls="cycle item " + tone,
    )


def _claim(claim: str) -> str:
    return {"done": "The orchestrator says done", "give_up": "The orchestrator gives up"}.get(claim, "The orchestrator")


def _reasons(cycle: Cycle) -> Optional[Html]:
    """Why it was rejected, as far as no finding has said it."""
    said = " ".join(reason for finding in cycle.findings for reason in finding.reasons)
    more = [reason for reason in cycle.reasons if not any(part and part in said for part in (reason, _after(reason)))]
    return tag("ul", *(tag("li", words(reason)) for reason in more), cls="reasons") if more else None


def _after(reason: str) -> str:
    return reason.partition(": ")[2]


def _finding(finding: Finding) -> Html:
    tone, said = (_CHECKED if finding.what else _SAID)[finding.good]
    what = many(" ", tag("code", words(finding.what))) if finding.what else None
    return tag(
        "li",
        tag("p", tag("b", words(finding.who)), what, " ", tag("span", said, cls="badge " + tone)),
        tag("ul", *(tag("li", words(reason)) for reason in finding.reasons)) if finding.reasons else None,
        fold("evidence", tag("ul", *(tag("li", words(one)) for one in finding.evidence))) if finding.evidence else None,
        fold("the end of its output", lines(finding.tail, cls="mono")) if finding.tail.strip() else None,
    )


def members(made: Page) -> Optional[Html]:
    """Who worked for it, oldest first, and what each did."""
    if not made.members:
        return None
    left = (
        tag("p", "%s are not shown." % counted(made.members_left, "earlier runs"), cls="gap")
        if made.members_left
        else None
    )
    return many(left, *map(_member, made.members))


def _member(member: Member) -> Html:
    head = many(
        tag("b", words(member.name or "run")),
        tag("span", words(member.step), cls="what"),
        tag("span", member.outcome, cls="badge " + member.tone),
        tag("small", " · ".join(filter(None, (words_of.duration(member.took), member.cost)))),
    )
    return fold(
        head,
        tag("p", tag("code", member.run_id), cls="dim"),
        lines(member.says, cls="words") if member.says.strip() else None,
        timeline(member.entries, "agentctl view %s" % member.run_id) if member.entries else None,
        cls="member item",
    )
