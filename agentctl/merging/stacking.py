"""The stack of a merge: which commit is the target with these runs' work on it.

A commit that was made once is made once: what is verified is what lands, to the byte.
"""

from __future__ import annotations

from ..branches import landing
from ..branches.landing import Stacked
from ..branches.landing import Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..branches.landing import Site


class Stack:
    """Works upon the commit `base`, in their order. `left` are those that did not fit the last time."""

    def __init__(self, site: Site, base: str, works: dict[str, Work], strategy: str) -> None:
        self.base = base
        self.left: dict[str, Stacked] = {}
        self.idle: tuple[str, ...] = ()
        self._site = site
        self._works = works
        self._strategy = strategy
        self._made: dict[tuple[str, ...], Stacked] = {(): Stacked(commit=base)}
        site.take_attributes(base)

    def commit(self, names: tuple[str, ...]) -> str:
        """The commit of a stack that `fitting` has returned, or of the beginning of one."""
        return self._made[names].commit

    def fitting(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those that can be put upon each other. `idle` are those that bring nothing new."""
        stack: tuple[str, ...] = ()
        self.left, idle = {}, []
        for name in names:
            longer = (*stack, name)
            if longer not in self._made:
                self._made[longer] = landing.stack(self._site, self.commit(stack), self._works[name], self._strategy)
            made = self._made[longer]
            if not made.commit:
                self.left[name] = made
            elif made.commit == self.commit(stack):
                idle.append(name)
            else:
                stack = longer
        self.idle = tuple(idle)
        return stack
