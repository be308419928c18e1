"""The loop of an orchestrator on an API: decide (deciding.py), do it, write it down, until it is over."""

from __future__ import annotations

import time

from .. import prices
from .. import prompting
from .. import schema as schemas
from ..measures import Limits
from ..record import Record
from ..toolset import Answer
from . import asking
from . import calling
from . import deciding
from . import entries as words
from . import journal
from . import patience
from .asking import Place
from .deciding import State
from .entries import Asking
from .entries import Entry
from .entries import Fault
from .entries import Reply
from .journal import Begun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
    from typing import Optional

    from ..toolset import Toolset
    from .deciding import Move
    from .entries import Call
    from .journal import Line
    from .journal import Stream

NOTES = "Claims are checked by the driver, and none is made here."
_SHOWN = 300


class Talk(Record):
    """What is to be talked about: with which model, under which limits, after what was said in runs before (`earlier`).

    `begun` is what this run itself came to before its worker was started again. `price` is the model's
    entry in the table of prices, {} where it has none; `schema` is what the report must fit.
    """

    place: Place = Place()
    session_id: str = ""
    model: str = ""
    effort: str = ""
    instructions: str = ""
    prompt: str = ""
    schema: dict[str, Any] = {}
    price: dict[str, Any] = {}
    limits: Limits = Limits()
    earlier: tuple[Entry, ...] = ()
    begun: Begun = Begun()


def converse(talk: Talk, tools: Toolset, stream: Stream, nap: Callable[[float], None] = asking.nap) -> int:
    """Talk until it is over; the exit code. All of it is on the stream, as events and entries."""
    return _Conversation(talk, tools, stream, nap).held()


class _Conversation:
    """One conversation under way: its state so far, and how to take it further."""

    def __init__(self, talk: Talk, tools: Toolset, stream: Stream, nap: Callable[[float], None]) -> None:
        self._talk = talk
        self._tools = tools
        self._stream = stream
        self._nap = nap
        self._dialect = asking.DIALECTS[talk.place.dialect]
        self._state = State(
            entries=(*talk.earlier, *talk.begun.entries),
            began=len(talk.earlier),
            turns=words.turns(talk.begun.entries),
            context=talk.begun.context,
            cost=talk.begun.cost,
            limits=talk.limits,
        )
        self._words = ""
        self._held_back: list[Line] = []

    def held(self) -> int:
        """From the first word to the report."""
        talk = self._talk
        told = {"session_id": talk.session_id, "model": talk.model, "billing": "api"}
        self._stream.show(journal.event("session", "", **told))
        said = Entry(kind=words.SAID, text=talk.prompt)
        if self._state.entries[-1:] != (said,):  # a limit came before any answer: it stands there already
            self._add(said)
        while True:
            move = deciding.next_move(self._now())
            if move.kind == deciding.FINISH:
                return self._finish(move.note)
            if move.kind == deciding.FAIL:
                return self._fail(move.say)
            if move.kind != deciding.ASK:
                self._answer(move)
            else:
                fault = self._ask(move)
                if fault is not None:
                    return self._give_up(fault)

    def _now(self) -> State:
        """The state, with the calls of the last turn that nobody has answered."""
        turn, calls = self._last_calls()
        given = words.answers(self._state.entries)
        return self._state.replace(unanswered=tuple(n for n in range(len(calls)) if (turn, n) not in given))

    def _last_calls(self) -> tuple[int, tuple[Call, ...]]:
        entries = self._state.entries
        last = next((e for e in reversed(entries) if e.kind == words.TURN), Entry())
        return words.turns(entries) - 1, self._dialect.calls(last.content or [])

    def _add(self, entry: Entry) -> None:
        self._stream.show(journal.line_of(entry))
        self._state = self._state.replace(entries=(*self._state.entries, entry))

    def _ask(self, move: Move) -> Optional[Fault]:
        """One question and its answer; a fault where there is none."""
        if move.say:
            self._add(Entry(kind=words.SAID, text=move.say, note=move.note))
        talk = self._talk
        question = Asking(
            model=talk.model,
            effort=talk.effort,
            instructions=talk.instructions,
            tools=tuple(self._tools.tools),
            entries=self._state.entries,
            calling=move.calling,
        )
        came = asking.answer(talk.place, question, self._stream, self._nap)
        if isinstance(came, Fault):
            return came
        self._take(came)
        return None

    def _take(self, reply: Reply) -> None:
        """Write a turn down, in one piece, and count what it used."""
        state = self._state
        entry = Entry(kind=words.TURN, content=reply.content, stop=reply.stop, note=reply.note)
        cost = prices.cost(self._talk.price, reply.used) if self._talk.price else None
        self._state = state = state.replace(
            entries=(*state.entries, entry),
            text=reply.text,
            turns=state.turns + 1,
            context=reply.context,
            cost=state.cost if cost is None else cost + (state.cost or 0.0),
        )
        self._words, turn = reply.text or self._words, words.turns(state.entries) - 1
        said = [journal.event("message", reply.text)] if reply.text else []
        calls = [_called(call, "%d.%d" % (turn, n)) for n, call in enumerate(reply.calls)]
        self._stream.show(journal.line_of(entry), *said, *calls, *self._used(reply, cost))

    def _used(self, reply: Reply, cost: Optional[float]) -> list[Line]:
        """The figures. What goes beyond a limit is told after the report: the end by it is ours to bring about."""
        used = reply.used
        told = {"input": used.input, "cached": used.cached, "output": used.output, "cost": cost}
        figures = journal.event("usage", "", scope="turn", turns=1, **told)
        context = journal.event("usage", "", scope="message", context_tokens=reply.context)
        limits, state = self._talk.limits, self._state
        self._held_back = [line for line in self._held_back if line["data"]["scope"] == "turn"]
        full = limits.max_context_tokens is not None and (reply.context or 0) > limits.max_context_tokens
        spent = limits.max_cost_usd is not None and (state.cost or 0.0) > limits.max_cost_usd
        self._held_back += [*([figures] if spent else []), *([context] if full else [])]
        return [*([] if spent else [figures]), *([] if full else [context])]

    def _answer(self, move: Move) -> None:
        """Make the calls, or decline them."""
        turn, calls = self._last_calls()
        open_calls = [(n, calls[n]) for n in self._now().unanswered]
        if move.kind == deciding.CALL:
            entries = calling.call_all(self._tools, turn, open_calls, self._stream)
            self._state = self._state.replace(entries=(*self._state.entries, *entries))
            return
        for number, call in open_calls:
            entry = calling.as_entry(Answer(text=move.say, error=True), turn, number)
            self._stream.show(calling.shown(call, entry))
            self._add(entry)

    def _finish(self, limit: str) -> int:
        """The report, after the limit that ended it, if one did."""
        said = self._summary()
        told = []
        if limit:
            why = deciding.reached(limit, self._state)
            told = [journal.event("limit", why, reason=limit)]
            said = "%s. %s" % (why[0].upper() + why[1:], said)
        report = report_of(said, self._words, self._talk.schema)
        self._stream.show(*told, journal.event("report", "", ok=True, report=report), *self._held_back)
        return 0

    def _summary(self) -> str:
        """What was said with the call that ended it, else the model's last words."""
        over = next((e for e in self._state.entries[self._state.began :] if e.over), None)
        if over is not None:
            given = self._last_calls()[1][over.call].arguments or {}
            said = next((given[name] for name in ("summary", "reason") if isinstance(given.get(name), str)), "")
            if said.strip():
                return said
        return self._words or "It ended without a word."

    def _fail(self, why: str) -> int:
        self._stream.show(journal.event("error", why, fatal=True), *self._held_back)
        return 1

    def _give_up(self, fault: Fault) -> int:
        """An answer that will not come: the limit that it stands for, if it does, and why."""
        now, reason = time.time(), patience.reason(fault)
        reset = patience.reset_at(fault, now)
        told = [journal.event("limit", fault.words, reason=reason, reset_at=reset)] if reason else []
        self._stream.show(*told, journal.event("error", failure(self._talk.place.dialect, fault), fatal=True))
        return 1


_FAILED = {
    "login": "does not accept the key",
    "usage": "has no more to give",
    "rate": "takes no more requests for now",
    "overload": "is overloaded",
    "context": "finds the conversation too long",
    "connection": "cannot be reached",
    "garbled": "answers what is not its own",
    "server": "has an error of its own",
}


def failure(dialect: str, fault: Fault) -> str:
    """A final fault in words."""
    return "the %s API %s: %s" % (dialect, _FAILED.get(fault.kind, "refuses the request"), fault.words)


def _called(call: Call, name: str) -> Line:
    import json

    given = json.dumps(call.arguments, ensure_ascii=False) if call.arguments else ""
    return journal.event("tool_call", given[:_SHOWN], id=call.id or name, name=call.name)


def report_of(summary: str, said: str, schema: object) -> dict[str, Any]:
    """The report: ours, which claims nothing; where the schema wants another, the last object the model wrote."""
    ours = {"goal_met": False, "summary": summary, "followup_prompt": "", "notes": NOTES}
    if not schemas.problems(ours, schema):
        return ours
    return prompting.last_json_object(said) or ours
