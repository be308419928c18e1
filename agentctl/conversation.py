"""Which conversation a run of an agent goes on with, seen when its turn has come.

An agent's runs are a chain: each names the one before it as its parent and waits for its
end. Only then is it known what there is to go on with: the session of the newest run
before it that got an answer, unless that will not do. What was seen is written down
(conversation.json) before the worker starts, so that whoever comes later, or settles the
run, sees the same. Everything it needs is in the run's own spec and in the runs before it:
the agent may have been changed or deleted meanwhile.
"""

from __future__ import annotations

import json
import os
from itertools import islice

from . import backends
from . import files
from . import fleet
from . import judge
from . import prompting
from . import text
from .model import FINISHED
from .model import Usage
from .record import Record
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

    from .attend import Attendant
    from .model import Result
    from .model import Spec
    from .store import Home

    Past = tuple[Spec, Result]

SHARE_OF_WINDOW = 0.8
"""How much of a model's context window a conversation may use where the agent names no limit."""
_MOST_TOLD = 30
_MOST_BACK = 20
_NO_SESSION = ("no conversation found", "no rollout found")
"""What claude (2.1.197) and codex (0.169.0) say of a session that they do not have."""


class Found(Record):
    """What a run goes on with; `why` it does not go on with what there was, and the `seed` it is told."""

    session_id: str = ""
    usage_before: Usage = Usage()
    seed: str = ""
    why: str = ""


def earlier(home: Home, spec: Spec) -> Iterator[Run]:
    """The runs before this one in its agent's chain, newest first."""
    known = fleet.record(home, spec.agent)
    since = known.created_at if known and known.created_at <= spec.created_at else 0.0
    return fleet.chain(home, spec.agent, spec.parent, spec.created_at, since, spec.id)


def remembered(home: Home) -> dict[str, str]:
    """The runs by which agents know their conversations, each with its agent: to the newest that got an answer."""
    found: dict[str, str] = {}
    for name in fleet.names(home):
        agent = fleet.record(home, name)
        for run in fleet.runs(home, agent) if agent else ():
            found[run.id] = name
            result = run.result()
            if result is not None and answered(result):
                break
    return found


def take_up(attendant: Attendant) -> None:
    """See what this run goes on with, and write it down. Raises OSError.

    All runs before it have ended.
    """
    spec, home = attendant.spec, attendant.run.home
    pasts = list(islice(_pasts(home, spec), 1))
    if spec.parent and (not pasts or pasts[0][0].id != _before(home, spec)):
        follows = "it follows %s" % pasts[0][0].id if pasts else "nothing is left of its conversation"
        attendant.remarks.append("run %s, which it was to follow, is gone: %s" % (spec.parent, follows))
    spec = _housed(home, spec, attendant.remarks)
    found = chosen(spec, lambda: _pasts(home, spec))
    if found.session_id:
        spec = spec.replace(session_id=found.session_id, resume=True, usage_before=found.usage_before)
    attendant.spec, attendant.seed, attendant.conversation = spec, found.seed, found.why
    attendant.story.progress.take_up(spec.usage_before, spec.resume)
    _write_down(attendant.run, spec)
    if found.why:
        attendant.story.note("note", found.why)


def _before(home: Home, spec: Spec) -> str:
    """The run that it follows: its parent, or the one that went on for that."""
    parent = Run(home, spec.parent)
    return next((run.id for run in fleet.successors(parent, spec.id)), parent.id)


def _write_down(run: Run, spec: Spec) -> None:
    said = spec.to_json()
    names = ["session_id", "resume", "usage_before"]
    names += ["worktree", "cwd", "top"] if spec.worktree.path else []
    files.replace(run.file("conversation.json"), files.dump({name: said[name] for name in names}))


def _pasts(home: Home, spec: Spec) -> Iterator[Past]:
    """Spec and result of the runs before this one, newest first, as far as they ended."""
    for run in earlier(home, spec):
        result = run.result()
        if result is not None:
            yield run.spec(), result


def chosen(spec: Spec, pasts: Callable[[], Iterator[Past]]) -> Found:
    """What the run goes on with, by the runs before it, newest first. Pure."""
    if spec.fresh and spec.parent:
        return Found(why="a fresh conversation, as asked: it was told nothing of the one before")
    full = ""
    for past, result in pasts():
        if answered(result):
            break
        if past.fresh:
            return Found(why="a fresh conversation, which run %s was to begin and got no answer in" % past.id)
        full = full or _unusable(result)
    else:
        return Found()
    session = _of_session(past, pasts())
    why = full or _unusable(result) or _misfit(spec, past, result) or _spent(spec, session)
    if why:
        return Found(seed=_memory(pasts()), why="a fresh conversation: %s; it was told the last report" % why)
    used = [known.usage_session for known in session if known.usage_session != Usage()]
    return Found(session_id=result.session_id, usage_before=used[0] if used else Usage())


def answered(result: Result) -> bool:
    """Whether the vendor has a conversation of this run: its worker got an answer.

    Claude (2.1.197) keeps nothing of a run that was killed before that, and then says
    that there is no conversation.
    """
    used, calls = result.usage, sum((result.tool_calls or {}).values())
    return bool(result.session_id) and bool(used.turns or used.input or used.output or result.messages or calls)


def _unusable(result: Result) -> str:
    """Why the session of this run will not take another prompt, or ""."""
    if result.status != FINISHED and (result.limit or {}).get("reason") == "context":
        return "its context was full"
    gone = any(words in result.error.lower() for words in _NO_SESSION)
    return "the vendor no longer has session %s" % result.session_id if gone else ""


def _misfit(spec: Spec, past: Spec, result: Result) -> str:
    """Why a session of that run is none for this one: a vendor finds it by its id, and claude by its repository too."""
    if spec.backend != past.backend:
        return "its backend is %s, no longer %s" % (spec.backend, past.backend)
    if spec.project != past.project:
        return "its project is %s, no longer %s" % (spec.project or "none", past.project or "none")
    if spec.cwd != past.cwd and not (spec.worktree.run or past.worktree.run):
        return "its directory is %s, no longer %s" % (spec.cwd, past.cwd)
    return backends.adapter_of(spec).refuse(spec.replace(session_id=result.session_id, resume=True))


def _spent(spec: Spec, session: list[Result]) -> str:
    """Whether the conversation has used more context than it may; "" also where nobody tells."""
    last = next((result for result in session if result.context_tokens is not None), None)
    if last is None or last.context_tokens is None:
        return ""
    window = int(SHARE_OF_WINDOW * last.context_window) if last.context_window else None
    most = window if spec.conversation_limit is None else spec.conversation_limit
    if most is None or last.context_tokens <= most:
        return ""
    return "%d tokens of context were used of at most %d" % (last.context_tokens, most)


def _of_session(of: Spec, pasts: Iterator[Past]) -> list[Result]:
    """The results of the session that this run was in, newest first, from that run on."""
    found: list[Result] = []
    for past, result in islice(pasts, _MOST_BACK):
        if found and result.session_id != found[0].session_id:
            break
        if found or past.id == of.id:
            found.append(result)
    return found


def _memory(pasts: Iterator[Past]) -> str:
    """What a fresh conversation is told: a line for each run since one was told nothing, and the last report."""
    lines, report = [], None
    for past, result in islice(pasts, _MOST_TOLD):
        said = result.summary or judge.headline(result)
        lines.append("- %s: %s" % (text.one_line(past.title, 80), text.one_line(said, 300)))
        report = report or result.report
        if past.fresh:
            break
    known = json.dumps(report, indent=1, sort_keys=True, ensure_ascii=False) if report else ""
    return prompting.memory("\n".join(reversed(lines)), known)


def _housed(home: Home, spec: Spec, remarks: list[str]) -> Spec:
    """In the worktree of the runs before it, where it is to have one and theirs stands; else in one of its own."""
    if not spec.worktree.path:
        return spec
    from . import custody
    from .trees import worktree

    for past, _ in islice(_pasts(home, spec), _MOST_BACK):
        if not past.worktree.run or past.worktree.common != spec.worktree.common:
            continue
        kept = custody.load(home, past.worktree.run)
        if kept is None or not kept.filled_at:
            continue  # it was never made
        if kept.removed_at or not worktree.exists(kept.worktree):
            remarks.append("the worktree of run %s is gone: it worked in a new one" % kept.worktree.run)
            break
        top = kept.worktree.path
        cwd = os.path.join(top, spec.worktree.inside) if spec.worktree.inside else top
        return spec.replace(worktree=kept.worktree, top=top, cwd=cwd)
    return spec
