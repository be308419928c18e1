"""The options that `start`, `spawn`, `resume` and `agent send` share: what is asked of a worker."""

from __future__ import annotations

from .. import text
from ..errors import usage_error
from ..model import Limits
from ..request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace
    from typing import Optional

LONGEST_S = 1e9


def add_arguments(parser: ArgumentParser) -> None:
    _add_who(parser)
    add_terms(parser)
    parser.add_argument(
        "--escalate",
        action="store_const",
        const=True,
        default=None,
        help="if the goal is not met or the check fails, start the profile's stronger one",
    )
    parser.add_argument(
        "--fallback",
        metavar="B,B",
        default="",
        help="at a limit of the vendor's, or if its login is refused, go on at once with the first of these backends "
        "that is free (default: the profile's; else the run waits until the limit is over)",
    )


def _add_who(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--profile",
        metavar="P",
        default="",
        help="spark, deep, review, glance, or your own (default: the role's or project's)",
    )
    add(
        "--role",
        metavar="R",
        default="",
        help="what it is asked to be: `agentctl roles` (default: as the profile says)",
    )
    add(
        "--backend",
        metavar="B",
        default="",
        help="claude, codex, cursor, shell, or your own (default: the profile's first that is installed)",
    )
    add("--model", metavar="M", default="", help="instead of the profile's")
    add("--effort", metavar="E", default="", help="instead of the profile's")


def add_terms(parser: ArgumentParser) -> None:
    """What holds for one run whoever does it: its title, limits and checks."""
    add = parser.add_argument
    add(
        "--title", metavar="T", default="", help="a few words for lists and the pane (default: the prompt's first line)"
    )
    add("--timeout", metavar="TIME", default="", help="stop it after this time: 90s, 30m, 8h")
    add("--max-turns", metavar="N", type=int, default=None, help="stop it after this many model turns")
    add("--max-cost", metavar="USD", type=float, default=None, help="stop it when it has cost more")
    add("--max-tokens", metavar="N", type=int, default=None, help="stop it when it has used more, in and out")
    add(
        "--schema",
        metavar="FILE",
        default="",
        help="a JSON Schema for its report (default: goal_met, summary, followup_prompt, notes)",
    )
    add(
        "--verify",
        metavar="CMD",
        default="",
        help="a shell command run in its directory after it ended; exit code 0 is `passed`",
    )
    add("--no-pane", action="store_true", help="run it without tmux; nothing else changes")


def add_prompt_file(parser: ArgumentParser, words: str = "read the prompt from a file instead of stdin") -> None:
    """Of what takes one prompt."""
    parser.add_argument("--prompt-file", metavar="F", default="", help=words)


def add_place_arguments(parser: ArgumentParser) -> None:
    """Of what starts runs that go on from none: in which project, and after which others."""
    parser.add_argument(
        "--project",
        metavar="NAME",
        default="",
        help="a registered project (default: the one that contains the current directory)",
    )
    parser.add_argument(
        "--after",
        metavar="ID",
        nargs="+",
        action="extend",
        default=[],
        help="start when these runs have ended well; skipped if one did not",
    )


def add_worktree_arguments(parser: ArgumentParser) -> None:
    """Of what starts runs that go on from none: where they work, and what they are expected to change."""
    add = parser.add_argument
    add(
        "--worktree",
        action="store_const",
        const=True,
        default=None,
        help="give it a git worktree and a branch of its own (default: as the profile or project says); "
        "what is uncommitted in the project stays there",
    )
    add("--no-worktree", dest="worktree", action="store_const", const=False, default=None, help="work in the project")
    add(
        "--base",
        metavar="REF",
        default="",
        help="where the worktree begins: a branch, tag or commit, or a run's id for its branch (default: HEAD)",
    )
    add(
        "--touches",
        metavar="GLOB",
        nargs="+",
        action="extend",
        default=[],
        help="what it is expected to change; said at once where a live run touches the same",
    )


def with_worktree(asked: Request, args: Namespace) -> Request:
    """What the options of `add_worktree_arguments` say."""
    return asked.replace(worktree=args.worktree, base=args.base, touches=tuple(args.touches))


def request(args: Namespace) -> Request:
    """What the options say. Raises AgentctlError (2) for a value that makes no sense."""
    return terms(args).replace(
        profile=args.profile,
        role=args.role,
        backend=args.backend,
        model=args.model,
        effort=args.effort,
        escalate=args.escalate,
        fallback=tuple(word.strip() for word in args.fallback.split(",") if word.strip()),
    )


def terms(args: Namespace) -> Request:
    """What the options of `add_terms` say. Raises AgentctlError (2) for a value that makes no sense."""
    numbers = {name: getattr(args, name) for name in ("max_turns", "max_cost", "max_tokens")}
    for name, value in numbers.items():
        if value is not None and not 0 < value < 1e12:
            raise usage_error("--%s wants a number above 0" % name.replace("_", "-"))
    turns, cost, tokens = numbers.values()
    limits = Limits(timeout_s=seconds(args.timeout), max_turns=turns, max_cost_usd=cost, max_tokens=tokens)
    return Request(title=args.title, limits=limits, schema=args.schema, verify=args.verify, pane=not args.no_pane)


def seconds(words: str) -> Optional[float]:
    """The time a user wrote, None for "": at most LONGEST_S, which no clock of the system refuses."""
    if not words:
        return None
    try:
        return min(text.seconds(words), LONGEST_S)
    except ValueError:
        raise usage_error("`%s` is not a time" % words, "write it as 90s, 30m or 8h") from None
