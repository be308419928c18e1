"""Typing the one constant line into an orchestrator's pane, where that is safe.

A wrong key can approve a tool call or run in a shell; a line not typed loses nothing.
Measured with Claude Code 2.1.197: Enter into an open permission question approves it,
and so does any text followed by Enter; a question does not echo what is pasted; a
chunk of text together with its Enter is taken for a paste and left unsent; ^S puts a
draft aside, which comes back by itself after the next submit.
So: a live Claude Code in the foreground of the pane, by its own session file; idle, by
its hooks first and by that file, since questions come out of turns; nobody at the keys;
the box on the screen; the text by one bracketed paste, seen in the box; all of it looked
at once more; Enter alone; the box seen without the text. Its UserPromptSubmit hook,
which holds a turn back, takes the same lock (hooks.py): none begins in between.
"""

from __future__ import annotations

import os
import time

from . import claude_tui
from . import inbox
from . import locks
from . import orchestrators
from . import sight

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Optional

    from .claude_tui import Live
    from .orchestrators import Orchestrator
    from .sight import Look
    from .store import Home

WORDS = ": agentctl - there is news - look with - agentctl inbox"
"""No digit, which answers menus; nothing a shell, a tmux format or a TUI would act on; never a run's own words."""
SUBMITTED, GONE, NOTHING = "submitted", "no live Claude Code in that pane", "nothing to tell"
_FOR_ANOTHER = "for a new session"
"""How the words end that stand in the box of its agents view, which `←` opens: Enter there starts another Claude."""
_SEARCH, _FOOT = ("search prompts:", "no matching prompt:"), 4
"""Where ^R has put the cursor: below an input box that stays on the screen."""
_SUBMIT, _STASH = "\r", "\x13"
_QUIET_S = 3.0
_FRESH_S = 3.0
_NAP = 0.03


def lock_of(home: Home, server_pid: int, pane: str) -> str:
    """One typist per pane; also taken by the hook that holds a turn back, and by the one that tells."""
    return os.path.join(home.wakes, "%d-%s.lock" % (server_pid, pane.lstrip("%")))


def knock(home: Home, at: Orchestrator, env: Mapping[str, str], untold: Callable[[str], Sequence[str]]) -> str:
    """Type the line if there is something to tell and it is safe now; SUBMITTED, GONE, NOTHING, or why not.

    `untold` gives, for the process that would hear it, the events it has not heard of.
    Raises AgentctlError where tmux cannot be run; OSError.
    """
    with locks.holding(lock_of(home, at.server_pid, at.pane)):
        return _Typist(home, at, env, untold).attempt()


class _Typist:
    """One attempt at one pane, under its lock."""

    def __init__(
        self, home: Home, at: Orchestrator, env: Mapping[str, str], untold: Callable[[str], Sequence[str]]
    ) -> None:
        self._home = home
        self._at = at
        self._claude = at.claude or claude_tui.folder_of(env)
        self._untold = untold

    def attempt(self) -> str:
        if self._quickly():
            return self._submit()
        look = self._look()
        live = self._listener(look)
        if look is None or live is None:
            return GONE
        if look.pid != self._at.pane_pid:
            orchestrators.register(self._home, self._at.replace(pane_pid=look.pid))
        if not self._untold(live.listener):
            return NOTHING
        why = self._why_not(look, live)
        if not why and not _ours(look):
            why = self._put_in(look)
        return why or self._submit()

    def _quickly(self) -> bool:
        """The common case, an idle Claude with an empty box where it was last seen: whether the words stand in it."""
        root = self._at.pane_pid if self._at.server_pid else 0
        live = claude_tui.below(root, self._claude) if root else None
        if live is None or self._doing(live) not in claude_tui.RESTING or not self._untold(live.listener):
            return False
        ready = sight.Ready(
            root=root, quiet_since=time.time() - _QUIET_S, shown=claude_tui.EMPTY_BOX, hidden="(%s)" % "|".join(_SEARCH)
        )
        return sight.paste_if(self._at.server, self._at.pane, ready, WORDS) and self._seen(_ours, 3.0)

    def _look(self) -> Optional[Look]:
        return sight.look(self._at.server, self._at.pane)

    def _listener(self, look: Optional[Look]) -> Optional[Live]:
        """The Claude Code that would get the keys; a pane id counts only on the server that gave it."""
        if look is None or look.dead or self._at.server_pid not in (0, look.server_pid):
            return None
        return claude_tui.below(look.pid, self._claude)

    def _doing(self, live: Live) -> str:
        return said_by_hooks(inbox.state(self._home, self._at.name), live, time.time()) or live.status

    def _why_not(self, look: Look, live: Live) -> str:
        """Why no key may be pressed now, or ""."""
        if look.input_off or look.synchronized:
            return "input is off, or goes to several panes"
        status = self._doing(live)
        if status not in claude_tui.RESTING:
            return "it waits on a question" if status == claude_tui.WAITING else "it is busy"
        if look.quiet_for < _QUIET_S:
            return "somebody is typing"
        return "" if _has_box(look) else "its input box is not on the screen"

    def _put_in(self, look: Look) -> str:
        """Paste the words into an empty box, after a draft was put aside; "" when they were seen there."""
        if claude_tui.box(look.solid):
            if claude_tui.stashed(look.lines):
                return "a draft is put aside already, and one more would take its place"
            sight.press(self._at.server, self._at.pane, _STASH)
            if not self._seen(lambda now: claude_tui.box(now.solid) == "", 1.0):
                return "the draft could not be put aside"
        sight.paste(self._at.server, self._at.pane, WORDS)
        return "" if self._seen(_ours, 3.0) else "the text did not appear"

    def _submit(self) -> str:
        """Enter alone, after one more look, until the box is without the words; bounded."""
        for _ in range(3):
            look = self._look()
            live = self._listener(look)
            if look is None or live is None:
                return GONE
            why = self._why_not(look, live)
            if why:
                return why  # the words stay in the box, and are found there by the next attempt
            if not _ours(look):
                return "something was typed behind the words"
            if self._entered(live.listener):
                return SUBMITTED
        return "typed, not submitted"

    def _entered(self, listener: str) -> bool:
        """Press Enter, then note what was told: a tmux that fails, or our end, in between has it told twice, not never.

        That it can be noted is seen to before: on a full disk it would be typed again and again.
        """
        told = self._untold(listener)
        inbox.intend(self._home, self._at.name, listener, told)
        sight.press(self._at.server, self._at.pane, _SUBMIT)
        if not self._seen(_left, 1.0):
            return False
        inbox.claim(self._home, self._at.name, listener, told)
        return True

    def _seen(self, wanted: Callable[[Look], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            look = self._look()
            if look and wanted(look):
                return True
            time.sleep(_NAP)
        return False


def said_by_hooks(said: Mapping[str, object], live: Live, now: float) -> str:
    """A turn or a question that the hooks told of just now. Esc ends both without a hook: old word gives way."""
    at, state = said.get("at"), said.get("state")
    if said.get("pid") != live.pid or not isinstance(at, (int, float)) or not 0 <= now - at < _FRESH_S:
        return ""
    return str(state) if state in (claude_tui.BUSY, claude_tui.WAITING) else ""


def _has_box(look: Look) -> bool:
    """Whether keys go into the input box: not into a question, the agents view, or the search of the history."""
    box, drawn = claude_tui.box(look.solid), [line for line in look.lines if line.strip()]
    foot = "".join(drawn[-_FOOT:])
    return box is not None and not box.endswith(_FOR_ANOTHER) and not any(word in foot for word in _SEARCH)


def _ours(look: Look) -> bool:
    """Whether the words stand in the box, and nothing that somebody has typed behind them."""
    return _bare(claude_tui.box(look.solid) or "") == _bare(WORDS)


def _left(look: Look) -> bool:
    box = claude_tui.box(look.solid)
    return box is not None and not _bare(box).startswith(_bare(WORDS))


def _bare(words: str) -> str:
    return "".join(words.split())  # a narrow box breaks its lines
