"""From a goal's journal to its cycles: what was found in each, as it stood last. Pure, and total.

The journal is output of a worker of ours, in a file: any value may be missing, or of another type.
"""

from __future__ import annotations

from ..goals import journal
from ..record import typed
from .facts import Check
from .facts import Cycle
from .facts import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    Entry = dict[str, Any]

_LONGEST, _TAIL = 600, 3000
_MOST = 12


def cycles(entries: Sequence[Entry]) -> tuple[Cycle, ...]:
    """The cycles in order. A goal that is resumed looks at its last one anew, unless that was rejected."""
    found: list[Cycle] = []
    for entry in entries:
        if entry["step"] == journal.CYCLE:
            _begin(found, typed(entry, "cycle", int))
        elif entry["step"] == journal.BEGUN and found and found[-1].accepted is not False:
            found[-1] = found[-1].replace(checks=(), verdicts=(), accepted=None, reasons=())
        elif found and entry["step"] in _READERS:
            found[-1] = _READERS[entry["step"]](found[-1], entry)
    return tuple(found)


def _begin(found: list[Cycle], number: Optional[int]) -> None:
    """One that a resumed goal goes on with is no new one."""
    if not found or number is None or found[-1].number != number:
        found.append(Cycle(number=number))


def _ended(cycle: Cycle, entry: Entry) -> Cycle:
    return cycle.replace(claim=word(entry, "claim"), summary=word(entry, "summary", _TAIL))


def _checked(cycle: Cycle, entry: Entry) -> Cycle:
    check = Check(
        of=word(entry, "of"),
        command=word(entry, "command"),
        passed=typed(entry, "passed", bool),
        why=word(entry, "why"),
        tail=word(entry, "tail", _TAIL),
        files=words(entry, "files"),
    )
    return cycle.replace(checks=(*(known for known in cycle.checks if known.of != check.of), check))


def _verdict(cycle: Cycle, entry: Entry) -> Cycle:
    verdict = Verdict(
        who=word(entry, "who"),
        run_id=word(entry, "run"),
        accept=typed(entry, "accept", bool),
        reasons=words(entry, "reasons") or words(entry, "why"),
        evidence=words(entry, "evidence"),
    )
    return cycle.replace(verdicts=(*(known for known in cycle.verdicts if known.who != verdict.who), verdict))


def _judged(cycle: Cycle, entry: Entry) -> Cycle:
    return cycle.replace(accepted=typed(entry, "accepted", bool), reasons=words(entry, "reasons"))


def _afresh(cycle: Cycle, _entry: Entry) -> Cycle:
    """The state that checks and verdicts are of: those before it were of another."""
    return cycle.replace(checks=(), verdicts=())


_READERS: dict[str, Callable[[Cycle, Entry], Cycle]] = {
    journal.ENDED: _ended,
    journal.CHECKPOINT: _afresh,
    journal.CHECK: _checked,
    journal.VERDICT: _verdict,
    journal.JUDGED: _judged,
}


def last(entries: Sequence[Entry], step: str) -> Entry:
    """The last entry of a step; an empty one where there is none."""
    return next((entry for entry in reversed(entries) if entry["step"] == step), {})


def spent(entries: Sequence[Entry]) -> tuple[str, ...]:
    """The limits of the goal that were reached since it was begun, or resumed, last."""
    begun = max((n for n, entry in enumerate(entries) if entry["step"] == journal.BEGUN), default=0)
    return tuple(word(e, "words") or word(e, "what") for e in entries[begun:] if e["step"] == journal.SPENT)


def word(entry: Entry, key: str, longest: int = _LONGEST) -> str:
    """A text of it; of a longer one the end, where what matters of an output stands."""
    return str(typed(entry, key, str) or "")[-longest:]


def words(entry: Entry, key: str) -> tuple[str, ...]:
    """Texts of a list; a text alone is one."""
    value = entry.get(key)
    listed = value if isinstance(value, list) else [value]
    return tuple(text[:_LONGEST] for text in listed if isinstance(text, str) and text.strip())[:_MOST]
