"""What is worth a notice: decided where a run's events are posted, whether or not it has an orchestrator.

It is on disk before its sender is started, and before the run's end is marked as told: a
runner killed in between leaves that to whoever settles the run, which changes nothing twice.
Where nothing is configured this costs a look at config.json.
"""

from __future__ import annotations

import os
import time

from .. import birth
from .. import config as configuration
from .. import finding
from .. import inbox
from .. import judge
from .. import launch
from .. import noticing
from .. import paths
from .. import text
from ..model import FAILED
from ..model import FINISHED
from ..model import LOST
from ..model import RUNNING
from ..model import TIMED_OUT
from ..store import ID
from ..store import Run
from . import shelf
from .shelf import Notice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from ..model import Result
    from ..model import Spec
    from ..store import Home

ALL_DONE = "done"
_BROKEN = (FAILED, TIMED_OUT, LOST)


def of_needs(run: Run, spec: Spec, found: Mapping[str, str]) -> None:
    """Of what a live run has to tell (kind → words) a person is told what needs one. Raises OSError."""
    needs = [kind for kind in found if kind in inbox.NEEDS]
    if needs and noticing.NEEDS in _wanted(run.home):
        for kind in needs:
            shelf.put(run.home, _notice(run, spec, noticing.NEEDS, kind, found[kind]))
        send_for(run.home)


def of_end(run: Run, spec: Spec, result: Result) -> None:
    """Of a run's end: that it failed, that it needs somebody, that nothing is at work any more. Raises OSError."""
    wanted = _wanted(run.home)
    if wanted:
        for notice in _of_end(run, spec, result):
            if notice.kind in wanted:
                shelf.put(run.home, notice.replace(**_facts(result)))
        if noticing.DONE in wanted and not alive(run.home, run.id):
            shelf.put(run.home, _all_done(run, spec, result))
        send_for(run.home)


def _wanted(home: Home) -> tuple[str, ...]:
    return noticing.kinds(configuration.load(home)[0].notify)


def _of_end(run: Run, spec: Spec, result: Result) -> Iterator[Notice]:
    """A refusal may have been seen with the end only; by its name it is the same as one that was told before."""
    if result.denied:
        words = "was refused: %s" % text.one_line(result.denied[0], 80)
        yield _notice(run, spec, noticing.NEEDS, inbox.DENIED, words)
    kind = kind_of(spec, result)
    if kind:
        said = judge.outcome(result.status, result.goal_met, result.verified)
        yield _notice(run, spec, kind, inbox.ENDED, ": ".join(p for p in (said, result.error) if p))


def kind_of(spec: Spec, result: Result) -> str:
    """What a run's end is to a person, or "". Pure.

    What works for a goal is its driver's business; what was escalated goes on.
    """
    if spec.goal or result.escalated_to:
        return ""
    if result.status in _BROKEN:
        return noticing.FAILED
    if result.status != FINISHED:
        return ""
    good = judge.exit_code([result]) == 0
    if spec.backend == "goal":
        return noticing.DONE if good else noticing.NEEDS
    return "" if good else noticing.FAILED


def _all_done(run: Run, spec: Spec, result: Result) -> Notice:
    """Named by the newest run there is: whoever of many sees it, it is the same."""
    newest = next(finding.newest(run.home), run.id)
    said = judge.outcome(result.status, result.goal_met, result.verified)
    notice = _notice(run, spec, noticing.DONE, ALL_DONE, "nothing is at work any more; the last %s" % said)
    return notice.replace(id=inbox.name_of(newest, ALL_DONE), **_facts(result))


def _facts(result: Result) -> dict[str, object]:
    return {"status": result.status, "goal_met": result.goal_met, "verified": result.verified}


def _notice(run: Run, spec: Spec, kind: str, event: str, words: str) -> Notice:
    return Notice(
        id=inbox.name_of(run.id, event),
        kind=kind,
        event=event,
        run_id=run.id,
        title=text.one_line(spec.title, 80),
        project=text.one_line(spec.project, 80),
        status=RUNNING,
        text=text.one_line(words, 160),
        home=run.home.path,
        at=time.time(),
    )


def alive(home: Home, other_than: str = "") -> list[str]:
    """Runs that hold their lock and have published no end.

    An end under a lock counts, so that of two that end together one sees the other's.
    """
    runs = (Run(home, run_id) for run_id in finding.live(home) if run_id != other_than)
    return [run.id for run in runs if run.runner_alive() and not os.path.exists(run.file("result.json"))]


def at_rest(home: Home) -> bool:
    """Whether nothing is alive and nothing is about to be born."""
    now = time.time()
    staged = [Run(home, name[1:]) for name in os.listdir(home.runs) if name[:1] == "." and ID.match(name[1:])]
    return not any(birth.may_come(run, now) for run in staged) and not alive(home)


def send_for(home: Home) -> None:
    """Have a process of its own send what waits, if anything does. Raises OSError."""
    if shelf.waiting(home):
        launch.detached([*paths.PROGRAM, "_notice", home.path], os.environ)
