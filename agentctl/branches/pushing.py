"""Pushing a branch: the one thing that leaves the machine.

Where to is read from the repository's config as data. The push itself runs in a git
directory of our own: a config that a worker may have written can name programs
(core.sshCommand, a credential helper, a remote helper), the user's own may.
"""

from __future__ import annotations

import os
import re

from .. import gitdoor
from ..errors import AgentctlError
from ..text import one_line
from . import landing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .landing import Site

_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*::?//|[^/]+:|/|~")


def remote_of(site: Site, branch: str) -> tuple[str, str]:
    """Name and URL of the remote that a branch belongs to: its own, `origin`, or the only one. Raises AgentctlError."""
    names = _configured(site, "--name-only", "--get-regexp", r"^remote\..*\.url$").split("\n")
    known = [name[len("remote.") : -len(".url")] for name in names if name]
    own = _configured(site, "branch.%s.remote" % branch)
    chosen = own if own in known else "origin" if "origin" in known else known[0] if len(known) == 1 else ""
    if not chosen:
        raise AgentctlError("the repository has no remote to push to", "add one: `git remote add origin URL`")
    url = _configured(site, "remote.%s.pushurl" % chosen) or _configured(site, "remote.%s.url" % chosen)
    first = url.split("\n")[0]
    return chosen, first if _ELSEWHERE.match(first) else os.path.normpath(os.path.join(_top(site.common), first))


def _top(common: str) -> str:
    """What a relative path is meant from."""
    return os.path.dirname(common) if os.path.basename(common) == ".git" else common


def _configured(site: Site, *words: str) -> str:
    try:
        return site.refs.line("config", *words)
    except gitdoor.CannotError:
        return ""  # not set


def push(site: Site, url: str, commit: str, branch: str) -> None:
    """Push a commit as a branch to a URL: by the user's own settings, none of the repository's: they may name programs.

    Raises AgentctlError.
    """
    door = site.objects
    door.env.update({k: v for k, v in os.environ.items() if k.startswith("GIT_SSH")})
    door.env.pop("GIT_ALLOW_PROTOCOL", None)  # gitdoor.offline
    try:
        door.ask("push", "--quiet", "--", url, "%s:%s%s" % (commit, landing.HEADS, branch))
    except (gitdoor.CannotError, OSError) as e:
        raise AgentctlError(one_line(e, 300), "see `git push`") from None
