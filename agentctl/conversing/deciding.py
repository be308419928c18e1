"""What comes next in a conversation, out of what it is so far. Pure.

Limits end it in order: before the last turn, and where the context is full, the model is told
to say where it stands, in one turn without tools; money ends it at once. Whatever it is that
ends it, the conversation stays one that can be gone on with.
"""

from __future__ import annotations

from ..measures import Limits
from ..record import Record
from . import entries as words
from .entries import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

MOST_NUDGES = 3
_NUDGES = {
    words.END: "You have said nothing. Go on with your tools, or end in words that say where things stand.",
    words.CUT: "Your answer was too long and was cut off. Go on from there, in shorter answers.",
    words.MALFORMED: "Your last call could not be read, and nothing was called. Call again, with fewer words in it.",
    words.PAUSED: "",
}
_CLOSING = {
    "turns": "This is your last turn: no more tools. Say where things stand and what is left to do, for the one who "
    "goes on from here.",
    "context": "This conversation has used up its room: no more tools. Say where things stand and what is left to "
    "do, for the one who goes on from here.",
}
_NOT_CALLED = {
    words.CUT: "not called: your answer was cut off in the middle. Call again, with fewer words in it",
    "closing": "not called: this conversation ends here",
    "budget": "not called: the budget is used up",
}

ASK, CALL, DECLINE, FINISH, FAIL = "ask", "call", "decline", "finish", "fail"


class State(Record):
    """What a decision rests on. `began` is how many entries are of earlier runs; `unanswered` are the numbers
    of the last turn's calls that have no answer, `text` its words; `turns`, `context`, `cost` are what this run
    used so far."""

    entries: tuple[Entry, ...] = ()
    began: int = 0
    unanswered: tuple[int, ...] = ()
    text: str = ""
    turns: int = 0
    context: Optional[int] = None
    cost: Optional[float] = None
    limits: Limits = Limits()


class Move(Record):
    """What to do.

    ask      the model, after `say` if there is something to say; `note` marks that entry
    call     the unanswered calls
    decline  them, in the words of `say`
    finish   with a report; `note` is the limit for which
    fail     in the words of `say`
    """

    kind: str = ""
    say: str = ""
    note: str = ""
    calling: bool = True


def next_move(state: State) -> Move:
    """The one thing to do now."""
    ours = state.entries[state.began :]
    if any(entry.over for entry in ours):
        return Move(kind=FINISH)
    closing = next((e.note for e in ours if e.kind == words.SAID and e.note in _CLOSING), "")
    if state.unanswered:
        return _about_calls(state, closing)
    last = next((e for e in reversed(state.entries) if e.kind != words.ANSWER), Entry())
    if closing and last.kind == words.TURN:
        return Move(kind=FINISH, note=closing)
    move = _after(last, state) if state.entries and state.entries[-1].kind == words.TURN else Move(kind=ASK)
    return _within_limits(state, closing, move) if move.kind == ASK else move


def _about_calls(state: State, closing: str) -> Move:
    turn = next(entry for entry in reversed(state.entries) if entry.kind == words.TURN)
    why = "closing" if closing else words.CUT if turn.stop == words.CUT else "budget" if _spent(state) else ""
    return Move(kind=DECLINE, say=_NOT_CALLED[why]) if why else Move(kind=CALL)


def _after(turn: Entry, state: State) -> Move:
    """What follows a turn without calls."""
    if turn.stop == words.REFUSED:
        return Move(kind=FAIL, say="the model refused to answer: %s" % (turn.note or "no reason given"))
    if turn.stop == words.FULL:
        return Move(kind=FINISH, note="context")
    if turn.stop == words.END and state.text:
        return Move(kind=FINISH)
    if _nudged(state) >= MOST_NUDGES:
        why = "nothing" if turn.stop == words.END else "nothing whole" if turn.stop == words.CUT else turn.note
        return Move(kind=FAIL, say="the model answers %s, %d times in a row" % (why or turn.stop, MOST_NUDGES + 1))
    return Move(kind=ASK, say=_NUDGES[turn.stop], note=words.NUDGE)


def _nudged(state: State) -> int:
    """How many turns without a call came to nothing, one after the other, before the last."""
    said = [entry for entry in state.entries[state.began :] if entry.kind != words.TURN]
    count = 0
    while count < len(said) and said[-1 - count].note == words.NUDGE:
        count += 1
    return count


def _within_limits(state: State, closing: str, ask: Move) -> Move:
    most = state.limits.max_turns
    if _spent(state):
        return Move(kind=FINISH, note="budget")
    if most is not None and state.turns >= most:
        return Move(kind=FINISH, note="turns")
    room = state.limits.max_context_tokens
    full = state.turns > 0 and room is not None and (state.context or 0) >= room
    why = closing or ("turns" if most is not None and 0 < state.turns == most - 1 else "context" if full else "")
    if not why:
        return ask
    return Move(kind=ASK, say="" if closing else _CLOSING[why], note=why, calling=False)


def _spent(state: State) -> bool:
    most = state.limits.max_cost_usd
    return most is not None and state.cost is not None and state.cost >= most


def reached(note: str, state: State) -> str:
    """The words for a limit that ended the conversation."""
    if note == "budget":
        return "it used $%.2f of $%.2f" % (state.cost or 0.0, state.limits.max_cost_usd or 0.0)
    if note == "turns":
        return "it used all of its %d turns" % (state.limits.max_turns or state.turns)
    return "its context is full: %s tokens" % ("unknown" if state.context is None else state.context)
