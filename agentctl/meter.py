"""What a run used, out of the figures in its events: each vendor counts in its own way.

Flat in memory; a figure that nobody gave is None. A run may start its worker more than
once (after a limit, or for its report): totals of one process are then added up.
"""

from __future__ import annotations

from .model import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

_REMEMBERED = 64
_NO_USAGE = Usage()


class Meter:
    """The sums so far. `session` is what the vendor says that the conversation used, if it does."""

    def __init__(self, before: Usage, resumed: bool) -> None:
        self.session = _NO_USAGE
        self.take_up(before, resumed)
        self._by_message = self._by_turn = self._by_run = self._banked = _NO_USAGE
        self._messages: list[str] = []
        self._turns = 0
        self._cost: Optional[float] = None
        self._banked_cost: Optional[float] = None

    def take_up(self, before: Usage, resumed: bool) -> None:
        """What the conversation had used."""
        self._before = before
        self._fresh = not resumed and before == _NO_USAGE

    def go_on_after(self, used: Usage) -> None:
        """It had used this by the time our turn came."""
        self._before = used

    def begin_again(self) -> None:
        """Another process of the run's begins, whose totals do not know of the last one's."""
        self._banked, self._by_run = self._banked + self._by_run, _NO_USAGE
        self._banked_cost, self._cost = self._cost_so_far(), None

    def add(self, scope: str, message_id: str, used: Usage, cost: Any) -> None:
        """One `usage` event: see model.Event."""
        if scope == "message":
            self._add_message(message_id, used)
        elif scope == "session":
            self.session = used
        elif scope == "run":
            self._by_run = used
        elif scope == "turn":
            self._by_turn = self._by_turn + used
        if isinstance(cost, (int, float)) and not isinstance(cost, bool):
            self._cost = float(cost) + (self._cost or 0.0 if scope == "turn" else 0.0)

    def _add_message(self, message_id: str, used: Usage) -> None:
        """One response is told once per block; those of subagents come in between."""
        if not message_id or message_id in self._messages:
            return
        self._messages.append(message_id)
        del self._messages[:-_REMEMBERED]
        self._turns += 1
        self._by_message = self._by_message + used

    @property
    def turns(self) -> Optional[int]:
        """As the backend counts them, else the responses seen, else None."""
        by_run = self._banked + self._by_run
        counted = by_run.turns if by_run.turns is not None else self._by_turn.turns
        return counted if counted is not None else self._turns or None

    def usage(self, covered: bool) -> Usage:
        """This run's own: its total if the vendor gave one, else what a cumulative figure
        grew by, else the sum over its responses. `covered`: by a subscription."""
        cost, by_run = self._cost_so_far(), self._banked + self._by_run
        if by_run != _NO_USAGE:
            used = by_run
            if _context(self._by_message) > _context(used):
                used, cost = _with_left_out(used, self._by_message), cost or None
        elif self.session != _NO_USAGE:
            used = self.session if self._fresh else self.session - self._before
        else:
            used = self._by_turn if self._by_turn != _NO_USAGE else self._by_message
        return used.replace(turns=self.turns, cost_usd=None if covered else cost, virtual_usd=cost if covered else None)

    def _cost_so_far(self) -> Optional[float]:
        known = [cost for cost in (self._banked_cost, self._cost) if cost is not None]
        return sum(known) if known else None


def _context(used: Usage) -> int:
    return (used.input or 0) + (used.cached or 0)


def _with_left_out(total: Usage, told: Usage) -> Usage:
    """A vendor's total, with the tokens of responses that it leaves out.

    Claude 2.1.197 forgets the last response where it was interrupted in it (everything
    is 0 then, which is no figure) or had no tries left for the schema.
    """
    return total.replace(input=told.input, cached=told.cached, output=total.output or None)
