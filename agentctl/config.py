"""What the user configured: config.json, profiles, projects.

Only the user's own home and the shipped defaults are read, never a file of the
repository a worker runs in. A damaged file is said, kept as it is, and replaced
by the defaults for this one command; nothing writes over it.
"""

from __future__ import annotations

import os
import re

from . import files
from . import locks
from . import paths
from . import text
from .errors import AgentctlError
from .errors import usage_error
from .model import PERMISSIONS
from .model import Choice
from .model import Profile
from .model import Project
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

    from .store import Home

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


class Config(Record):
    """config.json. Times in seconds, sizes in bytes.

    `tmux_session`: where worker panes go ("" is the caller's own tmux session, or
    `ai` outside tmux); `tmux_socket`: a server's name or socket path.
    `tmux_notify_target`: a pane whose status line is told of each end;
    `tmux_sendkeys_target`: a pane to wake besides the one that called `start`.
    `keep_panes`: "failed" keeps the panes of runs that did not reach their goal,
    "always" and "never" say themselves.
    `stop_grace_s`: between TERM and KILL; `exit_grace_s`: how long a worker may live
    on after it reported. `backends`: the user's own, by name (agentctl help backends).
    """

    tmux_session: str = ""
    tmux_socket: str = ""
    tmux_notify_target: str = ""
    tmux_sendkeys_target: str = ""
    panes_per_window: int = 6
    keep_panes: str = "failed"
    wake_keys: bool = True
    stop_grace_s: float = 5.0
    exit_grace_s: float = 15.0
    verify_timeout_s: float = 600.0
    max_output_bytes: int = 256 << 20
    default_profile: str = "spark"
    executables: Optional[dict[str, str]] = None
    profiles: Optional[dict[str, Any]] = None
    backends: Optional[dict[str, Any]] = None


DEFAULT_SESSION = "ai"


def load(home: Home) -> tuple[Config, str]:
    """The configuration, and what is wrong with the file ("" where nothing is)."""
    try:
        raw = files.parse(files.read(home.config))
    except FileNotFoundError:
        return Config(), ""
    except (OSError, ValueError) as e:
        return Config(), "%s cannot be read (%s): using defaults" % (home.config, e)
    if not isinstance(raw, dict):
        return Config(), "%s is not a JSON object: using defaults" % home.config
    return Config.from_json(raw), ""


def profiles(config: Config) -> dict[str, Profile]:
    """The shipped profiles, with the user's own of the same name before them."""
    shipped = files.load(paths.asset("config", "profiles.json")) or {}
    raw = dict(shipped.get("profiles") or {})
    for name, entry in (config.profiles or {}).items():
        raw[name] = {**raw.get(name, {}), **entry} if isinstance(entry, dict) else entry
    return {name: _profile(name, entry) for name, entry in raw.items() if isinstance(entry, dict)}


def _profile(name: str, raw: dict[str, Any]) -> Profile:
    profile = Profile.from_json(raw)
    listed = raw.get("backends")
    choices = tuple(Choice.from_json(c) for c in listed) if isinstance(listed, list) else ()
    if profile.permissions not in PERMISSIONS:
        raise AgentctlError("profile `%s`: permissions is one of %s" % (name, ", ".join(PERMISSIONS)), "mend config.json")
    return profile.replace(name=name, backends=choices, allow=tuple(str(a) for a in profile.allow))


def profile(config: Config, name: str) -> Profile:
    """A profile by name. Raises AgentctlError that names the closest one."""
    known = profiles(config)
    if name in known:
        return known[name]
    raise AgentctlError("no profile named `%s`" % name, _meant(name, list(known)), code=2)


def _meant(name: str, known: list[str]) -> str:
    guess = text.closest(name, known)
    return "did you mean `%s`?" % guess if guess else "known: %s" % ", ".join(sorted(known) or ["none"])


def projects(home: Home) -> dict[str, Project]:
    """The registered projects by name. Raises AgentctlError for a damaged file."""
    try:
        raw = files.parse(files.read(home.projects))
        entries = raw["projects"]
        return {name: Project.from_json(entry).replace(name=name) for name, entry in entries.items() if NAME.match(name)}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise AgentctlError("%s is damaged" % home.projects, "mend it by hand, or move it away and add the projects again") from None


def project(home: Home, name: str) -> Project:
    """A project by name. Raises AgentctlError that names the closest one."""
    known = projects(home)
    if name in known:
        return known[name]
    hint = _meant(name, list(known)) if known else "register it with `agentctl add-project %s PATH`" % _example(name)
    raise AgentctlError("no project named `%s`" % name, hint)


def project_at(home: Home, folder: str) -> Project:
    """The project that contains a folder, the innermost one. Raises AgentctlError."""
    here = os.path.realpath(folder)
    found = [p for p in projects(home).values() if here == p.path or here.startswith(p.path.rstrip("/") + "/")]
    if not found:
        name = _example(os.path.basename(here))
        raise AgentctlError("no project is registered for %s" % here, "register it with `agentctl add-project %s .`" % name)
    return max(found, key=lambda p: len(p.path))


def _example(name: str) -> str:
    fitted = re.sub(r"[^A-Za-z0-9._-]", "-", name).strip("-._")[:64]
    return fitted or "NAME"


def add_project(home: Home, name: str, path: str, default_profile: str, trust: bool) -> Project:
    """Register a directory; the same name again changes its entry. Raises AgentctlError."""
    if not NAME.match(name):
        raise usage_error("`%s` is not a project name" % name, "letters, digits, `.`, `_`, `-`; at most 64; for example `%s`" % _example(name))
    if not os.path.isdir(path):
        raise AgentctlError("%s is not a directory" % path, "give the project's own directory")
    if default_profile:
        profile(load(home)[0], default_profile)
    entry = Project(name=name, path=os.path.realpath(path), default_profile=default_profile, trust=trust)
    with locks.holding(home.lock):
        _save(home, {**projects(home), name: entry})
    return entry


def remove_project(home: Home, name: str) -> Project:
    """Forget a project; its runs and its directory stay. Raises AgentctlError."""
    with locks.holding(home.lock):
        gone = project(home, name)
        _save(home, {n: p for n, p in projects(home).items() if n != name})
    return gone


def _save(home: Home, entries: dict[str, Project]) -> None:
    raw = {"format": 1, "projects": {name: p.to_json() for name, p in sorted(entries.items())}}
    files.replace(home.projects, files.dump(raw))
