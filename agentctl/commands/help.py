"""agentctl help"""

from __future__ import annotations

from .. import cli
from .. import text
from .. import topics
from ..errors import usage_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = "  agentctl help start\n  agentctl help exit-codes"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("topic", metavar="TOPIC", nargs="?", default="", help="a command or a topic (default: all)")


def run(args: Namespace) -> int:
    name = "".join(cli.spelled_out([args.topic])[:1])
    if not name:
        print("%s\n\ntopics:\n%s" % (cli.overview(), _topics()))
    elif name in cli.COMMANDS:
        print(cli.parser(name, cli.command(name)).format_help(), end="")
    elif args.topic in topics.TOPICS:
        print(topics.TOPICS[args.topic][1], end="")
    else:
        guess = text.closest(args.topic, [*cli.COMMANDS, *topics.TOPICS])
        raise usage_error(
            "no command or topic `%s`" % text.one_line(args.topic, 60),
            "did you mean `agentctl help %s`?" % guess if guess else "see `agentctl help`",
        )
    return 0


def _topics() -> str:
    width = max(map(len, topics.TOPICS))
    return "\n".join("  %-*s  %s" % (width, name, words) for name, (words, _) in topics.TOPICS.items())
