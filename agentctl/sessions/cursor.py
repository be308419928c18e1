"""Cursor's conversations. Nothing here was run: as public captures of its files of 2026 have them.

~/.cursor/projects/<directory, what is no letter or digit as ->/agent-transcripts/<id>/<id>.jsonl
holds a role and a message a line, and no time, model, figure or directory. The directory stands in
.workspace-trusted beside them, where it was trusted; else it is the one on this disk whose name
fits, if no other does.
"""

from __future__ import annotations

import os
import re

from .. import files
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

SIZES = ((1 << 13, 1 << 10), (1 << 20, 1 << 10))
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}\Z")
_NO_NAME = re.compile(r"[^A-Za-z0-9]+")
_TAGGED = re.compile(r"<user_query>\s*(.*?)\s*(?:</user_query>|\Z)", re.S)
_TIMED = re.compile(r"\s*<timestamp>[^<]{0,200}</timestamp>")
_MOST_LOOKS = 200
_ROLES = ("user", "assistant")


def places(env: Mapping[str, str]) -> Iterator[Place]:
    """Every file that should hold a conversation."""
    home = env.get("HOME") or os.path.expanduser("~")
    for slug in walking.folders(os.path.join(home, ".cursor", "projects")):
        for own in walking.folders(os.path.join(slug, "agent-transcripts"), _ID):
            name = os.path.basename(own)
            yield from walking.file("cursor", name, os.path.join(own, name + ".jsonl"))


def session(head: Sequence[bytes], tail: Sequence[bytes]) -> Optional[tuple[Session, bool]]:
    """(what the head of a file says, whether anything was said in it); None where no line can be read."""
    told = talked = False
    for raw in common.objects((*head, *tail)):
        told = True
        message = said(raw)
        talked = talked or message is not None
        if message and message.role == "user":
            return Session(prompt=common.prompt(message.text)), True
    return (Session(), talked) if told else None


def enough(found: Session) -> bool:
    """Whether more of the file need not be read."""
    return found.prompt is not None


def said(raw: dict[str, Any]) -> Optional[Said]:
    """The message on a line; None where it is another, or has no words."""
    role = lines.text(raw, "role", 20)
    words = common.texts(lines.obj(raw, "message").get("content"), "text")
    asked = _TAGGED.search(words) if role == "user" else None
    words = asked.group(1) if asked else _TIMED.sub("", words, count=1)
    return Said(role=role, text=words) if role in _ROLES and words.strip() else None


def alive(_: Mapping[str, str], __: Iterable[str]) -> None:
    """Nothing on the disk says which of them a process has open."""


def directory(place: Place, _: Session) -> str:
    """Where the conversation is at home; "" where that cannot be known."""
    slug = os.path.dirname(os.path.dirname(os.path.dirname(place.path)))
    if slug not in _KNOWN:
        trusted = files.load(os.path.join(slug, ".workspace-trusted"), 1 << 16)
        told = common.folder(trusted, "workspacePath") if isinstance(trusted, dict) else ""
        _KNOWN[slug] = told or named(os.path.basename(slug))
    return _KNOWN[slug]


_KNOWN: dict[str, str] = {}
"""By folder of Cursor's: many conversations are of one directory."""


def named(name: str, top: str = "/") -> str:
    """The one directory below `top` whose path Cursor would call `name`; "" where there is none, or more than one."""
    found: list[str] = []
    looks = _MOST_LOOKS
    ahead = [(top, name)]
    while ahead and looks and len(found) < 2:
        folder, left = ahead.pop()
        looks -= 1
        for below in walking.folders(folder):
            word = _NO_NAME.sub("-", os.path.basename(below)).strip("-")
            if word and word == left:
                found.append(below)
            elif word and left.startswith(word + "-"):
                ahead.append((below, left[len(word) + 1 :]))
    return found[0] if len(found) == 1 and looks else ""
