"""The registered directories: projects.json."""

from __future__ import annotations

import os
import re

from . import config
from . import files
from . import locks
from .errors import AgentctlError
from .errors import usage_error
from .settings import Project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .store import Home

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


def every(home: Home) -> dict[str, Project]:
    """The registered projects by name. Raises AgentctlError for a damaged file."""
    try:
        raw = files.parse(files.read(home.projects))
        entries = ((name, entry) for name, entry in raw["projects"].items() if NAME.match(name))
        return {name: Project.from_json(entry).replace(name=name) for name, entry in entries}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise AgentctlError(
            "%s is damaged" % home.projects, "mend it by hand, or move it away and add the projects again"
        ) from None


def named(home: Home, name: str) -> Project:
    """A project by name. Raises AgentctlError that names the closest one."""
    known = every(home)
    if name in known:
        return known[name]
    register = "register it with `agentctl add-project %s PATH`" % _example(name)
    hint = config.meant(name, list(known)) if known else register
    raise AgentctlError("no project named `%s`" % name, hint)


def at(home: Home, folder: str) -> Project:
    """The project that contains a folder, the innermost one. Raises AgentctlError."""
    here = os.path.realpath(folder)
    found = [p for p in every(home).values() if here == p.path or here.startswith(p.path.rstrip("/") + "/")]
    if not found:
        name = _example(os.path.basename(here))
        raise AgentctlError(
            "no project is registered for %s" % here, "register it with `agentctl add-project %s .`" % name
        )
    return max(found, key=lambda p: len(p.path))


def _example(name: str) -> str:
    fitted = re.sub(r"[^A-Za-z0-9._-]", "-", name).strip("-._")[:64]
    return fitted or "NAME"


def add(
    home: Home, name: str, path: str, default_profile: str, trust: bool, worktree: bool = False, setup: str = ""
) -> Project:
    """Register a directory; the same name again changes its entry. Raises AgentctlError.

    Without a path it is the one that the name has, else the current directory.
    """
    if not NAME.match(name):
        raise usage_error(
            "`%s` is not a project name" % name,
            "letters, digits, `.`, `_`, `-`; at most 64; for example `%s`" % _example(name),
        )
    if not path:
        known = every(home).get(name)
        path = known.path if known else os.getcwd()
    if not os.path.isdir(path):
        raise AgentctlError("%s is not a directory" % path, "give the project's own directory")
    if default_profile:
        config.profile(config.load(home)[0], default_profile)
    entry = Project(
        name=name,
        path=os.path.realpath(path),
        default_profile=default_profile,
        trust=trust,
        worktree=worktree,
        setup=setup,
    )
    with locks.holding(home.lock):
        _save(home, {**every(home), name: entry})
    return entry


def remove(home: Home, name: str) -> Project:
    """Forget a project; its runs and its directory stay. Raises AgentctlError."""
    with locks.holding(home.lock):
        gone = named(home, name)
        _save(home, {n: p for n, p in every(home).items() if n != name})
    return gone


def _save(home: Home, entries: dict[str, Project]) -> None:
    raw = {"format": 1, "projects": {name: p.to_json() for name, p in sorted(entries.items())}}
    files.replace(home.projects, files.dump(raw))
