"""Looking at an interactive Claude Code: is it alive under a pane, what does it do, what stands in its box.

Seen with Claude Code 2.1.197: ~/.claude/sessions/<pid>.json of a live process has
`status` idle, shell (idle, while a background command of its own runs), busy, or
waiting (on a question or a dialog; drawn up to 40 ms before the file says so); a killed
one leaves its file behind, which `procStart` tells. The input box stands between two rules and begins with a
prompt sign; with a question on the screen there is none. A dead one stays painted.
"""

from __future__ import annotations

import os

from . import files
from . import processes
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

IDLE, BUSY, WAITING = "idle", "busy", "waiting"
RESTING = (IDLE, "shell")
_RULE = "─" * 20
_PROMPT = "❯"
EMPTY_BOX = "^❯( |\u00a0)*$"
"""As an expression for one line of the screen, for those who cannot ask `box`."""
_HINTS = ("Press up to edit queued messages",)
_STASHED = "› stashed"
_DEEPEST = 64
_LONGEST_ENTRY = 1 << 16


class Live(Record):
    """A running Claude Code: its process, and what its own file says it does ("" where it says nothing).

    `entrypoint`: `cli` of a TUI, `sdk-cli` of `claude -p`, whose `kind` is interactive too.
    """

    pid: int = 0
    born: str = ""
    status: str = ""
    session_id: str = ""
    entrypoint: str = ""

    @property
    def listener(self) -> str:
        """This very process, should its number be used again."""
        return "%d:%s" % (self.pid, self.born)


def below(root: int, folder: str) -> Optional[Live]:
    """The live Claude Code at or below process `root`, in the foreground of its terminal; None where there is none.

    `folder` is where it keeps its files: `folder_of` its environment.
    """
    folder = os.path.join(folder, "sessions")
    try:
        names = os.listdir(folder)
    except OSError:
        return None
    for name in names:
        entry = files.load(os.path.join(folder, name))
        here = isinstance(entry, dict) and _is_live(entry) and processes.descends(entry["pid"], root)
        if here and processes.in_foreground(entry["pid"]):  # one that it started itself, `claude -p`, is not
            return _live(entry)
    return None


def every(env: Mapping[str, str]) -> list[Live]:
    """All that are live now and keep their files where this environment has them, also those without a terminal."""
    folder = os.path.join(folder_of(env), "sessions")
    try:
        names = [name for name in os.listdir(folder) if name.endswith(".json")]
    except OSError:
        return []
    entries = [files.load(os.path.join(folder, name), _LONGEST_ENTRY) for name in names]
    return [_live(entry) for entry in entries if isinstance(entry, dict) and _is_live(entry)]


def above(pid: int, env: Mapping[str, str]) -> Optional[Live]:
    """The live Claude Code that process `pid` was started by, however many shells are between."""
    folder = os.path.join(folder_of(env), "sessions")
    for _ in range(_DEEPEST):
        if pid <= 1:
            return None
        entry = files.load(os.path.join(folder, "%d.json" % pid))
        if isinstance(entry, dict) and entry.get("pid") == pid and _is_live(entry):
            return _live(entry)
        pid = processes.parent(pid)
    return None


def folder_of(env: Mapping[str, str]) -> str:
    """Where a Claude Code with this environment keeps its files."""
    return env.get("CLAUDE_CONFIG_DIR") or os.path.join(env.get("HOME") or os.path.expanduser("~"), ".claude")


def _live(entry: dict[str, Any]) -> Live:
    return Live.from_json({**entry, "born": processes.start_time(entry["pid"]), "session_id": entry.get("sessionId")})


def _is_live(entry: dict[str, Any]) -> bool:
    """Not a file that a killed process left behind, whose number is another's now."""
    pid, born = entry.get("pid"), entry.get("procStart")
    if not isinstance(pid, int) or pid <= 1:
        return False
    if born and processes.LINUX:
        return processes.start_time(pid) == str(born)  # elsewhere the vendor writes a time of another form
    return processes.parent(pid) > 0


def box(lines: Sequence[str]) -> Optional[str]:
    """The text in the input box, "" where it is empty, None where there is no box (a question is)."""
    rules = [n for n, line in enumerate(lines) if line.startswith(_RULE)]
    if len(rules) < 2:
        return None
    inside = lines[rules[-2] + 1 : rules[-1]]
    if not inside or not inside[0].startswith(_PROMPT):
        return None
    text = "\n".join(inside)[1:].replace("\u00a0", " ").strip()
    return "" if text in _HINTS else text


def stashed(lines: Sequence[str]) -> bool:
    """Whether a draft was put aside already: one more ^S would lose it."""
    rules = [n for n, line in enumerate(lines) if line.startswith(_RULE)]
    return bool(rules) and any(_STASHED in line for line in lines[rules[-1] :])
