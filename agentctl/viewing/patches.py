"""A patch as git writes it, by file. Pure, and total: whatever is no patch is lines of no file.

The worker may have written any bytes into its files, also lines that look like a patch's:
within a hunk the counts in its head say which lines are its own, and nothing else does.
"""

from __future__ import annotations

import re

from .page import Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

MOST_LINES = 600
LONGEST = 500
_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_QUOTED = re.compile(r"\\([abfnrtv\"\\]|[0-7]{3})")
_WHAT = {"new file": "added", "deleted file": "removed", "rename from": "renamed", "copy from": "copied"}
_LETTERS = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}


def changes(data: bytes) -> list[Change]:
    """The files of a patch, in its order."""
    found: list[_File] = []
    lines = iter(data.decode("utf-8", "replace").split("\n"))
    for line in lines:
        if line.startswith("diff --git "):
            found.append(_File(line[len("diff --git ") :]))
        elif found and line.startswith("@@ "):
            found[-1].hunk(line, lines)
        elif found:
            found[-1].head(line)
    return [one.change() for one in found]


class _File:
    """One file of a patch, as far as it was read."""

    def __init__(self, names: str) -> None:
        self._names, self._old, self._new = names, "", ""
        self._what = "changed"
        self._lines: list[str] = []
        self._added = self._removed = self._left = 0

    def head(self, line: str) -> None:
        """A line between `diff --git` and the first hunk, or after the last."""
        for mark, what in _WHAT.items():
            if line.startswith(mark):
                self._what = what
        if line.startswith(("--- ", "rename from ", "copy from ")):
            self._old = _name(line.partition("from ")[2] if line[0] != "-" else line[4:], "a/")
        elif line.startswith(("+++ ", "rename to ", "copy to ")):
            self._new = _name(line.partition(" to ")[2] if line[0] != "+" else line[4:], "b/")
        elif line.startswith(("Binary files ", "GIT binary patch")):
            self._what = "binary, %s" % self._what

    def hunk(self, line: str, lines: Iterator[str]) -> None:
        """As many lines as its head promises."""
        self._keep(line)
        counts = _HUNK.match(line)
        old, new = (int(n) if n is not None else 1 for n in counts.groups()) if counts else (0, 0)
        while old > 0 or new > 0:
            following = next(lines, None)
            if following is None:
                return  # the patch was cut here
            self._added += following.startswith("+")
            self._removed += following.startswith("-")
            old -= following[:1] in ("-", " ", "")
            new -= following[:1] in ("+", " ", "")
            self._keep(following)

    def _keep(self, line: str) -> None:
        if len(self._lines) >= MOST_LINES:
            self._left += 1
            return
        over = len(line) - LONGEST
        self._lines.append(line if over <= 0 else "%s… %d more characters" % (line[:LONGEST], over))

    def change(self) -> Change:
        new = self._new or _second(self._names)
        path = self._old if self._what.endswith("removed") or new in ("", "/dev/null") else new
        moved = self._what in ("renamed", "copied")
        return Change(
            path=path or new,
            old=self._old if moved else "",
            what=self._what,
            added=self._added,
            removed=self._removed,
            lines=tuple(self._lines),
            left=self._left,
        )


def _name(word: str, prefix: str) -> str:
    """A name as it is in the checkout: unquoted, without git's `a/` or `b/`."""
    word = word.rstrip("\t")
    if word.startswith('"') and word.endswith('"') and len(word) > 1:
        word = _unquoted(word[1:-1])
    return word[len(prefix) :] if word.startswith(prefix) else word


def _second(names: str) -> str:
    """The new name out of `a/x b/x`, of a file that has no other line to say it (it is empty, or binary)."""
    if names.endswith('"'):
        return _name(names[names.rfind(' "') + 1 :], "b/")
    half = len(names) // 2
    return _name(names[half + 1 :], "b/") if names[half : half + 3] == " b/" else names


def _unquoted(word: str) -> str:
    parts, end = [], 0
    for found in _QUOTED.finditer(word):
        parts += [word[end : found.start()].encode("utf-8"), bytes([_byte(found.group(1))])]
        end = found.end()
    return b"".join((*parts, word[end:].encode("utf-8"))).decode("utf-8", "replace")


def _byte(escape: str) -> int:
    return _LETTERS[escape] if escape in _LETTERS else int(escape, 8) & 0xFF


def sums(found: Iterable[Change]) -> tuple[int, int]:
    """Lines added and removed, in all."""
    added = removed = 0
    for change in found:
        added, removed = added + change.added, removed + change.removed
    return added, removed
