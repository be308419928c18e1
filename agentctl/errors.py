"""The one error type: what went wrong, how to mend it, and the exit code."""

from __future__ import annotations


class AgentctlError(Exception):
    """Something agentctl could not do; printed as one line and a `hint:`.

    `hint` names the remedy as a command where there is one.
    `code` is the process's exit code: 1 could not, 2 called wrongly.
    """

    def __init__(self, message: str, hint: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


def usage_error(message: str, hint: str = "") -> AgentctlError:
    """The caller's words are wrong: exit code 2."""
    return AgentctlError(message, hint, code=2)
