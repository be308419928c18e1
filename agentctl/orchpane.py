"""The orchestrator's pane: its own process, the parent of Claude, and the keeper of its inbox."""

from __future__ import annotations

import os
import sys

from . import claude_tui
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

OF_THE_PANE = ("TERM", "TMUX", "TMUX_PANE", "TERM_PROGRAM", "TERM_PROGRAM_VERSION")
_SANE = "\033[?2004l\033[?1000l\033[?1002l\033[?1003l\033[?1006l\033[?1004l\033[?25h\033[<u\033[>4;0m\033[0m\r\n"
"""Undoes what a killed Claude leaves behind: bracketed paste, mouse, focus, hidden cursor, other key codes, colour."""


def main(letter: str) -> int:
    """Take the letter, register, keep the inbox, and run Claude until it is left for good."""
    told = files.parse(files.read(letter))
    env = {**told["env"], **{k: os.environ[k] for k in OF_THE_PANE if k in os.environ}}
    os.environ.clear()
    os.environ.update(env)
    os.chdir(told["folder"])
    home = Home(told["home"])
    _begin(home, told["name"], told["folder"], env)
    files.remove(letter)
    return _claude(home, told, env)


def _begin(home: Home, name: str, folder: str, env: Mapping[str, str]) -> None:
    """Where it is, what the dead have left, and who sees to its news from now on."""
    import _thread

    server, pane = tmux.of_caller(env)
    keeper = Keeper(home, name, os.getpid(), env)
    here = Orchestrator(
        name=name,
        pane=pane,
        pane_pid=os.getpid(),
        socket=server.socket,
        server_pid=orchestrators.server_pid(env),
        folder=folder,
    )
    orchestrators.register(home, here.replace(claude=claude_tui.folder_of(env)))
    orchestrators.inherit(home, name)
    _thread.start_new_thread(keeper.keep, ())


def _claude(home: Home, told: Mapping[str, Any], env: Mapping[str, str]) -> int:
    """Run it; one that did not end by itself can be started again, in its conversation."""
    argv = [*told["argv"], *told["resumed"], *told["extra"]]
    while True:
        code = _run(argv, env)
        if not code:
            return 0
        sys.stderr.write("claude ended with exit code %d. Enter starts it again, ^D closes this pane.\n" % code)
        if not sys.stdin.readline():
            return code
        argv = [*told["argv"], *again(told["resumed"], told["extra"], inbox.state(home, told["name"]))]


def again(resumed: Sequence[str], extra: Sequence[str], state: Mapping[str, Any]) -> list[str]:
    """The further words for a Claude started again: the conversation that it told of last, and the user's options.

    A prompt among these was given once: a word is one that follows neither an option nor
    nothing but options with their value.
    """
    resumed = conversation(state) or resumed
    kept: list[str] = []
    for n, word in enumerate(extra):
        if word.startswith("-") or n and extra[n - 1].startswith("-") and "=" not in extra[n - 1]:
            kept.append(word)
    return [*resumed, *_without_conversation(kept)]


def conversation(state: Mapping[str, Any]) -> list[str]:
    """The words that go on with the conversation its hooks told of; [] where nothing was said in it, nor kept."""
    session = state.get("session_id")
    there = os.path.exists(str(state.get("transcript")))
    return ["--resume", session] if isinstance(session, str) and session and there else []


def _without_conversation(words: Sequence[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        name, equals, _ = word.partition("=")
        if name in ("--resume", "-r", "--session-id"):
            skip = not equals
        elif word in ("--continue", "-c", "--fork-session"):
            skip = False
        elif word.startswith("-") or not skip:
            kept.append(word)
            skip = False
    return kept


def _run(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run in the foreground and wait. One that suspends itself is woken: no shell is here to do it.

    A terminal that a killed one left raw is put back, or no Enter would be heard.
    """
    import signal
    import termios

    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda *_: None)  # meant for Claude; a handler, since SIG_IGN would be inherited
    before = termios.tcgetattr(0)
    try:
        pid = os.posix_spawn(argv[0], list(argv), dict(env), setsigdef=(signal.SIGPIPE, signal.SIGXFSZ))
    except OSError as e:
        sys.stderr.write("cannot start %s: %s\n" % (argv[0], e.strerror))
        return 127
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            break
        os.kill(pid, signal.SIGCONT)
    if status:
        termios.tcsetattr(0, termios.TCSAFLUSH, before)
        sys.stderr.write(_SANE)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
