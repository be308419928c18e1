"""Who could direct a goal here, and why the others cannot. Nothing is called; no key is named but by its variable."""

from __future__ import annotations

from .. import backends
from ..record import Record
from . import starting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config import Config
    from ..settings import Project
    from ..store import Home


class Director(Record):
    """`about` says in words why it is `usable`, or what is missing."""

    name: str = ""
    usable: bool = False
    about: str = ""


def every(home: Home, config: Config, project: Project, env: Mapping[str, str]) -> list[Director]:
    """In the order in which they are offered."""
    found = []
    for name in starting.ORCHESTRATORS:
        why = starting.refusal(home, config, name, project, env)
        there = "its API; a key is there" if name in backends.OURS else "is installed"
        found.append(Director(name=name, usable=not why, about=why or there))
    return found
