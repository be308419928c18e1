"""Door to git: what leads git from a worktree to its repository, kept as it was made.

A worker that can commit can write these files, and the settings beside them, and so
name programs which a git of the user's would run there, and a repository of its own,
whose refs ours would take for true.
"""

from __future__ import annotations

import os
import re

from .. import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Optional

_OWN, _TOP = "own/", "top/"
_SETTINGS = "config.worktree"
_MINIMAL = "[core]\n\trepositoryformatversion = 0\n"
_LEADING = ("hooks", "commondir", _SETTINGS)
"""In a submodule's git directory: what can name programs or another repository. We make none of them."""


def texts(top: str, own: str) -> dict[str, str]:
    """The files besides `.git` and `commondir` that decide what git does in a worktree, by where they are."""
    found = {_OWN + _SETTINGS: _text(os.path.join(own, _SETTINGS))}
    for folder in _modules(own):
        config = _text(os.path.join(folder, "config"))
        found["%s%s/config" % (_OWN, os.path.relpath(folder, own))] = config
        place = re.search(r'^\tworktree = "?(.*?)"?$', config, re.MULTILINE)
        here = os.path.relpath(os.path.join(folder, place[1]), top) if place else ".."
        if not here.startswith(".."):
            found["%s%s/.git" % (_TOP, here)] = _text(os.path.join(top, here, ".git"))
    return {place: text for place, text in found.items() if text}


def mend(top: str, own: str, known: Optional[dict[str, str]]) -> list[str]:
    """Put right the `.git` file in `top` and the `commondir` in `own`, the worktree's own git
    directory, and what `texts` told when it was made (None: not known); what was. Never raises."""
    if not (os.path.isdir(top) and os.path.isdir(own)):
        return []
    places = [(os.path.join(top, ".git"), "gitdir: " + own), (os.path.join(own, "commondir"), "../..")]
    if known is None:
        return [_mended(*place) for place in places if not _holds(*place)]
    removed = _strangers(own, known)
    places += [(_path(top, own, key), text) for key, text in known.items() if _is_wanted(top, own, key)]
    places += [(path, _MINIMAL) for path in _unknown(own, known)]
    return [*removed, *(_mended(*place) for place in places if not _holds(*place))]


def _path(top: str, own: str, key: str) -> str:
    return os.path.join(top if key.startswith(_TOP) else own, key[len(_TOP) :])


def _is_wanted(top: str, own: str, key: str) -> bool:
    """Not where a submodule was taken away, nor through a link that was put in its place."""
    path = _path(top, own, key)
    folder = os.path.dirname(path)
    base = top if key.startswith(_TOP) else own
    straight = os.path.realpath(folder) == os.path.normpath(
        os.path.join(os.path.realpath(base), os.path.relpath(folder, base))
    )
    return os.path.isdir(folder) and straight and (key.startswith(_OWN) or os.path.lexists(path))


def _strangers(own: str, known: dict[str, str]) -> list[str]:
    """Take away what we did not make and can lead git elsewhere."""
    paths = [os.path.join(folder, name) for folder in _modules(own) for name in _LEADING]
    paths += [] if _OWN + _SETTINGS in known else [os.path.join(own, _SETTINGS)]
    paths += _links(own)
    return [_taken_away(path) for path in paths if os.path.lexists(path)]


def _taken_away(path: str) -> str:
    aside = "%s.by-worker-%s" % (path, os.urandom(4).hex())
    try:
        os.rename(path, aside)
    except OSError:
        return "%s leads git elsewhere: do not use git in this worktree" % path
    return "%s was not there when the worktree was made, and was put aside as %s" % (path, os.path.basename(aside))


def _unknown(own: str, known: dict[str, str]) -> list[str]:
    """Settings of submodules that were not there."""
    keys = {"%s%s/config" % (_OWN, os.path.relpath(folder, own)): folder for folder in _modules(own)}
    return [os.path.join(folder, "config") for key, folder in keys.items() if key not in known]


def _modules(own: str) -> Iterator[str]:
    """The git directories of a worktree's submodules, and of theirs."""
    for folder, below, names in os.walk(os.path.join(own, "modules")):
        if "HEAD" in names:
            yield folder
            below[:] = [name for name in below if name == "modules"]


def _links(own: str) -> list[str]:
    return [
        os.path.join(folder, name)
        for folder, below, names in os.walk(os.path.join(own, "modules"))
        if "HEAD" not in names
        for name in below
        if os.path.islink(os.path.join(folder, name)) and ".by-worker-" not in name
    ]


def _text(path: str) -> str:
    try:
        return os.fsdecode(files.read(path, 1 << 16)).rstrip("\n")
    except OSError:
        return ""  # there is none


def _holds(path: str, words: str) -> bool:
    try:
        return not os.path.islink(path) and files.read(path, 1 << 16).rstrip(b"\n") == os.fsencode(words).rstrip(b"\n")
    except OSError:
        return False


def _mended(path: str, words: str) -> str:
    try:
        files.replace(path, os.fsencode(words) + b"\n")
    except OSError:
        return "%s leads git elsewhere: do not use git in this worktree" % path
    return "%s led git elsewhere, and was mended" % path
