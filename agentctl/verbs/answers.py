"""Answers that a model can afford: JSON of bounded length, which says where it was cut. Pure."""

from __future__ import annotations

import json

from .. import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST = 40_000
"""Characters of an answer: some 10,000 tokens. Claude Code 2.1.197 puts what has more than 25,000 into a file."""
_STEPS = ((LONGEST, 200), (4000, 100), (1000, 40), (200, 10), (60, 3))
"""Characters of one text and entries of one list, tried in turn until the whole is short enough."""
_BRIEF = (
    *("run_id", "status", "goal_met", "verified", "title", "summary", "followup_prompt", "notes", "error"),
    *("warnings", "exit_code", "project", "backend", "profile", "model", "role", "agent", "workflow", "step"),
    *("branch", "worktree", "git_commits", "git_diff_stat", "denied", "limit", "escalated_to", "usage"),
    *("context_tokens", "doing", "started_at", "finished_at"),
)


def worded(value: dict[str, Any]) -> str:
    """As JSON of at most LONGEST characters."""
    return _cut(value)[0]


def kept(value: dict[str, Any]) -> int:
    """How many entries of a list are left in the words: only what is shown may be acknowledged."""
    return _cut(value)[1]


def _cut(value: dict[str, Any]) -> tuple[str, int]:
    """The words, and how many entries of a list are in them, each as a whole but for the length of its texts."""
    words = ""
    for most, entries in _STEPS:
        words = json.dumps(clipped(value, most, entries), ensure_ascii=False)
        if len(words) <= LONGEST:
            return words, entries
    return piece(words), 0


def clipped(value: Any, most: int, entries: int) -> Any:
    """Texts cut to `most` characters and lists to `entries`, each with how much more there is."""
    if isinstance(value, str):
        return piece(value, most)
    if isinstance(value, (list, tuple)):
        kept = [clipped(one, most, entries) for one in value[:entries]]
        return [*kept, "… %d more" % (len(value) - entries)] if len(value) > entries else kept
    if isinstance(value, dict):
        return {str(name): clipped(one, most, entries) for name, one in value.items()}
    return value


def piece(words: str, most: int = LONGEST) -> str:
    """The beginning, and how much more there is."""
    return words if len(words) <= most else "%s… %d more characters" % (words[:most], len(words) - most)


def fitting(data: bytes, newest: bool) -> bytes:
    """What of it fits into an answer: its end, or its beginning."""
    while len(json.dumps(data.decode("utf-8", "replace"), ensure_ascii=False)) > LONGEST - 1000:
        data = data[len(data) // 4 :] if newest else data[: len(data) * 3 // 4]
    return data


def brief(record: dict[str, Any]) -> dict[str, Any]:
    """What an orchestrator needs to know of a run: a result or row without what is empty or unknown."""
    public = text.public(record)
    used = public.get("usage")
    if isinstance(used, dict):
        public["usage"] = {name: n for name, n in used.items() if n is not None}
    kept = {name: public[name] for name in _BRIEF if public.get(name) not in (None, "", [], (), {})}
    return {**kept, "goal_met": public.get("goal_met")}
