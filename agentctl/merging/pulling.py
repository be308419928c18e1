"""Pull requests: the branches are pushed, `gh` opens one for each where it is installed.

It is told the repository, by the remote's url; where that names no forge, the command is for the user.
"""

from __future__ import annotations

import os
import re
import time

from .. import custody
from .. import files
from .. import gitdoor
from .. import proc
from ..branches import landing
from ..branches import pushing
from ..branches import testbed
from ..branches.testbed import Testbed
from ..errors import AgentctlError
from ..record import Record
from ..text import one_line
from . import harvest
from . import mergequeue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

    from ..branches.landing import Site
    from ..branches.landing import Work
    from ..store import Home
    from .harvest import Sheaf

_FORGE = re.compile(
    r"(?:https?://(?:[^@/]+@)?|ssh://(?:[^@/]+@)?|[\w.-]+@)([\w.-]+)(?::\d+/|[:/])([^/]+/[^/]+?)(?:\.git)?/?\Z"
)
_GH_S = 120.0


class Pull(Record):
    """A run's branch on its way: `url` of the pull request, or the `command` that opens it; else the `problem`.

    Of a branch that was not pushed, `command` pushes it; "" where nobody knows where to.
    """

    run_id: str = ""
    branch: str = ""
    pushed: bool = False
    url: str = ""
    command: str = ""
    problem: str = ""


def open_all(home: Home, ids: Sequence[str], wished: str, say: Callable[[str], None]) -> list[Pull]:
    """Push what these runs left and ask for its being pulled. Raises AgentctlError where nothing could be tried."""
    sheaves = harvest.to_land(home, ids)
    kept = sheaves[0].kept
    testbed.sweep_stale(home)
    bed = Testbed(home, kept.worktree)
    held: list[int] = []
    try:
        sheaves = harvest.seize_all(home, sheaves, held)
        site = landing.Site(bed.common, bed.scratch)
        into = mergequeue.target_of(sheaves[0], wished)
        aim = pushing.chosen(pushing.remotes(bed.common), bed.common, into)
        bare = ", without its hooks" if pushing.kind(aim[1]) == pushing.LOCAL else ""
        say("pushes to %s (%s)%s" % (*aim, bare))
        return [_opened(home, site, sheaf, into, aim, bed.scratch, say) for sheaf in sheaves]
    finally:
        bed.close()
        for fd in held:
            os.close(fd)


def _opened(
    home: Home, site: Site, sheaf: Sheaf, into: str, aim: tuple[str, str], scratch: str, say: Callable[[str], None]
) -> Pull:
    work = harvest.work(home, sheaf, say)
    asked = Pull(run_id=sheaf.run_id, branch=work.branch)
    then = pushing.led(custody.given(home, sheaf.kept.worktree.run).remotes, site.common, into)
    try:
        if not work.tip:
            raise AgentctlError(harvest.apart(sheaf.kept))
        pushing.check(then, aim, into)
        pushing.push(site, aim[1], work.tip, work.branch)
    except AgentctlError as e:
        say("run %s: %s was not pushed: %s%s" % (sheaf.run_id, work.branch, e, e.hint and "; " + e.hint))
        return asked.replace(problem=str(e), command=_by_hand(sheaf, work, then[1]))
    argv = _argv(sheaf, work.branch, into, aim[1])
    asked = asked.replace(pushed=True, command=_shown(argv))
    return _asked(asked, argv, scratch, say) if "--repo" in argv else asked


def _argv(sheaf: Sheaf, branch: str, into: str, url: str) -> list[str]:
    title = one_line(sheaf.spec.title or sheaf.kept.title or branch, 200)
    summary = sheaf.result.summary
    body = "%s\n\nagentctl run %s" % (summary, sheaf.run_id) if summary else "agentctl run %s" % sheaf.run_id
    argv = ["gh", "pr", "create", "--head", branch, "--base", into, "--title", title, "--body", body]
    forge = _FORGE.match(url)
    return [*argv, "--repo", "%s/%s" % forge.groups()] if forge else argv


def _by_hand(sheaf: Sheaf, work: Work, url: str) -> str:
    """To where it led before the worker came: taken as it is, it goes nowhere that a worker chose."""
    if not (url and work.tip):
        return ""
    import shlex

    made = sheaf.kept.worktree
    words = (made.source or made.common, url, "%s:%s%s" % (work.tip, landing.HEADS, work.branch))
    return "git -C %s push %s %s" % tuple(map(shlex.quote, words))


def _shown(argv: list[str]) -> str:
    import shlex

    return " ".join(map(shlex.quote, argv))


def _asked(asked: Pull, argv: list[str], scratch: str, say: Callable[[str], None]) -> Pull:
    try:
        done = _run(argv, scratch)
    except FileNotFoundError:
        return asked  # gh is not installed: the command is for whoever has it
    except (AgentctlError, OSError) as e:
        return asked.replace(problem=str(e))
    if done.code:
        problem = one_line(done.err.decode("utf-8", "replace"), 300) or "gh failed"
        say("run %s: no pull request: %s" % (asked.run_id, problem))
        return asked.replace(problem=problem)
    words = done.out.decode("utf-8", "replace").split()
    return asked.replace(url=words[-1] if words else "opened at %d" % time.time())


def _run(argv: list[str], scratch: str) -> proc.Done:
    """gh calls git, which in the checkout would run what a worker may have written into its config: so it is
    run in an empty folder, below which git looks for no repository."""
    folder = os.path.join(scratch, "gh-" + os.urandom(4).hex())
    files.private_folder(folder)
    env = {**gitdoor.environment(), "GIT_CEILING_DIRECTORIES": scratch, "PWD": folder}
    back = os.open(".", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.chdir(folder)
        return proc.run(argv, env=env, timeout=_GH_S)
    finally:
        os.fchdir(back)
        os.close(back)
