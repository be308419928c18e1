"""What one may be asked to be: prompts/roles/NAME.md, the user's own in the home first.

A role is a prompt with a few lines before it, between two lines `---`:

    ---
    description: Reads a change and says what is wrong with it
    profile: review
    permissions: read-only
    ---
    You review …

`profile` serves the role where nobody names another one; `permissions` only take away
from what the profile has. Without these lines a file is a role all the same.
"""

from __future__ import annotations

import os

from . import config
from . import files
from . import paths
from .errors import AgentctlError
from .errors import usage_error
from .model import PERMISSIONS
from .projects import NAME
from .settings import Role

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .store import Home

_FOLDER = "roles"
_SUFFIX = ".md"
_KEYS = ("description", "profile", "permissions")
_LONGEST = 1 << 18


def every(home: Home) -> dict[str, Role]:
    """All roles by name. Raises AgentctlError for a file of the user's own that is none."""
    return {name: _loaded(name, path) for name, path in sorted(_paths(home).items())}


def named(home: Home, name: str) -> Role:
    """A role by name. Raises AgentctlError that names the closest one."""
    known = _paths(home)
    if name not in known:
        raise usage_error("no role named `%s`" % name, config.meant(name, list(known)))
    return _loaded(name, known[name])


def parsed(name: str, text: str) -> tuple[Role, str]:
    """The role that a file's text describes, and what is wrong with it, or ""."""
    head, body = _split(text)
    said = dict(_pair(line) for line in head)
    wrong = next(("no key `%s` is known there" % key for key in said if key not in _KEYS), "")
    permissions = said.get("permissions", "")
    if permissions and permissions not in PERMISSIONS:
        wrong = "permissions is one of %s" % ", ".join(PERMISSIONS)
    if not body.strip():
        wrong = "it says nothing"
    return Role(name=name, text=body.strip() + "\n", **{k: v for k, v in said.items() if k in _KEYS}), wrong


def _paths(home: Home) -> dict[str, str]:
    """The file of each role; the user's own replaces the shipped one of that name."""
    shipped = os.path.dirname(paths.asset("prompts", os.path.join(_FOLDER, "builder" + _SUFFIX)))
    found: dict[str, str] = {}
    for folder in (shipped, os.path.join(home.prompts, _FOLDER)):
        for file in os.listdir(folder) if os.path.isdir(folder) else ():
            name = file[: -len(_SUFFIX)]
            if file.endswith(_SUFFIX) and NAME.match(name):
                found[name] = os.path.join(folder, file)
    return found


def _loaded(name: str, path: str) -> Role:
    try:
        role, wrong = parsed(name, files.read(path, _LONGEST).decode("utf-8", "replace"))
    except OSError as e:
        role, wrong = Role(), e.strerror or "it cannot be read"
    if wrong:
        raise AgentctlError("role `%s` (%s): %s" % (name, path, wrong), "see `agentctl help profiles`")
    return role.replace(path=path)


def _split(text: str) -> tuple[list[str], str]:
    """The lines between two `---` at the top, and the rest."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---" or "---" not in (line.strip() for line in lines[1:]):
        return [], text
    end = next(n for n, line in enumerate(lines[1:], 1) if line.strip() == "---")
    return [line for line in lines[1:end] if line.strip()], "\n".join(lines[end + 1 :])


def _pair(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key.strip(), value.strip()
