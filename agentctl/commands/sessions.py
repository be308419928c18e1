"""agentctl sessions"""

from __future__ import annotations

import os
import time

from .. import text
from .. import ui
from ..errors import usage_error
from ..model import FORMAT
from ..sessions import finding
from ..sessions import telling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from collections.abc import Sequence
    from typing import Any

    from ..sessions.finding import Found
    from ..sessions.session import Place
    from ..sessions.session import Session
    from ..sessions.telling import Search
    from ..store import Home

EXAMPLES = """  agentctl sessions
  agentctl sessions --hours 720 --backend codex --json
  agentctl sessions show 0d583187
  agentctl sessions search "the price of plums"
  agentctl resume --session 0d583187 < followup.md

Conversations of Claude Code, Codex and Cursor, as their files on this machine tell, also those
that you had by hand. STATE is what a process that has it open does, `-` where none has it open, `?`
where that cannot be known; RUN is the newest run of this home that worked in it. A search is for
what was said, not for what tools printed."""

_HEAD = ("SESSION", "BACKEND", "ACTIVE", "STATE", "RUN", "MODEL", "CONTEXT", "DIRECTORY", "PROMPT")
_HOURS = 24.0
_MOST_HOURS = 1e6
_DAY_S = 86400.0
_MESSAGES = 8
_HITS = 50
_NAMED = 20


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("what", metavar="WHAT", nargs="?", default="list", choices=("list", "show", "search"), help="show, or search")
    add("which", metavar="SESSION", nargs="?", default="", help="show: its id, or how that begins; search: the words")
    add("--hours", metavar="N", type=float, default=_HOURS, help="active in the last N hours (default: %g)" % _HOURS)
    add("--backend", metavar="B", default="", help="only those of claude, codex or cursor")
    add("--project", metavar="NAME", default="", help="only those of this project")
    add("--json", action="store_true", help="one JSON object")


def run(args: Namespace) -> int:
    if not 0 < args.hours <= _MOST_HOURS:
        raise usage_error("--hours wants a number above 0", "as in `agentctl sessions --hours 72`")
    if (args.what == "list") == bool(args.which):
        raise usage_error("`sessions %s` wants %s" % (args.what, _WANTS[args.what]), "see `agentctl sessions --help`")
    return _VERBS[args.what](ui.open_home(args), args)


def _found(home: Home, args: Namespace) -> Found:
    wanted = finding.Wanted(hours=args.hours, backend=args.backend, project=args.project)
    return finding.recent(home, wanted, os.environ, time.time())


def _list(home: Home, args: Namespace) -> int:
    found = _found(home, args)
    if args.json:
        known = [text.public(one.to_json()) for one in found.sessions]
        ui.data({"format": FORMAT, "hours": args.hours, "sessions": known, **_damage(found.damaged)})
        return 0
    if found.sessions:
        now = time.time()
        ui.table(_HEAD, [_cells(one, now) for one in found.sessions])
    else:
        ui.say("no session in the last %g hours: more with --hours" % args.hours)
    if found.damaged:
        ui.say("%d files cannot be read: `agentctl sessions --json` names them" % len(found.damaged))
    return 0


def _damage(places: Sequence[Place]) -> dict[str, Any]:
    named = [{"path": place.path, "why": place.wrong} for place in places[:_NAMED]]
    return {"damaged": len(places), "damaged_files": named}


def _cells(one: Session, now: float) -> tuple[str, ...]:
    asked = one.title or one.prompt or "-"
    return (
        one.session_id,
        one.backend,
        _age(one, now),
        _state(one),
        one.run_id or "-",
        one.model or "-",
        text.count(one.context_tokens),
        one.project or one.cwd or "-",
        text.one_line(asked, 60),
    )


def _age(one: Session, now: float) -> str:
    age = None if one.last_active_at is None else now - one.last_active_at
    return "%dd" % (age // _DAY_S) if age is not None and age >= 2 * _DAY_S else text.duration(age)


def _state(one: Session) -> str:
    return "?" if one.live is None else (one.doing or "open") if one.live else "-"


def _show(home: Home, args: Namespace) -> int:
    one = finding.one(home, args.which, args.backend, os.environ)
    said = telling.last(one, _MESSAGES)
    if args.json:
        messages = [{"role": m.role, "text": text.one_line(m.text, 2000), "at": text.iso(m.at)} for m in said]
        ui.data({"format": FORMAT, **text.public(one.to_json()), "messages": messages})
        return 0
    known = {name: value for name, value in text.public(one.to_json()).items() if name != "usage"}
    ui.table(("KNOWN", "OF IT"), [(name, _said(value)) for name, value in known.items() if value not in (None, "")])
    print()
    for message in said:
        ui.line("%s: %s" % (message.role, text.one_line(message.text, 300)), "bold" if message.role == "user" else "")
    ui.say("go on with it: `agentctl resume --session %s < prompt.md`" % one.session_id)
    return 0


def _said(value: object) -> str:
    return _WORDS.get(value, "") if isinstance(value, bool) else str(value)


def _search(home: Home, args: Namespace) -> int:
    found = _found(home, args)
    search = telling.search(found.sessions, args.which, _HITS)
    if args.json:
        hits = [hit.to_json() for hit in search.hits]
        told = {"searched": search.searched, "whole": search.whole, "hits": hits}
        ui.data({"format": FORMAT, "hours": args.hours, **told, **_damage(found.damaged)})
    else:
        _show_hits(search, len(found.sessions))
    return 0


def _show_hits(search: Search, sessions: int) -> None:
    if search.hits:
        ui.table(
            ("SESSION", "BACKEND", "WHO", "WORDS"), [(h.session_id, h.backend, h.role, h.excerpt) for h in search.hits]
        )
    else:
        ui.say("in none of %d sessions: look further back with --hours" % search.searched)
    if not search.whole:
        ui.say(
            "ended early, after %d of %d sessions: narrow it with --hours or --project" % (search.searched, sessions)
        )


_WORDS = {True: "yes", False: "no"}
_WANTS = {"list": "nothing more", "show": "a session's id", "search": "the words to look for"}
_VERBS = {"list": _list, "show": _show, "search": _search}
