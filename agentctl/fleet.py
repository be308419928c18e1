"""The records of agents, their locks, and the chains of runs that they are.

    agents/<name>.json   how it works, and the newest run of its chain; replaced by rename
    agents/<name>.lock   held for the moments in which the record is read and written anew

Each run of an agent names the one before it as its parent. A run that is not there (its
`send` failed, or somebody removed the folder) is passed over.
"""

from __future__ import annotations

import os
from itertools import islice

from . import files
from . import finding
from . import locks
from . import orchestrators
from .errors import AgentctlError
from .model import FINISHED
from .model import Spec
from .settings import Agent
from .store import ID
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from typing import Optional

    from .model import Result
    from .store import Home

SUFFIX = ".json"
_MOST_LOOKS = 2000


class Holding:
    """`with Holding(home, name)`: an agent's lock, for a moment.

    Its file goes with the record: one that is not there any more is none.
    """

    def __init__(self, home: Home, name: str) -> None:
        self._record = path(home, name)
        self._path = os.path.join(home.agents, name + ".lock")
        self._fd = -1

    def __enter__(self) -> None:
        while True:
            files.private_folder(os.path.dirname(self._path))
            self._fd = locks.take(self._path)
            if _same_file(self._fd, self._path):
                return
            os.close(self._fd)

    def __exit__(self, *_: object) -> None:
        if not os.path.lexists(self._record):
            files.remove(self._path)  # whoever waits for it sees that it is gone, and makes another
        os.close(self._fd)


def _same_file(fd: int, path: str) -> bool:
    try:
        ours, there = os.fstat(fd), os.stat(path)
    except FileNotFoundError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def path(home: Home, name: str) -> str:
    """The file of an agent's record."""
    return os.path.join(home.agents, name + SUFFIX)


def save(home: Home, agent: Agent) -> None:
    """By who holds the lock. Raises OSError."""
    files.replace(path(home, agent.name), files.dump(agent.to_json()))


def names(home: Home) -> list[str]:
    """The agents that there are."""
    found = os.listdir(home.agents) if os.path.isdir(home.agents) else []
    return sorted(name[: -len(SUFFIX)] for name in found if name.endswith(SUFFIX) and not name.startswith("."))


def record(home: Home, name: str) -> Optional[Agent]:
    """The record of an agent as it is on disk; None where there is none, or a damaged one."""
    raw = files.load(path(home, name))
    return Agent.from_json(raw).replace(name=name) if isinstance(raw, dict) else None


def damage(home: Home, name: str) -> Optional[AgentctlError]:
    """What to say of a record that is there and cannot be read; None of any other."""
    if record(home, name) or not os.path.lexists(path(home, name)):
        return None
    return AgentctlError(
        "%s is damaged" % path(home, name), "mend it by hand, or remove it: `agentctl agent delete %s`" % name
    )


def chain(
    home: Home, agent: str, run_id: str, before: float = float("inf"), since: float = 0.0, besides: str = ""
) -> Iterator[Run]:
    """The runs of an agent from `run_id` back, newest first; before each those that went on for it, but `besides`.

    Where a folder is gone, the newest that is left of the agent's older ones, begun
    before the time `before` and not before `since`, is next.
    """
    seen: set[str] = set()  # nobody's work but a person's: a chain that leads into itself
    while run_id and run_id not in seen:
        run = Run(home, run_id)
        spec = run.spec() if ID.match(run_id) else Spec()
        if not spec.created_at:
            left = _left(home, agent, before, since)
            if left is None:
                return
            run, spec = left, left.spec()
        seen |= {run_id, spec.id}
        yield from successors(run, besides)
        yield run
        run_id, before = spec.parent, min(before, spec.created_at)


def successors(run: Run, besides: str = "") -> list[Run]:
    """The runs that went on for an ended one, newest first; not `besides`, and what came of that."""
    found: list[Run] = []
    result = run.result()
    while result and result.successor not in ("", besides) and Run(run.home, result.successor).exists():
        found.insert(0, Run(run.home, result.successor))
        result = found[0].result()
    return found


def _left(home: Home, agent: str, before: float, since: float) -> Optional[Run]:
    for run_id in islice(finding.newest(home), _MOST_LOOKS):
        run = Run(home, run_id)
        spec = run.spec()
        if spec.agent == agent and since <= spec.created_at < before:
            return run
    return None


def runs(home: Home, agent: Agent) -> Iterator[Run]:
    """The runs of an agent, newest first."""
    return chain(home, agent.name, agent.last_run, since=agent.created_at)


def last_run(home: Home, agent: Agent) -> str:
    """The newest run that is there, or ""."""
    return next((run.id for run in runs(home, agent)), "")


def ended(home: Home, spec: Spec, result: Result) -> None:
    """A run of an agent ended: an ephemeral one is gone after its first answer. Raises OSError."""
    agent = record(home, spec.agent)
    if agent and agent.ephemeral and spec.created_at >= agent.created_at and _is_answer(agent, result):
        _forget(home, agent)


def forget_spent(home: Home, name: str) -> bool:
    """Remove an ephemeral agent that gave its answer, where the runner that should have was killed."""
    agent = record(home, name)
    if agent is None or not agent.ephemeral:
        return False
    if not any(result and _is_answer(agent, result) for result in (run.result() for run in runs(home, agent))):
        return False
    _forget(home, agent)
    return True


def _is_answer(agent: Agent, result: Result) -> bool:
    """Whether an ephemeral agent is to be gone after it: not after what it had said before it was one."""
    return result.status == FINISHED and result.finished_at >= (agent.ephemeral_at or 0.0)


def _forget(home: Home, agent: Agent) -> None:
    with Holding(home, agent.name):
        now = record(home, agent.name)
        if now and now.created_at == agent.created_at:
            files.remove(path(home, agent.name))


def works_for(home: Home, name: str, env: Mapping[str, str]) -> bool:
    """Whether the caller is at work for the agent: to wait for its next run would be for ever."""
    run_id, seen = orchestrators.worker(env), set()
    while run_id and run_id not in seen and Run(home, run_id).exists():
        seen.add(run_id)
        spec = Run(home, run_id).spec()
        if spec.agent == name:
            return True
        run_id = spec.wake.run
    return False
