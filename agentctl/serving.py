"""Which backend serves a request, and where its program is: looked up on the caller's PATH."""

from __future__ import annotations

import os

from . import backends
from . import config as configuration
from . import paths
from .errors import AgentctlError
from .settings import Choice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any
    from typing import Optional

    from .config import Config
    from .request import Request
    from .settings import Profile


def backend(
    config: Config, request: Request, profile: Profile, env: Mapping[str, str]
) -> tuple[Choice, str, Optional[dict[str, Any]]]:
    """The backend asked for, else the first of the profile that is installed."""
    wanted = request.backend or ("shell" if request.argv else "")
    choices = [c for c in profile.backends if not wanted or c.backend == wanted] or [Choice(backend=wanted)]
    for choice in choices:
        custom = configuration.backend(config, choice.backend)
        executable = _executable(config, choice.backend, custom, request, env)
        unsought = choice.backend == "shell" and (not request.argv or os.sep in request.argv[0])
        unsought = unsought or choice.backend in backends.OURS
        if executable or unsought:  # a path is taken as it is; the runner says where it leads nowhere
            return choice, executable, custom
    raise _not_installed(choices, profile, request.argv)


def argv(name: str, asked: tuple[str, ...]) -> tuple[str, ...]:
    """What stands in the spec as its argv: the command asked for, or our own program for a backend that is ours."""
    return (*paths.PROGRAM, backends.OURS[name]) if name in backends.OURS else asked


def _executable(
    config: Config, name: str, custom: Optional[dict[str, Any]], request: Request, env: Mapping[str, str]
) -> str:
    if name == "shell":
        candidates: tuple[str, ...] = request.argv[:1]
    elif custom:
        candidates = tuple(str(a) for a in (custom.get("argv") or ())[:1])
    else:
        candidates = backends.adapter(name).EXECUTABLES
    configured = (config.executables or {}).get(name)
    for candidate in (configured, *candidates):
        found = paths.executable(str(candidate), env.get("PATH", "")) if candidate else ""
        if found:
            return found
    return ""


def _not_installed(choices: list[Choice], profile: Profile, argv: tuple[str, ...]) -> AgentctlError:
    if argv:
        return AgentctlError("%s is not a program on this PATH" % argv[0], "give its path, or run it by `-- sh -c '…'`")
    names = ", ".join(dict.fromkeys(c.backend for c in choices))
    if len(choices) == 1:
        return AgentctlError(
            "%s is not installed, or not on this PATH" % names,
            'install it, or say where it is under "executables" in config.json',
        )
    return AgentctlError(
        "no backend of profile `%s` is installed: %s" % (profile.name, names),
        "install one of them, or see it work without: `agentctl demo`",
    )
