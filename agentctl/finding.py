"""Which runs there are: ids from words, the newest, the living.

`journal` (a line per birth) and `active/` (an empty file per live run) are hints that
keep this flat in the number of runs; the folders are the truth, and serve where a
hint is lost.
"""

from __future__ import annotations

import os
import re

from . import files
from .errors import AgentctlError
from .store import ID
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .store import Home


def newest(home: Home, project: str = "") -> Iterator[str]:
    """Ids of all runs (of a project), newest first, as the journal tells; of gone folders none.

    Where the journal is lost, the folders' own names serve: they sort by birth.
    """
    if files.size(home.journal) is None:
        yield from sorted((name for name in os.listdir(home.runs) if ID.match(name)), reverse=True)
        return
    for line in files.lines_backwards(home.journal):
        run_id, _, of = line.decode("utf-8", "replace").partition("\t")
        if ID.match(run_id) and project in ("", of) and Run(home, run_id).exists():
            yield run_id


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
    found = {i for i in newest(home) if i.startswith(word)} if re.match(r"[0-9a-f-]+\Z", word) else set()
    if len(found) == 1:
        return found.pop()
    if not found:
        raise AgentctlError("no run `%s`" % word, "see `agentctl list`")
    some = ", ".join(sorted(found)[-3:])
    raise AgentctlError("`%s` begins %d run ids (%s …)" % (word, len(found), some), "give more of the id", code=2)
