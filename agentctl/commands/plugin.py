"""agentctl plugin"""

from __future__ import annotations

import os

from .. import __version__
from .. import ui
from ..plugin import installing
from ..plugin import making

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = """  agentctl plugin ~/.claude/skills/agentctl     Claude Code loads it from there; `rm -r` removes it
  agentctl plugin ~/agentctl-plugin             then: claude --plugin-dir ~/agentctl-plugin
  agentctl plugin ~/agentctl-plugin --install   by `claude plugin marketplace add` and `claude plugin install`
  agentctl plugin ~/agentctl-plugin --remove    by `claude plugin uninstall`; your settings are as before

A skill that teaches the commands, /agentctl:status, /agentctl:inbox, /agentctl:start, and
hooks that tell the Claude that started a run what became of it. Called again it brings the
folder up to date; a folder with other files in it is refused."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("dir", metavar="DIR", help="the plugin's folder; made where it is missing")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--install", action="store_true", help="also have Claude Code install it for you")
    either.add_argument("--remove", action="store_true", help="have Claude Code remove it again; the folder stays")


def run(args: Namespace) -> int:
    folder = os.path.abspath(os.path.expanduser(args.dir))
    if args.remove:
        installing.remove(installing.program_of("claude", os.environ), os.environ)
        ui.say("removed: Claude Code does not load it any more")
        return 0
    written = making.write(folder, __version__, os.path.abspath(os.path.expanduser(args.home)) if args.home else "")
    if args.install:
        installing.install(folder, installing.program_of("claude", os.environ), os.environ)
    ui.line(folder)
    ui.say("%d files written; Claude Code loads the plugin at its next start" % len(written))
    return 0
