"""What a goal's driver does next: a pure function of what was asked and what happened.

    cycle → orchestrator's run → its claim → checkpoint → check → verifiers → judged → cycle …

A driver that was killed and started again gets the same answer from the same history.
No acceptance without a check or a verifier: where a goal has neither, it is never judged.
"""

from __future__ import annotations

import re

from ..record import Record
from . import journal
from .asked import MISSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .asked import GoalAsked
    from .journal import Entry

BEGIN, ORCHESTRATE, AWAIT, CHECKPOINT, CHECK = "begin", "orchestrate", "await", "checkpoint", "check"
VERIFY, HEAR, JUDGE, OVER = "verify", "hear", "judge", "over"
WORK, GUARDED = "work", "guarded"
_MOST_ATTEMPTS = 3
_MOST_FAILURES = 2
_SAME_REJECTIONS = 3
_MOST_ASKED = 2
_MOST_NAMED = 20
NOTHING_CHANGED = "nothing was changed: the work is as it was when the goal began"
NO_VERDICT = "it gave no verdict"


class Step(Record):
    """What to do: the `run` to wait for, `who` to ask, what `of` the work to check; how it was judged; how it ended."""

    do: str = ""
    cycle: int = 0
    run: str = ""
    who: str = ""
    of: str = ""
    outcome: str = ""
    why: str = ""
    accepted: bool = False
    reasons: tuple[str, ...] = ()


class Cycle(Record):
    """What happened in one cycle.

    `attempts` are the orchestrator's runs, the newest last, `since` how many of them a
    driver has begun since it came itself; `ended` is what came of the newest. `asked` are
    the verifiers' runs by name, in order, each with the tree that it was asked about;
    `tries` how many of them since that driver came.
    `reopened`: the goal had ended where the cycle stands, and was resumed.
    """

    number: int = 0
    attempts: tuple[str, ...] = ()
    since: int = 0
    ended: dict[str, Any] = {}
    checkpoint: dict[str, Any] = {}
    checks: dict[str, Any] = {}
    asked: dict[str, Any] = {}
    tries: dict[str, Any] = {}
    verdicts: dict[str, Any] = {}
    judged: dict[str, Any] = {}
    reopened: bool = False

    @property
    def claim(self) -> str:
        found = self.ended.get("claim")
        return found if isinstance(found, str) else ""


def cycles(history: Sequence[Entry]) -> list[Cycle]:
    """The history as cycles, oldest first."""
    found: list[Cycle] = []
    for entry in history:
        step = entry["step"]
        if step == journal.CYCLE:
            found.append(Cycle(number=len(found) + 1))
        elif step == journal.BEGUN:
            found[-1:] = [cycle.replace(since=0, tries={}) for cycle in found[-1:]]
        elif found:
            found[-1] = _with(found[-1], step, entry)
    return found


def _with(cycle: Cycle, step: str, entry: Entry) -> Cycle:
    who, run = str(entry.get("who")), str(entry.get("run"))
    if step == journal.RUN and entry.get("part") == journal.ORCHESTRATOR:
        return cycle.replace(attempts=(*cycle.attempts, run), since=cycle.since + 1, ended={}, reopened=False)
    if step == journal.RUN:
        asked = {**cycle.asked, who: [*cycle.asked.get(who, ()), (run, entry.get("tree"))]}
        return cycle.replace(asked=asked, tries={**cycle.tries, who: cycle.tries.get(who, 0) + 1})
    if step == journal.ENDED:
        return cycle.replace(ended=entry)
    if step == journal.CHECK:
        return cycle.replace(checks={**cycle.checks, str(entry.get("of")): entry})
    if step == journal.VERDICT:
        return cycle.replace(verdicts={**cycle.verdicts, who: entry})
    if step == journal.OVER:
        return cycle.replace(reopened=True)
    if step == journal.JUDGED:
        return cycle.replace(judged=entry, reopened=False)
    return cycle.replace(checkpoint=entry) if step == journal.CHECKPOINT else cycle


def next_step(asked: GoalAsked, history: Sequence[Entry]) -> Step:
    """The one thing to do now."""
    spent = next((entry for entry in history if entry["step"] == journal.SPENT), None)
    if spent is not None:
        return Step(do=OVER, outcome="out_of_%s" % spent.get("what"), why=str(spent.get("words")))
    all_cycles = cycles(history)
    if not all_cycles:
        return Step(do=BEGIN, cycle=1)
    now = all_cycles[-1]
    if now.judged:
        return _after(asked, all_cycles)
    if not now.ended:
        run = now.attempts[-1] if now.attempts else ""
        return Step(do=AWAIT if run else ORCHESTRATE, cycle=now.number, run=run)
    if now.claim == journal.GIVE_UP:
        return _given_up(asked, all_cycles)
    if now.claim == journal.DONE:
        return _verified(asked, all_cycles)
    return _unclaimed(asked, all_cycles)


def _given_up(asked: GoalAsked, all_cycles: list[Cycle]) -> Step:
    """The end, unless somebody wants it to go on all the same."""
    now, why = all_cycles[-1], str(all_cycles[-1].ended.get("summary") or "")
    if now.reopened:
        return _another(asked, all_cycles, why)
    return Step(do=OVER, cycle=now.number, outcome="gave_up", why=why)


def _unclaimed(asked: GoalAsked, all_cycles: list[Cycle]) -> Step:
    """The orchestrator ended without a claim: it is asked again where it was interrupted, else a new cycle begins."""
    now = all_cycles[-1]
    status, error = now.ended.get("status"), str(now.ended.get("error") or "")
    if status == "finished":
        return _another(asked, all_cycles, "the orchestrator ended without saying that it is done")
    most = _MOST_FAILURES if status == "failed" else _MOST_ATTEMPTS
    if now.since < most:
        return Step(do=ORCHESTRATE, cycle=now.number, run=now.attempts[-1])
    return Step(do=OVER, cycle=now.number, outcome="failed", why="its orchestrator %s: %s" % (status, error))


def _verified(asked: GoalAsked, all_cycles: list[Cycle]) -> Step:
    """The claim is there: what of the proof is missing?"""
    now = all_cycles[-1]
    n = now.number
    if not now.checkpoint:
        return Step(do=CHECKPOINT, cycle=n)
    if not now.checkpoint.get("files"):
        return Step(do=JUDGE, cycle=n, reasons=(NOTHING_CHANGED,))
    if len(all_cycles) > 1 and _unmoved(all_cycles[-2], now):
        return Step(do=JUDGE, cycle=n, reasons=tuple(all_cycles[-2].judged.get("reasons") or ()))
    for of in (WORK, GUARDED) if asked.verify else ():
        if of not in now.checks:
            return Step(do=CHECK, cycle=n, of=of)
        if now.checks[of].get("passed") is not True:
            return Step(do=JUDGE, cycle=n, reasons=(check_reason(now.checks[of]),))
    return _heard(verifiers(asked), now) or _judgement(asked, now)


def _unmoved(before: Cycle, now: Cycle) -> bool:
    same = before.checkpoint.get("tree") == now.checkpoint.get("tree")
    return same and before.judged.get("accepted") is False


def verifiers(asked: GoalAsked) -> list[str]:
    """The names of the members that verify."""
    return [name for name, member in asked.team.items() if isinstance(member, dict) and member.get("verifies") is True]


def _heard(names: Sequence[str], now: Cycle) -> Step | None:
    """Verifiers to ask, all at once, or one to wait for."""
    if any(not runs_of(now, name) for name in names):
        return Step(do=VERIFY, cycle=now.number)
    for name in names:
        newest = runs_of(now, name)[-1]
        if now.verdicts.get(name, {}).get("run") != newest:
            return Step(do=HEAR, cycle=now.number, who=name, run=newest)
        if _wants_another(now, name):
            return Step(do=VERIFY, cycle=now.number, who=name)
    return None


def runs_of(now: Cycle, name: str) -> list[str]:
    """The runs in which a verifier was asked about the work as it is at the checkpoint."""
    return [run for run, tree in now.asked.get(name, ()) if tree == now.checkpoint.get("tree")]


def _wants_another(now: Cycle, name: str) -> bool:
    """A verifier that gave no verdict is asked once more; one that went with its driver is as one never asked."""
    return now.verdicts[name].get("accept") is None and now.tries.get(name, 0) < _MOST_ASKED


def _judgement(asked: GoalAsked, now: Cycle) -> Step:
    """Accepted where something looked, and all that looked agree."""
    names = verifiers(asked)
    against = [name for name in names if now.verdicts[name].get("accept") is not True]
    reasons = tuple(reason for name in against for reason in verdict_reasons(name, now.verdicts[name]))
    looked = bool(names or asked.verify)
    return Step(
        do=JUDGE,
        cycle=now.number,
        accepted=looked and not against,
        reasons=reasons if looked else ("nobody and nothing verified it",),
    )


def check_reason(entry: Entry) -> str:
    """Why a check speaks against the work, for people and for the next orchestrator."""
    why = "the check `%s` fails: %s" % (entry.get("command"), entry.get("why"))
    if entry.get("of") == GUARDED:
        files = entry.get("files") or []
        more = " and %d more" % (len(files) - _MOST_NAMED) if len(files) > _MOST_NAMED else ""
        names = ", ".join(files[:_MOST_NAMED]) + more
        why = "with the check's own files as they were (%s) the check fails: %s" % (names, entry.get("why"))
        why += " (what the work may change of them is said by --may-change)"
    return why


def verdict_reasons(name: str, entry: Entry) -> list[str]:
    """Of a verdict against the work, by whom."""
    if entry.get("accept") is None:
        return ["%s: %s" % (name, entry.get("why") or NO_VERDICT)]
    return ["%s: %s" % (name, reason) for reason in entry.get("reasons") or ("it does not accept the work",)]


def key(reasons: Sequence[str]) -> str:
    """The same for rejections that say the same: numbers, times and spaces do not count."""
    return re.sub(r"[\W\d_]+", " ", " ".join(reasons)).strip().lower()[:2000]


def _after(asked: GoalAsked, all_cycles: list[Cycle]) -> Step:
    """A cycle was judged: it is over, or another begins."""
    now = all_cycles[-1]
    n, reasons = now.number, tuple(now.judged.get("reasons") or ())
    if now.judged.get("accepted") is True:
        return Step(do=OVER, cycle=n, outcome=journal.ACCEPTED, why="every check and verifier accepts it")
    if now.reopened:
        return _another(asked, all_cycles, "; ".join(reasons))
    if len(all_cycles) > 1 and _unmoved(all_cycles[-2], now):
        return Step(do=OVER, cycle=n, outcome="no_progress", why="nothing has changed since the last rejection")
    last = [cycle.judged.get("key") for cycle in all_cycles[-_SAME_REJECTIONS:]]
    if len(last) == _SAME_REJECTIONS and len(set(last)) == 1:
        why = "rejected %d times for the same reason: %s" % (_SAME_REJECTIONS, "; ".join(reasons))
        return Step(do=OVER, cycle=n, outcome="same_rejection", why=why)
    return _another(asked, all_cycles, "; ".join(reasons))


def _another(asked: GoalAsked, all_cycles: list[Cycle], why: str) -> Step:
    n = all_cycles[-1].number
    most = 1 if asked.mode == MISSION else asked.max_cycles
    if n < most:
        return Step(do=BEGIN, cycle=n + 1)
    return Step(do=OVER, cycle=n, outcome=journal.REJECTED, why="after %d of %d cycles: %s" % (n, most, why))
