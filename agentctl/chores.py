"""A command of ours that a run has done beside its worker: filling a worktree, the setup, the check.

It is started like a worker, so that a stop and a pause are heard, a flood is
dammed, and nothing of it is left; its output is a file of the run.
"""

from __future__ import annotations

from . import files
from . import judge
from . import piping
from . import standstill
from .attend import LONG_NAP
from .model import RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .attend import Attendant
    from .worker import Worker


def done(
    attendant: Attendant, argv: Sequence[str], more: Sequence[tuple[str, str]], log: str, doing: str, seconds: float
) -> judge.Ended:
    """How the command ended, in our working directory; `more` is added to its environment.

    Raises OSError where it cannot be started.
    """
    path = attendant.run.file(log)
    process = attendant.start(argv, more, "", lambda: piping.of_command(path, path))
    try:
        status, cause, why = _followed(attendant, process, log, doing, seconds)
    except BaseException:
        _stop(attendant, process)
        raise
    finally:
        attendant.left += process.clear_away()
        attendant.remarks += process.remarks()
    return judge.ended_by(status, cause, why)


def _followed(attendant: Attendant, process: Worker, log: str, doing: str, seconds: float) -> tuple[int, str, str]:
    """The wait status and why it is over: stops what is out of time, floods, or is not wanted any more."""
    deadline = attendant.now() + seconds
    while True:
        status = process.ended()
        if status is not None:
            return status, judge.OWN, ""
        standstill.hold(attendant, process)
        attendant.story.status(RUNNING, doing, process.pid)
        if attendant.stop_asked():
            return _stop(attendant, process), judge.STOP, attendant.stopped
        if attendant.now() > deadline:
            return _stop(attendant, process), judge.TIMEOUT, "out of time after %g s" % seconds
        if _floods(attendant, log):
            return _stop(attendant, process), judge.LIMIT, "it printed too much"
        attendant.nap(LONG_NAP)


def _stop(attendant: Attendant, process: Worker) -> int:
    return process.stop(False, attendant.config.stop_grace_s, lambda: None)


def _floods(attendant: Attendant, log: str) -> bool:
    most = attendant.spec.limits.max_output_bytes
    return most is not None and (files.size(attendant.run.file(log)) or 0) > most
