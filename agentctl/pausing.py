"""Pausing runs and having them go on: the requests, and waiting until their runners have done it.

Requests are the files `pause` and `continue` in the run's folder; its runner alone takes
them away. `pause` stays where the run is lost or stopped meanwhile, as after a restart of
the machine: then a run is begun that goes on with the session, once, and its id is noted
in that file. Whoever asks a run that is being settled takes nothing away by that. A run that
waited for its vendor's account when it was lost is gone on with in the same way.
"""

from __future__ import annotations

import os
import time

from . import bell
from . import config as configuration
from . import files
from . import finding
from . import followup
from . import launch
from . import listing
from . import locks
from .errors import AgentctlError
from .model import LIVE
from .model import LOST
from .model import PAUSED
from .model import STOPPED
from .record import Record
from .store import ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from typing import Any

    from .config import Config
    from .store import Home
    from .store import Run

_PATIENCE_S = 25.0
_NAP = 0.01


class Outcome(Record):
    """What became of a request: the run's status and what it does; `followed_by` is the run that goes on for it."""

    run_id: str = ""
    status: str = ""
    doing: str = ""
    followed_by: str = ""


def pause(home: Home, ids: Iterable[str]) -> Iterator[Outcome]:
    """Have runs stand still; each outcome once its runner has done it.

    Raises AgentctlError for a run that has ended, after the others were seen to.
    """
    return _each(home, _meant(home, ids, lambda run: run.result() is None), _ask_to_pause, _paused)


def go_on(home: Home, ids: Iterable[str], env: Mapping[str, str]) -> Iterator[Outcome]:
    """Have paused runs go on, by a new run where one was lost or stopped meanwhile. Raises as `pause`."""
    paused = _meant(home, ids, _interrupted)
    return _each(home, paused, _ask_to_go_on, lambda run, lived: _going_on(run, lived, env))


def _meant(home: Home, words: Iterable[str], may: Callable[[Run], bool]) -> list[str]:
    """The ids of runs; of a workflow those that it concerns. Raises AgentctlError where it concerns none."""
    found: list[str] = []
    for word in words:
        ids = finding.expand(home, [word])
        some = [run_id for run_id in ids if may(home.run(run_id))] if finding.names_workflow(word) else ids
        if not some:
            raise AgentctlError(
                "no run of workflow %s can do that now" % word, "see what they do: `agentctl workflow show %s`" % word
            )
        found += some
    return found


def _each(
    home: Home, ids: Iterable[str], ask: Callable[[Run], None], outcome: Callable[[Run, bool], Outcome]
) -> Iterator[Outcome]:
    """Ask all that live, then wait for each. What goes wrong with one is raised when all have been waited for."""
    runs = [home.run(run_id) for run_id in dict.fromkeys(ids)]
    lived = {run.id: _known(run)["status"] in LIVE for run in runs}
    for run in (run for run in runs if lived[run.id]):
        ask(run)
        bell.ring_all(run.file(bell.OF_RUN))
    problems = []
    for run in runs:
        try:
            yield outcome(run, lived[run.id])
        except AgentctlError as e:
            problems.append(e)
    if problems:
        raise problems[0]


def _known(run: Run) -> dict[str, Any]:
    return listing.known(run, time.time())


def _ask_to_pause(run: Run) -> None:
    files.remove(run.file("continue"))  # what was asked last counts
    _ask(run, "pause")


def _ask_to_go_on(run: Run) -> None:
    if _asked(run, "pause"):
        _ask(run, "continue")


def _ask(run: Run, name: str) -> None:
    for _ in range(3):
        try:
            files.create(run.file(name), b"")
            return
        except FileExistsError:
            return
        except FileNotFoundError:
            continue  # born between the look and the write: its folder has another name now


def _asked(run: Run, name: str) -> bool:
    return os.path.exists(run.file(name))


def _interrupted(run: Run) -> bool:
    """Whether it stands still, or waits for its vendor's account (held.py); or did when it was lost or stopped."""
    return _asked(run, "pause") or _asked(run, "held")


def _paused(run: Run, _lived: bool) -> Outcome:
    found = _once(run, "pause", lambda status: status == PAUSED or not _asked(run, "pause"))
    if found.status not in LIVE:
        raise _ended(found, "pause")
    return found


def _going_on(run: Run, lived: bool, env: Mapping[str, str]) -> Outcome:
    """A run that lived when it was asked may have ended since: as wished, unless it got lost."""
    found = _once(run, "go on", lambda status: status != PAUSED or _paused_anew(run))
    if found.status in LIVE:
        return found
    files.remove(run.file("continue"))
    resumable = (LOST,) if lived else (LOST, STOPPED)
    if found.status in resumable and _interrupted(run):
        return found.replace(followed_by=_follower(run, env))
    if not lived:
        raise _ended(found, "go on")
    return found


def _paused_anew(run: Run) -> bool:
    return _asked(run, "pause") and not _asked(run, "continue")


def _ended(found: Outcome, verb: str) -> AgentctlError:
    return AgentctlError(
        "run %s cannot %s: it has ended (%s)" % (found.run_id, verb, found.status),
        "see what became of it: `agentctl show %s`" % found.run_id,
    )


def _once(run: Run, verb: str, reached: Callable[[str], bool]) -> Outcome:
    """The run once its runner has acted, or somebody has asked for the contrary, or it has ended."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        known = _known(run)
        if known["status"] not in LIVE or reached(known["status"]):
            return Outcome(run_id=run.id, status=known["status"], doing=known.get("doing") or "")
        time.sleep(_NAP)
    raise AgentctlError(
        "run %s does not %s: its runner gives no answer" % (run.id, verb),
        "look at its pane: `agentctl attach %s`" % run.id,
    )


def _follower(run: Run, env: Mapping[str, str]) -> str:
    """The id of the run that goes on for an ended one; begun by the first who asks. Raises AgentctlError."""
    lock = locks.take(run.file("pause"))
    try:
        noted = os.pread(lock, 64, 0).decode("ascii", "replace")
        return noted if ID.match(noted) else _begun(run, lock, env)
    finally:
        os.close(lock)


def _staged(run: Run, config: Config, env: Mapping[str, str]) -> Run:
    if not run.spec().agent:
        return followup.stage_continuation(run, config, env)
    from . import agents  # most runs are nobody's

    return agents.stage_continuation(run, config, env)


def _begun(run: Run, lock: int, env: Mapping[str, str]) -> str:
    """Noted before it is launched: a command that is killed in between begins none twice."""
    config = configuration.sound(run.home)
    child = _staged(run, config, env)
    os.pwrite(lock, child.id.encode("ascii"), 0)
    try:
        launch.launch(run.home, config, child, env, child.spec().pane)
    except AgentctlError:
        os.ftruncate(lock, 0)
        raise
    return child.id
