"""How long to wait before an API is asked once more, if at all. Pure.

What a vendor says of the time to wait is the least that is waited. Where it is long, the
answer is no: then a limit is reached, which whoever started the run knows how to sit out.
"""

from __future__ import annotations

from .entries import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

MOST_TRIES = 8
"""For one answer. With the waits below it is given up after some four minutes."""
LONGEST_WAIT_S = 120.0
FIRST_WAIT_S, MOST_WAIT_S = 1.0, 60.0
_PASSING = ("overload", "rate", "server", "connection", "garbled")


def wait_before(attempt: int, fault: Fault, chance: float) -> Optional[float]:
    """Seconds until the next try, after `attempt` (1, 2, …) failed; None: there is none.

    `chance`, between 0 and 1, keeps those that failed together from coming back together.
    """
    if fault.kind not in _PASSING or attempt >= MOST_TRIES:
        return None
    if fault.wait_s is not None and fault.wait_s > LONGEST_WAIT_S:
        return None
    own = min(FIRST_WAIT_S * 2.0 ** (attempt - 1), MOST_WAIT_S) * (0.5 + chance / 2)
    return max(own, (fault.wait_s or 0.0) * (1 + chance / 10))


def reason(fault: Fault) -> str:
    """The limit that a final fault stands for, in the word of an event; "" where it is none."""
    if fault.kind == "rate":
        return "usage" if (fault.wait_s or 0) > LONGEST_WAIT_S else "rate"
    return fault.kind if fault.kind in ("usage", "login", "context", "overload") else ""


def reset_at(fault: Fault, now: float) -> Optional[float]:
    """When that limit is over, where the vendor said so."""
    if fault.reset_at is not None:
        return fault.reset_at
    return None if fault.wait_s is None else now + fault.wait_s


def told(value: str) -> Optional[float]:
    """The seconds of a `retry-after` header; None where it says none."""
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 <= seconds < 1e8 else None
