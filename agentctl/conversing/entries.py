"""A conversation as values: what was said, what the model answered, what its calls brought. Pure.

A conversation is a list of entries, in no vendor's words but for a model's own content,
which goes back to the vendor as it came. The same entries are lines of the run's raw.jsonl,
out of which a later run puts the conversation together again.
"""

from __future__ import annotations

from ..measures import Usage
from ..record import Record
from ..toolset import Tool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

SAID, TURN, ANSWER = "said", "turn", "answer"
END, CUT, REFUSED, PAUSED, MALFORMED, FULL = "end", "cut", "refused", "paused", "malformed", "full"
"""Why a turn ended: by itself, at its length, by refusal, to be gone on with, in an unreadable call, out of room."""
NUDGE = "nudge"


class Call(Record):
    """A tool call of a model. `id` is the vendor's, "" where it gives none."""

    id: str = ""
    name: str = ""
    arguments: Optional[dict[str, Any]] = None


class Entry(Record):
    """One entry.

    said     text: ours; `note` is "" of a prompt, `nudge`, or the limit for which the model is told to end
    turn     content: the model's, in its vendor's words; `stop` why it ended, `note` what the vendor says of that
    answer   text: of call number `call` of turn number `turn`, both counted from 0 over the conversation
    """

    kind: str = ""
    text: str = ""
    note: str = ""
    content: Optional[list[Any]] = None
    stop: str = ""
    turn: int = 0
    call: int = 0
    error: bool = False
    over: bool = False


class Reply(Record):
    """A model's answer, understood: what goes into the conversation, and what it cost."""

    content: list[Any] = []
    text: str = ""
    calls: tuple[Call, ...] = ()
    stop: str = END
    note: str = ""
    model: str = ""
    used: Usage = Usage()
    context: Optional[int] = None


class Fault(Record):
    """Why there is no answer. `kind` decides what is done about it:

    overload, rate, server, connection, garbled: it may go better later, after `wait_s` if the vendor says so
    usage, login, context, request: it will not, before `reset_at` at any rate
    """

    kind: str = ""
    words: str = ""
    status: int = 0
    wait_s: Optional[float] = None
    reset_at: Optional[float] = None


class Asking(Record):
    """One request to a model. Without `calling` it may call none of the tools."""

    model: str = ""
    effort: str = ""
    instructions: str = ""
    tools: tuple[Tool, ...] = ()
    entries: tuple[Entry, ...] = ()
    calling: bool = True


def turns(entries: Sequence[Entry]) -> int:
    """How often the model has answered."""
    return sum(entry.kind == TURN for entry in entries)


def answers(entries: Sequence[Entry]) -> dict[tuple[int, int], Entry]:
    """The answers by turn and call; the first one given counts."""
    found: dict[tuple[int, int], Entry] = {}
    for entry in entries:
        if entry.kind == ANSWER:
            found.setdefault((entry.turn, entry.call), entry)
    return found


LOST = Entry(kind=ANSWER, text="nothing is known of this call: it was interrupted", error=True)
"""What stands for an answer that nobody has given."""
