"""Which conversations runs of this home worked in.

All results are looked through, but only for the ids that are wanted, and as bytes: the few
that name one are read. Runs that live say it in meta.json or status.json.
"""

from __future__ import annotations

import re

from .. import files
from .. import finding
from ..errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..store import Home

_NAMES = re.compile(rb'"session_id": ?"([A-Za-z0-9_-]{1,80})"')
_MOST = 1 << 24
_NOTHING = ("", "", "")


def runs_of(home: Home, wanted: set[str]) -> dict[str, tuple[str, str, str]]:
    """(the newest run that worked in it, that run's project and title) by session id."""
    left, found = set(wanted), dict[str, tuple[str, str, str]]()
    for run_id in finding.newest(home):
        if not left:
            break
        session_id, project, title = _of_run(home, run_id, left)
        if session_id in left:
            found[session_id] = (run_id, project, title)
            left.discard(session_id)
    return found


def live(home: Home, session_id: str) -> str:
    """A run that has not ended and works in this conversation, or is to; "" where there is none."""
    return next((run_id for run_id in finding.live(home) if session_id == _so_far(home, run_id)[0]), "")


def _of_run(home: Home, run_id: str, wanted: set[str]) -> tuple[str, str, str]:
    """(the run's session, its project, its title); "" where it has none of the wanted."""
    run = home.run(run_id)
    try:
        raw = files.read(run.file("result.json"), _MOST)
    except FileNotFoundError:
        return _so_far(home, run_id)
    except OSError:
        return _NOTHING
    if not any(name.decode("ascii") in wanted for name in _NAMES.findall(raw)):
        return _NOTHING
    result = run.result()  # a report may have named it as well
    return (result.session_id, result.project, result.title) if result else _NOTHING


def _so_far(home: Home, run_id: str) -> tuple[str, str, str]:
    """As `_of_run`, of a run without a result: the session that it told, else the one that was asked for."""
    try:
        run = home.run(run_id)
        spec, told = run.spec(), run.progress().get("session_id")
    except (OSError, AgentctlError):
        return _NOTHING  # gone, or damaged: `list` says so
    return (told if isinstance(told, str) and told else spec.session_id), spec.project, spec.title
