"""The run that goes on for one that ended: with a stronger profile, or with another vendor.

It is staged before the result of the first is published, so that the result can name it
(`escalated_to`, `fell_back_to`), and started afterwards. Whoever waits for the first one
follows `Result.successor`.
"""

from __future__ import annotations

import time

from . import followup
from . import holds
from . import judge
from .errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .attend import Attendant
    from .model import Result


def candidates(attendant: Attendant) -> list[str]:
    """The backends that could go on for this run, in order: installed, and able to serve it."""
    return [name for name in attendant.spec.fallback if _can_serve(attendant, name)]


def _can_serve(attendant: Attendant, name: str) -> bool:
    run, spec = attendant.run, attendant.spec
    try:
        followup.plan_fallback(run, spec, name, run.text("prompt.md"), attendant.environment)
    except AgentctlError as e:
        attendant.story.note("note", "%s cannot go on for it: %s" % (name, e))
        return False
    return True


def first_free(attendant: Attendant, names: Iterable[str]) -> str:
    """The first of these backends whose pool is not held, or ""."""
    now = time.time()
    pools = ((name, holds.pool(name, attendant.variable)) for name in names)
    return next((name for name, pool in pools if holds.in_force(attendant.run.home, pool, now) is None), "")


def arranged(attendant: Attendant, result: Result) -> Result:
    """The result, naming the run that goes on for it where one does, which is staged."""
    if attendant.falls_back_to:
        return _fallen_back(attendant, result)
    if attendant.spec.escalate_to and judge.wants_escalation(result):
        return _escalated(attendant, result)
    return result


def _fallen_back(attendant: Attendant, result: Result) -> Result:
    progress, name = attendant.story.progress, attendant.falls_back_to
    said = result.summary or (progress.last_message if progress.messages else "")
    try:
        child = followup.stage_fallback(attendant.run, attendant.spec, name, said, attendant.environment)
    except (AgentctlError, OSError) as e:
        return result.replace(warnings=(*result.warnings, "could not go on with %s: %s" % (name, e)))
    return result.replace(fell_back_to=child)


def _escalated(attendant: Attendant, result: Result) -> Result:
    spec = attendant.spec
    try:
        child = followup.stage_escalation(attendant.run, spec, result, attendant.environment)
    except (AgentctlError, OSError) as e:
        return result.replace(warnings=(*result.warnings, "could not escalate to %s: %s" % (spec.escalate_to, e)))
    return result.replace(escalated_to=child)
