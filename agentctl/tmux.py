"""The one door to tmux: the screen, never the truth.

Every call is argv; nothing is quoted and no shell is involved (a broken
`default-shell` does not matter). tmux itself reads three things in its
arguments, and this module is where they are disarmed: a final `;` starts the
next command, `#(…)` in formats runs a program, `%` is strftime. Text of users
and models is never an argument except through `plain`; run panes get ids only.
Only `%pane`, `@window` and `$session` ids are targets, so base-index,
renumbering and renames do not matter.
"""

from __future__ import annotations

import os

from . import paths
from . import proc
from .errors import AgentctlError
from .errors import usage_error
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Optional

OLDEST = (3, 0)
_INSTALL = "install tmux (`./install.sh` does), or start without a pane: `--no-pane`"
# A server that this call starts keeps its environment and shows it to everybody who asks it
# (`show-environment`): the caller's keys and our run's marker have no place there.
_FOR_A_SERVER = frozenset(
    (
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "LANGUAGE",
        "TERM",
        "TZ",
        "TMPDIR",
        "TMUX_TMPDIR",
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "SSH_AUTH_SOCK",
        "DBUS_SESSION_BUS_ADDRESS",
    )
)
_WINDOW = "workers"


class Server(Record):
    """A tmux server: a socket path, or a name as for `tmux -L`; "" is the default one."""

    socket: str = ""

    def flags(self) -> list[str]:
        if not self.socket:
            return []
        return ["-S" if os.sep in self.socket else "-L", self.socket]


class Pane(Record):
    """A pane with the process and the server that make its id unambiguous."""

    id: str = ""
    pid: int = 0
    server_pid: int = 0
    dead: bool = False


class TmuxFailed(AgentctlError):
    """tmux answered with an error."""


def of_caller(env: Mapping[str, str]) -> tuple[Server, str]:
    """The server and pane the caller sits in; ("", "") outside tmux."""
    socket = env.get("TMUX", "").rpartition(",")[0].rpartition(",")[0]
    return Server(socket=socket), env.get("TMUX_PANE", "") if socket else ""


def run(server: Server, *commands: Sequence[str], stdin: bytes = b"", timeout: float = 10.0) -> str:
    """Run tmux commands with one client. Raises TmuxFailed; AgentctlError without tmux."""
    done = tried(server, *commands, stdin=stdin, timeout=timeout)
    if done.code:
        raise TmuxFailed("tmux %s: %s" % (commands[0][0], _first_line(done.err) or "exit code %d" % done.code))
    return done.out.decode("utf-8", "replace")


def tried(server: Server, *commands: Sequence[str], stdin: bytes = b"", timeout: float = 10.0) -> proc.Done:
    """As `run`, but a failure is a value: tmux ends with the first command that fails, and those before it count."""
    argv = ["tmux", "-u", *server.flags()]
    for n, command in enumerate(commands):
        argv += [";"] if n else []
        argv += [a[:-1] + "\\;" if a.endswith(";") else a for a in command]
    env = {k: v for k, v in os.environ.items() if k in _FOR_A_SERVER or k.startswith(("LC_", "XDG_"))}
    env["AGENTCTL_DETACHED"] = "1"
    try:
        return proc.run(argv, env=env, stdin=stdin, timeout=timeout)
    except FileNotFoundError:
        raise AgentctlError("tmux is not installed", _INSTALL) from None


def _first_line(err: bytes) -> str:
    return err.decode("utf-8", "replace").strip().partition("\n")[0]


def plain(text: str) -> str:
    """Text that a tmux format shows as it is."""
    return text.replace("#", "##").replace("%", "%%")


def version() -> tuple[int, ...]:
    """(3, 3) for `tmux 3.3a`. Raises AgentctlError where tmux is missing."""
    try:
        words = proc.run(["tmux", "-V"], timeout=5).out.decode("ascii", "replace").split()
    except FileNotFoundError:
        raise AgentctlError("tmux is not installed", _INSTALL) from None
    digits = "".join(c if c.isdigit() or c == "." else " " for c in "".join(words[-1:])).split()
    return tuple(int(n) for n in digits[0].split(".") if n) if digits else ()


def check_version() -> None:
    """Raises AgentctlError with the remedy for a tmux that is missing or too old."""
    found = version()
    if found and found < OLDEST:
        raise AgentctlError(
            "tmux %s is too old: agentctl needs %s" % (".".join(map(str, found)), ".".join(map(str, OLDEST))),
            "upgrade tmux, or start without a pane: `--no-pane`",
        )


class Place(Record):
    """A `workers` window as a target, and how many panes it had when we last looked."""

    window: str = ""
    panes: int = 0


def open_pane(server: Server, session: str, argv: Sequence[str], per_window: int, last: Place) -> Place:
    """Run `argv` in a new pane of a `workers` window, made where there is none with room.

    `session` is a tmux session's name, or a pane id of it. `last` is where the pane
    before went: asking tmux for its windows first would double the time this takes.
    The caller holds a lock, so that two starts do not both see the same last place.
    """
    if 0 < last.panes < per_window:
        place = _split(server, last.window, argv)
        if place:
            return place
    session = session_name(session)
    target = session if session.startswith(("%", "$")) else "=" + session
    listing = ["list-windows", "-t", target, "-F", "#{session_id} #{window_panes} #{window_id} #{window_name}"]
    try:
        rows = [line.split(" ", 3) for line in run(server, listing).splitlines() if line.count(" ") > 2]
    except TmuxFailed:
        return _with_new_session(server, session, argv)
    if not rows:
        raise TmuxFailed("tmux did not list its windows", "look at what `tmux list-windows` prints")
    ours = [row for row in rows if row[3].partition("-")[0] == _WINDOW]
    for _, panes, window, _ in ours:
        place = _split(server, window, argv) if panes.isdigit() and int(panes) < per_window else None
        if place:
            return place
    return _with_new_window(server, rows[0][0], free_name([row[3] for row in ours]), argv)


def session_name(name: str) -> str:
    """The name that tmux gives a session of this name: `.` and `:` stand for windows and panes in a target.

    Raises AgentctlError for what it would write in escapes, and not find again.
    """
    if not name.isprintable() or "\\" in name:
        raise usage_error("%r cannot name a tmux session" % name, "use letters, digits, `_` and `-`")
    return name.replace(".", "_").replace(":", "_")


def windows(server: Server, session_id: str) -> list[str]:
    """The names of our windows in a session."""
    names = run(server, ["list-windows", "-t", session_id, "-F", "#{window_name}"]).splitlines()
    return [name for name in names if name.partition("-")[0] == _WINDOW]


def free_name(taken: Sequence[str]) -> str:
    """A name for another of our windows."""
    names = (_WINDOW if n == 1 else "%s-%d" % (_WINDOW, n) for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


_GOING = ("server exited", "lost server", "no server running")
"""What a client says whose server ends while it asks (seen with tmux 3.3a: "server exited unexpectedly")."""
_SERVER_TRIES = 5
_MADE = ["-P", "-F", "#{session_id} #{window_panes} #{window_name}"]


def _split(server: Server, window: str, argv: Sequence[str]) -> Optional[Place]:
    """None where the window is gone or has no space, whatever its size was said to be."""
    try:
        return made(run(server, *splitting(window, argv)))
    except TmuxFailed:
        return None


def splitting(window: str, argv: Sequence[str]) -> list[list[str]]:
    """The commands that run `argv` in a new pane of a window."""
    return [["split-window", "-d", *_MADE, "-t", window, "--", *argv], tiling(window)]


def tiling(window: str) -> list[str]:
    """The command that gives all panes of a window the same room."""
    return ["select-layout", "-t", window, "tiled"]


def _with_new_window(server: Server, session_id: str, name: str, argv: Sequence[str]) -> Place:
    return made(run(server, *opening(session_id, name, argv)))


def opening(session_id: str, name: str, argv: Sequence[str]) -> list[list[str]]:
    """The commands that run `argv` in a new window."""
    new = ["new-window", "-d", *_MADE, "-t", session_id + ":", "-n", name, "--", *argv]
    return [new, *_dress("%s:=%s" % (session_id, name))]


def _with_new_session(server: Server, session: str, argv: Sequence[str]) -> Place:
    check_version()
    if session.startswith(("%", "$")):
        raise TmuxFailed(
            "pane %s is not on this tmux server" % session,
            "start from a pane that is, or set `tmux_session`; or `--no-pane`",
        )
    size = ["-x", "200", "-y", "50"]
    new = ["new-session", "-d", *_MADE, *size, "-s", plain(session), "-n", _WINDOW, "--", *argv]
    return made(_run_on_some(server, new, *_dress("=%s:=%s" % (session, _WINDOW))))


def _run_on_some(server: Server, *commands: Sequence[str]) -> str:
    """As `run`. A server whose last pane has closed may be going just as we come: the next client begins a new one."""
    for _ in range(_SERVER_TRIES - 1):
        try:
            return run(server, *commands)
        except TmuxFailed as e:
            if not any(words in str(e) for words in _GOING):
                raise
    return run(server, *commands)


def made(out: str) -> Place:
    """By the session's id and the window's name: after a restart of the server an id alone may be anybody's."""
    session, _, rest = out.strip().partition(" ")
    panes, _, name = rest.partition(" ")
    if not session.startswith("$") or not panes.isdigit():
        raise TmuxFailed("tmux did not say which pane it made", "look for user hooks and aliases in your tmux.conf")
    return Place(window="%s:=%s" % (session, name), panes=int(panes))


def _dress(window: str) -> tuple[list[str], list[str]]:
    """The commands that make a new window's borders show each pane's title."""
    return (
        ["set-option", "-w", "-t", window, "pane-border-status", "top"],
        ["set-option", "-w", "-t", window, "pane-border-format", " #{pane_title} "],
    )


def describe(server: Server, pane: str) -> Optional[Pane]:
    """Which pane, process and server a target stands for now; None where it is gone.

    display-message takes the active pane for a window that is not there (seen with tmux
    3.3a); capture-pane refuses, so it is asked first.
    """
    asked = ["display-message", "-p", "-t", pane, "#{pane_id} #{pane_pid} #{pid} x#{pane_dead}"]
    try:
        out = run(server, ["capture-pane", "-p", "-t", pane, "-S", "0", "-E", "0"], asked)
    except TmuxFailed:
        return None
    words = out.rstrip("\n").rpartition("\n")[2].split()
    if len(words) < 3 or not words[0].startswith("%") or not (words[1] + words[2]).isdigit():
        return None
    if pane.startswith("%") and words[0] != pane:
        return None
    return Pane(id=words[0], pid=int(words[1]), server_pid=int(words[2]), dead=words[3:] == ["x1"])


def keep_when_dead(server: Server, pane: str) -> None:
    """Leave the pane readable after its process has ended."""
    run(server, ["set-option", "-p", "-t", pane, "remain-on-exit", "on"])


def say(server: Server, pane: str, text: str) -> None:
    """Show a line in the status line of the clients that look at the pane."""
    run(server, ["display-message", "-t", pane, plain(text)], timeout=5)


def go_to(server: Server, pane: str, inside: bool) -> list[str]:
    """Show the pane; returns the argv that attaches a terminal to it, to be executed."""
    run(server, ["select-window", "-t", pane], ["select-pane", "-t", pane])
    session = run(server, ["display-message", "-p", "-t", pane, "#{session_id}"]).strip()
    program = paths.executable("tmux", os.environ.get("PATH", "")) or "tmux"
    return [program, "-u", *server.flags(), "switch-client" if inside else "attach-session", "-t", session]
