"""Globs of paths as small automata, so that two of them can be compared exactly. Pure.

`*` and `?` stop at `/`, `**` does not, `**/` is any number of folders, none too;
`[a-z]` and `[!a-z]` as in a shell. A glob that ends in a plain name means that file,
or all that is below that folder; one that ends in `/` means what is below.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    Ranges = tuple[tuple[int, int], ...]

_LAST = 0x10FFFF
_SLASH = ord("/")
_ANY: Ranges = ((0, _LAST),)
_IN_NAME: Ranges = ((0, _SLASH - 1), (_SLASH + 1, _LAST))
_ONLY_SLASH: Ranges = ((_SLASH, _SLASH),)
_met: dict[tuple[str, str], bool] = {}
_made: dict[str, _Automaton] = {}


class _Automaton:
    """States 0 to `last`: `edges` take a character, `free` go on without one."""

    def __init__(self, glob: str) -> None:
        self.edges: dict[int, list[tuple[Ranges, int]]] = {}
        self.free: dict[int, list[int]] = {}
        self.last = 0
        at = 0
        while at < len(glob):
            at = self._add(glob, at)
        self.ends = {self.last}
        if glob.endswith("/"):
            self._loop(_ANY)
            self._take(_ANY)
            self.ends = {self.last}
        elif not set("*?[") & set(glob.rpartition("/")[2]):
            self._take(_ONLY_SLASH)
            self._loop(_ANY)
            self.ends.add(self.last)

    def _add(self, glob: str, at: int) -> int:
        """The piece of the glob at `at`; where the next one begins."""
        c = glob[at]
        if glob.startswith("**/", at) and (at == 0 or glob[at - 1] == "/"):
            self._folders()
            return at + 3
        if c == "*":
            many = glob.startswith("**", at)
            self._loop(_ANY if many else _IN_NAME)
            return at + 1 + many
        if c == "[":
            ranges, end = _class(glob, at)
            self._take(ranges)
            return end
        self._take(_IN_NAME if c == "?" else ((ord(c), ord(c)),))
        return at + 1

    def _take(self, ranges: Ranges) -> None:
        self.edges.setdefault(self.last, []).append((ranges, self.last + 1))
        self.last += 1

    def _loop(self, ranges: Ranges) -> None:
        self.edges.setdefault(self.last, []).append((ranges, self.last))

    def _folders(self) -> None:
        """Nothing, or anything that ends in a slash: its own state, so that the loop is left by a slash alone."""
        before = self.last
        self.last += 1
        self.free.setdefault(before, []).append(self.last)
        self._loop(_ANY)
        self._take(_ONLY_SLASH)
        self.free.setdefault(before, []).append(self.last)

    def reached(self, states: frozenset[int]) -> frozenset[int]:
        found, todo = set(states), list(states)
        while todo:
            for state in self.free.get(todo.pop(), ()):
                if state not in found:
                    found.add(state)
                    todo.append(state)
        return frozenset(found)


def _class(glob: str, at: int) -> tuple[Ranges, int]:
    """The characters of a `[...]` and where it ends; without its `]` a `[` stands for itself."""
    start = at + 1 + (glob[at + 1 : at + 2] in ("!", "^"))
    end = glob.find("]", start + 1)  # a `]` that comes first is one of the characters
    if end < 0:
        return ((ord("["), ord("[")),), at + 1
    found, n = [], start
    while n < end:
        if glob[n + 1 : n + 2] == "-" and n + 2 < end:
            found.append((ord(glob[n]), ord(glob[n + 2])))
            n += 3
        else:
            found.append((ord(glob[n]), ord(glob[n])))
            n += 1
    ranges = _merged(found)
    return _common(_without(ranges) if start > at + 1 else ranges, _IN_NAME), end + 1


def _merged(ranges: list[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(r for r in ranges if r[0] <= r[1]):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def _without(ranges: Ranges) -> Ranges:
    """All the other characters."""
    found, low = [], 0
    for first, last in ranges:
        found.append((low, first - 1))
        low = last + 1
    return tuple(r for r in (*found, (low, _LAST)) if r[0] <= r[1])


def _common(one: Ranges, other: Ranges) -> Ranges:
    both = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple(r for r in both if r[0] <= r[1])


def plain(glob: str) -> str:
    """A glob as it is compared: from the top, without `.` and doubled slashes."""
    parts = [part for part in glob.split("/") if part not in ("", ".")]
    if not parts:
        return "**"
    return "/".join(parts) + ("/" if glob.endswith("/") else "")


def meet(one: str, other: str) -> bool:
    """Whether there can be a path that both match."""
    key = (one, other) if one <= other else (other, one)
    if key not in _met:
        _met[key] = _intersect(_automaton(plain(one)), _automaton(plain(other)))
    return _met[key]


def _automaton(glob: str) -> _Automaton:
    if glob not in _made:
        _made[glob] = _Automaton(glob)
    return _made[glob]


def _intersect(a: _Automaton, b: _Automaton) -> bool:
    """A walk through both at once. `fresh`: where a name begins; there a path has no slash, and does not end."""
    todo = [(i, j, True) for i in a.reached(frozenset((0,))) for j in b.reached(frozenset((0,)))]
    seen = set(todo)
    while todo:
        i, j, fresh = todo.pop()
        if not fresh and i in a.ends and j in b.ends:
            return True
        for state in _steps(a, b, i, j, fresh):
            if state not in seen:
                seen.add(state)
                todo.append(state)
    return False


def _steps(a: _Automaton, b: _Automaton, i: int, j: int, fresh: bool) -> list[tuple[int, int, bool]]:
    found = []
    for mine, to in a.edges.get(i, ()):
        for theirs, there in b.edges.get(j, ()):
            shared = _common(mine, theirs)
            slash, name = _common(shared, _ONLY_SLASH), _common(shared, _IN_NAME)
            kinds = ([True] if slash and not fresh else []) + ([False] if name else [])
            for kind in kinds:
                found += [(x, y, kind) for x in a.reached(frozenset((to,))) for y in b.reached(frozenset((there,)))]
    return found
