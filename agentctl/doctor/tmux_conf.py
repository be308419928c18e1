"""What in the user's tmux.conf gets in agentctl's way.

`destroy-unattached` ends the workers' tmux session as it is made (seen with tmux 2.6 to
3.7c); `window-size manual` brings servers of 3.3 and 3.4 down.
"""

from __future__ import annotations

import os

from .. import paths
from .. import tmux
from .rows import Row
from .rows import fail
from .rows import ok
from .rows import quote
from .rows import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

TIMEOUT_S = 2.0
_HOOKS = (
    "after-kill-pane",
    "after-new-session",
    "after-new-window",
    "after-select-layout",
    "after-split-window",
    "pane-died",
    "pane-exited",
    "session-created",
    "window-layout-changed",
    "window-linked",
    "window-unlinked",
)
_USED = (
    "capture-pane",
    "display-message",
    "list-windows",
    "load-buffer",
    "new-session",
    "new-window",
    "paste-buffer",
    "select-layout",
    "set-option",
    "split-window",
)
_HARMFUL = {
    "destroy-unattached": "the workers' tmux session would end as soon as nobody looks at it",
    "exit-unattached": "the tmux server would end with its last client, and take every pane along",
    "remain-on-exit": "the panes of runs that met their goal stay open",
    "synchronize-panes": "what is typed into one pane goes into all of its window",
}
_FATAL = ("destroy-unattached", "exit-unattached")


def check(server: tmux.Server, version: Sequence[int]) -> Iterator[Row]:
    """The rows of a running server. Raises AgentctlError."""
    yield from _options(server, version)
    yield from _hooks(server)
    yield _shell(server)


def ask(server: tmux.Server, *command: str) -> str:
    """What one tmux command prints. Raises AgentctlError, also where the server does not answer in time."""
    return tmux.run(server, command, timeout=TIMEOUT_S)


def spoken(server: tmux.Server, command: str) -> str:
    """A tmux command as a person types it, for this very server."""
    return "tmux " + " ".join([*(quote(word) for word in server.flags()), command])


def _options(server: tmux.Server, version: Sequence[int]) -> Iterator[Row]:
    found = [*_global_options(server, version), *_synchronized(server)]
    yield from found
    if not found:
        yield ok("tmux options", "none that gets in the way%s" % _base(server))


def _base(server: tmux.Server) -> str:
    first = ask(server, "show-options", "-gv", "base-index").strip()
    panes = ask(server, "show-options", "-gwv", "pane-base-index").strip()
    return "" if (first, panes) == ("0", "0") else "; windows count from %s, panes from %s" % (first, panes)


def _global_options(server: tmux.Server, version: Sequence[int]) -> Iterator[Row]:
    listed = ask(server, "show-options", "-g") + ask(server, "show-options", "-gw") + ask(server, "show-options", "-s")
    values = dict(line.split(" ", 1) for line in listed.splitlines() if " " in line)
    for name, why in _HARMFUL.items():
        if values.get(name, "off") not in ("off", "0"):
            row = fail if name in _FATAL else warn
            flag = {"exit-unattached": "-s", "destroy-unattached": "-g"}.get(name, "-gw")
            remedy = spoken(server, "set-option %s %s off" % (flag, name))
            yield row("tmux " + name, "%s: %s" % (values[name], why), remedy)
    if values.get("window-size") == "manual" and tuple(version[:2]) in ((3, 3), (3, 4)):
        words = "manual: a server of this version ends when a tmux session is made"
        yield fail("tmux window-size", words, spoken(server, "set-option -gw window-size latest"))


def _synchronized(server: tmux.Server) -> Iterator[Row]:
    """Windows where it is set for themselves; there a knock would go into every pane."""
    if ask(server, "show-options", "-gwv", "synchronize-panes").strip() in ("on", "1"):
        return
    listed = ask(server, "list-panes", "-a", "-F", "#{window_id} #{pane_synchronized}").splitlines()
    for window in dict.fromkeys(line.split()[0] for line in listed if line.endswith(" 1")):
        remedy = spoken(server, "set-option -w -t %s synchronize-panes off" % window)
        yield warn("tmux synchronize-panes", "on in window %s: %s" % (window, _HARMFUL["synchronize-panes"]), remedy)


def _hooks(server: tmux.Server) -> Iterator[Row]:
    listed = (ask(server, "show-hooks", "-g") + ask(server, "show-hooks", "-gw")).splitlines()
    set_ = {line.split("[")[0].split(" ")[0] for line in listed if " " in line}
    found = [name for name in _HOOKS if name in set_]
    aliases = [line.partition(" ") for line in ask(server, "show-options", "-s", "command-alias").splitlines()]
    taken = {key: value.strip('"').partition("=")[0] for key, _, value in aliases}
    if found:
        remedy = spoken(server, " \\; ".join("set-hook -gu %s" % name for name in found))
        yield warn("tmux hooks", "yours run for our panes too: %s" % ", ".join(found), remedy)
    else:
        yield ok("tmux hooks", "none on panes and windows")
    for key, command in taken.items():
        if command in _USED:
            words = "`%s` means something else here: agentctl cannot use it" % command
            yield fail("tmux command-alias", words, spoken(server, "set-option -su %s" % quote(key)))


def _shell(server: tmux.Server) -> Row:
    """Workers are started without it. It serves the panes a person opens, and tmux's own `#(…)`."""
    shell = ask(server, "show-options", "-gv", "default-shell").strip()
    if not paths.executable(shell, "") or os.path.basename(shell) in ("false", "nologin", "true"):
        words = "%s is no shell that can be started: panes that you open close at once" % (shell or "the empty one")
        return warn("tmux default-shell", words, spoken(server, "set-option -g default-shell /bin/sh"))
    more = ", which is not POSIX; workers are started without a shell" if os.path.basename(shell) == "fish" else ""
    return ok("tmux default-shell", shell + more)
