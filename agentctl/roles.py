"""What one may be asked to be: prompts/roles/NAME.md, the user's own in the home first.

A role is a prompt with a few lines before it, between two lines `---`:

    ---
    description: Reads a change and says what is wrong with it
    profile: review
    permissions: read-only
    ---
    You review …

`profile` serves the role where nobody names another one; `permissions` only take away
from what the profile has. Without these lines a file is a role all the same. But lines
that were meant and cannot be read are an error: a role that is to be read-only must not
become one that edits, for the want of a colon.
"""

from __future__ import annotations

import os

from . import config
from . import files
from . import paths
from . import text
from .errors import AgentctlError
from .errors import usage_error
from .model import PERMISSIONS
from .projects import NAME
from .settings import Role

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .store import Home

_FOLDER = "roles"
_SUFFIX = ".md"
_KEYS = ("description", "profile", "permissions")
_LONGEST = 1 << 18
_FIRST = 6
"""Of so many lines a file's head may consist; below them a word is a word."""


def every(home: Home) -> tuple[list[Role], list[AgentctlError]]:
    """All roles that can be read, by name; and what is wrong with the others."""
    found, problems = [], []
    for name, path in sorted(_paths(home).items()):
        try:
            found.append(_loaded(name, path))
        except AgentctlError as e:
            problems.append(e)
    return found, problems


def named(home: Home, name: str) -> Role:
    """A role by name. Raises AgentctlError that names the closest one."""
    known = _paths(home)
    if name not in known:
        raise usage_error("no role named `%s`" % name, config.meant(name, list(known)))
    return _loaded(name, known[name])


def parsed(name: str, words: str) -> tuple[Role, str]:
    """The role that a file's text describes, and what is wrong with it, or ""."""
    head, body = _split(words)
    if head is None:
        return Role(), "its lines after `---` do not end with another `---`"
    pairs = [_pair(line) for line in head]
    said = dict(pairs)
    wrong = _wrong([key for key, _ in pairs], said.get("permissions", PERMISSIONS[0]), body)
    return Role(name=name, text=body.strip() + "\n", **{k: v for k, v in said.items() if k in _KEYS}), wrong


def _wrong(keys: list[str], permissions: str, body: str) -> str:
    for n, key in enumerate(keys):
        if key not in _KEYS:
            return "no key `%s` is known there, only %s" % (text.one_line(key, 40), ", ".join(_KEYS))
        if key in keys[:n]:
            return "it says `%s` twice" % key
    if not keys and any(line.startswith("permissions:") for line in body.split("\n")[:_FIRST]):
        return "`permissions:` does not stand between two lines `---`"
    if permissions not in PERMISSIONS:
        return "permissions is one of %s" % ", ".join(PERMISSIONS)
    return "" if body.strip() else "it says nothing"


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
    role = Role()
    try:
        raw = files.read(path, _LONGEST + 1)
        role, wrong = parsed(name, raw.decode("utf-8-sig")) if len(raw) <= _LONGEST else (role, "it is too long")
    except OSError as e:
        wrong = e.strerror or "it cannot be read"
    except UnicodeDecodeError:
        wrong = "it is not UTF-8"
    if wrong:
        raise AgentctlError("role `%s` (%s): %s" % (name, path, wrong), "see `agentctl help roles`")
    return role.replace(path=path)


def _split(words: str) -> tuple[Optional[list[str]], str]:
    """The lines between two `---` at the top, and the rest; None for lines that do not end."""
    first, *lines = words.lstrip().split("\n")
    if first.strip() != "---":
        return [], words
    for n, line in enumerate(lines):
        if line.strip() == "---":
            return [said for said in lines[:n] if said.strip()], "\n".join(lines[n + 1 :])
    return None, ""


def _pair(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key.strip(), value.strip()
