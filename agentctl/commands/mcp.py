"""agentctl mcp"""

from __future__ import annotations

import os

from .. import ui
from ..errors import usage_error
from ..mcp import server
from ..verbs import tools

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..toolset import Toolset

EXAMPLES = """  claude mcp add agentctl -- agentctl mcp
  codex mcp add agentctl -- agentctl mcp

A client starts it and speaks with it on stdin and stdout. Its tools are the commands
of the same names, with the same options: start, spawn, wait, show, list, resume, stop.
It ends with its client; runs go on."""

_OF_GOAL = (
    "The only way to have work done for the goal: ask members of the team, wait for their answers,"
    " and end with done or give_up."
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--goal", metavar="ID", default="", help="the tools of this goal's orchestrator instead")
    parser.add_argument("--caller", metavar="RUN", default="", help="the run whose worker calls")


def run(args: Namespace) -> int:
    if args.caller and not args.goal:
        # Whose runs these will be, and whose slot they may use while it waits: Codex tells a server little.
        os.environ["AGENTCTL_RUN_ID"] = args.caller
    ui.say("speaks the Model Context Protocol on stdin and stdout: see `agentctl mcp --help`")
    toolset = _of_goal(args) if args.goal else tools.Verbs(args.home, os.environ)
    return server.serve(toolset, _OF_GOAL if args.goal else tools.INSTRUCTIONS)


def _of_goal(args: Namespace) -> Toolset:
    """The tools of a goal's orchestrator. Raises AgentctlError."""
    from ..goals import tools as of_goals  # which the verbs need not

    if not args.caller:
        raise usage_error("--goal wants --caller: the run whose worker calls")
    return of_goals.of_goal(ui.open_home(args), args.goal, args.caller, os.environ)
