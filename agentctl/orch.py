"""`orch`: start the orchestrator, an interactive Claude Code in tmux that knows agentctl.

The directory, the environment and Claude's arguments reach the pane in a private
file (the letter) that the pane's own process (orchpane.py) reads and removes. Why not
as arguments: a pane gets the tmux server's environment and not the caller's, `-c`
runs `#(…)` in a directory's name, a final `;` starts another tmux command, and
16 KB is the most tmux takes. This way tmux sees nothing of the user's at all, and
the letter's disappearance says that the pane really came up.
Hooks and the allow-list go by --settings: no file of the user's changes, and no
question of Claude's, about trust or a key, is answered for them.
"""

from __future__ import annotations

import os
import sys
import time

from . import config as configuration
from . import files
from . import hooks
from . import inbox
from . import locks
from . import orchestrators
from . import paths
from . import store
from . import text
from . import tmux
from .config import DEFAULT_SESSION
from .config import Config
from .errors import AgentctlError
from .errors import usage_error
from .orchestrators import Orchestrator
from .orchpane import OF_THE_PANE
from .orchpane import conversation
from .store import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional

BORN_WITHIN_S = 10.0
MODEL = "opus"
ALLOWED = ("start", "wait", "show", "list", "inbox", "resume", "stop", "tail", "follow", "projects", "replay", "help")
"""What it may call unasked, among our own commands; not what grants trust or forgets. `start` can run any command."""
_LETTER = "letter-"
_OF_ANOTHER_CLAUDE = ("CLAUDECODE", "CLAUDE_CODE_CHILD_SESSION", "CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_ENTRYPOINT")
_OF_ANOTHER_RUN = ("AGENTCTL_RUN_ID", "AGENTCTL_DETACHED")
_IN_PANE = "import sys; sys.path.append(sys.argv[1]); from agentctl.orchpane import main; sys.exit(main(sys.argv[2]))"
_EPILOG = """examples:
  orch                        in the current directory
  orch ~/src/shop             in another one
  orch --resume               go on with the last conversation here
  orch . -- --model sonnet    what follows `--` goes to claude

Run again for the same directory, it shows the orchestrator that is there. A new one
takes over what orchestrators that are gone have not acknowledged."""


def main() -> int:
    """The `orch` command; the exit code: 0, 1 could not, 2 called wrongly."""
    try:
        return _orch(sys.argv[1:], os.environ)
    except AgentctlError as e:
        error = e
    except KeyboardInterrupt:
        return 130
    except OSError as e:
        error = AgentctlError("%s: %s" % (e.filename or "cannot read or write", e.strerror))
    print("orch: %s" % text.one_line(error), file=sys.stderr)
    if error.hint:
        print("hint: %s" % text.one_line(error.hint), file=sys.stderr)
    return error.code


def _orch(argv: Sequence[str], env: Mapping[str, str]) -> int:
    words = list(argv)
    cut = words.index("--") if "--" in words else len(words)
    options, extra = _options(words[:cut]), words[cut + 1 :]
    folder, home = _folder(options.dir), Home(paths.home_folder("", env))
    config, problem = configuration.load(home)
    if problem:
        print("orch: %s" % problem, file=sys.stderr)
    session = _session(options.session or config.tmux_session or DEFAULT_SESSION)
    claude = _claude(config, env)
    tmux.check_version()
    server, inside = _server(config, env)
    store.create_home(home.path)
    with locks.holding(os.path.join(home.inbox, "orch.lock")):  # two at once would choose the same name
        found = None if options.new else _running(home, folder)
        if found:
            server, pane, inside = found.server, found.pane, inside and _same(found.server, server)
        else:
            name = _free_name(home, folder)
            argv = [claude, *_flags(home, config, name, extra)]
            letter = _letter(home, name, folder, argv, _resumed(home, name, options.resume), extra, env)
            pane = _start(server, session, letter)
    if found and (extra or options.resume):
        print("orch: it runs here already, so these words have no effect; --new starts another", file=sys.stderr)
    return _show(server, pane, inside, env)


def _claude(config: Config, env: Mapping[str, str]) -> str:
    """The program, by its absolute path: it is started in a directory that may hold one of that name."""
    asked = (config.executables or {}).get("claude") or "claude"
    found = paths.executable(asked, env.get("PATH", "")) if isinstance(asked, str) else ""
    if not found:
        raise AgentctlError("%s is not on the PATH" % asked, "`npm install -g @anthropic-ai/claude-code` installs it")
    return found


def _same(one: tmux.Server, other: tmux.Server) -> bool:
    return bool(other.socket) and os.path.realpath(one.socket) == os.path.realpath(other.socket)


def _options(words: Sequence[str]) -> Any:
    import argparse

    parser = argparse.ArgumentParser(
        prog="orch",
        usage="orch [DIR] [--session NAME] [--resume] [--new] [-- CLAUDE ARGUMENT...]",
        epilog=_EPILOG,
        description="Start Claude Code in tmux as the orchestrator of coding agents, and show it.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dir", nargs="?", default=".", metavar="DIR", help="where it works (default: here)")
    parser.add_argument(
        "--session", default="", metavar="NAME", help="the tmux session (default: the configured one, else ai)"
    )
    parser.add_argument("--resume", action="store_true", help="go on with the last conversation in this directory")
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


def _server(config: Config, env: Mapping[str, str]) -> tuple[tmux.Server, bool]:
    """The tmux server to use, and whether the caller sits in it (a stale $TMUX does not count)."""
    server, pane = tmux.of_caller(env)
    if pane and tmux.describe(server, pane):
        return server, True
    return tmux.Server(socket=config.tmux_socket), False


def _flags(home: Home, config: Config, name: str, extra: Sequence[str]) -> list[str]:
    """The model, the prompt, and the file with our hooks and the allow-list."""
    rules = ["Bash(agentctl %s:*)" % verb for verb in ALLOWED] if config.orch_allow is None else config.orch_allow
    path = inbox.folder(home, name, "settings.json")
    files.private_folder(os.path.dirname(path))
    files.replace(path, files.dump(hooks.settings(paths.PROGRAM, home, [r for r in rules if isinstance(r, str)])))
    model = [] if any(word.partition("=")[0] == "--model" for word in extra) else ["--model", MODEL]
    return [*model, "--settings", path, "--append-system-prompt-file", _prompt(home)]


def _prompt(home: Home) -> str:
    own = os.path.join(home.prompts, "orchestrator.md")
    return own if os.path.isfile(own) else paths.asset("prompts", "orchestrator.md")


def _resumed(home: Home, name: str, wanted: bool) -> list[str]:
    """The conversation that its hooks told of last; where none did, Claude's own idea of the last one here."""
    if not wanted:
        return []
    return conversation(inbox.state(home, name)) or ["--continue"]


def _letter(
    home: Home,
    name: str,
    folder: str,
    argv: Sequence[str],
    resumed: Sequence[str],
    extra: Sequence[str],
    env: Mapping[str, str],
) -> str:
    """Write what the pane needs to a file only its owner can read; returns its path.

    One that an `orch` left behind which was killed has no reader any more: it goes.
    """
    for old in os.listdir(inbox.folder(home, name)):
        if old.startswith(_LETTER):
            files.remove(inbox.folder(home, name, old))
    theirs = {k: v for k, v in env.items() if k not in OF_THE_PANE + _OF_ANOTHER_CLAUDE + _OF_ANOTHER_RUN}
    theirs.update(PATH=_bin_folder() + os.pathsep + env.get("PATH", ""), PWD=folder, AI_ORCH_HOME=home.path)
    theirs[orchestrators.VARIABLE] = name
    told = {"home": home.path, "name": name, "folder": folder, "env": theirs}
    words = {"argv": list(argv), "resumed": list(resumed), "extra": list(extra)}
    path = inbox.folder(home, name, _LETTER + os.urandom(4).hex())
    files.create(path, files.dump({**told, **words}))
    return path


def _bin_folder() -> str:
    """Where `agentctl` stands beside the `orch` that was called, so that both are one installation."""
    called = sys.argv[0]
    beside = [os.path.dirname(os.path.abspath(called)), os.path.dirname(os.path.realpath(called))]
    for folder in [*beside, os.path.join(os.path.dirname(paths.PACKAGE), "bin")]:
        if paths.executable(os.path.join(folder, "agentctl"), ""):
            return folder
    raise AgentctlError("no agentctl beside %s" % called, "install agentctl again: `./install.sh`")


def _running(home: Home, folder: str) -> Optional[Orchestrator]:
    """The orchestrator of this directory whose keeper lives, wherever its pane was moved to."""
    found = (at for at in orchestrators.known(home) if at.folder == folder and _kept(home, at.name))
    return next((at for at in found if orchestrators.located(home, at)), None)


def _kept(home: Home, name: str) -> bool:
    return locks.held(inbox.folder(home, name, "keeper.lock"))


def _free_name(home: Home, folder: str) -> str:
    """The directory's own name, which a later orchestrator has again; with a number while that one lives."""
    import hashlib

    name = "orch-" + hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
    names = (name if n == 1 else "%s-%d" % (name, n) for n in range(1, 1000))
    return next(n for n in names if not _kept(home, n))


def _start(server: tmux.Server, session: str, letter: str) -> str:
    """Open the orchestrator's pane, in a session that is made where it is missing."""
    argv = ["--", sys.executable, "-I", "-S", "-c", _IN_PANE, os.path.dirname(paths.PACKAGE), letter]
    made = ["-d", "-P", "-F", "#{pane_id}", "-n", "orchestrator"]
    try:
        if _exists(server, session):
            pane = tmux.run(server, ["new-window", *made, "-t", "=%s:" % session, *argv]).strip()
        else:
            pane = tmux.run(server, ["new-session", *made, "-x", "200", "-y", "50", "-s", session, *argv]).strip()
        _await_birth(letter)
    finally:
        files.remove(letter)
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


def _show(server: tmux.Server, pane: str, inside: bool, env: Mapping[str, str]) -> int:
    """Bring the pane before the user's eyes; without a terminal, say where it is."""
    argv = tmux.go_to(server, pane, inside)
    if inside or os.isatty(0):
        os.execve(argv[0], argv, {k: v for k, v in env.items() if inside or k not in ("TMUX", "TMUX_PANE")})
    session = tmux.run(server, ["display-message", "-p", "-t", pane, "#{session_name}"]).strip()
    words = " ".join(["tmux", *server.flags(), "attach", "-t", session])
    print("the orchestrator runs in tmux session `%s`; see it with `%s`" % (text.one_line(session), words))
    return 0
