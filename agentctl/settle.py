"""What a reader does when a runner is gone: write down the end that it could not.

A free lock and no result means lost. The first reader that can take the lock
looks once more, stops what the worker left, saves what is known (never as
success), publishes `lost` and notifies. Two readers cannot both do it, and a
runner that comes late finds the result and goes.
"""

from __future__ import annotations

import os
import time

from . import backends
from . import bell
from . import birth
from . import environ
from . import files
from . import judge
from . import locks
from . import notify
from . import store
from . import supervise
from . import wake
from .errors import AgentctlError
from .model import LOST
from .model import Result
from .model import Spec
from .model import Worktree
from .progress import of_spec
from .record import typed
from .store import Run
from .stream import FLOOD
from .stream import raw_events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .progress import Progress

_FRESH_S = 10.0
"""Seconds after an end in which its runner is taken to be about to start the run that goes on for it."""


def settled(run: Run, now: float) -> Optional[Result]:
    """The result of a run whose lock is free; None while it may still be born or is being settled.

    On a disk that cannot be written the answer is the same and nothing is changed.
    """
    result = run.result()
    if result:
        if not _at_it(run, result, now):
            _repair(run, result)
        return result
    if run.staged() and birth.may_come(run, now):
        return None
    try:
        lock = locks.try_take_existing(run.file("lock"))
    except FileNotFoundError:
        if Run(run.home, run.id).staged() or os.path.isfile(run.file("lock")):
            return None
        raise AgentctlError(
            "run %s is damaged: its lock file is gone" % run.id, "look at its folder: %s" % run.path
        ) from None
    except OSError as e:
        return _lost(run, "its runner is gone (%s)" % e.strerror, now)
    if lock is None:
        return None
    try:
        return run.result() or _settle(run, now)
    finally:
        os.close(lock)


def complete(run: Run) -> None:
    """For who knows that the runner is dead: what it left undone after its result, however fresh that is."""
    result = run.result()
    if result:
        _repair(run, result)


def _at_it(run: Run, result: Result, now: float) -> bool:
    """Whether the runner, which has let go of its lock, may only be about to start its successor."""
    return bool(result.successor) and abs(now - result.finished_at) < _FRESH_S and _successor(run, result).staged()


def _successor(run: Run, result: Result) -> Run:
    return Run(run.home, result.successor)


def _repair(run: Run, result: Result) -> None:
    """A crash between result and notification is mended here, once."""
    if not run.told() and not run.runner_alive():
        try:
            store.end(run, result)  # changes no result; takes away the hints that it is alive
            _finish(run, result)
        except (AgentctlError, OSError):
            pass  # a full or read-only disk: reading still works, a later reader repairs


def _settle(run: Run, now: float) -> Result:
    why = "its runner never came" if run.staged() else "its runner is gone and left no result"
    _stop_what_is_left(run)
    result = _lost(run, why, now)
    try:
        store.end(run, result)
        child = run.child()
        if child and child.staged():
            birth.withdraw(child)  # staged by a runner that died before anybody heard of it
        _finish(run, result)
    except OSError:
        pass  # read-only or full: the answer is the same for this reader, the next one tries again
    return run.result() or result


def _finish(run: Run, result: Result) -> None:
    """What comes after the result; every step of it may have been done by somebody who was killed then."""
    files.make_way(run.file("environment"))
    files.remove(run.file("environment"))  # a runner killed as it was born had no time to
    if run.staged():
        os.rename(run.path, os.path.join(run.home.runs, run.id))
    bell.remove_all(run.file(bell.OF_RUN))
    _go_on(run, result)
    posted = notify.note_end(run, result)
    store.tidy(run)
    if posted:  # else its runner, or the runner's sentinel, sees to the wake
        wake.send_for(run.home, run.spec().wake.orchestrator)


def _go_on(run: Run, result: Result) -> None:
    """Start the run that the result names, with its caller's environment, which lies in its folder.

    Where it is too late for that it is settled, so that its end is told. A runner that
    starts it all the same does no harm: whoever comes second finds it born.
    """
    if not result.successor or not _successor(run, result).staged():
        return
    from . import config as configuration
    from . import followup

    child, now = _successor(run, result), time.time()
    if not birth.may_come(child, now):
        settled(child, now)
        return
    birth.renewed([child], 0.0)
    env, _ = environ.taken_over(files.read(child.file("environment")))
    followup.launch_staged(run.home, configuration.load(run.home)[0], child.id, env)


def _stop_what_is_left(run: Run) -> None:
    """By the group that status.json names, a hint, and only as far as its members prove to be the run's."""
    said = run.progress()
    group, started = typed(said, "worker", int) or 0, typed(said, "worker_started", str) or ""
    supervise.end_group(group if 1 < group < 1 << 31 else 0, run.id, grace=1.0, started=started)


def _lost(run: Run, why: str, now: float) -> Result:
    spec = run.spec()
    progress = salvaged(run, spec)
    report = progress.report or {}
    result = judge.seen(judge.blank(spec, LOST, why), progress)
    return housed(run, spec, result).replace(
        session_id=result.session_id or _session_given(run, spec),
        summary=str(report.get("summary") or "")[:8000],
        notes="last report before it was lost, not a success" if report else "",
        artifacts=artifacts(run),
        finished_at=now,
    )


def salvaged(run: Run, spec: Spec) -> Progress:
    """What raw.jsonl tells, which is all that the worker ever printed."""
    progress = of_spec(spec)
    try:
        for event in raw_events(run.file("raw.jsonl"), backends.parser(spec), FLOOD):
            progress.add(event)
    except (OSError, AgentctlError):
        pass  # its worker was never started, or meta.json does not say what it was: nothing is known
    return progress


def _session_given(run: Run, spec: Spec) -> str:
    """The id given to the vendor in advance counts once the worker has said anything."""
    return spec.session_id if spec.resume or files.size(run.file("raw.jsonl")) else ""


def housed(run: Run, spec: Spec, result: Result) -> Result:
    """Add the worktree and its branch, as they were made: what was planned may never have been."""
    if not spec.worktree.run:
        return result
    from . import custody

    kept = custody.load(run.home, spec.worktree.run)
    made = kept.worktree if kept and not kept.removed_at else Worktree()
    return result.replace(branch=made.branch, worktree=made.path)


_ARTIFACTS = ("raw.jsonl", "stderr.log", "events.jsonl", "setup.log", "verify.log", "diff.stat", "diff.patch")


def artifacts(run: Run) -> tuple[str, ...]:
    """Names of the run's files that hold anything."""
    return tuple(name for name in _ARTIFACTS if files.size(run.file(name)))
