"""agentctl _complete: what could stand at the cursor. Asked by the completion scripts.

The parser of the command is the only source: its options, and by an argument's
metavar what it wants. Nothing here is an error: without an answer the shell
completes file names.
"""

from __future__ import annotations

from itertools import islice

from .. import cli
from .. import finding
from .. import text
from .. import ui
from ..errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Action
    from argparse import ArgumentParser
    from argparse import Namespace
    from collections.abc import Callable
    from collections.abc import Iterable
    from typing import Optional

    from ..store import Home

    Candidates = Iterable[tuple[str, str]]

EXAMPLES = "  agentctl _complete -- show 2026"
_MOST_RUNS = 50


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("words", metavar="WORD", nargs="*", help="what was typed so far; the last one is unfinished")


def run(args: Namespace) -> int:
    *typed, current = args.words or [""]
    home_option, words = _home(typed)
    try:
        home: Optional[Home] = ui.open_home(_with_home(args, home_option))
    except (AgentctlError, OSError):
        home = None  # commands and options need none
    for word, about in candidates(home, words, current):
        print("%s\t%s" % (word, text.one_line(about, 60)))
    return 0


def _with_home(args: Namespace, home: str) -> Namespace:
    args.home = home or args.home
    return args


def _home(words: list[str]) -> tuple[str, list[str]]:
    """The last --home that was typed, and the words without those before the command."""
    chosen = [b for a, b in zip(words, words[1:]) if a == "--home"]
    while words[:1] == ["--home"]:
        words = words[2:]
    return (chosen or [""])[-1], words


def candidates(home: Optional[Home], words: list[str], current: str) -> list[tuple[str, str]]:
    """(word, what it is) for each word that `current` may become after `words`."""
    words = cli.spelled_out(words)
    if not words:
        found: Candidates = (
            [*cli.COMMANDS.items()]
            if not current.startswith("-")
            else [("--help", "what agentctl can do"), ("--home", "the home directory"), ("--version", "its version")]
        )
    elif words[0] in cli.COMMANDS:
        found = _in_command(home, cli.parser(words[0], cli.command(words[0])), words[1:], current)
    else:
        found = ()
    return [pair for pair in found if pair[0].startswith(current)]


def _in_command(home: Optional[Home], parser: ArgumentParser, words: list[str], current: str) -> Candidates:
    if "--" in words:
        return ()
    option, positionals = _position(parser, words)
    if option is None and current.startswith("-"):
        return _options(parser)
    wanted = option or _positional(parser, positionals)
    if wanted is None:
        return _options(parser)
    if wanted.choices:
        return [(str(word), "") for word in wanted.choices]
    kind = _KINDS.get(str(wanted.metavar))
    try:
        return list(kind(home, current)) if kind else ()
    except (AgentctlError, OSError):
        return ()  # a damaged config.json or projects.json: its own command says so


def _position(parser: ArgumentParser, words: list[str]) -> tuple[Optional[Action], int]:
    """(the option whose value is due, or None; how many positional arguments stand before)."""
    known = {name: action for action in parser._actions for name in action.option_strings}
    due: Optional[Action] = None
    count = 0
    for word in words:
        if word.startswith("-"):
            due = _with_value(known.get(word))
        elif due is None:
            count += 1
        elif due.nargs not in ("+", "*"):
            due = None
    return due, count


def _with_value(action: Optional[Action]) -> Optional[Action]:
    return action if action is not None and action.nargs != 0 else None


def _positional(parser: ArgumentParser, before: int) -> Optional[Action]:
    arguments = [action for action in parser._actions if not action.option_strings]
    for n, action in enumerate(arguments):
        if n == before or action.nargs in ("+", "*"):
            return action
    return None


def _options(parser: ArgumentParser) -> Candidates:
    return [(action.option_strings[-1], action.help or "") for action in parser._actions if action.option_strings]


def _runs(home: Optional[Home], current: str) -> Candidates:
    if home is None:
        return
    for run_id in islice((i for i in finding.newest(home) if i.startswith(current)), _MOST_RUNS):
        yield run_id, home.run(run_id).spec().title


def _projects(home: Optional[Home], _current: str) -> Candidates:
    from .. import projects

    return [(p.name, p.path) for p in projects.every(home).values()] if home else ()


def _profiles(home: Optional[Home], _current: str) -> Candidates:
    from .. import config

    settings = config.load(home)[0] if home else config.Config()
    return [(p.name, p.description) for p in config.profiles(settings).values()]


def _roles(home: Optional[Home], _current: str) -> Candidates:
    from .. import roles

    return [(role.name, role.description) for role in roles.every(home)[0]] if home else ()


def _backends(home: Optional[Home], _current: str) -> Candidates:
    from .. import backends
    from .. import config

    own = config.load(home)[0].backends if home else None
    return [
        *((name, backends.NAMES[name]) for name in backends.OFFERED),
        *((name, "of config.json") for name in own or ()),
    ]


def _fallbacks(home: Optional[Home], current: str) -> Candidates:
    """Backends joined by commas: those that are there already stay."""
    kept = current.rpartition(",")[0]
    before = kept + "," if kept else ""
    return [(before + name, what) for name, what in _backends(home, "") if name != "shell"]


def _agents(home: Optional[Home], _current: str) -> Candidates:
    from .. import fleet

    return [(name, "") for name in fleet.names(home)] if home else ()


def _workflows(home: Optional[Home], _current: str) -> Candidates:
    from .. import flows
    from ..workflows import definition

    if home is None:
        return ()
    known = [(one.name, one.description) for one in definition.every(home)[0]]
    return [*known, *((workflow_id, "") for workflow_id in islice(flows.newest(home), _MOST_RUNS))]


def _sessions(home: Optional[Home], _current: str) -> Candidates:
    import os
    import time

    from ..sessions import finding as found

    those = found.recent(home, found.Wanted(), os.environ, time.time()).sessions if home else ()
    return [(one.session_id, one.title or one.prompt or "") for one in those[:_MOST_RUNS]]


def _statuses(_home: Optional[Home], _current: str) -> Candidates:
    from .. import listing

    return [(status, "") for status in listing.STATUSES]


def _shells(_home: Optional[Home], _current: str) -> Candidates:
    from . import completion

    return [(name, "") for name in completion.SCRIPTS]


def _topics(_home: Optional[Home], _current: str) -> Candidates:
    from .. import topics

    return [*((name, words) for name, (words, _) in topics.TOPICS.items()), *cli.COMMANDS.items()]


def _goals(home: Optional[Home], _current: str) -> Candidates:
    from ..goals import kin

    known = islice(kin.every(home), _MOST_RUNS) if home else ()
    return [(run_id, home.run(run_id).spec().title if home else "") for run_id in known]


def _groups(_home: Optional[Home], _current: str) -> Candidates:
    from ..figures import totals

    return [(name, "") for name in totals.BY]


_KINDS: dict[str, Callable[[Optional[Home], str], Candidates]] = {
    "ID": _runs,
    "NAME": _projects,
    "P": _profiles,
    "R": _roles,
    "B": _backends,
    "B,B": _fallbacks,
    "S": _statuses,
    "GROUP": _groups,
    "GOAL": _goals,
    "SHELL": _shells,
    "TOPIC": _topics,
    "AGENT": _agents,
    "WORKFLOW": _workflows,
    "SESSION": _sessions,
}
"""What completes an argument, by its metavar; any other is left to the shell."""
