"""Events, specs and results as short lines for people. Pure.

Used by the pane, `follow` and `replay`: what one shows, all show.
"""

from __future__ import annotations

import re

from . import inbox
from . import judge
from . import text
from .model import Event
from .model import Result
from .model import Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .inbox import Entry

_SIGNS = {
    "message": ("│", ""),
    "thinking": ("·", "dim"),
    "tool_call": ("→", "cyan"),
    "file_write": ("✎", "green"),
    "denied": ("⊘", "yellow"),
    "limit": ("!", "yellow"),
    "retry": ("↻", "yellow"),
    "error": ("✗", "red"),
    "queued": ("…", "dim"),
    "started": ("▶", "bold"),
    "note": ("·", "dim"),
    "step": ("◆", "bold"),
    "exited": ("■", "bold"),
    "verified": ("?", "bold"),
}


def event_line(event: Event) -> Optional[tuple[str, str]]:
    """(words, style), or None for what people need not see."""
    sign = _SIGNS.get(event.kind)
    if not sign:
        return None
    words = text.one_line(event.text, 400)
    if event.kind == "tool_call":
        words = text.one_line("%s %s" % (event.data.get("name", ""), words), 400)
    return "%s %s %s" % (text.clock(event.at), sign[0], words), sign[1]


def header(spec: Spec) -> list[tuple[str, str]]:
    """What a pane shows first."""
    who = " ".join(p for p in (spec.backend, spec.model, spec.effort) if p)
    limits = "limit %s" % text.duration(spec.limits.timeout_s) if spec.limits.timeout_s else "no time limit"
    return [
        ("%s  %s" % (spec.id, spec.title), "bold"),
        ("%s · %s · %s · %s" % (spec.profile or "no profile", who, spec.permissions, limits), "dim"),
        ("in %s" % spec.cwd, "dim"),
    ]


def footer(result: Result) -> list[tuple[str, str]]:
    """What a pane shows last: the result and the next command."""
    good = judge.exit_code([result]) == 0
    lines = [("─" * 40, "dim"), (judge.headline(result), "green" if good else "red")]
    lines += [(line, "") for line in text.printable(result.summary).splitlines()[:12]]
    lines += [("! " + warning, "yellow") for warning in result.warnings]
    lines += [(line, "dim") for line in text.printable(result.git_diff_stat).splitlines()[-8:]]
    lines.append(("agentctl show %s" % result.run_id, "dim"))
    if not good:
        lines.append((next_command(result), "dim"))
    return lines


def next_command(result: Result) -> str:
    """The command that goes on from this result."""
    if result.successor:
        return "agentctl wait %s" % result.successor
    if result.session_id:
        return "agentctl resume --parent-run-id %s < prompt" % result.run_id
    return "agentctl show %s --events" % result.run_id


def state_title(spec: Spec, state: str) -> str:
    """The pane's title: state first, so that a narrow border still tells."""
    return " ".join(p for p in (state, spec.id[-4:], spec.profile or spec.backend, spec.title) if p)


_HELD = re.compile(r"held until ((?:[A-Z][a-z]{2} \d\d )?\d\d:\d\d)", re.ASCII)
_NEEDS = {
    inbox.DENIED: "was refused a permission",
    inbox.BLOCKED: "gets no answer and tries again",
    inbox.LIMIT: "ran into a limit of its vendor",
    inbox.BUDGET: "has nearly used its budget",
    inbox.IDLE: "has printed nothing for long",
    inbox.NEWS: "has news",
    inbox.TEST: "a test of the wake",
}


def inbox_line(entry: Entry) -> str:
    """`20260215-143022-ab12  finished, goal met · limit for uploads`; nothing in it is a worker's own words."""
    said = _until(entry) or _NEEDS.get(entry.kind) or judge.outcome(entry.status, entry.goal_met, entry.verified)
    return "%s  %s" % (entry.run_id or entry.id, " · ".join(w for w in (said, text.one_line(entry.title, 80)) if w))


def _until(entry: Entry) -> str:
    """Of a limit whose end is known, that; no other word of what its vendor said."""
    found = _HELD.match(entry.text) if entry.kind == inbox.LIMIT else None
    return "%s, held until %s" % (_NEEDS[inbox.LIMIT], found.group(1)) if found else ""
