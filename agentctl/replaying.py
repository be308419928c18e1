"""A run's raw output read again with today's adapter, held against what was recorded.

raw.jsonl is the evidence; everything else is what we made of it. Where the two
differ, the adapter has changed since, or the worker's file was tampered with.
"""

from __future__ import annotations

import os

from . import backends
from . import files
from . import judge
from . import progress
from . import reports
from .errors import AgentctlError
from .model import FINISHED
from .model import LOST
from .model import STOPPED
from .model import TIMED_OUT
from .record import Record
from .stream import raw_events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .model import Event
    from .model import Result
    from .model import Spec
    from .progress import Progress
    from .store import Run

_CAUSES = {FINISHED: judge.OWN, STOPPED: judge.STOP, TIMED_OUT: judge.TIMEOUT}


class Difference(Record):
    """A field that reads otherwise now."""

    field: str = ""
    recorded: Any = None
    replayed: Any = None


def recorded(run: Run) -> Result:
    """The result to hold the replay against. Raises AgentctlError while there is none."""
    result = run.result()
    if result is None:
        raise AgentctlError("run %s has not ended" % run.id, "wait for it: `agentctl wait %s`" % run.id)
    return result


def replay(run: Run, spec: Spec, show: Callable[[Event], None]) -> Progress:
    """Parse and fold raw.jsonl, handing over each event; its events have no times."""
    folded = progress.of_spec(spec)
    if os.path.exists(run.file("raw.jsonl")):  # else its worker was never started
        for event in raw_events(run.file("raw.jsonl"), backends.parser(spec)):
            folded.add(event)
            show(event)
    return folded


def differences(run: Run, spec: Spec, result: Result, folded: Progress) -> list[Difference]:
    """Where session, usage or report of the recorded result read otherwise now."""
    report, problem = reports.report_of(folded, files.load(run.file("schema.json")))
    ended = judge.Ended(cause=_CAUSES.get(result.status, judge.LIMIT), exit_code=result.exit_code, signal=result.signal)
    again = judge.judge(spec, folded, ended, report, problem)
    fields = ["usage", "usage_session"]
    fields += ["report"] if result.status != LOST else []
    fields += ["session_id"] if folded.session_id or result.session_id != spec.session_id else []
    before, now = result.to_json(), again.to_json()
    return [Difference(field=f, recorded=before[f], replayed=now[f]) for f in fields if before[f] != now[f]]
