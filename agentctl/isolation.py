"""A run's worktree: made once the run may begin, before any token is spent.

Whatever goes wrong here ends the run with the reason. Where nobody has worked in
the worktree yet, it is taken back; one whose setup failed stays for a look.
"""

from __future__ import annotations

import os
import shutil
import time

from . import chores
from . import custody
from . import files
from . import gitdoor
from . import judge
from .branches import pushing
from .errors import AgentctlError
from .trees import including
from .trees import leftover
from .trees import making
from .trees import mending
from .trees import worktree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .attend import Attendant
    from .custody import Kept
    from .model import Worktree

LOG = "setup.log"
"""The file of a run that has what git and the setup command printed."""


def prepare(attendant: Attendant) -> str:
    """Have the run's worktree ready, if it is to have one; why that failed, or "".

    From here to its end the run shares the worktree's lock: nobody removes it meanwhile.
    `attendant.spec` then says what was made in truth.
    """
    spec, home = attendant.spec, attendant.run.home
    if not spec.worktree.path:
        return ""
    lock = attendant.interruptibly(lambda: custody.share(home, spec.worktree.run), "waits for its worktree")
    if attendant.stop_asked():
        return attendant.stopped
    if isinstance(lock, Exception):
        return "no worktree: %s" % lock
    return _made(attendant) if spec.worktree.run == spec.id else _joined(attendant)


def leave(attendant: Attendant) -> None:
    """After the run: what leads git from the worktree to its repository is as we made it."""
    made = attendant.spec.worktree
    if made.path:
        known = custody.given(attendant.run.home, made.run)
        attendant.remarks += mending.mend(made.path, worktree.admin(made), known.texts)


def _joined(attendant: Attendant) -> str:
    """The worktree of the run that this one goes on from."""
    spec = attendant.spec
    kept = custody.load(attendant.run.home, spec.worktree.run)
    if kept is not None and not kept.filled_at:
        return "the worktree of run %s was never ready: start anew" % spec.worktree.run
    if kept is None or kept.removed_at or not worktree.exists(kept.worktree):
        return "the worktree of run %s is gone: bring it back with `agentctl undo %s`" % ((spec.worktree.run,) * 2)
    attendant.spec = spec.replace(worktree=kept.worktree)
    leave(attendant)  # its last runner may have been killed
    _open_for_commits(kept.worktree)
    return ""


def _made(attendant: Attendant) -> str:
    spec, home, story = attendant.spec, attendant.run.home, attendant.story
    kept = custody.Kept(project=spec.project, title=spec.title, author=spec.backend, made_at=time.time())
    try:
        made = attendant.as_caller(
            lambda: making.add(spec.worktree, lambda named: custody.save(home, kept.replace(worktree=named)))
        )
    except (AgentctlError, OSError) as e:
        custody.forget(home, spec.id)
        return "no worktree: %s" % e
    attendant.spec = spec.replace(worktree=made)
    story.note("note", "worktree: %s, branch %s" % (made.path, made.branch))
    included: list[str] = []
    why = _filled(attendant, made, included)
    if why:
        making.discard(made)
        custody.forget(home, spec.id)
        return why
    _open_for_commits(made)
    os.chdir(spec.cwd)
    why = _set_up(attendant) if spec.setup else ""
    return why or _ready(attendant, kept.replace(worktree=made), included)


def _ready(attendant: Attendant, kept: Kept, included: list[str]) -> str:
    """On record: from now on what is done there is the worker's."""
    home = attendant.run.home
    try:
        lay = leftover.given(kept.worktree, included)
        custody.give(home, kept.worktree.run, lay.replace(remotes=pushing.remotes(kept.worktree.common)))
        custody.save(home, kept.replace(filled_at=time.time()))
    except gitdoor.TROUBLE as e:
        return "no worktree: %s" % e
    return ""


def _filled(attendant: Attendant, made: Worktree, included: list[str]) -> str:
    """Its files: the commit's, its submodules', and what `.worktreeinclude` names, which is added to `included`."""
    scratch = attendant.run.file("making")
    files.private_folder(scratch)
    try:
        why = _ordered(attendant, made, scratch)
        if not why and not os.path.isdir(attendant.spec.cwd):
            why = "no worktree: commit %s has no folder %s" % (made.base[:12], made.inside)
        if not why:
            included += including.include(made, scratch, attendant.stop_asked)
        return why or attendant.stop_asked()
    except (AgentctlError, OSError) as e:
        return "no worktree: %s" % e
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _ordered(attendant: Attendant, made: Worktree, scratch: str) -> str:
    seconds = attendant.config.setup_timeout_s
    os.chdir(attendant.run.path)  # a place that stays, whatever pulls the worktree away
    for order in making.orders(made, scratch, attendant.remarks):
        ended = chores.done(attendant, order.argv, order.env, LOG, order.words, seconds)
        if ended.cause == judge.STOP:
            return ended.error
        if ended.exit_code != 0:
            return "no worktree: git, which %s: %s" % (order.words, _reason(attendant, ended))
    return ""


def _set_up(attendant: Attendant) -> str:
    """The project's own command, in the words of its user. It may want to look at the checkout."""
    spec, story = attendant.spec, attendant.story
    story.note("note", "setup: " + spec.setup)
    more = (("AGENTCTL_SOURCE", spec.worktree.source),)
    argv, seconds = ("/bin/sh", "-c", spec.setup), attendant.config.setup_timeout_s
    try:
        ended = chores.done(attendant, argv, more, LOG, "sets up", seconds)
    except OSError as e:
        return "setup failed: %s" % e.strerror
    if ended.cause == judge.STOP:
        return ended.error
    return "setup failed: " + _reason(attendant, ended) if ended.exit_code != 0 else ""


def _reason(attendant: Attendant, ended: judge.Ended) -> str:
    """`exit code 2: the last line it printed`."""
    said = files.read_tail(attendant.run.file(LOG), 2000).decode("utf-8", "replace").strip()
    return ": ".join(words for words in (judge.how(ended), said.rpartition("\n")[2][:300]) if words)


def _open_for_commits(made: Worktree) -> None:
    """A sandbox can only open folders that are there."""
    for folder in made.written_by_commits():
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError:
            pass  # refs that are kept in another way: the sandbox says the rest
