"""agentctl: run many coding agents in tmux panes and trust what comes back.

From Python: see agentctl.python. Its names are loaded when they are first asked for, so
that the command line, which needs none of them, does not pay for them.
"""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = [
    "Agent",
    "AgentctlError",
    "ApiOrchestrator",
    "ClaudeCodeOrchestrator",
    "ClaudeSession",
    "CodexOrchestrator",
    "CodexSession",
    "CursorSession",
    "CycleResult",
    "Event",
    "Home",
    "Limits",
    "NamedAgent",
    "Orchestrator",
    "PartlyStarted",
    "Request",
    "Result",
    "RunResult",
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
    from .python import Agent
    from .python import AgentctlError
    from .python import ApiOrchestrator
    from .python import ClaudeCodeOrchestrator
    from .python import ClaudeSession
    from .python import CodexOrchestrator
    from .python import CodexSession
    from .python import CursorSession
    from .python import CycleResult
    from .python import Event
    from .python import Home
    from .python import Limits
    from .python import NamedAgent
    from .python import Orchestrator
    from .python import PartlyStarted
    from .python import Request
    from .python import Result
    from .python import RunResult
    from .python import Session
    from .python import Totals
    from .python import Usage
    from .python import Workflow
    from .python import create_agent
    from .python import create_home
    from .python import delete_agent
    from .python import events
    from .python import get_agent
    from .python import list_agents
    from .python import reset_agent
    from .python import resume
    from .python import send
    from .python import show
    from .python import show_agent
    from .python import spawn
    from .python import start
    from .python import stats
    from .python import stats_by
    from .python import stop
    from .python import wait
    from .python import workflow
else:  # a checker that saw this function would take any name for one of ours

    def __getattr__(name: str) -> object:
        """A name of the Python API, on first use (PEP 562)."""
        if name not in __all__:
            raise AttributeError("module %r has no attribute %r" % (__name__, name))
        from . import python

        globals()[name] = found = getattr(python, name)
        return found

    def __dir__() -> list[str]:
        """Also what is not loaded yet."""
        return sorted({*globals(), *__all__})
