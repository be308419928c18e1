"""An inbox as its reader uses it: look, wait, acknowledge."""

from __future__ import annotations

import os

from . import claude_tui
from . import inbox
from . import orchestrators
from . import receipts
from .errors import AgentctlError
from .errors import usage_error
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Optional

    from .inbox import Entry
    from .store import Home


class Desk:
    """The caller's own inbox, or the one that is named; for a caller that is no orchestrator all of them.

    Raises AgentctlError for a name that no orchestrator has.
    """

    def __init__(self, home: Home, env: Mapping[str, str], name: str = "") -> None:
        self._home = home
        self._env = env
        if name and name not in inbox.names(home):
            raise usage_error("no orchestrator named `%s`" % name, "see `agentctl doctor`")
        self.caller = orchestrators.of_caller(home, env)
        self._name = name or (self.caller if self.caller in inbox.names(home) else "")
        self._worker = orchestrators.worker(env)
        self._promise: Optional[int] = None

    def entries(self) -> list[Entry]:
        """What is not acknowledged, oldest first."""
        wanted = [self._name] if self._name else inbox.names(self._home)
        found = [entry for name in wanted for entry in inbox.pending(self._home, name)]
        return sorted((e for e in found if self._may_see(e)), key=lambda e: (e.at, e.id))

    def _may_see(self, entry: Entry) -> bool:
        """A worker reads for its orchestrator only what it started itself."""
        return not self._worker or Run(self._home, entry.run_id).spec().wake.run == self._worker

    def awaited(self, seconds: Optional[float]) -> list[Entry]:
        """As `entries`, but waiting for the first; [] where `seconds` are over. While it waits no key is pressed."""
        from .vigil import Vigil

        if not self._name:
            raise AgentctlError(
                "only an orchestrator has an inbox to wait for",
                "name one: `agentctl inbox --wait --orchestrator NAME`; or wait for runs: `agentctl wait ID`",
            )
        vigil = Vigil(self._home, self._name)
        if self._name == self.caller:
            receipts.leave_with_caller(self._env)
            self._promise = inbox.promise(inbox.folder(self._home, self._name, "pull.lock"))
        try:
            return vigil.until(self.entries, (), seconds)
        finally:
            vigil.close()

    def named(self, words: Iterable[str]) -> list[str]:
        """Ids of the events that words name: an event's id, or a run's for all of its own. Raises AgentctlError."""
        entries, found = self.entries(), []
        for word in words:
            mine = [e.id for e in entries if word in (e.id, e.run_id)]
            if not mine and not (inbox.is_event(word) and inbox.acknowledged(self._home, word)):
                raise AgentctlError("no event `%s`" % word, "see `agentctl inbox`")
            found += mine
        return found

    def hear(self, entries: Sequence[Entry]) -> None:
        """What was shown to the orchestrator itself need not be told to it by a hook or by keys. Raises OSError."""
        live = claude_tui.above(os.getppid(), self._env)
        if live and self._name and self._name == self.caller:
            inbox.claim(self._home, self._name, live.listener, [e.id for e in entries])

    def acknowledge(self, events: Sequence[str]) -> list[str]:
        """Returns those that nobody had acknowledged before. Raises OSError."""
        return inbox.acknowledge(self._home, events, self.caller or "a person")
