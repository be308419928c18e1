"""Our own check of a run: the user's command, run by us after the worker has ended.

The command was written down before the worker began. It is the user's words, a
shell line as in a Makefile: hence sh.
"""

from __future__ import annotations

from . import chores
from . import judge
from .model import CHECK_FAILED
from .model import PASSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .attend import Attendant


def verify(attendant: Attendant) -> str:
    """`passed` where the command exits 0 in time, else `failed`; its output is verify.log."""
    story, spec = attendant.story, attendant.spec
    story.screen.let_go()
    story.note("note", "check: " + spec.verify)
    argv = ("/bin/sh", "-c", spec.verify)
    try:
        ended = chores.done(attendant, argv, (), "verify.log", "verifies", spec.verify_timeout_s)
    except OSError as e:
        story.note("verified", "the check could not start: %s" % e.strerror)
        return CHECK_FAILED
    story.note("verified", "the check ended: " + judge.how(ended))
    return PASSED if ended.exit_code == 0 and ended.cause == judge.OWN else CHECK_FAILED
