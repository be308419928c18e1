"""The orchestrator's pane: its own process, the parent of Claude, and the keeper of its inbox."""

from __future__ import annotations

import os
import sys

from . import files
from . import inbox
from . import orchestrators
from . import tmux
from .keeper import Keeper
from .orchestrators import Orchestrator
from .store import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any

_OF_THE_PANE = ("TERM", "TMUX", "TMUX_PANE", "TERM_PROGRAM", "TERM_PROGRAM_VERSION")
_WITH_A_VALUE = ("--resume", "-r", "--session-id")
_WITHOUT = ("--continue", "-c")


def main(letter: str) -> int:
    """Take the letter, register, keep the inbox, and run Claude until it is left for good."""
    told = files.parse(files.read(letter))
    env = {**told["env"], **{k: os.environ[k] for k in _OF_THE_PANE if k in os.environ}}
    os.environ.clear()
    os.environ.update(env)
    os.chdir(told["folder"])
    home = Home(told["home"])
    _begin(home, told["name"], told["folder"], env)
    files.remove(letter)
    return _claude(home, told["name"], told["argv"], env)


def _begin(home: Home, name: str, folder: str, env: Mapping[str, str]) -> None:
    """Where it is, what the dead have left, and who sees to its news from now on."""
    import _thread

    server, pane = tmux.of_caller(env)
    here = Orchestrator(
        name=name, pane=pane, socket=server.socket, server_pid=orchestrators.server_pid(env), folder=folder
    )
    orchestrators.register(home, here)
    keeper = Keeper(home, name, os.getpid(), env)
    orchestrators.inherit(home, name)
    _thread.start_new_thread(keeper.keep, ())


def _claude(home: Home, name: str, argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run it; one that did not end by itself can be started again, in its conversation."""
    while True:
        code = _run(argv, env)
        if not code:
            return 0
        sys.stderr.write("\nclaude ended with exit code %d. Enter starts it again, ^D closes this pane.\n" % code)
        if not sys.stdin.readline():
            return code
        argv = again(argv, inbox.state(home, name))


def again(argv: Sequence[str], state: Mapping[str, Any]) -> list[str]:
    """The same Claude with the conversation that it told of last, instead of any that argv names."""
    session, kept, skip = state.get("session_id"), [], False
    if not isinstance(session, str) or not session:
        return list(argv)
    for word in argv:
        if not skip and word not in _WITHOUT and word not in _WITH_A_VALUE:
            kept.append(word)
        skip = word in _WITH_A_VALUE
    return [kept[0], "--resume", session, *kept[1:]]


def _run(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run in the foreground and wait. A worker that suspends itself is woken: no shell is here to do it."""
    import signal

    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda *_: None)  # meant for Claude; a handler, since SIG_IGN would be inherited
    pid = os.posix_spawn(argv[0], list(argv), dict(env))
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            break
        os.kill(pid, signal.SIGCONT)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
