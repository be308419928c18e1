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
from .rows import guarded
from .rows import ok
from .rows import quote
from .rows import warn
from .tmux_conf import ask
from .tmux_conf import spoken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from ..config import Config
    from ..inbox import Entry
    from ..orchestrators import Orchestrator
    from ..store import Home
    from ..tmux import Pane

UNHEARD_S = 600.0
"""An event that a living orchestrator has not acknowledged for so long lies about."""
STALE_S = 3600.0
"""A pane is kept so that a failure can be read; after this it was read, or never will be."""
_SHELLS = ("ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "nu", "sh", "tcsh", "xonsh", "zsh")


def check(home: Home, config: Config, env: Mapping[str, str], now: float) -> Iterator[Row]:
    """Raises OSError."""
    known = orchestrators.known(home)
    rows = [row for at in known for row in _each(home, at, known, now)]
    yield from rows
    if not rows:
        yield ok("orchestrators", "none%s: `orch` starts one" % (" is alive" if known else " yet"))
    yield _panes(home, config, env, now)


def alive(home: Home, at: Orchestrator) -> bool:
    """Whether it is, as far as can be seen: where tmux does not answer, nobody can be woken in its panes."""
    try:
        return orchestrators.alive(home, at)
    except AgentctlError:
        return False  # said by the row of tmux


def _each(home: Home, at: Orchestrator, known: Sequence[Orchestrator], now: float) -> list[Row]:
    title = "orchestrator " + at.name
    return guarded(title, lambda: _orchestrator(home, at, title, known, now))


def _orchestrator(home: Home, at: Orchestrator, title: str, known: Sequence[Orchestrator], now: float) -> Iterator[Row]:
    """Those that are gone and left nothing are not spoken of: nobody misses them."""
    waiting = inbox.pending(home, at.name)
    if not at.registered_at and not waiting:
        return
    if orchestrators.out_of_sight(at):
        yield from _out_of_sight(at, title, waiting, now)
        return
    try:
        lives = orchestrators.alive(home, at)
        pane = orchestrators.located(home, at) if lives else None
    except AgentctlError as e:
        yield warn(title, "its pane cannot be looked at: %s" % e, spoken(at.server, "list-panes -a"))
        return
    if lives and pane:
        yield from _living(home, at, pane, waiting, now)
    elif lives:
        yield _without_pane(home, at, title, waiting, known)
    elif waiting:
        yield _left_behind(at, title, "gone, with %s nobody has acknowledged" % count(len(waiting), "event"))


def _out_of_sight(at: Orchestrator, title: str, waiting: Sequence[Entry], now: float) -> Iterator[Row]:
    """Whether it lives, nobody can say: only its own `inbox` and `wait` tell it."""
    if waiting:
        words = "it has no pane, and has not acknowledged %s for %s"
        words %= (count(len(waiting), "event"), text.duration(now - waiting[0].at))
        yield (warn(title, words, _read(at)) if now - waiting[0].at > UNHEARD_S else ok(title, words))


def _living(home: Home, at: Orchestrator, pane: Pane, waiting: Sequence[Entry], now: float) -> Iterator[Row]:
    title, old = "orchestrator " + at.name, [entry for entry in waiting if now - entry.at > UNHEARD_S]
    rows = list(_pane(home, at, pane, title))
    if old:
        words = "%s not acknowledged for %s" % (count(len(old), "event"), text.duration(now - old[0].at))
        rows.append(warn(title, words, _read(at)))
    yield from rows or [ok(title, "alive%s" % (", %s waiting" % count(len(waiting), "event") if waiting else ""))]


def _without_pane(
    home: Home, at: Orchestrator, title: str, waiting: Sequence[Entry], known: Sequence[Orchestrator]
) -> Row:
    """Its process lives where nobody sees it. It keeps its inbox until it ends: another works beside it."""
    others = (other for other in known if other.name != at.name and at.folder and other.folder == at.folder)
    other = next((o.name for o in others if alive(home, o) and orchestrators.located(home, o)), "")
    if other and waiting:
        words = "its pane is gone, with %s nobody has acknowledged; %s works in its directory"
        return warn(title, words % (count(len(waiting), "event"), other), _read(at))
    if other:
        return ok(title, "its pane is gone; %s works in its directory" % other)
    words = "its process lives, but its pane %s is not there: nobody sees it, and it cannot be typed into" % at.pane
    if at.folder and os.path.isdir(at.folder):
        return fail(title, words, "orch --new %s" % quote(at.folder))
    letter = inbox.folder(home, at.name, "letter-")  # stands in the arguments of that process
    return fail(title, words, "ps -A -o pid= -o args= | grep -F %s" % quote(letter))


def _left_behind(at: Orchestrator, title: str, words: str) -> Row:
    """One of bin/orch's is missed, and a new one takes over; a pane that merely called may have been closed."""
    if at.folder and os.path.isdir(at.folder):
        return fail(title, words, "orch %s" % quote(at.folder))
    return (fail if at.name == orchestrators.TARGET else warn)(title, words, _read(at))


def _read(at: Orchestrator) -> str:
    """The command that shows what is in its inbox, and acknowledges it."""
    return "agentctl inbox --orchestrator %s --all" % at.name


def _pane(home: Home, at: Orchestrator, pane: Pane, title: str) -> Iterator[Row]:
    """What stands between the pane and those who look at it or type."""
    form = "x#{pane_in_mode} x#{pane_mode} x#{pane_input_off} x#{pane_current_command}"
    said = ask(at.server, "display-message", "-p", "-t", pane.id, form).strip().split(" ", 3)
    modes, mode, off, program = (word[1:] for word in (said + ["x"] * 4)[:4])
    if modes not in ("", "0"):
        yield _in_mode(at, pane, title, modes, mode)
    if off == "1":
        yield warn(title, "input into pane %s is off" % pane.id, spoken(at.server, "select-pane -e -t %s" % pane.id))
    if at.name == orchestrators.TARGET and program.lstrip("-") in _SHELLS:
        yield _shell(home, title)


def _in_mode(at: Orchestrator, pane: Pane, title: str, modes: str, mode: str) -> Row:
    """Our paste goes past it (seen with tmux 3.3a); who looks sees no news, and every other key ends in the mode."""
    words = (
        "pane %s is in %s: its screen stands still, and keys typed or sent by `send-keys` do not reach its program; "
        "agentctl pastes, which arrives" % (pane.id, mode.replace("-", " ") or "copy mode")
    )
    leave = "send-keys -X -t %s cancel" if (modes, mode) == ("1", "copy-mode") else "copy-mode -q -t %s"
    return warn(title, words, spoken(at.server, leave % pane.id))


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
