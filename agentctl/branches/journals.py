"""Landings under way, so that a kill between a branch's move and its checkout's is made good.

    custody/landing-<hash of repository and branch>.json

Written before the branch moves, removed once the checkouts on it have followed.
"""

from __future__ import annotations

import os

from .. import files
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..store import Home

_PREFIX = "landing-"


class Landing(Record):
    """A branch on its way from `old` to `new`, since `at`."""

    common: str = ""
    branch: str = ""
    old: str = ""
    new: str = ""
    at: float = 0.0


def note(home: Home, landing: Landing) -> None:
    """Durable when this returns."""
    files.private_folder(home.custody)
    files.replace(_path(home, landing), files.dump(landing.to_json()))
    files.sync_folder(home.custody)


def done(home: Home, landing: Landing) -> None:
    """The checkouts have followed, or the branch has not moved."""
    files.remove(_path(home, landing))


def every(home: Home) -> list[Landing]:
    """Those that were not brought to their end, so far. `at` is by the disk's clock, as the times of files are."""
    names = sorted(os.listdir(home.custody)) if os.path.isdir(home.custody) else []
    paths = (os.path.join(home.custody, n) for n in names if n.startswith(_PREFIX) and n.endswith(".json"))
    read = ((Landing.from_json(files.load(path)), files.mtime(path)) for path in paths)
    return [found.replace(at=at or 0.0) for found, at in read if found.branch]


def _path(home: Home, landing: Landing) -> str:
    import hashlib

    word = hashlib.sha256(os.fsencode("%s\0%s" % (landing.common, landing.branch))).hexdigest()[:16]
    return os.path.join(home.custody, "%s%s.json" % (_PREFIX, word))
