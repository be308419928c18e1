"""From what is known of runs to the rows of the table, those that need a person first. Pure."""

from __future__ import annotations

import re

from .. import inbox
from .. import judge
from .. import listing
from .. import text
from ..model import CHECK_FAILED
from ..model import FAILED
from ..model import FINISHED
from ..model import LIVE
from ..model import LOST
from ..model import PAUSED
from ..model import QUEUED
from ..model import RUNNING
from ..model import TIMED_OUT
from ..record import Record
from ..record import typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from collections.abc import Iterable
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    from ..model import Spec

REJECTED = "rejected"
NEEDS = (
    *(inbox.DENIED, inbox.LIMIT, inbox.BLOCKED),
    *(REJECTED, FAILED, LOST, TIMED_OUT, judge.NOT_MET, judge.CHECK_SAID_NO, inbox.BUDGET, inbox.IDLE),
)
"""Why a run needs a person, the most urgent first: what stands still costs most."""
TICKING = (inbox.IDLE,)
"""Those whose words say for how long: other ones every second."""
_CALM = (RUNNING, QUEUED, PAUSED)
_NEARLY = 0.8
_RETRIES = 3
_AGAIN = "waiting to try again"
_CHANGED = re.compile(r"(\d+) (files?|insertions?|deletions?)\b")


class Row(Record):
    """A run in the table. Unknown is None.

    `need` is one of NEEDS, "" where it needs nobody, and `why` says it in words. `family` is the
    goal that it is or works for, else its own id; `member` whether it works for that goal. The
    newest run at one `place`, a goal's or that of a workflow's step, stands for those before it.
    `doing` is its last event in words, `heard_at` when that was. What it changed: `files`, of an
    ended run `added` and `removed` lines too.
    """

    run_id: str = ""
    family: str = ""
    member: bool = False
    place: str = ""
    agent: str = ""
    role: str = ""
    profile: str = ""
    title: str = ""
    project: str = ""
    status: str = ""
    need: str = ""
    why: str = ""
    doing: str = ""
    heard_at: Optional[float] = None
    created_at: float = 0.0
    turns: Optional[int] = None
    context_tokens: Optional[int] = None
    context_window: Optional[int] = None
    cost_usd: Optional[float] = None
    virtual_usd: Optional[float] = None
    files: Optional[int] = None
    added: Optional[int] = None
    removed: Optional[int] = None
    parent: str = ""


def live_row(spec: Spec, said: dict[str, Any], root: str) -> Row:
    """A run that has not ended, from what was asked and what its runner said last. `root`: see Row.family."""
    status = said.get("status")
    row = Row(
        run_id=spec.id,
        family=root or spec.goal or spec.id,
        member=bool(spec.goal),
        place=_place(spec.backend, root or spec.id, spec.workflow, spec.step),
        agent=member_name(spec.agent, spec.goal),
        role=spec.role,
        profile=spec.profile or spec.backend,
        title=spec.title,
        project=spec.project,
        status=status if status in LIVE else QUEUED,
        doing=typed(said, "doing", str) or ("" if said else "is starting"),
        heard_at=typed(said, "at", (int, float)) or spec.created_at or None,
        created_at=spec.created_at,
        **_figures(said),
        files=typed(said, "files_written", int) or None,
        parent=spec.parent,
    )
    need, why = _live_need(spec, said, row)
    return row.replace(need=need, why=why)


def _place(backend: str, root: str, workflow: str, step: str) -> str:
    return root if backend == "goal" else "%s/%s" % (workflow, step) if workflow else ""


def _figures(said: dict[str, Any]) -> dict[str, Any]:
    """What status.json and result.json tell alike."""
    used = typed(said, "usage", dict) or {}
    numbers = {name: typed(said, name, int) for name in ("context_tokens", "context_window")}
    money = {name: typed(used, name, (int, float)) for name in ("cost_usd", "virtual_usd")}
    return {**numbers, **money, "turns": typed(used, "turns", int)}


def member_name(agent: str, goal: str) -> str:
    """What an agent is called; one of a goal's team as its team calls it."""
    return agent[len(goal) + 1 :] if goal and agent.startswith(goal + "-") else agent


def _live_need(spec: Spec, said: dict[str, Any], row: Row) -> tuple[str, str]:
    """As `needs.needs` has it, from what is in status.json."""
    denied, limit = typed(said, "denied", int), typed(said, "limit", dict)
    if denied:
        return inbox.DENIED, "was refused a permission" + (" (%d times)" % denied if denied > 1 else "")
    if limit:
        return inbox.LIMIT, text.one_line(limit.get("text") or "ran into a limit of its vendor", 160)
    if (typed(said, "retries", int) or 0) >= _RETRIES and row.doing.startswith(_AGAIN):
        return inbox.BLOCKED, "has tried %d times" % said["retries"]
    spent = row.cost_usd if row.cost_usd is not None else row.virtual_usd
    most, turns = spec.limits.max_cost_usd, spec.limits.max_turns
    if most and (spent or 0) >= _NEARLY * most:
        return inbox.BUDGET, "has used %s of %s" % (text.money(spent), text.money(most))
    if turns and (row.turns or 0) >= _NEARLY * turns:
        return inbox.BUDGET, "has used %d of %d turns" % (row.turns or 0, turns)
    return "", ""


def heard(row: Row, at: float, now: float, idle_s: float) -> Row:
    """The row of a live run whose last event was at this time; one that was silent for `idle_s` needs a person."""
    idle = bool(idle_s) and row.status == RUNNING and now - at >= idle_s
    if row.need == inbox.IDLE or (idle and not row.need):
        need, why = (inbox.IDLE, "has printed nothing for %s" % text.duration(now - at)) if idle else ("", "")
        return row.replace(heard_at=at, need=need, why=why)
    return row if row.heard_at == at else row.replace(heard_at=at)


def ended_row(known: dict[str, Any], root: str) -> Row:
    """A run that has ended, from its result. `root`: see Row.family."""
    goal, changed = typed(known, "goal", str) or "", sizes(typed(known, "git_diff_stat", str) or "")
    run_id = str(known.get("run_id"))

    def words(name: str) -> str:
        return typed(known, name, str) or ""

    need = _ended_need(known, bool(goal))
    return Row(
        run_id=run_id,
        family=root or goal or run_id,
        member=bool(goal),
        place=_place(words("backend"), root or run_id, words("workflow"), words("step")),
        agent=member_name(words("agent"), goal),
        role=words("role"),
        profile=words("profile") or words("backend"),
        title=words("title"),
        project=words("project"),
        status=words("status"),
        need=need,
        why=text.one_line(words("error") or words("notes") or words("summary"), 160) if need else "",
        doing=text.one_line(words("error") or words("summary"), 200),
        heard_at=typed(known, "finished_at", (int, float)) or None,
        created_at=typed(known, "created_at", (int, float)) or 0.0,
        **_figures(known),
        files=changed.get("file"),
        added=changed.get("insertion"),
        removed=changed.get("deletion"),
        parent=words("parent"),
    )


def _ended_need(known: dict[str, Any], member: bool) -> str:
    """How an end wants a person; of those that work for a goal its driver is told, and what went on needs nobody."""
    status = known.get("status")
    if member or known.get("escalated_to"):
        return ""
    if status == FINISHED:
        if known.get("goal_met") is False:
            return REJECTED if known.get("backend") == "goal" else judge.NOT_MET
        return judge.CHECK_SAID_NO if known.get("verified") == CHECK_FAILED else ""
    return str(status) if status in (FAILED, LOST, TIMED_OUT) else FAILED if status == listing.INVALID else ""


def sizes(diff_stat: str) -> dict[str, int]:
    """{file, insertion, deletion} of the last line of git's statistics, as far as they are there."""
    last = diff_stat.rstrip().rpartition("\n")[2]
    found = {word.rstrip("s"): int(number) for number, word in _CHANGED.findall(last)}
    return {"insertion": 0, "deletion": 0, **found} if found else {}


def shown(told: Sequence[Row], acknowledged: Container[str], since: float) -> list[Row]:
    """The living, and of those that have ended what still needs a person, or ended after `since`.

    What was acknowledged, or went on as another run, needs nobody any more.
    """
    newest: dict[str, float] = {}
    for row in (row for row in told if row.place):
        newest[row.place] = max(newest.get(row.place, 0.0), row.created_at)
    over = {row.parent for row in told} | {r.run_id for r in told if r.created_at < newest.get(r.place, 0.0)}
    over -= {row.run_id for row in told if row.status in LIVE}
    calm = [row.replace(need="", why="") if row.need and _over(row, over, acknowledged) else row for row in told]
    return [row for row in calm if row.status in LIVE or row.need or (row.heard_at or 0.0) > since]


def _over(row: Row, followed: Container[str], acknowledged: Container[str]) -> bool:
    return row.run_id in acknowledged or row.run_id in followed


def event_of(row: Row) -> str:
    """The event of an inbox that told of what this row needs."""
    return inbox.name_of(row.run_id, row.need if row.status in LIVE else inbox.ENDED)


def ordered(rows: Iterable[Row]) -> list[Row]:
    """Those that need a person first, then the living, then what has ended; newest first; a goal's members below it."""
    families: dict[str, list[Row]] = {}
    for row in rows:
        families.setdefault(row.family, []).append(row)
    ranked = sorted(families.values(), key=lambda family: (min(map(_rank, family)), -_birth(family)))
    return [row for family in ranked for row in sorted(family, key=lambda r: (r.member, _rank(r), -r.created_at))]


def _rank(row: Row) -> int:
    if row.need:
        return NEEDS.index(row.need)
    return len(NEEDS) + (_CALM.index(row.status) if row.status in _CALM else len(_CALM))


def _birth(family: Sequence[Row]) -> float:
    return max(row.created_at for row in family)


def counted(rows: Iterable[Row]) -> dict[str, int]:
    """How many are running, queued, paused, and how many need a person."""
    found = dict.fromkeys((*_CALM, "need"), 0)
    for row in rows:
        if row.status in found:
            found[row.status] += 1
        found["need"] += bool(row.need)
    return found
