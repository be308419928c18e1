"""Codex's conversations. Seen with codex-cli 0.169.0.

$CODEX_HOME (else ~/.codex)/sessions/YYYY/MM/DD/rollout-<time>-<thread id>.jsonl, in the folder
of the day on which the thread began; resumes append to it. The first line alone has 20 KB. The
index that Codex keeps beside them (state_<n>.sqlite) is not asked: it knows neither how full the
context is nor what was cached, so that each file would be opened all the same, and its form
changes with the number in its name.
"""

from __future__ import annotations

import os
import re

from .. import rollouts
from ..backends import lines
from ..model import Usage
from . import session as common
from . import walking
from .session import Said
from .session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

    from .session import Place

SIZES = ((1 << 16, 1 << 14), (1 << 20, 1 << 20))
_NAME = re.compile(r"rollout-.{1,40}-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl\Z")
_NUMBER = re.compile(r"\d{2,4}\Z")
_DULL = re.compile(rb'"type": ?"(?:response_item|world_state|compacted)"')
"""Long lines that say nothing of this; their type stands near their beginning."""
_FIGURES = re.compile(rb'"type": ?"(?:token_count|turn_context)"')
_SPEAKERS = {"UserMessage": "user", "AgentMessage": "assistant", "user_message": "user", "agent_message": "assistant"}
"""By their names today, and by those of older versions."""


def places(env: Mapping[str, str]) -> Iterator[Place]:
    """Every file that should hold a conversation."""
    for year in walking.folders(os.path.join(rollouts.folder_of(env), "sessions"), _NUMBER):
        for month in walking.folders(year, _NUMBER):
            for day in walking.folders(month, _NUMBER):
                yield from walking.files("codex", day, _NAME)


def session(head: Sequence[bytes], tail: Sequence[bytes]) -> Optional[tuple[Session, bool]]:
    """(what the two ends of a file say, whether anything was said in it); None where no line can be read.

    A subagent's thread is none of a person's: nothing was said in it.
    """
    first = _of_head(common.objects(line for line in head if not _DULL.search(line[:200])))
    last = _of_tail(tail)
    if first is None and last is None:
        return None
    known = {**(first or {}), **{name: value for name, value in (last or {}).items() if value}}
    of_subagent = known.pop("of_subagent", False)
    return Session(**known), not of_subagent and bool(known.get("prompt") or known.get("context_tokens"))


def enough(found: Session) -> bool:
    """Whether more of the file need not be read."""
    return found.prompt is not None and found.context_tokens is not None


def _of_head(objects: Iterable[dict[str, Any]]) -> Optional[dict[str, Any]]:
    """Where and when it began, with which model and prompt; None where there is no object."""
    found: Optional[dict[str, Any]] = None
    for raw in objects:
        found = found or {"cwd": "", "prompt": None, "model": ""}
        payload = lines.obj(raw, "payload")
        if raw.get("type") == "session_meta" and "created_at" not in found:  # a fork repeats that of its parent
            found.update(_began(raw, payload))
        elif raw.get("type") == "turn_context":
            found["model"] = found["model"] or lines.text(payload, "model", 120)
            found["cwd"] = found["cwd"] or common.folder(payload)
        else:
            message = said(raw)
            found["prompt"] = common.prompt(message.text) if message and message.role == "user" else None
        if found["prompt"]:
            break
    return found


def _began(raw: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "cwd": common.folder(payload),
        "branch": lines.text(lines.obj(payload, "git"), "branch", 200),
        "created_at": common.moment(payload) or common.moment(raw),
        "of_subagent": isinstance(payload.get("source"), dict),
    }


def _of_tail(tail: Sequence[bytes]) -> Optional[dict[str, Any]]:
    """The newest figures and model, read from the end; None where there is no object."""
    newest = next(common.objects(reversed(tail)), None)
    if newest is None:
        return None
    found: dict[str, Any] = {"last_active_at": common.moment(newest)}
    for raw in common.objects(line for line in reversed(tail) if _FIGURES.search(line[:200])):
        payload = lines.obj(raw, "payload")
        found["model"] = found.get("model") or lines.text(payload, "model", 120)
        info = lines.obj(payload, "info")
        if info and "usage" not in found:
            found.update(_counted(info))
        if found["model"] and "usage" in found:
            break
    return found


def _counted(info: dict[str, Any]) -> dict[str, Any]:
    """What a `token_count` line says of the conversation so far."""
    total = lines.obj(info, "total_token_usage")
    given, cached = lines.count(total, "input_tokens"), lines.count(total, "cached_input_tokens")
    fresh = None if given is None else max(given - (cached or 0), 0)
    return {
        "usage": Usage(input=fresh, cached=cached, output=lines.count(total, "output_tokens")),
        "context_tokens": lines.count(lines.obj(info, "last_token_usage"), "input_tokens"),
        "context_window": lines.count(info, "model_context_window"),
    }


def said(raw: dict[str, Any]) -> Optional[Said]:
    """The message on a line; None where it is another, or has no words."""
    payload = lines.obj(raw, "payload")
    item = lines.obj(payload, "item") or payload
    role = _SPEAKERS.get(lines.text(item, "type", 60), "")
    words = common.texts(item.get("content"), "text", "Text") or lines.text(item, "message", 1 << 20)
    return Said(role=role, text=words, at=common.moment(raw)) if role and words.strip() else None


def alive(env: Mapping[str, str], wanted: Iterable[str]) -> Optional[dict[str, str]]:
    """Those of the wanted conversations that a process has open, which does not say what it does; None: unknown."""
    held = rollouts.held(rollouts.folder_of(env), wanted)
    return None if held is None else dict.fromkeys(held, "")


def directory(_: Place, found: Session) -> str:
    """Where the conversation is at home."""
    return found.cwd
