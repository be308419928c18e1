"""Telling an orchestrator that there is news: a hint, never the truth (that is the inbox).

Transports, tried in the configured order; the first that sees to it is enough:
  pull    a `wait` or `inbox --wait` of its own is blocked on the very thing
  hooks   Claude Code's own asyncRewake hook waits (hooks.py): no key is pressed
  keys    one constant line, typed where that is safe (keys.py); `codex queue` for Codex
  status  the tmux status line, for the person: always, besides the others
An orchestrator that bin/orch started has a keeper (keeper.py) that does this for as long
as its pane lives. For any other the process that posted the event tries once; where that
was not the moment, a process of its own goes on until it is told or gone (keeper.see_to).
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
from .errors import AgentctlError

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

_PROMISE_S = 1.0
_HOOK, _NOBODY = "its hook tells it", "no transport could"
_SETTLED = (keys.SUBMITTED, keys.GONE, keys.NOTHING, codex_queue.GONE, _HOOK, _NOBODY)


def untold(home: Home, name: str, listener: str) -> list[Entry]:
    """The events that this process of the orchestrator's has not heard of, and that no command of its own will tell."""
    entries = inbox.pending(home, name)
    if not entries or locks.held(inbox.folder(home, name, "pull.lock")):
        return []
    before = inbox.heard(home, name, listener)
    return [e for e in entries if e.id not in before and not (e.kind == inbox.ENDED and _promised(home, e))]


def _promised(home: Home, entry: Entry) -> bool:
    """A `wait` tells of the end of its run, and of nothing before it."""
    return locks.held(inbox.waited(home, entry.run_id))


def _promises(home: Home, name: str) -> list[str]:
    """The locks of those of the orchestrator's own commands that will tell something that is pending."""
    entries = inbox.pending(home, name)
    paths = [inbox.waited(home, e.run_id) for e in entries if e.kind == inbox.ENDED]
    return [p for p in (inbox.folder(home, name, "pull.lock"), *paths) if entries and locks.held(p)]


def send_for(home: Home, name: str) -> None:
    """Have a process of its own see to it, where no keeper does: for those who must not wait for it. Raises OSError."""
    if name and not locks.held(inbox.folder(home, name, "keeper.lock")):
        launch.detached([*paths.PROGRAM, "_tell", home.path, name], os.environ)


def end_of(home: Home, config: Config, spec: Spec, words: str, env: Mapping[str, str]) -> None:
    """What its own runner does when a run's end is posted: one try, else a process that goes on; the status line.

    Raises AgentctlError without tmux; OSError.
    """
    if spec.goal:
        return  # its driver waits for it, and tells what matters
    name = inbox.heir(home, spec.wake.orchestrator)
    if name and not locks.held(inbox.folder(home, name, "keeper.lock")):
        _leave_to_promise(home, spec.id)
        if left_to_tell(home, config, name, env) != []:
            send_for(home, name)
    say(config, spec, located(home, name) if name else None, words)


def _leave_to_promise(home: Home, run_id: str) -> None:
    """A `wait` for the run needs some milliseconds to acknowledge; one that was killed never does."""
    deadline = time.monotonic() + _PROMISE_S
    while locks.held(inbox.waited(home, run_id)) and time.monotonic() < deadline:
        time.sleep(0.01)


def left_to_tell(home: Home, config: Config, name: str, env: Mapping[str, str]) -> Optional[list[str]]:
    """Try once; None where it must be tried again, else the promises by which the rest will be told, as locks.

    [] where nothing is left. One that was let go of in the try counts: it may have hidden what nobody tells now.
    """
    before = _promises(home, name)
    if _tried(home, config, name, env) not in _SETTLED:
        return None
    return [*dict.fromkeys((*before, *_promises(home, name)))]


def _tried(home: Home, config: Config, name: str, env: Mapping[str, str]) -> str:
    try:
        return deliver(home, config, name, env)
    except (AgentctlError, OSError) as e:
        return str(e)  # a tmux server that does not answer, a full disk: it is tried again


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
    """The orchestrator with its pane's id; None where it never said which, or the configured one is not there."""
    at = orchestrators.find(home, name)
    if at.target:
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
