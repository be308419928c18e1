"""agentctl: run many coding agents in tmux panes and trust what comes back.

From Python: see agentctl.library. Its names are loaded when they are first asked for, so
that the command line, which needs none of them, does not pay for them.
"""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = [
    "Agent",
    "AgentctlError",
    "ClaudeSession",
    "CodexSession",
    "CursorSession",
    "Event",
    "Home",
    "Limits",
    "NamedAgent",
    "PartlyStarted",
    "Request",
    "Result",
    "Session",
    "Totals",
    "Usage",
    "Workflow",
    "create_agent",
    "create_home",
    "delete_agent",
    "events",
    "get_agent",
    "list_agents",
    "reset_agent",
    "resume",
    "send",
    "show",
    "show_agent",
    "spawn",
    "start",
    "stats",
    "stats_by",
    "stop",
    "wait",
    "workflow",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .library import Agent
    from .library import AgentctlError
    from .library import ClaudeSession
    from .library import CodexSession
    from .library import CursorSession
    from .library import Event
    from .library import Home
    from .library import Limits
    from .library import NamedAgent
    from .library import PartlyStarted
    from .library import Request
    from .library import Result
    from .library import Session
    from .library import Totals
    from .library import Usage
    from .library import Workflow
    from .library import create_agent
    from .library import create_home
    from .library import delete_agent
    from .library import events
    from .library import get_agent
    from .library import list_agents
    from .library import reset_agent
    from .library import resume
    from .library import send
    from .library import show
    from .library import show_agent
    from .library import spawn
    from .library import start
    from .library import stats
    from .library import stats_by
    from .library import stop
    from .library import wait
    from .library import workflow
else:  # a checker that saw this function would take any name for one of ours

    def __getattr__(name: str) -> object:
        """A name of the library, on first use (PEP 562)."""
        if name not in __all__:
            raise AttributeError("module %r has no attribute %r" % (__name__, name))
        from . import library

        globals()[name] = found = getattr(library, name)
        return found

    def __dir__() -> list[str]:
        """Also what is not loaded yet."""
        return sorted({*globals(), *__all__})
