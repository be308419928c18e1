"""One pane from close by: what it shows, who types in it, and how to type into it.

Text goes in as one bracketed paste, of which no key is an Enter; a key goes alone, as a
raw buffer. Both reach the program of a pane that is in copy mode, and leave the mode
as it is; `send-keys` would go to the mode.
"""

from __future__ import annotations

import os
import re
import time

from . import tmux
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional


class Look(Record):
    """A pane at one moment: what must hold before a key may be pressed (keys.py), and its screen.

    `quiet_for`: seconds since somebody typed at a terminal that shows its tmux session; a
    day where none does. `solid` are the lines without what is only suggested: faint text,
    and the cursor's cell before it.
    """

    pid: int = 0
    server_pid: int = 0
    dead: bool = False
    input_off: bool = False
    synchronized: bool = False
    quiet_for: float = 86400.0
    lines: tuple[str, ...] = ()
    solid: tuple[str, ...] = ()


_END, _PASTED = "== screen", "pasted"
_LOOK = "#{pane_id} #{pane_pid} #{pid} x#{pane_dead} x#{pane_input_off} x#{pane_synchronized}"


def look(server: tmux.Server, pane: str) -> Optional[Look]:
    """The pane and its screen, by one tmux client; None where it is gone."""
    asked = (
        ["display-message", "-p", "-t", pane, _LOOK],
        ["list-clients", "-t", pane, "-F", "#{client_activity}"],
        ["display-message", "-p", _END],
        ["capture-pane", "-p", "-e", "-t", pane],
    )
    try:
        head, _, shown = tmux.run(server, *asked, timeout=5).partition(_END + "\n")
    except tmux.TmuxFailed:
        return None
    words = head.split()
    if len(words) < 6 or words[0] != pane or not (words[1] + words[2]).isdigit():
        return None
    dead, off, synchronized = (word == "x1" for word in words[3:6])
    drawn = [told_apart(line) for line in shown.splitlines()]
    typed = [int(word) for word in words[6:] if word.isdigit()]
    return Look(
        pid=int(words[1]),
        server_pid=int(words[2]),
        dead=dead,
        input_off=off,
        synchronized=synchronized,
        quiet_for=abs(time.time() - max(typed)) if typed else 86400.0,
        lines=tuple(plain for plain, _ in drawn),
        solid=tuple(solid for _, solid in drawn),
    )


_SGR = re.compile(r"\x1b\[([0-9;]*)m")


def told_apart(line: str) -> tuple[str, str]:
    """A line of `capture-pane -e`: (all of its text, its text without what is faint). Pure.

    Claude Code 2.1.197 draws a suggestion as the cursor on its first letter, the rest faint.
    """
    plain, solid, faint, reverse = "", "", False, False
    at = 0
    for found in [*_SGR.finditer(line), None]:
        text = line[at : found.start() if found else len(line)]
        plain += text
        solid += "" if faint else text
        if found is None:
            break
        codes, was_cursor = found.group(1).split(";"), reverse and len(text) == 1
        faint = "2" in codes or faint and not {"", "0", "22"} & {*codes}
        reverse = "7" in codes or reverse and not {"", "0", "27"} & {*codes}
        if faint and was_cursor and text:
            solid = solid[:-1]
        at = found.end()
    return plain, solid


def clients(server: tmux.Server, pane: str) -> int:
    """How many terminals show the pane's tmux session."""
    return len(tmux.run(server, ["list-clients", "-t", pane, "-F", "x"], timeout=5).split())


def paste(server: tmux.Server, pane: str, text: str) -> None:
    """Put text in as one bracketed paste: no key of it is an Enter. Copy mode is left alone."""
    _buffer(server, pane, text, "-p")


class Ready(Record):
    """What a pane must be for a paste by `paste_if`.

    `root` is its own process; nobody has typed in its tmux session since `quiet_since`;
    a line of its screen matches `shown`, none matches `hidden` (expressions without commas and braces).
    """

    root: int = 0
    quiet_since: float = 0.0
    shown: str = ""
    hidden: str = ""


def paste_if(server: tmux.Server, pane: str, ready: Ready, text: str) -> bool:
    """As `paste`, if tmux itself sees in the same moment that the pane is ready, alive, and takes input.

    One client instead of two: half of the time a wake takes. False where it was not pasted,
    for whatever reason: `look` tells. (Formats of tmux 3.0: `C/r` finds a line by an expression.)
    """
    name = "agentctl-%d" % os.getpid()
    wanted = (
        "#{==:#{pane_pid},%d}" % ready.root,
        "#{?pane_dead,0,1}",
        "#{?pane_input_off,0,1}",
        "#{?pane_synchronized,0,1}",
        "#{<:#{session_activity},%d}" % ready.quiet_since,
        "#{C/r:%s}" % ready.shown,
        "#{?#{C/r:%s},0,1}" % ready.hidden,
    )
    condition = wanted[0]
    for one in wanted[1:]:
        condition = "#{&&:%s,%s}" % (condition, one)
    yes = "paste-buffer -d -p -b %s -t %s ; display-message -p %s" % (name, pane, _PASTED)
    asked = ["if-shell", "-F", "-t", pane, condition, yes, "delete-buffer -b %s" % name]
    try:
        return tmux.run(server, ["set-buffer", "-b", name, text], asked, timeout=5).strip() == _PASTED
    except tmux.TmuxFailed:
        return False


def press(server: tmux.Server, pane: str, key: str) -> None:
    """A control character as a raw buffer, which also reaches a pane in copy mode."""
    _buffer(server, pane, key, "-r")


def _buffer(server: tmux.Server, pane: str, text: str, flag: str) -> None:
    name = "agentctl-%d" % os.getpid()
    tmux.run(
        server,
        ["load-buffer", "-b", name, "-"],
        ["paste-buffer", "-d", flag, "-b", name, "-t", pane],
        stdin=text.encode("utf-8"),
        timeout=5,
    )
