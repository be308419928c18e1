"""The key of an API, and where the API is: out of the environment, else out of the home's `.env`.

That file is lines of NAME=value, as shells and other programs have it; only its owner may be able to
read it. A key is never printed, never an argument, never in a run's folder.
"""

from __future__ import annotations

import os
import re
import stat

from . import files
from .errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

    from .store import Home

KEYS = {"anthropic": ("ANTHROPIC_API_KEY",), "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY")}
"""The names of the variables that hold the key of a backend, in order."""
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*\Z")
_QUOTED = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)\"""")
_COMMENT = re.compile(r"\s#.*")
_ESCAPED = re.compile(r"\\(.)")
_LONGEST = 1 << 16


def parsed(words: str) -> dict[str, str]:
    """The names and values of a `.env`; lines that are something else are passed over. Pure."""
    found = {}
    for line in words.splitlines():
        named = _LINE.match(line)
        if named and not line.lstrip().startswith("#"):
            found[named.group(1)] = _value(named.group(2))
    return found


def _value(written: str) -> str:
    quoted = _QUOTED.match(written)
    if quoted:
        return quoted.group(1) if quoted.group(1) is not None else _ESCAPED.sub(r"\1", quoted.group(2))
    return _COMMENT.sub("", " " + written).strip()


def of_home(home: Home) -> dict[str, str]:
    """What the home's `.env` says; nothing where there is none. AgentctlError where others may read it."""
    try:
        info = os.stat(home.dotenv)
    except FileNotFoundError:
        return {}
    except OSError as e:
        raise AgentctlError("cannot read %s: %s" % (home.dotenv, e.strerror), "see `agentctl help backends`") from None
    if not stat.S_ISREG(info.st_mode) or info.st_uid != os.geteuid() or info.st_mode & 0o077:
        raise AgentctlError("%s may be read by others: it is not used" % home.dotenv, "chmod 600 %s" % home.dotenv)
    try:
        return parsed(files.read(home.dotenv, _LONGEST).decode("utf-8", "replace"))
    except OSError as e:
        raise AgentctlError("cannot read %s: %s" % (home.dotenv, e.strerror), "see `agentctl help backends`") from None


def key(names: Sequence[str], env: Mapping[str, str], home: Home) -> str:
    """The first that is set. AgentctlError where none is, or where it cannot be one."""
    found = next((env[name] for name in names if env.get(name, "").strip()), "")
    if not found:
        kept = of_home(home)
        found = next((kept[name] for name in names if kept.get(name, "").strip()), "")
    found = found.strip()
    if not found:
        raise AgentctlError(
            "no API key: %s is not set" % " or ".join(names), "set it, or write %s=… into %s" % (names[0], home.dotenv)
        )
    if not (found.isascii() and found.isprintable()) or " " in found:
        raise AgentctlError("what %s says cannot be an API key" % " or ".join(names), "see `agentctl help backends`")
    return found


def base(name: str, shipped: str, env: Mapping[str, str], home: Home) -> str:
    """Where the API is, without a slash at its end. AgentctlError where nothing can be sent there."""
    from . import apidoor

    chosen = (env.get(name) or "").strip()
    if not chosen and not env.get(name):
        try:
            chosen = of_home(home).get(name, "").strip()
        except AgentctlError:
            chosen = ""  # it is not used; whoever needs its key is told
    url = (chosen or shipped).rstrip("/")
    wrong = apidoor.wrong_with(url)
    if wrong:
        raise AgentctlError("%s: %s" % (name, wrong), "%s=%s is where it is by itself" % (name, shipped))
    return url
