"""The one table of commands, and the way from argv to an exit code.

Only the module of the command that was asked for is imported: start-up time is
most of what a command costs. A command is born by a file in commands/ and a line
here; help, completion and the table in README.md are made from this table.
"""

from __future__ import annotations

import gc
import os
import sys

from . import __version__
from .errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from types import ModuleType
    from typing import Any
    from typing import NoReturn

COMMANDS: dict[str, str] = {
    "init": "make the home directory",
    "add-project": "register a directory as a project",
    "projects": "list the registered projects",
    "remove-project": "forget a project; its files and runs stay",
    "roles": "list the roles, or print one's prompt",
    "start": "start a run and print its id",
    "spawn": "start a run for each of many prompts and print their ids",
    "wait": "wait for runs to end and print their results",
    "show": "print what is known of a run",
    "view": "make one page of a run or a goal: what it did, changed, cost",
    "list": "list runs, newest first",
    "status": "what each run does now, those that need you first",
    "inbox": "what happened and nobody has acknowledged",
    "resume": "go on from an ended run, in its session, or with any session",
    "sessions": "find conversations with Claude Code, Codex and Cursor on this machine; show, search",
    "agent": "make, list, ask, change and delete agents: workers with a name and a memory",
    "stop": "stop runs; they stay resumable",
    "pause": "have runs stand still; their slots are free meanwhile",
    "continue": "have paused runs go on",
    "workflow": "start, list, show, plan and resume workflows: steps that follow each other",
    "goal": "set a goal that is worked at until others verified it; list, show, stop, resume",
    "execute": "have a request done by the workflow that fits it",
    "report": "one page on what was done: the morning after",
    "explain": "why a run is in the state it is in",
    "stats": "what runs used, did and cost, in sums",
    "files": "who read and who wrote what, conflicts first",
    "worktrees": "list the worktrees of runs, and what is in them",
    "collect": "show what ended runs brought, and where it will conflict",
    "merge": "land branches together, verified as a whole",
    "cleanup": "save, then remove worktrees, branches and panes of ended runs",
    "undo": "bring a removed worktree back",
    "rescue": "list, show or drop what cleanups have saved",
    "follow": "print a run's events as they happen",
    "tail": "print the newest lines of notify.log",
    "wake": "test how an orchestrator is woken",
    "attach": "go to a run's tmux pane",
    "replay": "read a run's raw output again with today's adapter",
    "demo": "see it work in one minute, without an account",
    "doctor": "check everything agentctl depends on, with remedies",
    "web": "see and steer it all in a browser, live",
    "mcp": "serve these commands as tools to an MCP client",
    "plugin": "make a plugin for Claude Code: a skill, slash commands, hooks",
    "completion": "print a completion script for bash, zsh or fish",
    "help": "explain a command or a topic",
}
ALIASES = {"task-details": "show", "list-tasks": "list", "agent-details": "agent show", "list-agents": "agent list"}
"""Names by which other programs know what ours do: `agentctl help aliases`."""
HIDDEN = ("_run", "_complete")
ERRANDS = ("_settle", "_tell", "_notice", "_hook", "_sweep", "_goal", "_converse")

USAGE = "usage: agentctl [--home DIR] COMMAND [ARGUMENTS]"


def main() -> int:
    """Run the command in sys.argv; leave the process by the fastest way.

    The collector would run some ten times while modules are imported, and find nothing.
    """
    gc.set_threshold(100_000)
    sys.stdout = sys.stdout or open(os.open(os.devnull, os.O_RDONLY), "w")  # `>&-`: an answer cannot be written
    sys.stderr = sys.stderr or open(os.devnull, "w")
    sys.unraisablehook = _again
    code = guarded(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # the reader has left; nobody is there to be told
    except OSError as e:
        code = _say(AgentctlError("cannot write the answer: %s" % e.strerror))
    os._exit(code)


def _again(lost: sys.UnraisableHookArgs) -> None:
    """A ^C that fell into a destructor, where Python drops what is raised, comes again a moment later."""
    if lost.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(lost)
        return
    import signal

    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.01)


def guarded(argv: list[str]) -> int:
    """The exit code of a command line; errors become one line, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return dispatch(argv)
    except AgentctlError as e:
        return _say(e)
    except KeyboardInterrupt:
        return 130
    except SystemExit as e:
        return int(e.code or 0)  # argparse has printed the help
    except BrokenPipeError:
        return 0
    except OSError as e:
        # The system refused and says what and why: a full disk, a permission, a folder in a file's place.
        refused = os.environ.get("AGENTCTL_DEBUG") != "1" and "_run" not in argv
        said = AgentctlError("%s: %s" % (e.filename or "cannot read or write", e.strerror))
        return _say(said) if refused else _unforeseen(e)
    except Exception as e:
        # A bug of ours: one line for the user, the traceback where it can be sent from.
        return _unforeseen(e)


def dispatch(argv: list[str]) -> int:
    """Find the command, parse its arguments, run it."""
    home, words = _global_options(argv)
    words = spelled_out(words)
    if not words or words[0] in ("-h", "--help"):
        print(overview())
        return 0
    name = words[0]
    if name == "--version":
        print("agentctl %s" % __version__)
        return 0
    if name == "_run":
        from . import runner

        return runner.main(words[1], words[2])
    if name in ERRANDS:
        from . import errands

        return errands.main(name, words[1:], home)
    if name == "_install":
        from .installer import main as installing

        return installing.main(words[1:])
    module = command(name)
    args = (not words[1:] and defaults(module)) or parser(name, module).parse_args(words[1:])
    args.home = args.home or home
    return int(module.run(args))


def _global_options(argv: list[str]) -> tuple[str, list[str]]:
    words = list(argv)
    home = ""
    while words and words[0].startswith("--home"):
        option, equals, value = words.pop(0).partition("=")
        if option != "--home" or not (equals or words):
            raise AgentctlError("--home wants a directory", USAGE, code=2)
        home = value if equals else words.pop(0)
    return home, words


def spelled_out(words: list[str]) -> list[str]:
    """A command line whose first word may be an alias, in the words of our own commands."""
    return [*ALIASES[words[0]].split(), *words[1:]] if words and words[0] in ALIASES else words


def command(name: str) -> ModuleType:
    """The module of a command. Raises AgentctlError that names the closest one."""
    if name not in COMMANDS and name not in HIDDEN:
        from . import text

        guess = text.closest(name, [*COMMANDS, *ALIASES])
        raise AgentctlError(
            "no command `%s`" % text.one_line(name, 60),
            "did you mean `agentctl %s`?" % guess if guess else "see `agentctl --help`",
            code=2,
        )
    import importlib

    return importlib.import_module(".commands." + name.strip("_").replace("-", "_"), __package__)


class Defaults:
    """What argparse makes of a command with no words: every option at its default.

    Stands in for it because loading it takes 2 ms, an eighth of `agentctl list`.
    """

    home = ""

    def add_argument(self, *names: str, **how: Any) -> None:
        """Raises LookupError for an argument that must be given."""
        option = names[0].startswith("-")
        if how.get("required") or not option and how.get("nargs") not in ("?", "*"):
            raise LookupError(names[0])
        long = how.get("dest") or next((name for name in names if name.startswith("--")), names[0])
        plain: Any = False if how.get("action") == "store_true" else [] if how.get("nargs") == "*" else None
        setattr(self, long.lstrip("-").replace("-", "_"), how.get("default", plain))


def defaults(module: ModuleType) -> Any:
    """The arguments of a command called with no words; None where it needs some."""
    made = Defaults()
    try:
        module.add_arguments(made)
    except LookupError:
        return None  # argparse says what is missing
    return made


def parser(name: str, module: ModuleType) -> ArgumentParser:
    """One command's arguments; its help leads with what it does and examples."""
    import argparse
    from argparse import ArgumentParser
    from argparse import RawDescriptionHelpFormatter

    argparse._ = str  # type: ignore[attr-defined]  # it asks gettext for its words, which imports locale: 1 ms

    def formatter(prog: str) -> RawDescriptionHelpFormatter:
        return RawDescriptionHelpFormatter(prog, width=100)  # asking for the terminal's width imports shutil: 4 ms

    summary = COMMANDS.get(name, name)
    made = ArgumentParser(
        prog="agentctl " + name,
        formatter_class=formatter,
        description="%s\n\nexamples:\n%s" % (summary, module.EXAMPLES),
        allow_abbrev=False,
    )
    made.add_argument(
        "--home", default="", metavar="DIR", help="the home directory (default: see `agentctl help environment`)"
    )
    module.add_arguments(made)
    made.error = lambda message: _refuse(name, made, message)  # type: ignore[method-assign]
    return made


def _refuse(name: str, made: ArgumentParser, message: str) -> NoReturn:
    """argparse's complaint as one of ours; a mistyped option is answered with the one that was meant."""
    from . import text

    unknown = message.partition("unrecognized arguments: ")[2].split()
    guess = text.closest(unknown[0], list(made._option_string_actions)) if unknown else ""
    raise AgentctlError(
        "%s: %s" % (name, message), "did you mean `%s`?" % guess if guess else "see `agentctl %s --help`" % name, code=2
    )


def overview() -> str:
    """What `agentctl` alone says."""
    width = max(map(len, COMMANDS))
    rows = "\n".join("  %-*s  %s" % (width, name, words) for name, words in COMMANDS.items())
    return (
        "%s\n\nRun coding agents in tmux panes and trust what comes back.\n\ncommands:\n%s\n\n"
        "See `agentctl COMMAND --help`, `agentctl help`, and `agentctl demo`." % (USAGE, rows)
    )


def _say(error: AgentctlError) -> int:
    from . import text

    print("agentctl: %s" % text.one_line(error), file=sys.stderr)
    if error.hint:
        print("hint: %s" % text.one_line(error.hint), file=sys.stderr)
    return error.code


def _unforeseen(error: Exception) -> int:
    from . import mishap  # which most command lines never need

    return mishap.written_down(error)
