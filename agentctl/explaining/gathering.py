"""From the files of a home to the situation of a run. It reads; a run whose runner is gone is settled on the way."""

from __future__ import annotations

import os

from .. import config
from .. import custody
from .. import files
from .. import finding
from .. import judge
from .. import listing
from .. import pools
from ..errors import AgentctlError
from ..goals import asked
from ..goals import journal
from ..goals import kin
from ..model import LIVE
from ..model import Result
from ..record import typed
from ..store import ID
from ..store import Run
from .situation import GoalState
from .situation import Load
from .situation import Other
from .situation import Situation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from typing import Any
    from typing import Optional

    from ..config import Config
    from ..model import Spec
    from ..store import Home

_TAIL = 4000
_HEAD = 1 << 18
_MOST = 50


def situation(run: Run, now: float) -> Situation:
    """All that is known of a run now. Raises AgentctlError."""
    home, known = run.home, listing.known(run, now)
    spec, said, result = run.spec(), run.progress(), Result.from_json(known)
    live, configured = result.status in LIVE, config.load(home)[0]
    found = Situation(
        spec=spec,
        result=result,
        live=live,
        now=now,
        stagger_s=configured.stagger_s,
        idle_notice_s=configured.idle_notice_s,
        started_at=result.started_at or _started(run),
        followed_by=result.escalated_to or finding.next_of(home, run.id),
        goal=_goal(home, run),
        **_of_folder(run, said, str(known.get("doing") or "")),
    )
    found = _housed(home, spec, found)
    return _waiting(home, configured, spec, found) if live else found.replace(after=_all(home, spec.after, now))


def _waiting(home: Home, configured: Config, spec: Spec, found: Situation) -> Situation:
    """With those that a run which lives may wait for."""
    return found.replace(
        after=_all(home, (finding.last_of(home, run_id) for run_id in spec.after), found.now, spec.after),
        turns=tuple(other for other in _all(home, _earlier(home, spec), found.now) if other.live),
        session=tuple(_in_session(home, spec, found.now)),
        loads=tuple(_loads(home, configured, spec)),
    )


def _all(home: Home, ids: Iterable[str], now: float, asked_for: tuple[str, ...] = ()) -> tuple[Other, ...]:
    """Other runs as they are now; `asked_for`, where given, are the runs that these stand for."""
    found = list(ids)
    firsts = asked_for or found
    return tuple(_other(home, run_id, now, first) for run_id, first in zip(found, firsts))


def _other(home: Home, run_id: str, now: float, first: str) -> Other:
    record = listing.record_of(home, run_id, now)
    if record is None:
        return Other(run_id=run_id, outcome="its folder is gone", enough=False)
    result = Result.from_json(record)
    live = result.status in LIVE
    doing = str(record.get("doing") or "")
    words = ": ".join(w for w in (result.status, doing) if w) if live else judge.headline(result)
    short = "" if live else judge.shortfall(result)
    bearable = bool(short) and short in _bears(home, first)
    return Other(run_id=run_id, live=live, outcome=words, enough=not short or bearable)


def _bears(home: Home, run_id: str) -> tuple[str, ...]:
    """The ends of a run in spite of which those that come after it begin."""
    run = Run(home, run_id)
    return run.spec().continue_on if run.exists() else ()


def _earlier(home: Home, spec: Spec) -> Iterator[str]:
    """The runs before it in its agent's chain, as far as it waits for them."""
    if not spec.agent:
        return
    from .. import conversation

    for run in conversation.earlier(home, spec):
        yield run.id
        result = run.result()
        if result and result.started_at:
            return


def _in_session(home: Home, spec: Spec, now: float) -> Iterator[Other]:
    """Other runs that are alive in the conversation that it goes on with."""
    if not (spec.resume and spec.session_id):
        return
    for run_id in finding.live(home):
        other = Run(home, run_id)
        theirs = {other.spec().session_id, other.progress().get("session_id")}
        if run_id != spec.id and spec.session_id in theirs:
            yield _other(home, run_id, now, run_id)


def _loads(home: Home, configured: Config, spec: Spec) -> Iterator[Load]:
    """The pools in whose queue it stands."""
    for name in pools.limited(home, configured, spec):
        folder = pools.Pool.place(home, name)
        queue = sorted(_names(os.path.join(folder, "queue")))
        ids = [pools.ticket_of(ticket) for ticket in queue]
        if spec.id in ids:
            yield Load(
                pool=name,
                folder=os.path.relpath(folder, home.path),
                slots=pools.limit(configured, spec, name) or 0,
                holders=tuple(_holders(home, folder)),
                before=tuple(ids[: ids.index(spec.id)]),
            )


def _holders(home: Home, folder: str) -> Iterator[str]:
    """The runs that slots of a pool name, and that have not ended."""
    for name in sorted((name for name in _names(folder) if name.isdigit()), key=int):
        try:
            run_id = files.read(os.path.join(folder, name), 20).decode("ascii", "replace")
        except FileNotFoundError:
            continue  # nobody's any more
        if ID.match(run_id) and Run(home, run_id).exists() and Run(home, run_id).recorded() is None:
            yield run_id


def _names(folder: str) -> list[str]:
    return os.listdir(folder) if os.path.isdir(folder) else []


def _started(run: Run) -> Optional[float]:
    """When its worker was started first, by its own events."""
    for line in _read(run, "events.jsonl", _HEAD).splitlines():
        try:
            event = files.parse(line.encode("utf-8"))
        except ValueError:
            continue  # the last line of the part that was read
        if isinstance(event, dict) and event.get("kind") == "started":
            at = typed(event, "at", (int, float))
            return None if at is None else float(at)
    return None


def _last_sign(run: Run) -> Optional[float]:
    """When its runner or its worker last wrote anything."""
    times = [files.mtime(run.file(name)) for name in ("status.json", "events.jsonl", "raw.jsonl", "lock")]
    return max((at for at in times if at is not None), default=None)


def _of_folder(run: Run, said: dict[str, Any], doing: str) -> dict[str, Any]:
    """What lies in its folder, and what its runner said last."""
    logs = {"stderr": "stderr.log", "verify": "verify.log", "setup": "setup.log"}
    tails = {key: files.read_tail(run.file(name), _TAIL) for key, name in logs.items()}
    return {
        **{key: tail.decode("utf-8", "replace") for key, tail in tails.items()},
        **{name + "_at": files.mtime(run.file(name)) for name in ("stop", "pause")},
        "printed_at": files.mtime(run.file("raw.jsonl")) if files.size(run.file("raw.jsonl")) else None,
        "sign_at": _last_sign(run),
        "staged": run.staged(),
        "told": bool(said),
        "doing": doing,
        "worker": typed(said, "worker", int) or 0,
        "denied": typed(said, "denied", int) or 0,
    }


def _read(run: Run, name: str, most: int) -> str:
    try:
        return run.text(name, most)
    except OSError:
        return ""  # it cannot be read: nothing is known from it


def _goal(home: Home, run: Run) -> GoalState:
    """Where its cycles stand, by its journal."""
    if not asked.is_goal(run):
        return GoalState()
    from ..reporting import cycles

    root = asked.root_of(home, run.id)
    runs = kin.runs(home, root)
    entries = journal.entries(runs)
    rejected = next((e for e in reversed(entries) if e["step"] == journal.JUDGED and e.get("accepted") is False), {})
    numbers = [typed(e, "cycle", int) for e in entries if e["step"] == journal.CYCLE]
    return GoalState(
        goal=root,
        cycle=numbers[-1] if numbers else None,
        last_step=cycles.word(entries[-1], "text") or entries[-1]["step"] if entries else "",
        outcome=cycles.word(cycles.last(entries, journal.OVER), "outcome", 60),
        verify=asked.load(run).verify,
        rejected="; ".join(cycles.words(rejected, "reasons")),
        runs=tuple(one.id for one in runs),
        members=tuple(_other(home, one.id, 0.0, one.id) for one in kin.live(home, root)[:_MOST]),
    )


def _housed(home: Home, spec: Spec, found: Situation) -> Situation:
    """With its worktree, and whether that is there."""
    if not spec.worktree.run:
        return found
    kept = custody.load(home, spec.worktree.run)
    if kept is None:
        return found
    return found.replace(kept=kept, there=os.path.isdir(kept.worktree.path))


def named(home: Home, word: str) -> Run:
    """The run that a word means. Raises AgentctlError."""
    if finding.names_workflow(word):
        raise AgentctlError("`%s` is a workflow" % word, "see its steps: `agentctl workflow show %s`" % word)
    return home.run(finding.resolve(home, word))
