"""Commits that only a worktree's own git directory names: by reflogs, ORIG_HEAD, a bisect, a rebase.

Git forgets them with the worktree. They become parents of the rescue commit, but for
those that are not whole: a ref that cannot be walked to its end breaks the user's `git gc`.
"""

from __future__ import annotations

import re

from .. import gitdoor
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

    from ..gitdoor import Door

_OID = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])")


class Traced(Record):
    """What is to be kept: `head` ("" if it is not whole), `tips` that are not reachable from it and
    from which all others are, `trees` and `blobs`; and what was left out as `unsound`."""

    head: str = ""
    tips: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()
    unsound: tuple[str, ...] = ()


def trace(door: Door, texts: Iterable[bytes], head: str, refs: Sequence[str]) -> Traced:
    """Find the objects that the texts name. `refs` are the commits of all refs, taken for whole."""
    named = {m.decode("ascii") for words in texts for m in _OID.findall(words)} | ({head} if head else set())
    found = kinds(door, sorted(named))
    tagged = [oid for oid, kind in found.items() if kind == "tag"]
    found.update(dict.fromkeys(_peeled(door, tagged), "commit"))
    walked = [oid for oid, kind in found.items() if kind in ("commit", "tree")]
    sound = set(_sound(door, walked, refs))
    commits = [oid for oid in walked if oid in sound and found[oid] == "commit"]
    head = head if head in commits else ""
    return Traced(
        head=head,
        tips=tuple(_tips(door, commits, head)),
        trees=tuple(oid for oid in walked if oid in sound and found[oid] == "tree"),
        blobs=tuple(oid for oid, kind in found.items() if kind == "blob"),
        unsound=tuple(oid for oid in walked if oid not in sound),
    )


def kinds(door: Door, names: Sequence[str]) -> dict[str, str]:
    """What kind of object each id is; those that are not there are left out."""
    if not names:
        return {}
    said = door.ask("cat-file", "--batch-check", stdin=_lines(names)).decode("ascii", "replace")
    fields = (line.split(" ") for line in said.splitlines())
    return {words[0]: words[1] for words in fields if len(words) == 3}


def fresh(door: Door, commits: Sequence[str], others: Sequence[str]) -> int:
    """How many commits are reachable from `commits` and from none of the others."""
    if not commits:
        return 0
    return int(door.ask("rev-list", "--count", "--ignore-missing", "--stdin", stdin=_lines(commits, others)))


def _peeled(door: Door, tags: Sequence[str]) -> list[str]:
    return list(kinds(door, [tag + "^{commit}" for tag in tags]))


def _sound(door: Door, oids: list[str], refs: Sequence[str]) -> list[str]:
    """Those from which everything can be reached; the unsound ones are searched for by halves."""
    if not oids:
        return []
    try:
        door.ask("rev-list", "--objects", "--quiet", "--ignore-missing", "--stdin", stdin=_lines(oids, refs))
    except gitdoor.CannotError:
        half = len(oids) // 2
        return _sound(door, oids[:half], refs) + _sound(door, oids[half:], refs) if half else []
    return oids


def _tips(door: Door, commits: list[str], head: str) -> list[str]:
    """The commits that neither HEAD nor another of them leads to."""
    if not commits:
        return []
    listing = door.ask("rev-list", "--parents", "--stdin", stdin=_lines(commits, [head] if head else []))
    listed = [line.split() for line in listing.decode("ascii").splitlines()]
    parents = {oid for words in listed for oid in words[1:]}
    return [words[0] for words in listed if words[0] not in parents]


def _lines(wanted: Sequence[str], unwanted: Sequence[str] = ()) -> bytes:
    return "".join([*("%s\n" % oid for oid in wanted), *("^%s\n" % oid for oid in unwanted)]).encode("ascii")
