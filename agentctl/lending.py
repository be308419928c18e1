"""A worker that waits for other runs: what they need to end, they must be able to get.

It keeps its slot while it waits. So the runs it waits for, and those that they wait for,
are marked by a file `awaited` in their folders: they take no slot that it might hold
(pools.py). And it cannot wait for what waits for itself.
"""

from __future__ import annotations

from . import bell
from . import files
from . import finding
from . import orchestrators
from . import pools
from .errors import usage_error
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from typing import Optional

    from .model import Spec
    from .store import Home


def lend(home: Home, ids: Iterable[str], env: Mapping[str, str], timeout: Optional[float] = None) -> None:
    """Before a wait: if a worker is to wait, have the runs end without its slot.

    Raises AgentctlError where it would wait for itself, for ever.
    """
    caller = orchestrators.worker(env)
    if not caller or not Run(home, caller).exists():
        return
    wanted = list(ids)
    found = _awaited(home, wanted)
    if caller in found and timeout is None:
        raise usage_error(
            "run %s would wait for itself: for %s, which it is to come before" % (caller, " ".join(wanted)),
            "end without waiting for that: it goes on once you have ended",
        )
    for run_id in found - {caller}:
        _mark(Run(home, run_id))


def _awaited(home: Home, ids: Iterable[str]) -> set[str]:
    """The runs that have not ended of these and of those that they wait for."""
    found: set[str] = set()
    left = list(ids)
    while left:
        run = Run(home, left.pop())
        if run.id not in found and run.exists() and (run.recorded() is None or run.runner_alive()):
            found.add(run.id)
            left += _before(home, run.spec())
    return found


def _before(home: Home, spec: Spec) -> Iterator[str]:
    """The runs that this one waits for."""
    yield from (finding.last_of(home, run_id) for run_id in spec.after)
    if spec.agent:
        from . import conversation

        for run in conversation.earlier(home, spec):
            yield run.id
            result = run.result()
            if result and result.started_at:
                return  # it had waited for those before it


def _mark(run: Run) -> None:
    for _ in range(3):
        try:
            files.create(run.file(pools.AWAITED), b"")
        except FileExistsError:
            pass  # marked before: rung again, should that ring have been lost
        except FileNotFoundError:
            continue  # born between the look and the write: its folder has another name now
        bell.ring_all(run.file(bell.OF_RUN))
        return
