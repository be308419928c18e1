"""`wake --test`: a test event through each transport, and what arrived, measured.

What proves an arrival: for a pull, that a waiter woke; for the hook and for keys, that
the text stands in the conversation's own transcript, which the hooks name, or without
hooks that the box was seen without it; for the status line, that a terminal shows it.
"""

from __future__ import annotations

import os
import time

from . import codex_queue
from . import config as configuration
from . import files
from . import inbox
from . import keys
from . import locks
from . import sight
from . import tmux
from . import wake
from .errors import AgentctlError
from .record import Record
from .vigil import Vigil

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from typing import Optional

    from .config import Config
    from .orchestrators import Orchestrator
    from .store import Home

_PATIENCE_S = 15.0
_NAP = 0.05
_TAIL = 1 << 20


class Heard(Record):
    """What came of one transport; `arrived` is None where it could not be tried, `words` say why or how."""

    transport: str = ""
    arrived: Optional[bool] = None
    seconds: Optional[float] = None
    words: str = ""


def each(home: Home, config: Config, name: str, env: Mapping[str, str]) -> Iterator[Heard]:
    """Try the transports that the orchestrator has, in its order. Raises AgentctlError, OSError."""
    trials = {"pull": _pull, "hooks": _hooks, "keys": _keys, "status": _status}
    for transport in configuration.transports(config, name):
        began = time.monotonic()
        try:
            arrived, words = trials[transport](home, name, env)
        except AgentctlError as e:
            arrived, words = False, str(e)
        seconds = time.monotonic() - began if arrived else None
        yield Heard(transport=transport, arrived=arrived, seconds=seconds, words=words)


def _posted(home: Home, name: str) -> str:
    event = "test-" + os.urandom(4).hex()
    inbox.post(home, inbox.Entry(id=event, kind=inbox.TEST, orchestrator=name, at=time.time(), text="wake --test"))
    return event


def _pull(home: Home, name: str, env: Mapping[str, str]) -> tuple[Optional[bool], str]:
    vigil, promise = Vigil(home, name), inbox.promise(inbox.folder(home, name, "pull.lock"))
    try:
        event = _posted(home, name)
        found = vigil.until(lambda: [e for e in inbox.pending(home, name) if e.id == event], (), _PATIENCE_S)
        inbox.acknowledge(home, [event], "wake --test")
        return bool(found), "a process that waited for this inbox was woken" if found else "nobody was woken"
    finally:
        vigil.close()
        if promise is not None:
            os.close(promise)


def _hooks(home: Home, name: str, env: Mapping[str, str]) -> tuple[Optional[bool], str]:
    at = wake.located(home, name)
    if at and at.thread:
        return _queued(home, at, env)
    if not _within(lambda: locks.held(inbox.folder(home, name, "hook.lock"))):
        return None, "no hook waits: it is in a turn, has ended, or was not started by `orch`"
    event = _posted(home, name)
    there = _within(lambda: _in_transcript(home, name, event.encode("ascii")) > 0)
    inbox.acknowledge(home, [event], "wake --test")
    return there, "it stands in the conversation" if there else "the conversation does not show it"


def _queued(home: Home, at: Orchestrator, env: Mapping[str, str]) -> tuple[Optional[bool], str]:
    said = codex_queue.tell(home, at, env, lambda _: ["test"])
    return said == keys.SUBMITTED, "Codex took it into its queue" if said == keys.SUBMITTED else said


def _keys(home: Home, name: str, env: Mapping[str, str]) -> tuple[Optional[bool], str]:
    at = wake.located(home, name)
    if at is None:
        return None, "its pane is not known"
    if at.thread:
        return None, "no key is pressed in a Codex: it has a queue"
    before = _in_transcript(home, name, keys.WORDS.encode("ascii"))
    said = [""]

    def knocked() -> bool:
        said[0] = keys.knock(home, at, env, lambda _: ["test"])
        return said[0] in (keys.SUBMITTED, keys.GONE)

    _within(knocked)
    if said[0] != keys.SUBMITTED:
        return (False if said[0] == keys.GONE else None), said[0]  # a turn, a question, a person is no loss
    if not inbox.state(home, name).get("transcript"):
        return True, "typed, and the box seen without it"
    there = _within(lambda: _in_transcript(home, name, keys.WORDS.encode("ascii")) > before)
    return there, "it stands in the conversation" if there else "typed; the conversation does not show it"


def _status(home: Home, name: str, env: Mapping[str, str]) -> tuple[Optional[bool], str]:
    at = wake.located(home, name)
    if at is None:
        return None, "its pane is not known"
    tmux.say(at.server, at.pane, "agentctl: a test of the wake")
    shown = sight.clients(at.server, at.pane)
    return (True, "shown by %d terminals" % shown) if shown else (None, "no terminal shows that tmux session")


def _in_transcript(home: Home, name: str, words: bytes) -> int:
    path = inbox.state(home, name).get("transcript")
    return files.read_tail(path, _TAIL).count(words) if isinstance(path, str) else 0


def _within(wanted: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _PATIENCE_S
    while not wanted():
        if time.monotonic() > deadline:
            return False
        time.sleep(_NAP)
    return True
