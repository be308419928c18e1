"""What Claude Code's own hooks do for an orchestrator: say its state, tell it of its news.

bin/orch passes them with --settings; the user's files stay as they are. Each is one
short call of `agentctl _hook EVENT` with the hook's JSON on stdin; the `wait` one is
asyncRewake: it blocks, and when it exits with code 2 its stderr reaches the model, idle
or at the end of its turn, and no key is pressed.
Seen with Claude Code 2.1.197: such a waiter stays valid over later turns, /clear and
/compact, and outlives the TUI, so it watches it; UserPromptSubmit holds the turn back,
also one that a wake began; PermissionRequest does not hold the question back; Esc, in
a turn or a question, runs no hook at all.
"""

from __future__ import annotations

import os
import sys
import time

from . import bell
from . import claude_tui
from . import config as configuration
from . import files
from . import finding
from . import inbox
from . import keys
from . import locks
from . import orchestrators
from . import paths
from . import processes
from . import view
from . import wake
from .store import Run
from .vigil import Vigil

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional
    from typing import TextIO

    from .claude_tui import Live
    from .inbox import Entry
    from .store import Home

REWAKE = 2
PLUGIN = "plugin"
_MOST = 20
_LONGEST_S = 1_000_000
"""A hook's `timeout`: without one Claude Code chooses, and over 2^31 ms a timer fires at once."""
_BORN_S, _SOON_S, _NAP_S = 10.0, 1.0, 0.05
_LOOK_S = 5.0
"""Between two looks at whether Claude lives, where the system cannot tell us."""
_STATES = {
    "SessionStart": claude_tui.IDLE,
    "UserPromptSubmit": claude_tui.BUSY,
    "PermissionRequest": claude_tui.WAITING,
    "Stop": claude_tui.IDLE,
    "StopFailure": claude_tui.IDLE,
    "SessionEnd": "gone",
}
_NOTIFIED = {"permission_prompt": claude_tui.WAITING, "elicitation_dialog": claude_tui.WAITING}
_WAITER = "wait"
_FORGETFUL = ("clear", "compact")


def settings(program: Sequence[str], home: Home, allow: Sequence[str]) -> dict[str, Any]:
    """What `claude --settings` gets: our hooks, what the orchestrator may run unasked, and no agents view.

    By that (`←` in an empty box) the conversation would move to a daemon: away from pane, keeper and environment.
    """
    hooks = _table(lambda event: "exec " + _spoken([*program, "--home", home.path, "_hook", event]))
    return {"hooks": hooks, "permissions": {"allow": list(allow)}, "disableAgentView": True}


def table(program: Sequence[str]) -> dict[str, Any]:
    """The same hooks for our plugin (plugin/hooked.py); quiet where this installation is gone."""
    there = "[ -e %s ] || exit 0; exec " % _spoken([paths.PACKAGE])
    return _table(lambda event: there + _spoken([*program, "_hook", event, PLUGIN]))


def _spoken(words: Sequence[str]) -> str:
    import shlex

    return " ".join(map(shlex.quote, words))


def _table(command: Callable[[str], str]) -> dict[str, Any]:
    def call(event: str) -> dict[str, Any]:
        return {"type": "command", "command": command(event), "timeout": 30}

    waiter = {**call(_WAITER), "asyncRewake": True, "timeout": _LONGEST_S}
    hooks = {event: [{"hooks": [call(event)]}] for event in (*_STATES, "Notification")}
    for event in ("SessionStart", "UserPromptSubmit", "Stop"):
        hooks[event][0]["hooks"].append(waiter)
    return hooks


def main(home: Home, event: str, told: Mapping[str, Any], env: Mapping[str, str]) -> int:
    """One hook; the exit code. A caller that is no orchestrator of ours is left alone."""
    name = env.get(orchestrators.VARIABLE, "")
    live = born(env, event) if inbox.NAME.match(name) else None
    if live is None:
        return 0
    if event == _WAITER:
        return _wait(home, name, live, _typist(home, env)) if _may_tell(home, name) else 0
    state = _STATES.get(event) or _NOTIFIED.get(str(told.get("notification_type")))
    if event == "UserPromptSubmit":
        with locks.holding(_typist(home, env)):  # who types into this pane ends first; none begins in this turn
            _note(home, name, live, claude_tui.BUSY, told)
            if _may_tell(home, name):
                _tell(home, name, live, sys.stdout)
        return 0
    if event == "SessionStart":
        _greet(home, name, live, _forgets(home, name, live, told))
    if state:
        _note(home, name, live, state, told)
    return 0


def born(env: Mapping[str, str], event: str) -> Optional[Live]:
    """The Claude that runs this hook. On a loaded machine its SessionStart comes before its own session file."""
    deadline, caller = time.monotonic() + (_BORN_S if event == _WAITER else _SOON_S), os.getppid()
    while True:
        live = claude_tui.above(caller, env)
        if live or time.monotonic() > deadline or not caller == os.getppid() > 1:
            return live
        time.sleep(_NAP_S)


def _typist(home: Home, env: Mapping[str, str]) -> str:
    return keys.lock_of(home, orchestrators.server_pid(env), env.get("TMUX_PANE", ""))


def _may_tell(home: Home, name: str) -> bool:
    return "hooks" in configuration.transports(configuration.load(home)[0], name)


def _note(home: Home, name: str, live: Live, state: str, told: Mapping[str, Any]) -> None:
    """state.json, and a ring for the keeper, who may have waited for just this."""
    said = {
        "state": state,
        "at": time.time(),
        "pid": live.pid,
        "session_id": told.get("session_id"),
        "transcript": told.get("transcript_path"),
    }
    files.refresh(inbox.folder(home, name, "state.json"), files.dump(said))
    bell.ring_all(inbox.folder(home, name, "bells"))


def _forgets(home: Home, name: str, live: Live, told: Mapping[str, Any]) -> bool:
    """Whether the model knows nothing of what this process was told: cleared, compacted, or another conversation."""
    before = inbox.state(home, name)
    other = before.get("pid") == live.pid and before.get("session_id") != told.get("session_id")
    return told.get("source") in _FORGETFUL or other


def _greet(home: Home, name: str, live: Live, forgotten: bool) -> None:
    """What is at work; to a model that has forgotten what it was told also what is open. A new one has its waiter."""
    running = [i for i in finding.live(home) if inbox.heir(home, Run(home, i).spec().wake.orchestrator) == name]
    if running:
        sys.stdout.write("agentctl: not ended: %s\n" % ", ".join(running[:_MOST]))
    if forgotten:
        entries = inbox.pending(home, name)
        inbox.disclaim(home, name, live.listener, inbox.heard(home, name, live.listener))
        _write(home, name, live, entries, sys.stdout)


def _tell(home: Home, name: str, live: Live, out: TextIO) -> bool:
    """Write what this process has not heard; whether there was anything. The caller is the typist."""
    untold = wake.untold(home, name, live.listener)
    _write(home, name, live, untold, out)
    return bool(untold)


def _write(home: Home, name: str, live: Live, entries: Sequence[Entry], out: TextIO) -> None:
    """First written, then noted: one that is killed in between has it told twice, not never."""
    if entries:
        out.write(message(entries))
        out.flush()
        inbox.claim(home, name, live.listener, [e.id for e in entries])


def message(entries: Sequence[Entry]) -> str:
    """What the model reads: our own words, run ids, and titles, which are the orchestrator's own."""
    lines = ["agentctl: %d in your inbox:" % len(entries)]
    lines += [view.inbox_line(entry) for entry in entries[-_MOST:]]
    if len(entries) > _MOST:
        lines.append("and %d older" % (len(entries) - _MOST))
    return "\n".join(
        [*lines, "`agentctl show ID` acknowledges what it shows; `agentctl inbox` lists what is left.", ""]
    )


def _wait(home: Home, name: str, live: Live, typist: str) -> int:
    """Block until there is something to tell, and tell it; 0 where another waits already, or Claude has gone."""
    if inbox.promise(inbox.folder(home, name, "hook.lock")) is None:
        return 0
    vigil, end = Vigil(home, name), processes.end_of(live.pid)
    try:
        while True:
            vigil.until(lambda: wake.untold(home, name, live.listener), end, None if end else _LOOK_S)
            if processes.gone(live.pid):
                return 0
            with locks.holding(typist):  # the line that is being typed just now may tell the same
                if _tell(home, name, live, sys.stderr):
                    return REWAKE
    finally:
        vigil.close()
        bell.ring_all(inbox.folder(home, name, "bells"))
