"""Who calls agentctl, and who is to be told: panes with an inbox.

An orchestrator is named by what outlasts its process: `orch-<digest of the directory>`
for those that bin/orch started, `codex-<thread>` for an interactive Codex,
`pane-<tmux server>-<pane>` for another pane that called `start`, `target` for the one
that config.json names; `claude-<process>` for a Claude Code outside tmux that has our plugin.
A run remembers the name; where its pane is now is looked up
when it is told.
Seen with codex-cli 0.169.0: its commands see CODEX_THREAD_ID; TMUX_PANE, by its daemon,
may be another TUI's.
"""

from __future__ import annotations

import os
import time

from . import claude_tui
from . import files
from . import finding
from . import inbox
from . import locks
from . import processes
from . import tmux
from .errors import AgentctlError
from .model import Wake
from .record import Record
from .store import ID
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Optional

    from .config import Config
    from .store import Home

VARIABLE = "AGENTCTL_ORCHESTRATOR"
TARGET, KEPT, PLUGGED = "target", "orch-", "claude-"


class Orchestrator(Record):
    """about.json.

    `pane_pid`: the pane's own process, as it was last seen; `target`: what config.json
    calls its pane; `thread`: a Codex conversation; `folder`: the directory that bin/orch
    started it in; `claude`: where its Claude Code keeps its files; `heir`: who took over.
    """

    name: str = ""
    pane: str = ""
    socket: str = ""
    server_pid: int = 0
    pane_pid: int = 0
    target: str = ""
    folder: str = ""
    thread: str = ""
    claude: str = ""
    heir: str = ""
    registered_at: float = 0.0

    @property
    def server(self) -> tmux.Server:
        return tmux.Server(socket=self.socket)


def known(home: Home) -> list[Orchestrator]:
    """All that ever registered in this home, by name."""
    return [find(home, name) for name in inbox.names(home)]


def find(home: Home, name: str) -> Orchestrator:
    """One by its name; where about.json is missing or damaged, all but the name is empty."""
    raw = files.load(inbox.folder(home, name, "about.json"))
    return Orchestrator.from_json(raw).replace(name=name)


def register(home: Home, orchestrator: Orchestrator) -> None:
    """Write down where it is. Raises OSError."""
    files.private_folder(inbox.folder(home, orchestrator.name))
    entry = orchestrator.replace(registered_at=time.time())
    files.replace(inbox.folder(home, orchestrator.name, "about.json"), files.dump(entry.to_json()))


def of_caller(home: Home, env: Mapping[str, str]) -> str:
    """The name under which the caller has its inbox; "" for one that has none.

    A worker acts for the orchestrator of its own run. For a pane the name follows from
    tmux's variables alone: no tmux client is asked.
    """
    name = env.get(VARIABLE, "")
    if name and inbox.NAME.match(name):
        return name
    run_id = worker(env)
    if run_id:
        return _of_run(home, run_id)
    _, pane = tmux.of_caller(env)
    thread = "codex-" + env.get("CODEX_THREAD_ID", "")
    if inbox.NAME.match(thread):
        return thread
    if not pane:
        return ""
    target, here = find(home, TARGET), (pane, server_pid(env))
    return TARGET if here == (target.pane, target.server_pid) else _pane_name(here)


def _of_run(home: Home, run_id: str) -> str:
    raw = files.load(os.path.join(home.runs, run_id, "meta.json"))
    wake = raw.get("wake") if isinstance(raw, dict) else None
    name = wake.get("orchestrator") if isinstance(wake, dict) else None
    return name if isinstance(name, str) and inbox.NAME.match(name) else ""


def plugged(pid: int) -> str:
    """The name of a Claude Code that has no pane: this very process, should its number be used again."""
    born = "".join(c for c in processes.start_time(pid).lower() if c.isascii() and c.isalnum())
    return "%s%d-%s" % (PLUGGED, pid, born)


def _pane_name(here: tuple[str, int]) -> str:
    number = here[0].lstrip("%")
    return "pane-%d-%s" % (here[1], number) if number.isdigit() else ""


def server_pid(env: Mapping[str, str]) -> int:
    """The tmux server of $TMUX, or 0."""
    word = env.get("TMUX", "").rpartition(",")[0].rpartition(",")[2]
    return int(word) if word.isdigit() else 0


def addressee(home: Home, config: Config, env: Mapping[str, str]) -> Wake:
    """Whom the runs that this caller starts are to tell, registered. Raises OSError.

    The configured target comes before a pane that merely called.
    """
    name, (server, pane) = of_caller(home, env), tmux.of_caller(env)
    if config.tmux_sendkeys_target and (not name or name.startswith("pane-")):
        name = TARGET
        _note_target(home, config)
    elif name and not name.startswith(KEPT) and not worker(env):
        _note_caller(home, name, env)
    return Wake(
        orchestrator=name, run=worker(env), pane=pane, socket=server.socket if pane else "", server_pid=server_pid(env)
    )


def worker(env: Mapping[str, str]) -> str:
    """The run whose worker calls, or ""."""
    run_id = env.get("AGENTCTL_RUN_ID", "")
    return run_id if ID.match(run_id) else ""


def _note_target(home: Home, config: Config) -> None:
    now = find(home, TARGET)
    if (now.target, now.socket) != (config.tmux_sendkeys_target, config.tmux_socket):
        now = Orchestrator(name=TARGET, target=config.tmux_sendkeys_target, socket=config.tmux_socket)
        register(home, now)
    if not now.pane:
        try:
            located(home, now)
        except AgentctlError:
            pass  # no tmux now: it is looked for again when there is something to tell


def located(home: Home, orchestrator: Orchestrator) -> Optional[tmux.Pane]:
    """Its pane as it is now, or None. For `target` this finds, and writes down, which pane the words mean."""
    word = orchestrator.target or orchestrator.pane
    found = tmux.describe(orchestrator.server, word) if word else None
    if found and found.dead:
        return None
    if found and orchestrator.target and (found.id, found.server_pid) != (orchestrator.pane, orchestrator.server_pid):
        register(home, orchestrator.replace(pane=found.id, server_pid=found.server_pid, pane_pid=found.pid))
        return found
    return found if found and orchestrator.server_pid in (0, found.server_pid) else None


def _note_caller(home: Home, name: str, env: Mapping[str, str]) -> None:
    """One that is not known yet, and one that was taken for gone: it lives, and has its inbox to itself again."""
    known, here = find(home, name), Orchestrator(name=name, claude=claude_tui.folder_of(env))
    server, pane = tmux.of_caller(env)
    if pane and name.startswith(("pane-", "codex-")):
        here = here.replace(pane=pane, socket=server.socket, server_pid=server_pid(env))
    if not known.registered_at or known.heir or here.pane and not known.pane:
        thread = env.get("CODEX_THREAD_ID", "") if name.startswith("codex-") else ""
        register(home, here.replace(thread=thread))


def alive(home: Home, orchestrator: Orchestrator) -> bool:
    """Whether its keeper lives; of one without a keeper, whether its pane is there. Raises AgentctlError.

    What runs in the pane now is asked by who wants to type (keys.py).
    """
    if orchestrator.name.startswith(KEPT):
        return locks.held(inbox.folder(home, orchestrator.name, "keeper.lock"))
    if orchestrator.name.startswith(PLUGGED):
        pid = orchestrator.name.split("-")[1]
        return pid.isdigit() and plugged(int(pid)) == orchestrator.name
    return located(home, orchestrator) is not None


def out_of_sight(orchestrator: Orchestrator) -> bool:
    """Whether nothing tells if it lives: a Codex outside tmux, a caller that named itself. Not known is not gone."""
    placed = orchestrator.pane or orchestrator.target
    return not placed and not orchestrator.name.startswith((KEPT, PLUGGED))


def inherit(home: Home, heir: str) -> list[str]:
    """Take over what the dead left, and what their runs have still to tell; returns the events' ids. Raises OSError."""
    taken = _handed_on(home, heir)
    mine = {inbox.heir(home, Run(home, run_id).spec().wake.orchestrator) for run_id in finding.live(home)}
    for other in known(home):
        if other.name in (heir, TARGET) or other.heir or not (other.name in mine or inbox.pending(home, other.name)):
            continue
        if _is_gone(home, other):
            taken += inbox.take_over(home, other.name, heir)
    return taken


def _handed_on(home: Home, heir: str) -> list[str]:
    """Empty the inboxes of those who have an heir, where homes of older versions have such; what came to `heir`."""
    came = []
    for other in known(home):
        last = inbox.heir(home, other.name)
        if last != other.name and inbox.pending(home, other.name):
            events = inbox.take_over(home, other.name, last)
            came += events if last == heir else []
    return came


def _is_gone(home: Home, orchestrator: Orchestrator) -> bool:
    try:
        return not out_of_sight(orchestrator) and not alive(home, orchestrator)
    except AgentctlError:
        return False  # a tmux server that does not answer is not gone
