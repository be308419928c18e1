"""What happens in a run, as values: the lines of events.jsonl. Pure."""

from __future__ import annotations

from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KINDS = (
    *("session", "message", "thinking", "tool_call", "tool_result", "file_read", "file_write", "denied"),
    *("usage", "limit", "retry", "error", "report", "news", "step", "other"),
    *("queued", "started", "note", "exited", "verified"),
)


class Event(Record):
    """One line of events.jsonl: what a worker, or its runner, did.

    `text` is for people and may hold anything a model wrote; `data` is for `fold`:
      session     session_id, model, version, billing ("api" or "subscription")
      tool_call   id, name, and path or command
      tool_result id, ok
      file_read, file_write   path, op (add, update, delete)
      denied      name: the tool whose use was refused
      usage       scope: "message" (context size so far, id), "run" (total of this run),
                  "turn" (one of this run's, which add up) or "session" (cumulative over
                  the conversation); input, cached, output, turns, cost (whose: see
                  billing), context_tokens, context_window
      limit       reason (usage, rate, overload, login, turns, budget, context), reset_at as
                  the vendor words it: see resets.py
      retry       attempt, max, delay_s, status
      error       fatal: the worker cannot have succeeded
      news        for the orchestrator's inbox
      step        of a goal: what its driver did, which is its journal (backends/goal.py)
      report      the vendor says the turn is over: ok, report (object or absent), reason
    """

    kind: str = "other"
    text: str = ""
    data: dict[str, Any] = {}
    at: float = 0.0
