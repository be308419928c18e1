"""tmux: its version, the server that panes go to, its PATH, and the panes that config.json names.

Nothing here starts a server. Seen with tmux 3.3a: `display-message -t` answers for the
active pane where its target does not exist, so targets are tried with `capture-pane`,
which refuses.
"""

from __future__ import annotations

import os

from .. import launch
from .. import paths
from .. import tmux
from ..errors import AgentctlError
from . import tmux_conf
from .rows import Row
from .rows import edit
from .rows import fail
from .rows import ok
from .rows import quote
from .rows import warn
from .system import install_command
from .tmux_conf import ask
from .tmux_conf import spoken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from ..config import Config
    from ..store import Home

_LISTED = "#{pane_id} #{session_name}:#{window_index}.#{pane_index}"


def check(home: Home, config: Config, env: Mapping[str, str], programs: Mapping[str, str]) -> Iterator[Row]:
    """`programs`: the vendors' CLIs that are on our PATH, name → path. Raises AgentctlError."""
    try:
        version = tmux.version()
    except AgentctlError as e:
        yield fail("tmux", str(e), install_command("tmux", env))
        return
    yield _version(version, env)
    server, _ = launch.server_of(config, env)
    try:
        pid, socket = ask(server, "display-message", "-p", "#{pid} #{socket_path}").strip().split(" ", 1)
    except AgentctlError as e:
        yield _no_server(server, env, str(e))
        yield from _targets(home, config, server)
        return
    yield ok("tmux server", "pid %s at %s" % (pid, socket))
    yield _path(server, env, programs)
    yield from _targets(home, config, server)
    yield from tmux_conf.check(server, version)


def _version(version: Sequence[int], env: Mapping[str, str]) -> Row:
    said = ".".join(map(str, version)) or "of a version it does not say"
    if version and tuple(version) < tmux.OLDEST:
        oldest = ".".join(map(str, tmux.OLDEST))
        return fail("tmux", "%s is too old: %s is needed" % (said, oldest), install_command("tmux", env))
    return ok("tmux", said)


def _no_server(server: tmux.Server, env: Mapping[str, str], error: str) -> Row:
    """Usually none runs, and the first start makes one. A server that runs and cannot be reached is another thing."""
    pid = _pid_of(env)
    if server.socket and server.socket == tmux.of_caller(env)[0].socket:
        if pid and not os.path.exists(server.socket):
            words = "server %d of this pane has lost its socket %s" % (pid, server.socket)
            return fail("tmux server", words, "kill -USR1 %d" % pid)
        return warn("tmux server", "TMUX names a server that is gone", "unset TMUX TMUX_PANE")
    if "no server running" in error or "No such file" in error or "refused" in error:
        return ok("tmux server", "none runs: the first start makes one")
    return fail("tmux server", error, spoken(server, "list-sessions"))


def _pid_of(env: Mapping[str, str]) -> int:
    """The live server that TMUX names, or 0."""
    word = env.get("TMUX", "").rpartition(",")[0].rpartition(",")[2]
    try:
        os.kill(int(word), 0)
    except (ValueError, OSError):
        return 0
    return int(word)


def _path(server: tmux.Server, env: Mapping[str, str], programs: Mapping[str, str]) -> Row:
    """agentctl hands its caller's PATH over to workers; panes that a person opens have the server's."""
    try:
        theirs = ask(server, "show-environment", "-g", "PATH").strip().partition("=")[2]
    except tmux.TmuxFailed:
        theirs = ""
    missing = [name for name in programs if not paths.executable(os.path.basename(programs[name]), theirs)]
    if not missing:
        return ok("tmux PATH", "has what ours has")
    words = "the server's lacks %s: panes that you open do not find %s" % (
        ", ".join(missing),
        "it" if len(missing) == 1 else "them",
    )
    return warn("tmux PATH", words, spoken(server, "set-environment -g PATH %s" % quote(env.get("PATH", ""))))


def _targets(home: Home, config: Config, server: tmux.Server) -> Iterator[Row]:
    named = {name: str(getattr(config, name)) for name in ("tmux_notify_target", "tmux_sendkeys_target")}
    for name, target in named.items():
        if target:
            yield _target(home, server, name, target)


def _target(home: Home, server: tmux.Server, name: str, target: str) -> Row:
    try:
        ask(server, "capture-pane", "-p", "-t", target, "-S", "0", "-E", "0")
    except AgentctlError as e:
        words = "`%s` is no pane: %s" % (target, str(e).partition(": ")[2] or e)
        return fail(name, words, _remedy(home, server, target))
    pane, dead = ask(server, "display-message", "-p", "-t", target, "#{pane_id} #{pane_dead}").split(" ")
    if dead.strip() == "1":
        words = "the program in `%s`, pane %s, has ended" % (target, pane)
        return warn(name, words, spoken(server, "respawn-pane -t %s" % pane))
    return ok(name, "`%s` is pane %s" % (target, pane))


def _remedy(home: Home, server: tmux.Server, target: str) -> str:
    """The command that makes the target right, where it is known which pane was meant; else, that lets one choose."""
    session = target.partition(":")[0].lstrip("=")
    choose = "%s; %s" % (spoken(server, "list-panes -a -F '%s'" % _LISTED), edit(home.config))
    if target[:1] in ("%", "@", "$") or not session:
        return choose
    form = "#{window_index} #{pane_index} #{window_active} #{window_name}"
    try:
        listed = ask(server, "list-panes", "-s", "-t", "=" + session, "-F", form)
        base = ask(server, "show-options", "-Av", "-t", "=%s:" % session, "base-index")
        pane_base = ask(server, "show-options", "-Awv", "-t", "=%s:" % session, "pane-base-index")
    except tmux.TmuxFailed:
        return spoken(server, "new-session -d -s %s" % quote(session))
    except AgentctlError:  # it does not answer: who knows what is there
        return spoken(server, "list-sessions")
    panes = [line.split(" ", 3) for line in listed.splitlines() if line.count(" ") > 2]
    better = offset(target, panes, (int(base), int(pane_base)))
    return _replaced(home.config, target, better) if better else choose


def offset(target: str, panes: Sequence[Sequence[str]], base: tuple[int, int]) -> str:
    """The same place where the target counts from 0 and tmux does not; "" where that does not explain it.

    `panes`: of its tmux session, each by the window's index, its own, "1" in the active window, the window's name.
    `base`: base-index and pane-base-index. An index below them is none that tmux gives now.
    """
    session, colon, rest = target.partition(":")
    window, dot, pane = rest.rpartition(".") if "." in rest else (rest, "", "")
    shifted = window.isdigit() and int(window) < base[0] and window not in [row[0] for row in panes]
    window = str(int(window) + base[0]) if shifted else window
    if dot and pane.isdigit() and (shifted or int(pane) < base[1]):
        pane = str(int(pane) + base[1])
    there = [row[1] for row in panes if window in (row[0], row[3]) or (not window and row[2] == "1")]
    better = session + colon + window + dot + pane
    return better if better != target and there and (not dot or pane in there) else ""


def _replaced(path: str, old: str, new: str) -> str:
    """`-i.bak`: the one form that GNU's and BSD's sed both take."""
    before, after = (word.replace("\\", "\\\\").replace("|", "\\|") for word in (old, new))
    for sign in ".*[]^$":
        before = before.replace(sign, "\\" + sign)
    return "sed -i.bak %s %s" % (quote('s|"%s"|"%s"|g' % (before, after.replace("&", "\\&"))), quote(path))
