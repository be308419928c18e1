"""The calls of one answer, each in a thread: they may take hours, and each is written down as it ends."""

from __future__ import annotations

import threading

from .. import prompting
from ..errors import AgentctlError
from ..signals import LOOK_UP_S
from ..toolset import Answer
from . import journal
from .entries import ANSWER
from .entries import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..toolset import Toolset
    from .entries import Call
    from .journal import Stream

LONGEST_ANSWER = 60_000
"""Characters of a tool's answer that a model is told: the beginning and the end."""
_SHOWN = 300


class _Waiting:
    """The one who waits for a call: what it is told becomes a line, so that the run is seen to be at work."""

    def __init__(self, stream: Stream, name: str) -> None:
        self._stream = stream
        self._name = name

    def progress(self, words: str) -> None:
        self._stream.show(journal.event("progress", "%s: %s" % (self._name, words)))

    def gone(self) -> bool:
        return False


def call_all(tools: Toolset, turn: int, calls: Sequence[tuple[int, Call]], stream: Stream) -> list[Entry]:
    """Make these calls of a turn, side by side; the answers in their order. What no tool foresaw is raised here."""
    found: list[Entry | BaseException] = [Entry()] * len(calls)

    def work(place: int, number: int, call: Call) -> None:
        try:
            made = _answered(tools, call, stream)
            entry = as_entry(made, turn, number)
            stream.show(journal.line_of(entry), shown(call, entry))
            found[place] = entry
        except BaseException as e:
            # Raised again below: in a silent thread, nobody would ever answer the model.
            found[place] = e

    threads = [threading.Thread(target=work, args=(p, n, c), daemon=True) for p, (n, c) in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(LOOK_UP_S)
    for entry in found:
        if isinstance(entry, BaseException):
            raise entry
    return [entry for entry in found if isinstance(entry, Entry)]


def _answered(tools: Toolset, call: Call, stream: Stream) -> Answer:
    known = [tool.name for tool in tools.tools]
    if call.name not in known:
        return Answer(text="there is no tool `%s`; there are: %s" % (call.name, ", ".join(known)), error=True)
    if call.arguments is None:
        return Answer(text="the arguments of `%s` are no JSON object" % call.name, error=True)
    try:
        return tools.call(call.name, call.arguments, _Waiting(stream, call.name))
    except AgentctlError as e:
        return Answer(text="%s (%s)" % (e, e.hint) if e.hint else str(e), error=True)
    except OSError as e:
        return Answer(text="%s: %s" % (e.filename or call.name, e.strerror or e), error=True)


def as_entry(answer: Answer, turn: int, number: int) -> Entry:
    """An answer as it stands in the conversation."""
    text = prompting.shortened(answer.text, LONGEST_ANSWER)
    return Entry(kind=ANSWER, turn=turn, call=number, text=text, error=answer.error, over=answer.over)


def shown(call: Call, entry: Entry) -> journal.Line:
    """The event of an answer."""
    name = call.id or "%d.%d" % (entry.turn, entry.call)
    return journal.event("tool_result", entry.text[:_SHOWN], id=name, ok=not entry.error)
