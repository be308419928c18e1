"""What a run may use and what it did use, as values. Pure.

Unknown is None and stays None: a missing token count or price is never 0.
"""

from __future__ import annotations

from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional


class Limits(Record):
    """What a run may use at most; None is no limit. `max_tokens` are input and output, without what was cached."""

    timeout_s: Optional[float] = None
    idle_timeout_s: Optional[float] = None
    max_turns: Optional[int] = None
    max_cost_usd: Optional[float] = None
    max_tokens: Optional[int] = None
    max_context_tokens: Optional[int] = None
    max_output_bytes: Optional[int] = None


class Usage(Record):
    """What a run used. Tokens as the vendor counts them; `cached` is part of neither
    `input` nor `output`. `cost_usd` was billed; `virtual_usd` a subscription covered."""

    input: Optional[int] = None
    cached: Optional[int] = None
    output: Optional[int] = None
    turns: Optional[int] = None
    tool_calls: Optional[int] = None
    cost_usd: Optional[float] = None
    virtual_usd: Optional[float] = None

    @property
    def tokens(self) -> Optional[int]:
        """Input and output; of neither of them known, None."""
        return _plus(self.input, self.output)  # type: ignore[no-any-return]

    @property
    def money(self) -> Optional[float]:
        """What counts against a limit on money, of one run: what was billed, else what a subscription covered."""
        return self.cost_usd if self.cost_usd is not None else self.virtual_usd

    def __add__(self, other: Usage) -> Usage:
        """Field by field; a field known on one side only keeps that figure."""
        mine, theirs = self.__dict__, other.__dict__
        return Usage(**{n: _plus(mine[n], theirs[n]) for n in self._defaults})

    def __sub__(self, other: Usage) -> Usage:
        """What a cumulative figure grew by; unknown where either side is unknown."""
        mine, theirs = self.__dict__, other.__dict__
        return Usage(**{n: _minus(mine[n], theirs[n]) for n in self._defaults})


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


def _minus(a: Any, b: Any) -> Any:
    return None if a is None or b is None else max(a - b, 0)
