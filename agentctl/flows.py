"""Records of the workflows that were started: workflows/started/ in the home.

    workflows/started/<id>.json   what was asked, and which runs each step has had; replaced as a whole
    workflows/started/<id>.lock   held by who starts runs for it: `workflow run`, `workflow resume`

The record is there before the first run of it is staged, and names a run before that is
launched: whoever is killed in between leaves nothing that a resume would not find.
"""

from __future__ import annotations

import os
import re

from . import files
from . import store
from .errors import AgentctlError
from .measures import Limits
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any
    from typing import Optional

    from .store import Home

PREFIX = "w-"
_LONGEST = 1 << 30
"""Of a record, in bytes: it holds the prompt, however long that is."""
ID = re.compile(r"w-\d{8}-\d{6}-[0-9a-f]{4}\Z")


class Asked(Record):
    """What the caller of a workflow asked for; "" and None mean: as the step, its profile or the project says.

    `sets` are the values of {{set.KEY}}. `worktree`: the steps that say nothing of it share one.
    `sequential`: one step works at a time, even where the graph would allow more. `limits` are each step's.
    """

    prompt: str = ""
    project: str = ""
    cwd: str = ""
    sets: dict[str, Any] = {}
    profile: str = ""
    backend: str = ""
    model: str = ""
    effort: str = ""
    limits: Limits = Limits()
    worktree: Optional[bool] = None
    sequential: bool = False
    pane: bool = True


class Started(Record):
    """A workflow that was started. `runs` are, by step, the ids of its runs, the newest last.

    `definition` is what its file held, `source` names that file. `chosen_by` is the run that
    chose it, `why` what that said. `batch` is that of all its runs, where they take turns.
    """

    format: int = 1
    id: str = ""
    name: str = ""
    source: str = ""
    definition: dict[str, Any] = {}
    asked: Asked = Asked()
    why: str = ""
    chosen_by: str = ""
    batch: str = ""
    runs: dict[str, Any] = {}
    created_at: float = 0.0

    def of_step(self, step: str) -> list[str]:
        """The ids of the step's runs, the newest last."""
        found = self.runs.get(step)
        return (
            [word for word in found if isinstance(word, str) and store.ID.match(word)]
            if isinstance(found, list)
            else []
        )

    def with_run(self, step: str, run_id: str) -> Started:
        return self.replace(runs={**self.runs, step: [*self.of_step(step), run_id]})


def new_id(now: float) -> str:
    """As the id of a run, and told from one at a glance."""
    return PREFIX + store.new_id(now)


def folder(home: Home) -> str:
    """Where the records are; made where it is missing."""
    files.private_folder(home.workflows)
    files.private_folder(home.started)
    return home.started


def lock(home: Home, workflow_id: str) -> str:
    """The path of its lock."""
    return os.path.join(folder(home), workflow_id + ".lock")


def save(home: Home, started: Started) -> None:
    """By who holds its lock."""
    files.replace(_path(home, started.id), files.dump(started.to_json()))


def forget(home: Home, workflow_id: str) -> None:
    """One of which nothing was started. Its lock file stays: another process may wait for it."""
    files.remove(_path(home, workflow_id))


def load(home: Home, workflow_id: str) -> Started:
    """Raises AgentctlError where there is none."""
    if not os.path.exists(_path(home, workflow_id)):
        raise AgentctlError("no workflow %s" % workflow_id, "see `agentctl workflow list --started`")
    return Started.from_json(files.load(_path(home, workflow_id), _LONGEST)).replace(id=workflow_id)


def newest(home: Home) -> Iterator[str]:
    """The ids of all that were started, newest first."""
    names = os.listdir(home.started) if os.path.isdir(home.started) else []
    yield from sorted((name[:-5] for name in names if name.endswith(".json") and ID.match(name[:-5])), reverse=True)


def resolve(home: Home, word: str) -> str:
    """The id of a workflow from an id, a unique prefix, or `@last`. Raises AgentctlError."""
    if ID.match(word):
        return load(home, word).id
    found = [name for name in newest(home) if word == "@last" or name.startswith(word)]
    if word == "@last" and not found:
        raise AgentctlError("no workflow was started yet", "start one: `agentctl workflow --help`")
    if not found:
        raise AgentctlError("no workflow `%s`" % word, "see `agentctl workflow list --started`")
    if len(found) > 1 and word != "@last":
        some = ", ".join(sorted(found)[-3:])
        raise AgentctlError(
            "`%s` begins %d workflow ids (%s …)" % (word, len(found), some), "give more of the id", code=2
        )
    return found[0]


def _path(home: Home, workflow_id: str) -> str:
    return os.path.join(home.started, workflow_id + ".json")
