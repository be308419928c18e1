"""Telling the orchestrator's pane that a run ended: a hint, never the truth.

A wrong key can approve a tool call or run in a shell; a lost hint loses nothing.
So a key is pressed only when a live Claude Code is seen under the pane by its own
session file, is not waiting on a question, and shows an empty input box; the text
is constant, has no digits and begins with `: ` (a no-op in every shell); it goes in
as one bracketed paste, must be seen in the box (a dialog does not echo), and the
state is looked at again before Enter goes alone.
Measured with Claude Code 2.1.197: ~/.claude/sessions/<pid>.json has `status` idle,
busy or waiting; Enter into an open permission question approves it.
"""

from __future__ import annotations

import os
import time

from . import files
from . import locks
from . import processes
from . import tmux
from .config import Config
from .errors import AgentctlError
from .model import Result
from .model import Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .store import Home

WORDS = ": agentctl - a run has ended - look with - agentctl list"
_RULE = "─" * 20
_PROMPT = "❯"
_DEADLINE = 10.0


def deliver(home: Home, config: Config, spec: Spec, result: Result) -> None:
    """Status line and, where it is safe, keys. Raises OSError; nothing is lost then."""
    server = tmux.Server(socket=spec.wake.socket or config.tmux_socket)
    words = "agentctl: run %s %s" % (result.run_id, result.status)
    for pane in dict.fromkeys(p for p in (spec.wake.pane, config.tmux_notify_target) if p):
        try:
            tmux.say(server, pane, words)
        except AgentctlError:
            pass  # that pane is gone; the next one may be there
    for pane in dict.fromkeys(p for p in (spec.wake.pane, config.tmux_sendkeys_target) if p and config.wake_keys):
        try:
            knock(home, server, pane, spec.wake.server_pid if pane == spec.wake.pane else 0, result.finished_at)
        except AgentctlError:
            pass  # as above: a hint is allowed to be lost


def knock(home: Home, server: tmux.Server, pane: str, server_pid: int, ended_at: float) -> str:
    """Type the constant line into a pane if that is safe; says what happened.

    One writer per pane. A knock that began after this run ended has announced it; one
    that says it is of the future was under another clock.
    """
    name = os.path.join(home.wakes, "".join(c if c.isalnum() else "_" for c in pane))
    with locks.holding(name + ".lock"):
        if ended_at < (files.mtime(name) or 0) <= time.time():
            return "announced already"
        began = time.time()
        said = _type(server, pane, server_pid)
        if said == "submitted":
            files.refresh(name, b"")
            os.utime(name, (began, began))
        return said


def _type(server: tmux.Server, pane: str, server_pid: int) -> str:
    deadline = time.monotonic() + _DEADLINE
    why = "out of time"
    while time.monotonic() < deadline:
        why = _why_not(server, pane, server_pid)
        if why == "gone":
            return "no live orchestrator in that pane"
        if not why and _box(server, pane) == "":
            tmux.paste(server, pane, WORDS)
            if _seen(server, pane):
                return _submit(server, pane, server_pid, deadline)
            return "the text did not appear"
        time.sleep(0.2)
    return why or "a draft is in the input box"


def _submit(server: tmux.Server, pane: str, server_pid: int, deadline: float) -> str:
    """Enter alone, after one more look, until the box is empty; bounded."""
    while time.monotonic() < deadline:
        if not _why_not(server, pane, server_pid) and _shows_words(_box(server, pane)):
            tmux.press_enter(server, pane)
        for _ in range(20):
            if _box(server, pane) == "":
                return "submitted"
            time.sleep(0.05)
    return "typed, not submitted"


def _seen(server: tmux.Server, pane: str) -> bool:
    for _ in range(30):
        if _shows_words(_box(server, pane)):
            return True
        time.sleep(0.05)
    return False


def _shows_words(box: Optional[str]) -> bool:
    return bool(box) and (box or "").replace("\n", " ").startswith(WORDS[:20])


def _why_not(server: tmux.Server, pane: str, server_pid: int) -> str:
    """Why no key may be pressed now: "" where it may, "gone" where it never may."""
    state = tmux.pane_state(server, pane)
    if not state or state.get("pane_dead") == "1":
        return "gone"
    if server_pid and state.get("pid") != str(server_pid):
        return "gone"
    if state.get("pane_input_off") == "1" or state.get("pane_synchronized") == "1":
        return "input is off or goes to several panes"
    live = claude_status(int(state.get("pane_pid") or 0))
    if live is None:
        return "gone"
    return "" if live in ("idle", "busy") else "it waits on a question"


def claude_status(root: int) -> Optional[str]:
    """`idle`, `busy`, `waiting`: the live Claude Code at or below process `root`; None where there is none."""
    folder = os.path.join(os.environ.get("CLAUDE_CONFIG_DIR") or os.path.expanduser("~/.claude"), "sessions")
    try:
        names = os.listdir(folder)
    except OSError:
        return None
    for name in names:
        entry = files.load(os.path.join(folder, name))
        if isinstance(entry, dict) and _alive_below(entry, root):
            return str(entry.get("status") or "unknown")
    return None


def _alive_below(entry: dict[str, object], root: int) -> bool:
    pid = entry.get("pid")
    if not isinstance(pid, int) or pid <= 1 or root <= 1:
        return False
    born = entry.get("procStart")
    if born and processes.LINUX and processes.start_time(pid) != str(born):
        return False  # elsewhere the vendor writes a time of another form
    for _ in range(64):
        if pid == root:
            return True
        pid = processes.parent(pid)
        if pid <= 1:
            return False
    return False


def _box(server: tmux.Server, pane: str) -> Optional[str]:
    """The text in the input box, "" where it is empty, None where there is no box (a dialog is)."""
    return box_text(tmux.screen(server, pane))


def box_text(lines: list[str]) -> Optional[str]:
    """The input box stands between the last two rules of the screen and begins with its prompt sign."""
    rules = [n for n, line in enumerate(lines) if line.startswith(_RULE)]
    if len(rules) < 2:
        return None
    box = lines[rules[-2] + 1 : rules[-1]]
    if not box or not box[0].startswith(_PROMPT):
        return None
    return "\n".join(box)[1:].replace("\u00a0", " ").strip()
