"""File names as git takes them. Pure.

A tree of git's holds no `.git` in any case, and no link named .gitmodules: whoever
puts one there makes `git fsck` complain and every push of it fail. A worktree may hold
both: the first stands in each nested repository. Such paths are kept under another
name, from which the first is told exactly.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(rb"^\.|[%~\\:]|[\x00-\x1f\x7f]")
_ENCODED = re.compile(rb"%([0-9a-f]{2})")


def taken(path: bytes, link: bool) -> bool:
    """Whether a tree takes this path (with protectNTFS and protectHFS off)."""
    names = path.lower().split(b"/")
    return b".git" not in names and not (link and _like_modules(names[-1]))


def _like_modules(name: bytes) -> bool:
    """`.gitmodules`, and what other systems read as that: fsck refuses a link of such a name."""
    return name.startswith(b".gitm") or b"~" in name or (name.startswith(b".") and not name.isascii())


def encoded(path: bytes) -> bytes:
    """A path that git takes: `.git/config` becomes `%2egit/config`."""
    return b"/".join(_UNSAFE.sub(lambda m: b"%%%02x" % m.group(0)[0], name) for name in path.split(b"/"))


def decoded(path: bytes) -> bytes:
    """The path that was encoded."""
    return _ENCODED.sub(lambda m: bytes((int(m.group(1), 16),)), path)


def sane(path: bytes) -> bool:
    """Whether a path stays below the folder that it is joined to."""
    return b"\0" not in path and not {b"", b".", b".."} & set(path.split(b"/"))


def line(path: bytes) -> bytes:
    """An absolute path as a line of `--stdin-paths`, quoted where a line could not hold it."""
    if b"\n" not in path and b"\r" not in path:
        return path + b"\n"
    return b'"' + b"".join(b"\\%03o" % byte for byte in path) + b'"\n'


def words(path: bytes) -> str:
    """A path as JSON holds it, whatever the locale."""
    return path.decode("utf-8", "surrogateescape")


def from_words(name: str) -> bytes:
    """The path that `words` made; of what it cannot have made, no path that is sane."""
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return b"/"
