"""The page of a run, or of a goal with all who worked for it."""

from __future__ import annotations

from .. import judge
from .. import text
from ..goals import asked as asking
from ..goals import journal
from ..goals import kin
from ..goals import showing
from ..measures import Usage
from ..model import Result
from . import ends
from . import figuring
from . import gathering
from . import page
from . import timeline
from .page import Cycle
from .page import Figure
from .page import Finding
from .page import Member
from .page import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..store import Home
    from ..store import Run
    from .page import Entry

_MOST_MEMBERS = 60
_OF_GOAL = ends.Most(head=128 << 10, tail=384 << 10, head_lines=300, tail_lines=700)
_OF_MEMBER = ends.Most(head=16 << 10, tail=32 << 10, head_lines=40, tail_lines=80)
_MOST_SAYS = 4000
_OUTCOMES = {"accepted": page.GOOD, "": page.LIVE}


def page_of(home: Home, run_id: str, now: float) -> Page:
    """Of whatever the id means. Raises AgentctlError, OSError."""
    run = home.run(run_id)
    return goal_page(home, run, now) if asking.is_goal(run) else gathering.run_page(home, run, now)


def goal_page(home: Home, run: Run, now: float) -> Page:
    """The page of a goal: that of its newest run, with cycles, verdicts and the team."""
    known, runs = showing.whole(home, run.id), kin.named(home, run.id)
    newest = runs[-1]
    made = gathering.run_page(home, newest, now)
    members = [_member(home, home.run(str(one["run"])), one, now) for one in known["members"][-_MOST_MEMBERS:]]
    began = runs[0].spec().created_at or None
    entries = _entries(runs, began)
    return made.replace(
        ident=str(known["goal"]),
        kind="goal",
        lead=_lead(made, known),
        badges=_badges(made, known),
        figures=_figures(made, known),
        error=str(known["why"]) if known["outcome"] != journal.ACCEPTED else "",
        cycles=tuple(_cycle(cycle) for cycle in known["cycles"]),
        members=tuple(members),
        members_left=len(known["members"]) - len(members),
        entries=entries,
        counts=timeline.counts(entries),
        costs=_costs(known["usage"]) or made.costs,
    )


def _entries(runs: Sequence[Run], began: float | None) -> tuple[Entry, ...]:
    """What its drivers did, one after the other; what they told the inbox of it besides is the same again."""
    found = (entry for run in runs for entry in gathering.entries_of(run, _OF_GOAL, began))
    return tuple(entry for entry in found if (entry.kind, entry.name) != (page.NOTE, "news"))


def _lead(made: Page, known: dict[str, Any]) -> str:
    directed = " ".join(filter(None, (known["orchestrator"], known["asked"].get("model"))))
    return " · ".join(filter(None, ("directed by %s" % directed, "project %s" % known["project"], known["branch"])))


def _badges(made: Page, known: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    outcome = str(known["outcome"])
    said = ((_OUTCOMES.get(outcome, page.BAD), outcome.replace("_", " ")),) if outcome else ()
    return (*said, *(badge for badge in made.badges if not outcome or badge[1].startswith("check")))


def _figures(made: Page, known: dict[str, Any]) -> tuple[Figure, ...]:
    """What all of them used together; a figure that nobody gave is left out."""
    used = Usage.from_json(known["usage"])
    kept = tuple(
        figure for figure in made.figures if figure.name in ("took", "so far", "file changed", "files changed")
    )
    given = figuring.given(used.input, used.cached)
    cells = (
        Figure(value="%d of %d" % (known["cycle"], known["max_cycles"]), name="cycles"),
        Figure(value=str(len(known["members"])), name="runs"),
        Figure(value=text.money(used.cost_usd), name="cost", note="billed, as far as told"),
        Figure(value=text.money(used.virtual_usd), name="covered", note="by subscriptions"),
        Figure(value=text.count(used.output), name="tokens out", note=given),
        Figure(value=text.count(used.turns), name="turns"),
        Figure(value=text.count(used.tool_calls), name="tool calls"),
    )
    return (*kept[:1], *(cell for cell in cells if cell.value != "-"), *kept[1:])


def _costs(usage: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    used = Usage.from_json(usage)
    rows = [
        ("tokens in, not cached", figuring.number(used.input)),
        ("tokens in, from the cache", figuring.number(used.cached)),
        ("tokens out", figuring.number(used.output)),
        ("turns", figuring.number(used.turns)),
        ("tool calls", figuring.number(used.tool_calls)),
        ("billed", text.money(used.cost_usd)),
        ("covered by subscriptions", text.money(used.virtual_usd)),
    ]
    return tuple(row for row in rows if row[1] not in ("", "-"))


def _cycle(cycle: dict[str, Any]) -> Cycle:
    findings = [_check(check) for check in cycle["checks"]] + [_verdict(verdict) for verdict in cycle["verdicts"]]
    accepted = cycle["accepted"]
    return Cycle(
        number=int(cycle["cycle"]),
        claim=str(cycle["claim"]),
        summary=_said(cycle["summary"]),
        accepted=accepted if isinstance(accepted, bool) else None,
        files=cycle["files"] if isinstance(cycle["files"], int) else None,
        commit=str(cycle["checkpoint"] or ""),
        findings=tuple(findings),
        reasons=_strings(cycle["reasons"]),
    )


def _check(entry: dict[str, Any]) -> Finding:
    """What a check said: of the work, or with the check's own files as they were."""
    of = "check" if entry.get("of") == "work" else "check, its own files put back"
    good = entry.get("passed")
    return Finding(
        who=of,
        what=_said(entry.get("command")) or "-",
        good=good if isinstance(good, bool) else None,
        reasons=_strings([entry.get("why")]) if good is not True else (),
        tail=_said(entry.get("tail")),
    )


def _verdict(entry: dict[str, Any]) -> Finding:
    good = entry.get("accept")
    return Finding(
        who=_said(entry.get("who")),
        good=good if isinstance(good, bool) else None,
        reasons=_strings(entry.get("reasons")) or _strings([entry.get("why")]),
        evidence=_strings(entry.get("evidence")),
    )


def _strings(value: object) -> tuple[str, ...]:
    """The texts among whatever a verdict gave; no more than anybody reads."""
    those = value if isinstance(value, (list, tuple)) else ()
    return tuple(_said(one) for one in those[:50] if isinstance(one, str) and one)


def _said(value: object) -> str:
    words = value if isinstance(value, str) else ""
    head, left, tail = ends.of_text(words, _MOST_SAYS, _MOST_SAYS)
    return head if not left else "%s\n[… %d characters …]\n%s" % (head, left, tail)


def _member(home: Home, run: Run, known: dict[str, Any], now: float) -> Member:
    """One run for the goal: its outcome, what it says, what it did in short."""
    record = kin.known(run)
    result, spec = Result.from_json(record), run.spec()
    figures, priced = figuring.of_record(home, record, spec, now)
    good = judge.exit_code([result]) == 0
    live = "doing" in record
    return Member(
        run_id=run.id,
        name=str(known["name"] or spec.role or spec.title),
        step=spec.step,
        outcome=judge.outcome(result.status, result.goal_met, result.verified),
        tone=page.LIVE if live else page.GOOD if good else page.BAD,
        says=_said(result.summary or result.error),
        took=figures.working_s,
        cost=figuring.money(figures, priced)[0].replace("-", ""),
        entries=gathering.entries_of(run, _OF_MEMBER, gathering.began(result, spec)),
    )
