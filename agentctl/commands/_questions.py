"""The questions of the wizard, and what an answer makes of the answers so far. Pure.

Each answer is the value of a flag of `goal`, under the flag's own name.
"""

from __future__ import annotations

import re

from .. import text
from ..errors import usage_error
from ..goals import asked as asking
from ..goals import starting
from ..record import Record
from . import _asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    Answers = dict[str, Any]

HERE = "here"
PLACES = (starting.BESIDE, HERE, starting.COMMIT)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\Z")


class Question(Record):
    """`key` is the flag that its answer is, `default` what an empty line means; `words` end in no colon."""

    key: str = ""
    words: str = ""
    default: str = ""


_QUESTIONS = (
    Question(key="mode", words="Mode: saga (cycles until it is accepted), or mission (one cycle)", default=asking.SAGA),
    Question(key="orchestrator", words="Who directs"),
    Question(key="verify", words="Check: a shell command that must pass (empty: only verifiers decide)"),
    Question(key="max_cycles", words="Cycles at most", default="%d" % asking.GoalAsked().max_cycles),
    Question(key="max_time", words="Time at most, as 8h (empty: no limit)"),
    Question(key="until", words="Stop at a time of the day, as 07:00 (empty: at none)"),
    Question(key="max_cost", words="USD at most for all of it (empty: no limit)"),
    Question(
        key="place",
        words="Where: worktree (a branch and directory of its own), here, or commit (here, what is dirty first)",
        default=starting.BESIDE,
    ),
)
LABELS = {
    "goal": "goal",
    "mode": "mode",
    "orchestrator": "directed by",
    "verify": "check",
    "max_cycles": "cycles",
    "max_time": "time",
    "until": "until",
    "max_cost": "cost",
    "place": "where",
}


def due(answers: Mapping[str, Any]) -> Optional[Question]:
    """The next question that has no answer yet; None once there are enough. A mission has one cycle."""
    for question in _QUESTIONS:
        needless = question.key == "max_cycles" and answers.get("mode") == asking.MISSION
        if question.key not in answers and not needless:
            return question
    return None


def answered(answers: Mapping[str, Any], question: Question, line: str) -> Answers:
    """The answers with one more. Raises AgentctlError where the line is none."""
    word = line.strip() or question.default
    return {**answers, question.key: _READERS[question.key](word)}


def one_of(words: Sequence[str]) -> Callable[[str], str]:
    """Reads one of these words, or the beginning of one."""

    def read(word: str) -> str:
        found = [one for one in words if word and one.startswith(word.lower())]
        if len(found) != 1:
            raise usage_error("`%s` is none of: %s" % (text.one_line(word, 40), ", ".join(words)))
        return found[0]

    return read


def _number(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(word: str) -> Any:
        try:
            number = kind(word) if word else None
        except ValueError:
            number = -1
        if number is not None and not 0 < number < 1e9:
            raise usage_error("`%s` is no number above 0" % text.one_line(word, 40))
        return number

    return read


def _time(word: str) -> str:
    _asking.seconds(word)
    return word


def _clock(word: str) -> str:
    if word and not _CLOCK.match(word):
        raise usage_error("`%s` is no time of the day" % text.one_line(word, 40), "for example 07:00")
    return word


def _place(word: str) -> str:
    found = one_of(PLACES)(word)
    return "" if found == HERE else found


_READERS: dict[str, Callable[[str], Any]] = {
    "mode": one_of(asking.MODES),
    "orchestrator": str,
    "verify": str,
    "max_cycles": _number(int),
    "max_time": _time,
    "until": _clock,
    "max_cost": _number(float),
    "place": _place,
}


def rows(answers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(key, what was answered) of all that was, in the order of the questions."""
    found = []
    for key in LABELS:
        value = str(answers.get("text") or "").strip().partition("\n")[0] if key == "goal" else answers.get(key, "")
        shown = {"place": HERE, "verify": "none", "orchestrator": "the first that is there"}.get(key, "no limit")
        if key in answers or key == "goal":
            found.append((key, text.one_line(value if value not in ("", None) else shown, 100)))
    return found
