"""The orchestrators: alive, able to be told, with nothing left lying; and the panes that runs left behind."""

from __future__ import annotations

import os
import re

from .. import inbox
from .. import launch
from .. import orchestrators
from .. import store
from .. import text
from ..errors import AgentctlError
from .rows import Row
from .rows import count
from .rows import fail
from .rows import ok
from .rows import quote
from .rows import warn
from .tmux_conf import ask
from .tmux_conf import spoken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from ..config import Config
    from ..orchestrators import Orchestrator
    from ..store import Home

UNHEARD_S = 600.0
"""An event that a living orchestrator has not acknowledged for so long lies about."""
STALE_S = 3600.0
"""A pane is kept so that a failure can be read; after this it was read, or never will be."""
_SHELLS = ("ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "nu", "sh", "tcsh", "xonsh", "zsh")


def check(home: Home, config: Config, env: Mapping[str, str], now: float) -> Iterator[Row]:
    """Raises AgentctlError, OSError."""
    found = [at for at in orchestrators.known(home) if at.registered_at or inbox.pending(home, at.name)]
    for at in found:
        yield from _orchestrator(home, at, now)
    if not found:
        yield ok("orchestrators", "none yet: `orch` starts one")
    yield _panes(home, config, env, now)


def _orchestrator(home: Home, at: Orchestrator, now: float) -> Iterator[Row]:
    """Those that are gone and left nothing are not spoken of: nobody misses them."""
    title, waiting = "orchestrator " + at.name, inbox.pending(home, at.name)
    if not _alive(home, at):
        if waiting:
            yield _left_behind(at, title, "gone, with %s nobody has acknowledged" % count(len(waiting), "event"))
        return
    old = [entry for entry in waiting if now - entry.at > UNHEARD_S]
    rows = list(_pane(home, at, title))
    if old:
        words = "%s not acknowledged for %s" % (count(len(old), "event"), text.duration(now - old[0].at))
        rows.append(warn(title, words, _read(at)))
    yield from rows or [ok(title, "alive%s" % (", %s waiting" % count(len(waiting), "event") if waiting else ""))]


def _alive(home: Home, at: Orchestrator) -> bool:
    try:
        return orchestrators.alive(home, at)
    except AgentctlError:
        return False  # without tmux there is no pane


def _left_behind(at: Orchestrator, title: str, words: str) -> Row:
    """One of bin/orch's is missed, and a new one takes over; a pane that merely called may have been closed."""
    if at.folder and os.path.isdir(at.folder):
        return fail(title, words, "orch %s" % quote(at.folder))
    return (fail if at.name == orchestrators.TARGET else warn)(title, words, _read(at))


def _read(at: Orchestrator) -> str:
    """The command that shows what is in its inbox, and acknowledges it."""
    return "agentctl inbox --orchestrator %s --all" % at.name


def _pane(home: Home, at: Orchestrator, title: str) -> Iterator[Row]:
    """What stands between the pane and a knock."""
    found = orchestrators.located(home, at)
    if not found:
        return
    form = "x#{pane_in_mode} x#{pane_input_off} x#{pane_dead} x#{pane_current_command}"
    said = ask(at.server, "display-message", "-p", "-t", found.id, form).strip().split(" ", 3)
    mode, off, dead, program = (word[1:] for word in (said + ["x"] * 4)[:4])
    if mode not in ("", "0"):
        words = "pane %s is in copy mode, where typed keys get lost" % found.id
        yield warn(title, words, spoken(at.server, "send-keys -X -t %s cancel" % found.id))
    if off == "1":
        yield warn(title, "input into pane %s is off" % found.id, spoken(at.server, "select-pane -e -t %s" % found.id))
    if dead == "1":
        words = "its program has ended, pane %s is what is left of it" % found.id
        yield warn(title, words, spoken(at.server, "kill-pane -t %s" % found.id))
    elif at.name == orchestrators.TARGET and program.lstrip("-") in _SHELLS:
        yield _shell(home, title)


def _shell(home: Home, title: str) -> Row:
    words = "tmux_sendkeys_target is a shell: it gets the status line, never keys"
    change = quote('s/"tmux_sendkeys_target"/"tmux_notify_target"/')
    return warn(title, words, "sed -i.bak %s %s" % (change, quote(home.config)))


def _panes(home: Home, config: Config, env: Mapping[str, str], now: float) -> Row:
    """Dead panes whose program was the runner of a run of this home, ended a while ago or gone."""
    server, _ = launch.server_of(config, env)
    form = "#{pane_id} #{pane_dead} #{pane_start_command}"
    try:
        listed = [line.split(" ", 2) for line in ask(server, "list-panes", "-a", "-F", form).splitlines()]
    except AgentctlError:
        return ok("panes", "none")  # no server, or it was said above what is wrong with it
    dead = {row[0]: row[2] for row in listed if len(row) == 3 and row[1] == "1" and " _run" in row[2].replace('"', "")}
    stale = [pane for pane, command in dead.items() if _forgotten(home, command, now)]
    if not stale:
        return ok("panes", "%s kept to be read" % count(len(dead), "pane") if dead else "none is left behind")
    remedy = spoken(server, " \\; ".join("kill-pane -t %s" % pane for pane in stale))
    return warn("panes", "%s of runs that ended long ago" % count(len(stale), "pane"), remedy)


def _forgotten(home: Home, command: str, now: float) -> bool:
    """By what tmux started in the pane: status.json, which names it too, may be absent."""
    named = re.findall(r"\d{8}-\d{6}-[0-9a-f]{4}", command)
    run = store.Run(home, named[-1]) if named else None
    if run is None or not run.exists():
        return bool(run) and home.path in command  # else another home's
    result = run.result()
    return bool(result) and now - (result.finished_at if result else now) > STALE_S
