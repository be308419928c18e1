"""Whether a goal that was asked for makes sense. What does not is said before anything starts."""

from __future__ import annotations

import os
import re
import time

from .. import gitdoor
from ..branches import checkpoints
from ..errors import AgentctlError
from ..errors import usage_error
from ..text import one_line
from . import asked as asking
from . import deciding
from . import guarding
from . import journal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..store import Run
    from .asked import GoalAsked


def check(asked: GoalAsked, left_out: list[str]) -> None:
    """Raises AgentctlError, with those of the team who cannot work where nobody can."""
    if not asked.team:
        raise AgentctlError("nobody of the team can work here: %s" % "; ".join(left_out), "see `agentctl doctor`")
    if not asked.verify and not deciding.verifiers(asked):
        raise usage_error(
            "nothing would verify the work: no check, and nobody in the team who verifies",
            'give `--verify "CMD"`, or a team with a member that has "verifies": true',
        )
    if asked.mode not in asking.MODES:
        raise usage_error("no mode `%s`" % asked.mode, "one of: %s" % ", ".join(asking.MODES))
    if asked.deadline is not None and asked.deadline <= time.time():
        raise usage_error("that time is over already", "give a later one")
    if re.search(r"[/~]|\$HOME", asked.verify) and _strays(asked):
        raise usage_error(
            "the check goes to %s itself, where the work is done: it is to run in a fresh checkout" % asked.top,
            "name what it runs from where the project is: `make test`, not `cd %s && make test`" % asked.top,
        )


def check_left(asked: GoalAsked, runs: Sequence[Run]) -> None:
    """Raises AgentctlError where whoever goes on with a goal's runs would have nothing to do."""
    step = deciding.next_step(asked, journal.believed(journal.entries(runs)))
    if step.do == deciding.OVER:
        words = "nothing is left to do for goal %s: %s" % (runs[0].id, one_line(step.why, 300))
        raise AgentctlError(words, "allow it more: `--mode saga --max-cycles N`")


def _strays(asked: GoalAsked) -> bool:
    try:
        there = checkpoints.listing(asked.common, asked.base)
    except gitdoor.TROUBLE as e:
        raise AgentctlError("the repository cannot be looked at: %s" % e) from None
    return guarding.strays(asked.verify, asked.top, there, os.path.realpath)
