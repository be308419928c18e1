"""What was made of worktrees and where their work is kept: custody/ in the home.

    custody/<run>.json   a worktree that was made, from its making to its removal and back
    custody/<run>.given  what lay in it before its worker came
    custody/<run>.lock   shared by the runs that work in it; held alone by who saves, removes or restores it

`<run>` is the run that the worktree was made for. What exists is told by these records,
not by a run's spec: they outlive the run's folder.
"""

from __future__ import annotations

import os

from . import files
from . import locks
from .model import Worktree
from .record import Record
from .store import ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .store import Home


class Kept(Record):
    """A worktree and its fate. Times are 0.0 where it has not come to that.

    `author` is who worked in it (a backend). Until `filled_at` it is no more than a folder, in
    which nobody has worked. `landed` is the commit of `into` that holds its work up to its own
    commit `landed_tip`, by `agentctl merge`; worktree.landed says whether that is all. `rescue`
    is the commit under refs/agentctl/rescue/<run> that holds all that was removed at `removed_at`.
    """

    format: int = 1
    worktree: Worktree = Worktree()
    project: str = ""
    title: str = ""
    author: str = ""
    made_at: float = 0.0
    filled_at: float = 0.0
    into: str = ""
    landed: str = ""
    landed_tip: str = ""
    landed_at: float = 0.0
    rescue: str = ""
    removed_at: float = 0.0


class Given(Record):
    """What lay in a worktree before its worker came, which is not the worker's work.

    `included`: untracked files that came along by .worktreeinclude. `marks`: the same and all
    else untracked, as the setup command left it, by name, with a mark of the content. `texts`:
    git's settings for it, as mending.texts has them. `remotes`: where its repository's remotes
    led, as pushing.remotes has it. None: not known.
    """

    included: tuple[str, ...] = ()
    marks: Optional[dict[str, str]] = None
    texts: Optional[dict[str, str]] = None
    remotes: Optional[dict[str, str]] = None


def load(home: Home, run_id: str) -> Optional[Kept]:
    """The record, or None where no worktree was made for this run, or it is damaged."""
    raw = files.load(_path(home, run_id, ".json"))
    kept = Kept.from_json(raw)
    return kept if kept.worktree.run == run_id else None


def save(home: Home, kept: Kept) -> None:
    """By who holds the worktree's lock, or makes it."""
    files.private_folder(home.custody)
    files.replace(_path(home, kept.worktree.run, ".json"), files.dump(kept.to_json()))


def every(home: Home) -> list[Kept]:
    """All records, oldest first."""
    names = os.listdir(home.custody) if os.path.isdir(home.custody) else []
    ids = sorted(name[:-5] for name in names if name.endswith(".json") and ID.match(name[:-5]))
    return [kept for kept in (load(home, run_id) for run_id in ids) if kept]


def forget(home: Home, run_id: str) -> None:
    """Its lock file stays: another process may wait for it."""
    files.remove(_path(home, run_id, ".json"))
    files.remove(_path(home, run_id, ".given"))


def given(home: Home, run_id: str) -> Given:
    """What lay in the worktree before its worker came."""
    return Given.from_json(files.load(_path(home, run_id, ".given")))


def give(home: Home, run_id: str, what: Given) -> None:
    """By who makes the worktree."""
    files.private_folder(home.custody)
    files.replace(_path(home, run_id, ".given"), files.dump(what.to_json()))


def share(home: Home, run_id: str) -> int:
    """For as long as a run works in the worktree; waits for who holds it alone. The lock's descriptor."""
    files.private_folder(home.custody)
    return locks.share(_path(home, run_id, ".lock"))


def seize(home: Home, run_id: str) -> Optional[int]:
    """Hold the worktree alone; None while a run works in it, or somebody else holds it."""
    files.private_folder(home.custody)
    return locks.try_take(_path(home, run_id, ".lock"))


def _path(home: Home, run_id: str, ending: str) -> str:
    return os.path.join(home.custody, run_id + ending)
