"""The stream of programs that speak our own language: one event a line.

    {"kind": "message", "text": "…"}          also thinking, tool_call, file_read, file_write, usage, limit, retry,
    {"kind": "news", "text": "…"}             error; `news` reaches the orchestrator's inbox
    {"kind": "report", "data": {"ok": true, "report": {…}}}

For backends of the user's own (`"stream": "events"`); what is no such line is shown as it is.
"""

from __future__ import annotations

from . import lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model import Event

KINDS = frozenset(
    ("session", "message", "thinking", "tool_call", "tool_result", "file_read", "file_write")
    + ("usage", "limit", "retry", "error", "denied", "report", "news")
)


def parse(line: bytes) -> list[Event]:
    """One line → its event; total."""
    return lines.told(line, KINDS)
