"""Our own check of a run: the user's command, run by us after the worker has ended.

The command was written down before the worker began. It is the user's words, a
shell line as in a Makefile: hence sh.
"""

from __future__ import annotations

import time

from . import files
from . import judge
from .attend import LONG_NAP
from .model import CHECK_FAILED
from .model import PASSED
from .model import RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .attend import Attendant
    from .worker import Worker


def verify(attendant: Attendant) -> str:
    """`passed` where the command exits 0 in time, else `failed`; its output is verify.log."""
    story = attendant.story
    story.screen.let_go()
    story.note("note", "check: " + attendant.spec.verify)
    try:
        check = attendant.start(("/bin/sh", "-c", attendant.spec.verify), (), "", "verify.log", "verify.log")
    except OSError as e:
        story.note("verified", "the check could not start: %s" % e.strerror)
        return CHECK_FAILED
    try:
        status = _followed(attendant, check)
    except BaseException:
        _stop(attendant, check)
        raise
    finally:
        attendant.left += check.clear_away()
    ended = judge.ended_by(status, judge.OWN, "")
    story.note("verified", "the check ended: " + judge.how(ended))
    return PASSED if ended.exit_code == 0 else CHECK_FAILED


def _followed(attendant: Attendant, check: Worker) -> int:
    """The wait status; stops a check that is out of time, floods, or is not wanted any more."""
    deadline = time.monotonic() + attendant.spec.verify_timeout_s
    while True:
        status = check.ended()
        if status is not None:
            return status
        attendant.story.status(RUNNING, "verifies", check.pid)
        if attendant.stop_asked() or time.monotonic() > deadline or _floods(attendant):
            return _stop(attendant, check)
        attendant.alarm.sleep(LONG_NAP)


def _stop(attendant: Attendant, check: Worker) -> int:
    return check.stop(False, attendant.config.stop_grace_s, lambda: None)


def _floods(attendant: Attendant) -> bool:
    most = attendant.spec.limits.max_output_bytes
    return most is not None and (files.size(attendant.run.file("verify.log")) or 0) > most
