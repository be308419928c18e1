"""Where a run can be looked at: its tmux pane, as long as it is still that run's.

The pane's id alone proves nothing, tmux counts them anew after a restart: the
process in it must be the run's own.
"""

from __future__ import annotations

import os
import time

from . import tmux
from .errors import AgentctlError
from .record import typed
from .tmux import Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Optional

    from .store import Run

_BIRTH_S = 3.0
_NAP = 0.05


def of_run(run: Run) -> tuple[Server, str]:
    """The run's pane and its tmux server. Raises AgentctlError that names where to look instead."""
    if not run.spec().pane:
        raise AgentctlError("run %s was started without a pane" % run.id, _instead(run))
    place = _told(run)
    if place is None:
        raise AgentctlError("run %s has no pane any more" % run.id, _instead(run))
    return place


def _told(run: Run) -> Optional[tuple[Server, str]]:
    said = run.progress()
    pane, runner = typed(said, "pane", str), typed(said, "runner", int)
    server = Server(socket=typed(said, "socket", str) or "")
    found = tmux.describe(server, pane) if pane and runner else None
    return (server, found.id) if found and found.pid == runner else None


def _instead(run: Run) -> str:
    if run.result():
        return "see what became of it with `agentctl show %s`" % run.id
    return "see what it does with `agentctl follow %s`" % run.id


def place_of(run: Run) -> tuple[Server, str]:
    """As `of_run`, but a run that was started a moment ago gets the time to say where it is."""
    deadline = time.monotonic() + _BIRTH_S
    while not run.progress() and run.result() is None and time.monotonic() < deadline:
        time.sleep(_NAP)
    return of_run(run)


class Standing:
    """The panes that stand, asked once of each tmux server."""

    def __init__(self) -> None:
        self._servers: dict[str, dict[str, int]] = {}

    def of(self, run: Run) -> tuple[str, str, int]:
        """The run's pane, its server's socket, and the process in it; ("", "", 0) where it is gone."""
        said = run.progress()
        pane, pid = typed(said, "pane", str) or "", typed(said, "runner", int) or 0
        socket = typed(said, "socket", str) or ""
        if not pane or not pid:
            return "", "", 0
        if socket not in self._servers:
            self._servers[socket] = _processes(Server(socket=socket))
        return (pane, socket, pid) if self._servers[socket].get(pane) == pid else ("", "", 0)


def _processes(server: Server) -> dict[str, int]:
    """The first process of each pane."""
    try:
        listing = tmux.run(server, ["list-panes", "-a", "-F", "#{pane_id} #{pane_pid}"])
    except (AgentctlError, OSError):
        return {}  # no such server any more, or no tmux
    pairs = (line.split() for line in listing.splitlines())
    return {words[0]: int(words[1]) for words in pairs if len(words) == 2 and words[1].isdigit()}


def close(socket: str, pane: str, pid: int) -> None:
    """Close a pane, if that process is in it still: tmux looks and closes in one."""
    if not (pane.startswith("%") and pane[1:].isdigit()):
        return
    server = Server(socket=socket)
    try:
        tmux.run(server, ["if-shell", "-F", "-t", pane, "#{==:#{pane_pid},%d}" % pid, "kill-pane -t " + pane])
    except AgentctlError:
        pass  # it is gone, or its server is: as wished


def way_to(server: Server, pane: str, env: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """(argv, environment) of the program that shows the pane on this terminal; to be executed.

    From within the same tmux server the client is switched. From another one the
    pane is shown inside the caller's, which tmux allows only where TMUX is not set.
    """
    caller, _ = tmux.of_caller(env)
    inside = bool(caller.socket) and os.path.realpath(caller.socket) == os.path.realpath(server.socket)
    kept = {k: v for k, v in env.items() if inside or k not in ("TMUX", "TMUX_PANE")}
    return tmux.go_to(server, pane, inside), kept
