"""Where things are: the home, the package, the shipped prompts and configuration."""

from __future__ import annotations

import os
import sys

from .errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE = os.path.dirname(os.path.realpath(__file__))
PROGRAM = (os.path.realpath(sys.executable or "python3"), "-I", "-S", PACKAGE)
"""argv of this very program, whatever the PATH says."""


def home_folder(option: str, env: Mapping[str, str]) -> str:
    """--home, $AI_ORCH_HOME, else beside bin/ in a checkout, else ~/.ai-orch."""
    chosen = option or env.get("AI_ORCH_HOME", "")
    if chosen:
        return os.path.abspath(os.path.expanduser(chosen))
    checkout = os.path.dirname(PACKAGE)
    if os.path.isfile(os.path.join(checkout, "bin", "agentctl")):
        return os.path.join(checkout, ".ai-orch")
    return os.path.join(os.path.expanduser("~"), ".ai-orch")


def asset(kind: str, name: str) -> str:
    """The path of a shipped file: `kind` is "prompts" or "config".

    In a wheel they are package data, in a checkout they stand beside the package.
    Raises AgentctlError where the installation is damaged.
    """
    for base in (PACKAGE, os.path.dirname(PACKAGE)):
        path = os.path.join(base, kind, name)
        if os.path.isfile(path):
            return path
    raise AgentctlError("%s/%s is missing from this installation" % (kind, name), "install agentctl again")


def repository_top(folder: str) -> str:
    """The nearest directory at or above `folder` that git would take for a working tree; "" where none is."""
    here = os.path.abspath(folder)
    while not _has_repository(os.path.join(here, ".git")):
        above = os.path.dirname(here)
        if above == here:
            return ""
        here = above
    return here


def _has_repository(git: str) -> bool:
    """An empty `.git` folder is none: Codex's sandbox leaves one in /tmp (seen with 0.169.0)."""
    return os.path.isfile(git) or os.path.lexists(os.path.join(git, "HEAD"))


def executable(name: str, path: str) -> str:
    """The absolute path of a program on a PATH value, or "" where there is none."""
    if os.sep in name:
        return os.path.abspath(name) if _runnable(name) else ""
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder, name)
        if os.path.isabs(folder) and _runnable(candidate):
            return candidate
    return ""


def _runnable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
