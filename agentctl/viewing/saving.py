"""Where a page is written, and who shows it."""

from __future__ import annotations

import os
import stat
import sys

from .. import files
from .. import proc
from ..errors import AgentctlError
from .rendering import GENERATOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_MARK = ('content="%s"' % GENERATOR).encode("ascii")
_PATIENCE_S = 3.0


def save(path: str, data: bytes) -> bool:
    """Write the page, whole or not at all, for nobody else to read; True where it replaced an older one of ours.

    Raises AgentctlError where something else is there: it could be anything that somebody needs.
    """
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise AgentctlError("no folder %s" % folder, "make it, or name another file with -o")
    there = os.path.lexists(path)
    if there and not _is_ours(path):
        raise AgentctlError(
            "%s is there, and is no page of agentctl's" % path, "name another file with -o, or take it away"
        )
    files.replace(path, data)
    return there


def _is_ours(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode) and _MARK in files.read(path, 4096)
    except OSError:
        return False  # whatever it is, we leave it alone


def show(path: str, env: Mapping[str, str]) -> None:
    """Have the desktop open the page. Raises AgentctlError where nothing can, or what can fails at once."""
    hint = "the page is %s: open it in a browser" % path
    opener = _opener(env)
    if not opener:
        raise AgentctlError("nothing here opens a page: no %s" % ", ".join(_names()), hint)
    code = proc.leave([opener, path], env=env, patience=_PATIENCE_S)
    if code:
        raise AgentctlError("%s could not open it (exit code %d)" % (os.path.basename(opener), code), hint)


def _opener(env: Mapping[str, str]) -> str:
    for name in _names():
        try:
            return proc.find(name, env)
        except FileNotFoundError:
            continue  # the next one may be there
    return ""


def _names() -> tuple[str, ...]:
    return ("open",) if sys.platform == "darwin" else ("xdg-open", "wslview")
