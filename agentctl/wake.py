"""Telling an orchestrator that there is news: a hint, never the truth (that is the inbox).

Transports, tried in the configured order; the first that sees to it is enough:
  pull    a `wait` or `inbox --wait` of its own is blocked on the very thing
  hooks   Claude Code's own asyncRewake hook waits (hooks.py): no key is pressed
  keys    one constant line, typed where that is safe (keys.py); `codex queue` for Codex
  status  the tmux status line, for the person: always, besides the others
An orchestrator that bin/orch started has a keeper (keeper.py) that does this for as long
as its pane lives; for any other the process that posted the event does, bounded in time.
"""

from __future__ import annotations

import os
import time

from . import codex_queue
from . import config as configuration
from . import inbox
from . import keys
from . import launch
from . import locks
from . import orchestrators
from . import paths
from . import tmux

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from typing import Optional

    from .config import Config
    from .inbox import Entry
    from .model import Spec
    from .orchestrators import Orchestrator
    from .store import Home

_PULL_S = 1.0
_LONGEST_S = 86400.0
_HOOK, _NOBODY = "its hook tells it", "no transport could"
_SETTLED = (keys.SUBMITTED, keys.GONE, keys.NOTHING, codex_queue.GONE, _HOOK, _NOBODY)


def untold(home: Home, name: str, listener: str) -> list[Entry]:
    """The events that this process of the orchestrator's has not heard of, and that no `wait` of its own will tell."""
    entries = inbox.pending(home, name)
    if not entries or locks.held(inbox.folder(home, name, "pull.lock")):
        return []
    before = inbox.heard(home, name, listener)
    return [e for e in entries if e.id not in before and not locks.held(inbox.waited(home, e.run_id))]


def send_for(home: Home, name: str) -> None:
    """Have a process of its own see to it, where no keeper does: for those who must not wait for it. Raises OSError."""
    if name and not locks.held(inbox.folder(home, name, "keeper.lock")):
        launch.detached([*paths.PROGRAM, "_tell", home.path, name], os.environ)


def end_of(home: Home, config: Config, spec: Spec, words: str, env: Mapping[str, str]) -> None:
    """What its own runner does when a run's end is posted: one try, else a process that goes on; the status line."""
    name = spec.wake.orchestrator
    if name and not locks.held(inbox.folder(home, name, "keeper.lock")):
        _leave_to_puller(home, spec.id)
        if deliver(home, config, name, env) not in _SETTLED:
            send_for(home, name)
    say(config, spec, located(home, name) if name else None, words)


def _leave_to_puller(home: Home, run_id: str) -> None:
    """A `wait` for the run needs some milliseconds to acknowledge; one that was killed never does."""
    deadline = time.monotonic() + _PULL_S
    while locks.held(inbox.waited(home, run_id)) and time.monotonic() < deadline:
        time.sleep(0.01)


def see_to(home: Home, name: str, env: Mapping[str, str]) -> None:
    """Deliver, however long its question, its turn or its draft takes; for a process of its own.

    One at a time, and one more behind it that will look again; others need not stay.
    """
    behind = locks.try_take(inbox.folder(home, name, "next.lock"))
    if behind is None:
        return
    lock = locks.take(inbox.folder(home, name, "wake.lock"))
    os.close(behind)
    deadline, nap = time.monotonic() + _LONGEST_S, 0.2
    while deliver(home, configuration.load(home)[0], name, env) not in _SETTLED and time.monotonic() < deadline:
        time.sleep(nap)
        nap = min(nap * 1.5, 3.0)
    os.close(lock)


def deliver(home: Home, config: Config, name: str, env: Mapping[str, str]) -> str:
    """Try once to tell an orchestrator of its news; what became of it, in words.

    Raises AgentctlError, OSError; nothing is lost then.
    """
    at = located(home, name)
    for transport in configuration.transports(config, name):
        if transport == "hooks" and locks.held(inbox.folder(home, name, "hook.lock")):
            return _HOOK
        if transport in ("hooks", "keys") and at and at.thread:
            return codex_queue.tell(home, at, env, untold_to(home, name))
        if transport == "keys" and at:
            return keys.knock(home, at, env, untold_to(home, name))
    return _NOBODY


def untold_to(home: Home, name: str) -> Callable[[str], list[str]]:
    """Asked by who tells, at the last moment: the ids of what a listener has not heard."""
    return lambda listener: [e.id for e in untold(home, name, listener)]


def located(home: Home, name: str) -> Optional[Orchestrator]:
    """The orchestrator with its pane's id; None where it never said which."""
    at = orchestrators.find(home, name)
    if at.target and not at.pane:
        orchestrators.located(home, at)
        at = orchestrators.find(home, name)
    return at if at.pane else None


def say(config: Config, spec: Spec, at: Optional[Orchestrator], words: str) -> None:
    """The status line of the orchestrator's pane and of the configured one. Raises AgentctlError without tmux."""
    places = [(tmux.Server(socket=config.tmux_socket), config.tmux_notify_target)]
    if "status" in configuration.transports(config, spec.wake.orchestrator):
        places.insert(0, (at.server, at.pane) if at else (tmux.Server(socket=spec.wake.socket), spec.wake.pane))
    for server, pane in places:
        try:
            if pane:
                tmux.say(server, pane, words)
        except tmux.TmuxFailed:
            pass  # that pane is gone; the next one may be there
