"""Which of a batch turn it red: a search that asks as little as it can. Pure.

The batch is a stack on the target; a prefix of it is green or red. The one that turns a
prefix red is the culprit, also where it is wrong only together with one before it. It is
left out, and the rest is asked for as a whole again: what lands was green as a whole.

A search among n costs ceil(log2 n) questions. So many can tell n outcomes apart, and one
more (the target itself is red) where n is no power of two; where it is one, the target is
taken for green, and if it is not, the next round finds that.
"""

from __future__ import annotations

from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Generator
    from collections.abc import Sequence

    Names = tuple[str, ...]
    Asked = Generator[Names, bool, "Verdict"]


class Verdict(Record):
    """`good`: green as a whole, () where nothing is left; `culprits` in the order of their
    being found; `red`: the target itself fails, with nothing on it."""

    good: tuple[str, ...] = ()
    culprits: tuple[str, ...] = ()
    red: bool = False


def sound(batch: Sequence[str], fitting: Callable[[Names], Names]) -> Asked:
    """Ask of tuples of the batch "is the target with these on it green?", to the verdict.

    `fitting` leaves out those that cannot be stacked on what is before them.
    """
    culprits: list[str] = []
    known: dict[Names, bool] = {}
    while True:
        stack = fitting(tuple(name for name in batch if name not in culprits))
        if not stack or (yield from _asked(stack, known)):
            return Verdict(good=stack, culprits=tuple(culprits))
        first = yield from _first_red(stack, known)
        if not first:
            return Verdict(culprits=tuple(culprits), red=True)
        culprits.append(stack[first - 1])


def _first_red(stack: Names, known: dict[Names, bool]) -> Generator[Names, bool, int]:
    """How long the prefix is that turns a red stack red; 0 where the target is red by itself."""
    size = len(stack)
    low, high = _greenest(stack, known), size
    if low < 0 and size > 1 and size & (size - 1) == 0:
        low = 0
    while high - low > 1:
        middle = (low + high) // 2
        if (yield from _asked(stack[:middle], known)):
            low = middle
        else:
            high = middle
    return high


def _greenest(stack: Names, known: dict[Names, bool]) -> int:
    """The longest prefix that was seen green; -1 where none was."""
    return max((n for n in range(len(stack)) if known.get(stack[:n])), default=-1)


def _asked(stack: Names, known: dict[Names, bool]) -> Generator[Names, bool, bool]:
    if stack not in known:
        known[stack] = yield stack
    return known[stack]
