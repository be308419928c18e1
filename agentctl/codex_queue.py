"""Telling an interactive Codex through its own queue: no key is pressed.

Measured with codex-cli 0.169.0: `codex queue` leaves a draft, a question and copy mode
alone; an idle TUI takes the message within 0.1 s by its daemon, within 10 s without, a
busy one at the end of its turn; after Esc it waits for the user's next prompt. With a
daemon it would start a turn in a conversation whose TUI has gone, so one must be there.
"""

from __future__ import annotations

from . import inbox
from . import keys
from . import locks
from . import paths
from . import proc
from . import processes
from . import tmux
from .errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from collections.abc import Sequence

    from .orchestrators import Orchestrator
    from .store import Home

GONE = "no live Codex in that pane"
_TIMEOUT_S = 20.0
_NAME = "codex"


def tell(home: Home, at: Orchestrator, env: Mapping[str, str], untold: Callable[[str], Sequence[str]]) -> str:
    """Queue the constant line for the conversation; what became of it, in words."""
    place = tmux.describe(at.server, at.pane)
    codex = processes.program_below(place.pid, _NAME) if place else 0
    if not codex:
        return GONE
    program = processes.program_of(codex) or paths.executable(_NAME, env.get("PATH", ""))
    if not program:
        return "codex is not on the PATH"
    with locks.holding(keys.lock_of(home, at.server_pid, at.pane)):
        events = untold(at.thread)
        said = _queue(program, at.thread, env) if events else keys.NOTHING
        if said == keys.SUBMITTED:
            inbox.claim(home, at.name, at.thread, events)
        return said


def _queue(program: str, thread: str, env: Mapping[str, str]) -> str:
    try:
        done = proc.run([program, "queue", "--thread", thread, "--message", keys.WORDS], env=env, timeout=_TIMEOUT_S)
    except (OSError, AgentctlError) as e:
        return "codex queue: %s" % e
    return "codex queue: exit code %d" % done.code if done.code else keys.SUBMITTED
