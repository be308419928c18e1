"""Claude Code's conversations. Seen with version 2.1.197.

$CLAUDE_CONFIG_DIR (else ~/.claude)/projects/<directory in letters, digits and ->/<id>.jsonl;
a conversation that is resumed elsewhere stays in its file. Every line of a turn names the
directory. Subagents have files of their own, which are no conversations to go on with.
"""

from __future__ import annotations

import os
import re

from .. import claude_tui
from ..backends import lines
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

SIZES = ((1 << 13, 1 << 14), (1 << 20, 1 << 20))
_NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl\Z")
_NOT_ASKED = ("<command-", "<local-command-", "Caveat: ")
"""How what Claude Code writes in the user's name begins."""
_CONTEXT = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def places(env: Mapping[str, str]) -> Iterator[Place]:
    """Every file that should hold a conversation."""
    for slug in walking.folders(os.path.join(claude_tui.folder_of(env), "projects")):
        yield from walking.files("claude", slug, _NAME)


def session(head: Sequence[bytes], tail: Sequence[bytes]) -> Optional[tuple[Session, bool]]:
    """(what the two ends of a file say, whether anything was said in it); None where no line can be read."""
    told, first = _of_head(common.objects(head))
    last = _of_tail(common.objects(reversed(tail)))
    if not told and last is None:
        return None
    last = last or {}
    known = {**last, **{name: value for name, value in first.items() if value}}
    return Session(**known), bool(known.get("prompt") or known.get("model"))


def enough(found: Session) -> bool:
    """Whether more of the file need not be read."""
    return found.prompt is not None and found.context_tokens is not None


def _of_head(objects: Iterable[dict[str, Any]]) -> tuple[bool, dict[str, Any]]:
    """The first value of each: where, on which branch and when it began, with which prompt."""
    told = False
    found: dict[str, Any] = {"cwd": "", "branch": "", "created_at": None, "prompt": None}
    for raw in objects:
        told = True
        found["cwd"] = found["cwd"] or common.folder(raw)
        found["branch"] = found["branch"] or lines.text(raw, "gitBranch", 200)
        found["created_at"] = found["created_at"] or common.moment(raw)
        found["prompt"] = found["prompt"] or common.prompt(_asked(raw))
        if found["prompt"] and found["cwd"]:
            break
    return told, found


def _of_tail(objects: Iterable[dict[str, Any]]) -> Optional[dict[str, Any]]:
    """The newest value of each, read from the end; None where there is no object."""
    found: Optional[dict[str, Any]] = None
    for raw in objects:
        found = found or {"cwd": "", "title": "", "last_active_at": None}
        found["cwd"] = found["cwd"] or common.folder(raw)
        found["last_active_at"] = found["last_active_at"] or common.moment(raw)
        found["title"] = found["title"] or lines.text(raw, "customTitle", 200)
        answered = _answered(raw)
        if answered:
            return {**found, **answered}
    return found


def _answered(raw: dict[str, Any]) -> dict[str, Any]:
    """The model of an answer and the size of its context; {} for another line, and for what was no model's."""
    message = lines.obj(raw, "message")
    model = lines.text(message, "model", 120)
    if raw.get("type") != "assistant" or raw.get("isSidechain") is True or model in ("", "<synthetic>"):
        return {}
    used = lines.obj(message, "usage")
    return {"model": model, "context_tokens": lines.total(*(lines.count(used, name) for name in _CONTEXT))}


def _asked(raw: dict[str, Any]) -> str:
    """What a person or program asked with this line; "" for all others."""
    if raw.get("type") != "user" or any(
        raw.get(name) is True for name in ("isMeta", "isSidechain", "isCompactSummary")
    ):
        return ""
    words = common.texts(lines.obj(raw, "message").get("content"), "text")
    return "" if words.lstrip().startswith(_NOT_ASKED) else words


def said(raw: dict[str, Any]) -> Optional[Said]:
    """The message on a line; None where it is another, or has no words."""
    if raw.get("type") == "assistant" and raw.get("isSidechain") is not True:
        role, words = "assistant", common.texts(lines.obj(raw, "message").get("content"), "text")
    else:
        role, words = "user", _asked(raw)
    return Said(role=role, text=words, at=common.moment(raw)) if words.strip() else None


def alive(env: Mapping[str, str], wanted: Iterable[str]) -> dict[str, str]:
    """What the processes that have one of the wanted conversations open say they do, by its id."""
    ids = set(wanted)
    return {one.session_id: one.status for one in claude_tui.every(env) if one.session_id in ids}


def directory(_: Place, found: Session) -> str:
    """Where the conversation is at home."""
    return found.cwd
