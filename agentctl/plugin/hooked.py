"""The plugin's hooks: those of bin/orch, for a Claude Code that a user started as usual.

In tmux it is the orchestrator of its pane. Elsewhere it is named after its process, and
its commands are told that name, by the file that a SessionStart hook may write. One that
`orch` started has hooks of its own; a worker, and a Claude that another one started, hear
nothing of what is not theirs; one that has handed nothing out is left alone.
"""

from __future__ import annotations

import os

from .. import claude_tui
from .. import files
from .. import hooks
from .. import inbox
from .. import orchestrators
from .. import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..claude_tui import Live
    from ..store import Home


def main(home: Home, event: str, told: Mapping[str, Any], env: Mapping[str, str]) -> int:
    """One hook; the exit code. Raises OSError."""
    if env.get(orchestrators.VARIABLE, "").startswith(orchestrators.KEPT) or orchestrators.worker(env):
        return 0
    live = hooks.born(env, event)
    if live is None or _of_another(live, env):
        return 0
    name = _name(home, live, env)
    if event == "SessionStart":
        _export(home, name, env)
    if name not in inbox.names(home):
        return 0
    return hooks.main(home, event, told, {**env, orchestrators.VARIABLE: name})


def _of_another(live: Live, env: Mapping[str, str]) -> bool:
    """Also `claude -p`, which would not end before a hook that waits does."""
    return live.entrypoint.startswith("sdk") or claude_tui.above(processes.parent(live.pid), env) is not None


def _name(home: Home, live: Live, env: Mapping[str, str]) -> str:
    """As its commands have it, by tmux or by what `_export` says."""
    usual = {name: value for name, value in env.items() if name != orchestrators.VARIABLE}
    return orchestrators.of_caller(home, usual) or orchestrators.plugged(live.pid)


def _export(home: Home, name: str, env: Mapping[str, str]) -> None:
    """To its commands: which home, and outside tmux who they act for."""
    import shlex

    path = env.get("CLAUDE_ENV_FILE", "")
    told = {"AI_ORCH_HOME": home.path}
    if name.startswith(orchestrators.PLUGGED):
        told[orchestrators.VARIABLE] = name
    if path:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, files.FILE_MODE)
        try:
            files.write_all(fd, "".join("export %s=%s\n" % (k, shlex.quote(v)) for k, v in told.items()).encode())
        finally:
            os.close(fd)
