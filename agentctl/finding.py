"""Which runs there are: ids from words, the newest, the living.

`journal` (a line per birth) and `active/` (an empty file per live run) are hints that
keep this flat in the number of runs; the folders are the truth, and serve where a
hint is lost. A line of the journal is written when its run is staged, an id says when that
was begun to be planned, by a clock that may be set back: lines are not in the order of ids.
"""

from __future__ import annotations

import os
import re

from . import files
from .errors import AgentctlError
from .model import Result
from .store import ID
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from typing import Optional

    from .flows import Started
    from .store import Home

_WORKFLOW = "w-"
_SECOND = len("20260215-143022")


def newest(home: Home, project: str = "", below: str = "") -> Iterator[str]:
    """Ids of all runs (of a project), newest first, as the journal tells; of gone folders none.

    With `below`, those that it has below the line of that run, which itself may be gone.
    """
    reached = not below
    for run_id, of in _noted(home):
        if reached and (of is None or project in ("", of)) and Run(home, run_id).exists():
            yield run_id
        reached = reached or run_id == below


def back_to(home: Home, runs: Iterable[str]) -> Iterator[str]:
    """As `newest`, as far as the lines of all of these runs, which come too.

    What was staged after them is above them, whatever its id. Those of their second are seen
    as well: a journal that was made anew has the lines of a second in any order.
    """
    left = set(runs)
    oldest = min(left, default="~")[:_SECOND]
    for run_id, _ in _noted(home):
        if not left and run_id[:_SECOND] < oldest:
            return
        left.discard(run_id)
        if Run(home, run_id).exists():
            yield run_id


def between(home: Home, first: str, last: str = "~") -> Iterator[str]:
    """Ids from `first` up to, but without, `last`: all lines are looked at, of the folders only these."""
    low, high = first.encode("ascii"), last.encode("ascii")
    found = (line.partition(b"\t")[0].decode("utf-8", "replace") for line in _lines(home) if low <= line < high)
    return (run_id for run_id in found if ID.match(run_id) and Run(home, run_id).exists())


def _noted(home: Home) -> Iterator[tuple[str, Optional[str]]]:
    """(id, project) of all that was ever staged, the newest line first; None where no line says the project."""
    for line in _lines(home):
        run_id, tab, of = line.decode("utf-8", "replace").partition("\t")
        if ID.match(run_id):
            yield run_id, of if tab else None


def _lines(home: Home) -> Iterator[bytes]:
    """The journal's, newest first; where it is lost, the folders' own names serve: they sort by birth."""
    if files.size(home.journal) is not None:
        return files.lines_backwards(home.journal)
    return (name.encode("utf-8", "replace") for name in sorted(os.listdir(home.runs), reverse=True))


def live(home: Home) -> list[str]:
    """Ids in active/, newest first: runs that have not ended, as far as we were told."""
    names = os.listdir(home.active) if os.path.isdir(home.active) else []
    return sorted((name for name in names if ID.match(name)), reverse=True)


def resolve(home: Home, word: str) -> str:
    """A run id from an id, a unique prefix, or `@last`. Raises AgentctlError."""
    if ID.match(word):
        return home.run(word).id
    if word == "@last":
        for run_id in newest(home):
            return run_id
        raise AgentctlError("no run yet", "start one: `agentctl help start`")
    if names_workflow(word):
        raise AgentctlError(
            "`%s` is the id of a workflow, and a run is wanted" % word,
            "see its runs: `agentctl workflow show %s`" % word,
        )
    found = {i for i in newest(home) if i.startswith(word)} if re.match(r"[0-9a-f-]+\Z", word) else set()
    if len(found) == 1:
        return found.pop()
    if not found:
        raise AgentctlError("no run `%s`" % word, "see `agentctl list`")
    some = ", ".join(sorted(found)[-3:])
    raise AgentctlError("`%s` begins %d run ids (%s …)" % (word, len(found), some), "give more of the id", code=2)


def expand(home: Home, words: Iterable[str]) -> list[str]:
    """Run ids from words as `resolve` takes them; a workflow's id stands for the last run of each of its steps."""
    found: list[str] = []
    for word in words:
        found += of_workflow(home, word) if names_workflow(word) else [resolve(home, word)]
    return list(dict.fromkeys(found))


def names_workflow(word: str) -> bool:
    """Whether it is meant for the id of a workflow: no run's begins like that."""
    return word.startswith(_WORKFLOW)


def of_workflow(home: Home, word: str) -> list[str]:
    """The last run of each step of a workflow that has one. Raises AgentctlError where none is there."""
    from . import flows  # which most commands need not load

    started = flows.load(home, flows.resolve(home, word))
    runs = [last_of_step(home, started, step) for step in started.runs]
    if not any(runs):
        raise AgentctlError(
            "workflow %s has no run" % started.id, "start what is missing: `agentctl workflow resume %s`" % started.id
        )
    return [run_id for run_id in runs if run_id]


def last_of_step(home: Home, started: Started, step: str) -> str:
    """The run of a step as far as that went, by escalation or after a pause; "" where it has none (any more)."""
    there = [run_id for run_id in started.of_step(step) if Run(home, run_id).exists()]
    return last_of(home, there[-1]) if there else ""


def last_of(home: Home, run_id: str) -> str:
    """The run that went on from this one: its successor, or the one that continued it where it was lost or stopped."""
    following = next_of(home, run_id)
    while following:
        run_id, following = following, next_of(home, following)
    return run_id


def next_of(home: Home, run_id: str) -> str:
    """The run that took over from this one; "" where none did, or it is gone."""
    run = Run(home, run_id)
    result = run.recorded()
    following = (Result.from_json(result).successor or run.text("pause", 40)) if result else ""
    there = ID.match(following) and Run(home, following).exists()
    return following if there and not run.runner_alive() else ""  # under its lock it may be a worker's own words
