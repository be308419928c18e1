"""Pushing a branch: the one thing that leaves the machine.

Where to is read from the repository's config as data, and a worker may have written
that: it has to be where the remote led before the run's worker came (`remotes`, on
record). The push itself runs in a git directory of our own: a config can name programs
(core.sshCommand, a credential helper, a remote helper), the user's own may.

A push to a folder of this machine runs git there, by that repository's config and
hooks. Who wrote these nobody knows, so none of them is run.
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
    from collections.abc import Mapping
    from typing import Optional

    from .landing import Site

NETWORK, LOCAL = "network", "local"
_SETTINGS = r"^(remote\..*\.(url|pushurl)|branch\..*\.remote)$"
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*::?//|[^/]+:|/|~")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(://|::)")
_SCHEMES = {"file": LOCAL, **dict.fromkeys(("https", "http", "ssh", "git", "git+ssh", "ssh+git"), NETWORK)}
_RECEIVE = (
    "env GIT_ALLOW_PROTOCOL=none GIT_NO_LAZY_FETCH=1 git -c core.hooksPath=/dev/null -c core.fsmonitor="
    " -c core.alternateRefsCommand=true -c receive.autogc=false -c receive.denyCurrentBranch=refuse receive-pack"
)
"""What is run at the other end where that is on this machine; git has a shell read it."""


def remotes(common: str) -> dict[str, str]:
    """What says where branches are pushed to, by the name of the setting. Raises what gitdoor.TROUBLE names.

    Without those of branches that belong to `origin`, as they do where nothing is said.
    """
    try:
        raw = gitdoor.shared(common, 20.0).ask("config", "-z", "--get-regexp", _SETTINGS)
    except gitdoor.CannotError as e:
        if e.done.code != 1:
            raise
        return {}  # none is set
    pairs = (entry.partition("\n") for entry in os.fsdecode(raw).split("\0") if entry)
    return {name: value for name, _, value in pairs if (name[:7], value) != ("branch.", "origin")}


def chosen(settings: Mapping[str, str], common: str, branch: str) -> tuple[str, str]:
    """Name and URL of the remote that a branch belongs to: its own, `origin`, or the only one. Raises AgentctlError."""
    known = [name[len("remote.") : -len(".url")] for name in settings if re.match(r"remote\..*\.url\Z", name, re.S)]
    own = settings.get("branch.%s.remote" % branch, "")
    name = own if own in known else "origin" if "origin" in known else known[0] if len(known) == 1 else ""
    if not name:
        raise AgentctlError("the repository has no remote to push to", "add one: `git remote add origin URL`")
    url = settings.get("remote.%s.pushurl" % name) or settings["remote.%s.url" % name]
    return name, url if _ELSEWHERE.match(url) else os.path.normpath(os.path.join(_top(common), url))


def led(before: Optional[Mapping[str, str]], common: str, branch: str) -> tuple[str, str]:
    """What `chosen` said `before` the run's worker came; nothing where there was no remote, or none is on record."""
    try:
        return chosen(before or {}, common, branch)
    except AgentctlError:
        return "", ""


def check(then: tuple[str, str], now: tuple[str, str], branch: str) -> None:
    """Raises AgentctlError unless the remote of a branch is what it was `then`, as `led` says."""
    hint = "a worker may have written that: see `git config --list --show-origin`, and push yourself if it is right"
    if not then[0]:
        raise AgentctlError("no remote is on record for when the run began; by now it is %s (%s)" % now, hint)
    if then != now:
        raise AgentctlError("%s belongs to %s (%s), and to %s (%s) when the run began" % (branch, *now, *then), hint)


def _top(common: str) -> str:
    """What a relative path is meant from."""
    return os.path.dirname(common) if os.path.basename(common) == ".git" else common


def kind(url: str) -> str:
    """Whether git goes to it over a network, or finds it on this machine; "" for what a program of its name decides."""
    scheme = _SCHEME.match(url)
    if scheme:
        return _SCHEMES.get(scheme.group(1), "") if scheme.group(2) == "://" else ""
    return NETWORK if re.match(r"[^/]+:", url) else LOCAL


def push(site: Site, url: str, commit: str, branch: str) -> None:
    """Push a commit as a branch to a URL: by the user's own settings, none of the repository's: they may name programs.

    Raises AgentctlError.
    """
    door = site.objects
    door.env.update({k: v for k, v in os.environ.items() if k.startswith("GIT_SSH")})
    try:
        how = _how(kind(_rewritten(door, url)))
        door.env.pop("GIT_ALLOW_PROTOCOL", None)  # gitdoor.offline
        door.ask("push", "--quiet", *how, "--", url, "%s:%s%s" % (commit, landing.HEADS, branch))
    except (gitdoor.CannotError, OSError) as e:
        raise AgentctlError(one_line(e, 300), "see `git push`") from None


def _how(where: str) -> tuple[str, ...]:
    if not where:
        raise gitdoor.CannotError("it is neither https, ssh nor git, nor a folder")
    local = ("--receive-pack=" + _RECEIVE, "--no-signed") if where == LOCAL else ()
    return ("--recurse-submodules=no", *local)


def _rewritten(door: gitdoor.Door, url: str) -> str:
    """Where git goes with it, by the user's own url.*.insteadOf and pushInsteadOf."""
    door.ask("config", "remote.asked.url", url)  # in the git directory of our own
    return door.line("remote", "get-url", "--push", "asked")
