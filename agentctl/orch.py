"""`orch`: start the orchestrator, an interactive Claude Code in tmux that knows agentctl.

The directory, the environment and Claude's arguments reach the pane in a private
file (the letter) that the pane's own process reads and removes. Why not as
arguments: a pane gets the tmux server's environment and not the caller's, `-c`
runs `#(…)` in a directory's name, a final `;` starts another tmux command, and
16 KB is the most tmux takes. This way tmux sees nothing of the user's at all, and
the letter's disappearance says that the pane really came up.
"""

from __future__ import annotations

import json
import os
import sys
import time

from . import paths
from . import tmux
from .errors import AgentctlError
from .errors import usage_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

SESSION = "ai"
BORN_WITHIN_S = 10.0
_MARK = "@agentctl_orchestrator"
_OF_THE_PANE = ("TERM", "TMUX", "TMUX_PANE", "TERM_PROGRAM", "TERM_PROGRAM_VERSION")
_OF_ANOTHER_CLAUDE = ("CLAUDECODE", "CLAUDE_CODE_CHILD_SESSION", "CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_ENTRYPOINT")
_IN_PANE = "import sys; sys.path.append(sys.argv[1]); from agentctl.orch import in_pane; sys.exit(in_pane(sys.argv[2]))"
_EPILOG = """examples:
  orch                        in the current directory
  orch ~/src/shop             in another one
  orch . -- --model opus      what follows `--` goes to claude

Run again for the same directory, it shows the orchestrator that is there."""


def main() -> int:
    """The `orch` command; the exit code: 0, 1 could not, 2 called wrongly."""
    try:
        return _orch(sys.argv[1:], os.environ)
    except AgentctlError as e:
        print("orch: %s" % e, file=sys.stderr)
        if e.hint:
            print("hint: %s" % e.hint, file=sys.stderr)
        return e.code


def _orch(argv: Sequence[str], env: Mapping[str, str]) -> int:
    words = list(argv)
    cut = words.index("--") if "--" in words else len(words)
    options, extra = _options(words[:cut]), words[cut + 1 :]
    folder, session = _folder(options.dir), _session(options.session)
    claude = paths.executable("claude", env.get("PATH", ""))
    if not claude:
        raise AgentctlError("claude is not on the PATH", "`npm install -g @anthropic-ai/claude-code` installs it")
    tmux.check_version()
    server, inside = _server(env)
    pane = None if options.new else _running(server, session, folder)
    if pane and extra:
        print("orch: already running here, so `%s` has no effect; --new starts another" % extra[0], file=sys.stderr)
    pane = pane or _start(server, session, _letter(folder, [claude, *_prompted(env), *extra], env))
    return _show(server, session, pane, inside, env)


def _options(words: Sequence[str]) -> Any:
    import argparse

    parser = argparse.ArgumentParser(
        prog="orch",
        usage="orch [DIR] [--session NAME] [--new] [-- CLAUDE ARGUMENT...]",
        epilog=_EPILOG,
        description="Start Claude Code in tmux as the orchestrator of coding agents, and show it.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dir", nargs="?", default=".", metavar="DIR", help="where it works (default: here)")
    parser.add_argument("--session", default=SESSION, metavar="NAME", help="the tmux session (default: %(default)s)")
    parser.add_argument("--new", action="store_true", help="start another one where one runs already")
    return parser.parse_args(words)


def _folder(given: str) -> str:
    if not os.path.isdir(given):
        raise AgentctlError("there is no directory %r" % given, "give an existing directory: `orch DIR`")
    return os.path.realpath(given)


def _session(name: str) -> str:
    """tmux rewrites `.` and `:` in names and expands `#` and `%`: none of them here."""
    if not name or not all(c.isalnum() or c in "_-" for c in name) or name[0] == "-":
        raise usage_error("%r cannot name a tmux session" % name, "use letters, digits, `_` and `-`")
    return name


def _server(env: Mapping[str, str]) -> tuple[tmux.Server, bool]:
    """The tmux server to use, and whether the caller sits in it (a stale $TMUX does not count)."""
    server, pane = tmux.of_caller(env)
    if pane and tmux.describe(server, pane):
        return server, True
    return tmux.Server(), False


def _prompted(env: Mapping[str, str]) -> list[str]:
    own = os.path.join(paths.home_folder("", env), "prompts", "orchestrator.md")
    prompt = own if os.path.isfile(own) else paths.asset("prompts", "orchestrator.md")
    return ["--append-system-prompt-file", prompt]


def _letter(folder: str, argv: Sequence[str], env: Mapping[str, str]) -> str:
    """Write what the pane needs to a file only its owner can read; returns its path."""
    import tempfile

    theirs = {k: v for k, v in env.items() if k not in _OF_THE_PANE + _OF_ANOTHER_CLAUDE}
    theirs.update(PATH=_bin_folder() + os.pathsep + env.get("PATH", ""), PWD=folder)
    fd, path = tempfile.mkstemp(prefix="agentctl-orch-")
    with os.fdopen(fd, "w") as file:
        json.dump({"folder": folder, "argv": list(argv), "env": theirs}, file)
    return path


def _bin_folder() -> str:
    """Where `agentctl` stands beside the `orch` that was called, so that both are one installation."""
    called = sys.argv[0]
    beside = [os.path.dirname(os.path.abspath(called)), os.path.dirname(os.path.realpath(called))]
    for folder in [*beside, os.path.join(os.path.dirname(paths.PACKAGE), "bin")]:
        if paths.executable(os.path.join(folder, "agentctl"), ""):
            return folder
    raise AgentctlError("no agentctl beside %s" % called, "install agentctl again: `./install.sh`")


def _running(server: tmux.Server, session: str, folder: str) -> Optional[str]:
    """The pane of the session whose orchestrator works in this directory."""
    try:
        panes = tmux.run(server, ["list-panes", "-s", "-t", "=" + session, "-F", "#{pane_id} #{%s}" % _MARK])
    except tmux.TmuxFailed:
        return None  # no such session, or no server yet
    marked = (line.partition(" ") for line in panes.splitlines())
    return next((pane for pane, _, mark in marked if mark == _digest(folder)), None)


def _digest(folder: str) -> str:
    """A directory's name in a form that tmux prints as it is in every locale."""
    import hashlib

    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def _start(server: tmux.Server, session: str, letter: str) -> str:
    """Open the orchestrator's pane, in a session that is made where it is missing."""
    with open(letter) as file:
        digest = _digest(json.load(file)["folder"])
    argv = ["--", sys.executable, "-I", "-S", "-c", _IN_PANE, os.path.dirname(paths.PACKAGE), letter]
    made = ["-d", "-P", "-F", "#{pane_id}", "-n", "orchestrator"]
    try:
        if _exists(server, session):
            pane = tmux.run(server, ["new-window", *made, "-t", "=%s:" % session, *argv]).strip()
        else:
            pane = tmux.run(server, ["new-session", *made, "-x", "200", "-y", "50", "-s", session, *argv]).strip()
        tmux.run(server, ["set-option", "-p", "-t", pane, _MARK, digest])
        _await_birth(letter)
    finally:
        if os.path.exists(letter):
            os.unlink(letter)
    return pane


def _exists(server: tmux.Server, session: str) -> bool:
    try:
        tmux.run(server, ["has-session", "-t", "=" + session])
    except tmux.TmuxFailed:
        return False
    return True


def _await_birth(letter: str) -> None:
    end = time.monotonic() + BORN_WITHIN_S
    while os.path.exists(letter):
        if time.monotonic() > end:
            raise AgentctlError("tmux opened no working pane within %d s" % BORN_WITHIN_S, "try `tmux new-session`")
        time.sleep(0.02)


def _show(server: tmux.Server, session: str, pane: str, inside: bool, env: Mapping[str, str]) -> int:
    """Bring the pane before the user's eyes; without a terminal, say where it is."""
    argv = tmux.go_to(server, pane, inside)
    if inside or os.isatty(0):
        os.execve(argv[0], argv, {k: v for k, v in env.items() if inside or k not in ("TMUX", "TMUX_PANE")})
    print("the orchestrator runs in tmux session `%s`; see it with `tmux attach -t %s`" % (session, session))
    return 0


def in_pane(letter: str) -> int:
    """The pane's process: take the letter, run Claude, and keep a failure readable."""
    with open(letter) as file:
        told = json.load(file)
    os.unlink(letter)
    env = {**told["env"], **{k: os.environ[k] for k in _OF_THE_PANE if k in os.environ}}
    os.chdir(told["folder"])
    code = _run(told["argv"], env)
    if code:
        sys.stderr.write("\nclaude ended with exit code %d. Enter closes this pane.\n" % code)
        sys.stdin.readline()
    return code


def _run(argv: list[str], env: Mapping[str, str]) -> int:
    """Run in the foreground and wait. A worker that suspends itself is woken: no shell is here to do it."""
    import signal

    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda *_: None)  # meant for Claude; a handler, since SIG_IGN would be inherited
    pid = os.posix_spawn(argv[0], argv, env)
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            break
        os.kill(pid, signal.SIGCONT)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
