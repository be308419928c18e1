"""The keeper: what sees to it, as long as an orchestrator's pane lives, that its Claude is told.

It is a thread of the pane's own process (bin/orch), the parent of Claude. It leaves the
telling to a `wait` or the hook where one is there, gives the hook time to arm itself at
the end of a turn, and types the line only where none came: after Esc, which runs no
hook, and in a Claude that was started again by hand. Without news it is blocked.
"""

from __future__ import annotations

import os
import time

from . import claude_tui
from . import config as configuration
from . import inbox
from . import keys
from . import locks
from . import orchestrators
from . import wake
from .errors import AgentctlError
from .vigil import Vigil

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Optional

    from .claude_tui import Live
    from .inbox import Entry
    from .store import Home

_HEAD_START_S = 2.0
_FIRST_NAP_S, _LONGEST_NAP_S = 0.5, 10.0
_LONGEST_S = 86400.0


class Keeper:
    """Holds the orchestrator's keeper.lock from its making to the process's end. Raises OSError, AgentctlError."""

    def __init__(self, home: Home, name: str, root: int, env: Mapping[str, str]) -> None:
        self._lock = inbox.promise(inbox.folder(home, name, "keeper.lock"))
        if self._lock is None:
            raise AgentctlError("another `orch` keeps %s" % name, "start yours again: `orch`")
        self._home = home
        self._name = name
        self._root = root
        self._env = env
        self._vigil = Vigil(home, name)

    def keep(self) -> None:
        """Does not return. What cannot be told now (tmux in trouble, a full disk) is tried again."""
        nap = _FIRST_NAP_S
        while True:
            try:
                self._vigil.until(self._untold, (), None)
                told = self._round()
            except Exception:
                # Whatever it is: a keeper that is gone would still be relied on, while its lock is held.
                told = False
            nap = _FIRST_NAP_S if told else min(nap * 1.5, _LONGEST_NAP_S)
            if not told:
                time.sleep(nap)

    def _live(self) -> Optional[Live]:
        return claude_tui.below(self._root, claude_tui.folder_of(self._env))

    def _untold(self) -> Sequence[Entry]:
        """What the living Claude has not heard; nothing while none lives: the next one's hook tells it."""
        live = self._live()
        return wake.untold(self._home, self._name, live.listener) if live else []

    def _round(self) -> bool:
        """One try; whether there is nothing left to tell."""
        config, _ = configuration.load(self._home)
        order = configuration.transports(config, self._name)
        if "hooks" in order:
            self._give_way()
            live = self._live()
            if not live or not self._untold():
                return True
            if self._hook_will(live):
                return False
        if "keys" not in order:
            self._vigil.wait()
            return True
        at = orchestrators.find(self._home, self._name)
        said = keys.knock(self._home, at, self._env, wake.untold_to(self._home, self._name))
        return said in (keys.SUBMITTED, keys.NOTHING)

    def _give_way(self) -> None:
        """Let the hook tell, also one that is not armed yet; rings of other news do not shorten that."""
        deadline = time.monotonic() + _HEAD_START_S
        while self._untold() and time.monotonic() < deadline:
            self._vigil.wait(max(deadline - time.monotonic(), 0))

    def _hook_will(self, live: Live) -> bool:
        """Its waiter waits, or its turn goes on, at whose end the next one looks."""
        return locks.held(inbox.folder(self._home, self._name, "hook.lock")) or live.status not in claude_tui.RESTING


def see_to(home: Home, name: str, env: Mapping[str, str]) -> None:
    """For a pane without a keeper: deliver, however long its question, its turn or its draft takes, and no longer.

    A process of its own: one at a time, and one more behind it that will look again; others
    need not stay. Raises OSError.
    """
    behind = inbox.promise(inbox.folder(home, name, "next.lock"))
    if behind is None:
        return
    lock = locks.take(inbox.folder(home, name, "wake.lock"))
    os.close(behind)
    vigil, deadline, nap = Vigil(home, name), time.monotonic() + _LONGEST_S, 0.2
    while time.monotonic() < deadline:
        left = wake.left_to_tell(home, configuration.load(home)[0], name, env)
        if left == []:
            break
        vigil.wait(nap if left is None else None, promises=left or ())
        nap = min(nap * 1.5, _LONGEST_NAP_S)
    vigil.close()
    os.close(lock)
