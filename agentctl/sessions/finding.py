"""Which conversations there are on this machine: recent ones, and one by its id.

The files are sorted out by when they were last written, and only those of the time that is
asked for are opened. What cannot be read is passed over, and counted.
"""

from __future__ import annotations

import os

from .. import projects
from ..errors import AgentctlError
from ..errors import usage_error
from ..record import Record
from . import claude
from . import codex
from . import cursor
from . import ours
from . import walking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from typing import Any
    from typing import Optional

    from ..settings import Project
    from ..store import Home
    from .session import Place
    from .session import Session

VENDORS: dict[str, Any] = {"claude": claude, "codex": codex, "cursor": cursor}
_HOUR_S = 3600.0
_SOME = 3


class Wanted(Record):
    """Which conversations: those active in the last `hours` (None: all), of a backend, of a project ("": any)."""

    hours: Optional[float] = 24.0
    backend: str = ""
    project: str = ""


class Found(Record):
    """The conversations, the newest first, and the files that could not be read, each with its `wrong`."""

    sessions: tuple[Session, ...] = ()
    damaged: tuple[Place, ...] = ()


def recent(home: Home, wanted: Wanted, env: Mapping[str, str], now: float) -> Found:
    """The wanted conversations. Raises AgentctlError for an unknown backend or project."""
    if wanted.project:
        projects.named(home, wanted.project)
    since = 0.0 if wanted.hours is None else now - wanted.hours * _HOUR_S
    places = [place for place in every(wanted.backend, env) if place.wrong or place.changed_at >= since]
    read = [_read(place) for place in places]
    damaged = [place for place, _ in read if place.wrong and not 0 < place.changed_at < since]
    there = _newest_of_each([one for _, one in read if one and (one.last_active_at or now) >= since])
    those = complete(home, there, env)
    kept = tuple(one for one in those if wanted.project in ("", one.project))
    return Found(sessions=kept, damaged=tuple(damaged))


def every(backend: str, env: Mapping[str, str]) -> list[Place]:
    """Every file that should hold a conversation, of one backend or of all. Raises AgentctlError."""
    if backend and backend not in VENDORS:
        raise usage_error("backend `%s` keeps no sessions" % backend, "one of: %s" % ", ".join(VENDORS))
    return [place for name in VENDORS if backend in ("", name) for place in VENDORS[name].places(env)]


def one(home: Home, word: str, backend: str, env: Mapping[str, str]) -> Session:
    """The conversation whose id is `word`, or begins so and no other does. Raises AgentctlError."""
    named = [place for place in every(backend, env) if place.session_id.startswith(word) and word]
    exact = [place for place in named if place.session_id == word] or named
    ids = sorted({place.session_id for place in exact})
    if not ids:
        raise AgentctlError("no session `%s`" % word, "see `agentctl sessions --hours 720`")
    if len(ids) > 1:
        some = ", ".join(ids[:_SOME]) + (" …" if len(ids) > _SOME else "")
        raise AgentctlError("`%s` begins %d session ids (%s)" % (word, len(ids), some), "give more of the id", code=2)
    read = [_read(place) for place in exact]
    there = _newest_of_each([found for _, found in read if found])
    if not there:
        why = next((place.wrong for place, _ in read if place.wrong), "nothing was said in it yet")
        raise AgentctlError("session %s cannot be read: %s" % (ids[0], why), "it is in %s" % exact[0].path)
    return complete(home, there, env)[0]


def _read(place: Place) -> tuple[Place, Optional[Session]]:
    """(the place, with what is wrong with it; its conversation, None where it is damaged or nothing was said)."""
    vendor, told = VENDORS[place.backend], None
    if place.wrong:
        return place, None
    try:
        for first, last in vendor.SIZES:
            head, tail, whole = walking.ends(place.path, first, last)
            told = vendor.session(head, tail)
            if whole or told and vendor.enough(told[0]):
                break
    except OSError as e:
        return place.replace(wrong=(e.strerror or "it cannot be read").lower()), None
    if told is None:
        return place.replace(wrong="no line of it can be read"), None
    found, talked = told
    return place, _placed(place, found, vendor.directory(place, found)) if talked else None


def _placed(place: Place, found: Session, cwd: str) -> Session:
    """With what the file itself tells. It was not written to after its time, whatever a line says."""
    last = min(found.last_active_at or place.changed_at, place.changed_at)
    return found.replace(
        session_id=place.session_id,
        backend=place.backend,
        cwd=cwd,
        last_active_at=last,
        path=place.path,
        size=place.size,
    )


def _newest_of_each(found: list[Session]) -> list[Session]:
    """The newest first; of a conversation that is there twice (a folder was copied), the newest alone."""
    ordered = sorted(found, key=lambda one: (-(one.last_active_at or 0.0), one.session_id))
    seen: dict[tuple[str, str], Session] = {}
    for session in ordered:
        seen.setdefault((session.backend, session.session_id), session)
    return list(seen.values())


def complete(home: Home, found: list[Session], env: Mapping[str, str]) -> list[Session]:
    """With what the files do not say: live or not, ours or not, of which project."""
    runs = ours.runs_of(home, {one.session_id for one in found})
    alive = {name: vendor.alive(env, _ids(found, name)) for name, vendor in VENDORS.items() if _ids(found, name)}
    known = Places(projects.every(home))
    whole = []
    for one in found:
        run_id, of_run, title = runs.get(one.session_id, ("", "", ""))
        doing = alive[one.backend]
        whole.append(
            one.replace(
                live=None if doing is None else one.session_id in doing,
                doing="" if doing is None else doing.get(one.session_id, ""),
                ours=bool(run_id),
                run_id=run_id,
                title=one.title or title,
                project=of_run or known.project(one.cwd),
            )
        )
    return whole


def _ids(found: Iterable[Session], backend: str) -> list[str]:
    return [one.session_id for one in found if one.backend == backend]


class Places:
    """Which registered project a directory belongs to, each asked once: links are looked up on the disk."""

    def __init__(self, registered: dict[str, Project]) -> None:
        self._registered = sorted(registered.values(), key=lambda project: -len(project.path))
        self._known: dict[str, str] = {"": ""}

    def project(self, folder: str) -> str:
        """The innermost one, or ""."""
        if folder not in self._known:
            here = os.path.realpath(folder)
            inside = (p.name for p in self._registered if here == p.path or here.startswith(p.path.rstrip("/") + "/"))
            self._known[folder] = next(inside, "")
        return self._known[folder]
