"""The verb `wait`, for a caller who wants to hear how it goes and may change its mind."""

from __future__ import annotations

import os
import time

from .. import finding
from .. import judge
from .. import lending
from .. import listing
from .. import receipts
from .. import text
from .. import waiting
from ..errors import AgentctlError
from . import answers
from . import asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    from ..model import Result
    from ..store import Home
    from ..toolset import Caller

_TIME_IS_OVER = 124
_SHOWN = 3


def wait(home: Home, env: Mapping[str, str], given: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """The results in order of ending, and the ids of what goes on; `exit_code` is that of the command.

    A result that the answer has no room for stays in the inbox.
    """
    timeout = asking.seconds(given.get("timeout"))
    deadline = None if timeout is None else time.monotonic() + timeout
    first, words = bool(given.get("any")), given["ids"]
    ids, reader = finding.expand(home, words), receipts.Reader(home, env)
    results: list[Result] = []
    live: list[str] = []
    held = reader.hold(ids)
    try:
        while ids and not live:
            ended = _ended(home, env, ids, deadline, caller, first)
            results += ended
            live = [run_id for run_id in ids if run_id not in {result.run_id for result in ended}]
            ids = [] if first else _gone_on(home, words, results)
    finally:
        for lock in (lock for lock in held if lock is not None):
            os.close(lock)
    over = not results if first else bool(live)
    answer = {
        "results": [answers.brief(result.to_json()) for result in results],
        "still_running": live,
        "exit_code": _TIME_IS_OVER if over else judge.exit_code(results),
    }
    shown = [] if caller.gone() else results[: answers.kept(answer)]
    reader.seen([result.run_id for result in shown])
    return answer


def _ended(
    home: Home, env: Mapping[str, str], ids: Sequence[str], deadline: Optional[float], caller: Caller, first: bool
) -> list[Result]:
    """What has ended when all have, the first has, time is over or nobody waits any more."""
    left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
    lending.lend(home, ids, env, left)
    results: list[Result] = []

    def wanted() -> bool:
        done = {result.run_id for result in results}
        caller.progress(_waits_for(home, [run_id for run_id in ids if run_id not in done], len(ids)))
        return not caller.gone()

    for result in waiting.each_while(home, ids, left, wanted):
        results.append(result)
        if first:
            break
    return results


def _gone_on(home: Home, words: Sequence[str], results: Sequence[Result]) -> list[str]:
    """The runs that have gone on meanwhile for steps of the workflows that are waited for."""
    flows = [word for word in words if finding.names_workflow(word)]
    known = {result.run_id for result in results}
    return [run_id for run_id in finding.expand(home, flows) if run_id not in known] if flows else []


def _waits_for(home: Home, left: Sequence[str], count: int) -> str:
    """As `waits for 2 of 3 runs: ID (running: reads src/a.py), ID (queued)`."""
    shown = [_doing(home, run_id) for run_id in left[:_SHOWN]]
    more = [] if len(left) <= _SHOWN else ["and %d more" % (len(left) - _SHOWN)]
    return "waits for %d of %d runs: %s" % (len(left), count, ", ".join([*shown, *more]))


def _doing(home: Home, run_id: str) -> str:
    try:
        known = listing.known(home.run(run_id), time.time())
    except (AgentctlError, OSError):
        return run_id  # it is gone, which the wait itself will say
    doing = text.one_line(known.get("doing") or "", 60)
    return "%s (%s)" % (run_id, ": ".join(word for word in (known["status"], doing) if word))
