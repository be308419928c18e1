"""A worktree held alone, and a folder for what that takes.

Whoever measures, saves, removes or restores a worktree holds its lock; one who only
reads what was saved holds nothing.
"""

from __future__ import annotations

import os
import time

from .. import custody
from .. import files
from ..keeping import walking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable
    from typing import Optional
    from typing import TypeVar

    from ..custody import Kept
    from ..store import Home

    T = TypeVar("T")

READING = ".reading-"
_PATIENCE_S = 1.5
_NAP = 0.02


def seized(home: Home, run_id: str) -> Optional[int]:
    """The worktree's lock, held alone; None while somebody is at work in it.

    A runner whose result is there already, so that `wait` has returned, goes in a moment.
    """
    return soon(lambda: custody.seize(home, run_id))


def soon(ask: Callable[[], T]) -> T:
    """The answer, which may come in a moment; the last one where it does not."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        answer = ask()
        if (answer is not None and answer is not False) or time.monotonic() > deadline:
            return answer
        time.sleep(_NAP)


class Scratch:
    """A folder for one who holds a worktree alone; what a killed one left in it goes first."""

    def __init__(self, home: Home, kept: Kept) -> None:
        self._path = os.path.join(home.custody, ".scratch-" + kept.worktree.run)

    def __enter__(self) -> str:
        walking.remove(self._path)
        files.private_folder(self._path)
        return self._path

    def __exit__(self, *_: object) -> None:
        walking.remove(self._path)


class Reading:
    """A folder for one who only reads what was saved."""

    def __init__(self, home: Home) -> None:
        self._path = os.path.join(home.custody, READING + os.urandom(8).hex())

    def __enter__(self) -> str:
        files.private_folder(self._path)
        return self._path

    def __exit__(self, *_: object) -> None:
        walking.remove(self._path)
