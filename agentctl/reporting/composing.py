"""From the facts of a report to its page. Pure.

It is one page: what is long is cut, and what is many is counted.
"""

from __future__ import annotations

from .. import text
from ..model import LIVE
from .advice import end_in_words
from .advice import of_others
from .advice import when
from .facts import ACCEPTED
from .page import BAD
from .page import GOOD
from .page import WARN
from .page import Command
from .page import Line
from .page import Page
from .page import Quote
from .page import Section
from .page import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from typing import Optional

    from ..figures.totals import Totals
    from .facts import Changed
    from .facts import Check
    from .facts import Cycle
    from .facts import Ended
    from .facts import Goal
    from .facts import Need
    from .facts import Report
    from .facts import Verdict
    from .page import Block

_TAIL_LINES, _EARLIER_LINES, _STAT_LINES, _SUMMARY_LINES = 12, 4, 20, 20
_MOST_NEEDS, _MOST_CYCLES = 20, 5
_WIDE = 160
_COST_HEAD = ("RUNS", "TURNS", "INPUT", "CACHED", "OUTPUT", "TIME", "BILLED", "VIRTUAL", "UNKNOWN", "UNPRICED")
_NO = {True: "accepted", False: "rejected", None: "not known"}
_PASSED = {True: "passed", False: "failed", None: "not known"}


def page(report: Report) -> Page:
    """Goals first, then the other runs that ended, then what still runs."""
    sections = [part for goal in report.goals for part in _goal(goal)]
    sections += _others(report) + _alive(report)
    if not sections:
        sections = [Section(words="Nothing has ended", blocks=(Line(words="and nothing runs"),))]
    since = "since %s" % when(report.since) if report.since else "all there is" if not report.goals else ""
    about = " · ".join(words for words in ("made %s" % when(report.at), since) if words)
    return Page(title="agentctl report", about=about, sections=tuple(sections))


def _goal(goal: Goal) -> Iterator[Section]:
    yield Section(words="Goal %s" % goal.goal, said=goal.title, blocks=tuple(_head(goal)))
    yield from _part("Evidence", [block for cycle in goal.cycles[-_MOST_CYCLES:] for block in _cycle(cycle, goal)])
    yield from _part("What changed", list(_changed(goal.changed)))
    yield from _part("What it cost", list(_cost(goal)))
    yield from _part("What waits for a decision", [_need(need) for need in goal.needs[:_MOST_NEEDS]])
    yield from _part("Commands", [Command(command=each.command, words=each.words) for each in goal.advice])


def _part(words: str, blocks: list[Block]) -> Iterator[Section]:
    if blocks:
        yield Section(words=words, level=2, blocks=tuple(blocks))


def _head(goal: Goal) -> Iterator[Block]:
    cycles = len(goal.cycles)
    of = "cycle %d of %s" % (cycles, goal.max_cycles) if goal.mode != "mission" else "one cycle"
    took = text.duration(goal.took_s)
    if goal.status in LIVE:
        yield Line(words="%s, %s:" % (goal.status, of), said=goal.doing or "at work")
    elif goal.outcome == ACCEPTED:
        yield Line(words="Accepted in %s, after %s at work" % (of, took), tone=GOOD)
    else:
        yield Line(words="Not accepted: %s (%s, after %s at work)" % (end_in_words(goal.outcome), of, took), tone=BAD)
        if goal.why:
            yield Line(words="why:", said=goal.why, tone=BAD)
    if goal.doubt:
        yield Line(words="doubtful: " + goal.doubt, tone=WARN)
    directed = "directed by %s" % (goal.orchestrator or "nobody known")
    again = "begun %d times" % len(goal.runs) if len(goal.runs) > 1 else ""
    times = [when(at) for at in (goal.began_at, goal.ended_at) if at]
    yield Line(words=" · ".join(words for words in (directed, again, " to ".join(times), goal.project) if words))
    if goal.cycles and goal.cycles[-1].summary:
        yield Quote(
            words="its orchestrator's own words, which prove nothing:",
            said=_lines(goal.cycles[-1].summary, _SUMMARY_LINES),
        )


def _cycle(cycle: Cycle, goal: Goal) -> Iterator[Block]:
    """What was found, by whom; of a check that failed its last lines, of the last cycle all evidence."""
    latest = cycle is goal.cycles[-1]
    said = {"done": "said that it was done", "give_up": "gave up"}.get(cycle.claim, "")
    number = "Cycle %s" % ("?" if cycle.number is None else cycle.number)
    how = {True: "accepted", False: "rejected", None: "not judged"}[cycle.accepted]
    words = "%s: %s%s" % (number, how, "; its orchestrator %s" % said if said else "")
    yield Line(words=words, tone={True: GOOD, False: BAD, None: WARN}[cycle.accepted])
    rows = [*(_check(check) for check in cycle.checks), *(_verdict(verdict) for verdict in cycle.verdicts)]
    if rows:
        yield Table(head=("WHO", "FOUND", "WHAT AND WHY"), rows=tuple(rows), said=(0, 2))
    elif cycle.reasons:
        yield Line(words="because:", said="; ".join(cycle.reasons))
    for check in cycle.checks:
        if check.passed is False and check.tail.strip():
            most = _TAIL_LINES if latest else _EARLIER_LINES
            yield Quote(words="the end of what the check printed:", said=_lines(check.tail, most, last=True))
    for verdict in cycle.verdicts if latest else ():
        if verdict.evidence:
            words = "evidence of %s:" % text.one_line(verdict.who or "a verifier", 60)
            yield Quote(words=words, said=_lines("\n".join(verdict.evidence), _TAIL_LINES))


def _check(check: Check) -> tuple[str, ...]:
    who = "check" if check.of in ("", "work") else "check (%s)" % check.of
    put_back = "put back: %s" % ", ".join(check.files) if check.files else ""
    command = "" if check.command and check.command in check.why else check.command
    words = " · ".join(part for part in (command, check.why, put_back) if part)
    return who, _PASSED[check.passed], words


def _verdict(verdict: Verdict) -> tuple[str, ...]:
    return verdict.who or "verifier", _NO[verdict.accept], "; ".join(verdict.reasons)


def _changed(changed: Changed) -> Iterator[Block]:
    counts = [_count(changed.files, "file"), _count(changed.commits, "commit")]
    known = " and ".join(words for words in counts if words)
    since = " since %s" % changed.base[:12] if changed.base else ""
    yield Line(words=(known or "how much is not known") + since)
    if changed.branch:
        fate = "landed on %s" % changed.landed if changed.landed else "not landed"
        there = "its worktree was removed" if changed.removed else "worktree %s" % changed.worktree
        yield Line(words="branch %s, %s; %s" % (changed.branch, fate, there))
    elif changed.folder:
        yield Line(words="in the directory itself: %s" % changed.folder)
    if changed.diff_stat.strip():
        yield Quote(words="by file:", said=_lines(changed.diff_stat, _STAT_LINES, last=True))


def _count(number: Optional[int], word: str) -> str:
    return "" if number is None else "%d %s%s" % (number, word, "" if number == 1 else "s")


def _cost(goal: Goal) -> Iterator[Block]:
    if not goal.members:
        return
    rows = [(member.who, *_figures(member.totals)) for member in goal.members]
    yield Table(head=("MEMBER", *_COST_HEAD), rows=(*rows, ("total", *_figures(goal.totals))), said=(0,))
    yield from _unpriced(goal.totals)


def _unpriced(sums: Totals) -> Iterator[Block]:
    if sums.unpriced:
        yield Line(
            words="of %s no cost is known, so the whole was more than this" % _count(sums.unpriced, "run"), tone=WARN
        )


def _figures(sums: Totals) -> tuple[str, ...]:
    """A sum that is not of all is marked, an unknown one is a dash."""
    counts = [_sum(sums, name) for name in ("turns", "input", "cached", "output")]
    money = (text.money(getattr(sums, name)) for name in ("billed_usd", "virtual_usd", "unknown_usd"))
    return "%d" % sums.runs, *counts, _time(sums), *money, "%d" % sums.unpriced


def _sum(sums: Totals, name: str) -> str:
    value = getattr(sums, name)
    return text.count(value) + ("+" if value is not None and name in sums.not_said else "")


def _time(sums: Totals) -> str:
    return text.duration(sums.working_s) + ("+" if sums.working_s is not None and "working_s" in sums.not_said else "")


def _need(need: Need) -> Line:
    who = " ".join(word for word in (need.run_id, text.one_line(need.who, 60)) if word)
    return Line(words="%s: %s" % (who, need.words), said=need.said, tone=WARN)


def _others(report: Report) -> list[Section]:
    if not report.runs:
        return []
    head = ("RUN", "OUTCOME", "FILES", "TIME", "BILLED", "VIRTUAL", "UNKNOWN", "TITLE")
    rows = [_ended(run) for run in report.runs]
    sums = report.totals
    money = [text.money(getattr(sums, name)) for name in ("billed_usd", "virtual_usd", "unknown_usd")]
    rows.append(("total", "", "", _time(sums), *money, ""))
    blocks: list[Block] = [Table(head=head, rows=tuple(rows), said=(7,)), *_unpriced(sums)]
    if report.more:
        blocks.append(Line(words="and %d more: see `agentctl list -n 1000`" % report.more))
    found = [Section(words="Other runs that ended", blocks=tuple(blocks))]
    bad = [run for run in report.runs if not run.good]
    lines = [
        Line(words="%s: %s%s" % (run.run_id, run.outcome, ":" if run.error else ""), said=run.error, tone=WARN)
        for run in bad
    ]
    found += _part("What waits for a decision", [*lines[:_MOST_NEEDS]])
    going_on = [Command(command=run.next, words="go on from %s" % run.run_id) for run in bad[:_MOST_NEEDS]]
    landing = [Command(command=each.command, words=each.words) for each in of_others(report.runs)]
    return [*found, *_part("Commands", [*landing, *going_on])]


def _ended(run: Ended) -> tuple[str, ...]:
    money = (text.money(usd) for usd in (run.billed_usd, run.virtual_usd, run.unknown_usd))
    return run.run_id, run.outcome, "%d" % run.files, text.duration(run.took_s), *money, run.title


def _alive(report: Report) -> list[Section]:
    if not report.alive:
        return []
    rows = tuple(
        (
            run.run_id,
            run.status,
            text.duration(report.at - run.created_at if run.created_at else None),
            run.goal or "-",
            " · ".join(words for words in (run.title, run.doing) if words),
        )
        for run in report.alive
    )
    table = Table(head=("RUN", "STATUS", "TIME", "GOAL", "WHAT"), rows=rows, said=(4,))
    return [Section(words="What still runs", blocks=(table,))]


def _lines(said: str, most: int, last: bool = False) -> str:
    """The first lines of it, or the last; each cut to a width that a page takes."""
    lines: Iterable[str] = text.printable(said).strip("\n").splitlines()
    listed = [line if len(line) <= _WIDE else line[: _WIDE - 1] + "…" for line in lines]
    if len(listed) <= most:
        return "\n".join(listed)
    left = "… %d more lines …" % (len(listed) - most)
    return "\n".join([left, *listed[-most:]] if last else [*listed[:most], left])
