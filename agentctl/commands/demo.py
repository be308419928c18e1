"""agentctl demo"""

from __future__ import annotations

import os
import sys

from .. import api
from .. import demo
from .. import judge
from .. import text
from .. import ui
from ..errors import AgentctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

    from ..demo import Stage
    from ..model import Result

EXAMPLES = """  agentctl demo
  agentctl demo --keep      leaves its home and projects to look into

It makes a home and a tmux session of its own, and removes them at the end."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--keep", action="store_true", help="keep its home and projects, and print where they are")


def run(args: Namespace) -> int:
    demo.end_on_signals()
    stage = demo.build(os.environ)
    try:
        results = [*_three(stage), *_escalation(stage)]
    finally:
        demo.clear_away(stage, args.keep)
    _say("")
    if args.keep:
        _say("Kept: %s" % stage.folder)
        _say("See what is known: agentctl --home %s list" % stage.home.path)
    else:
        _say("Its home and tmux session are removed; `agentctl demo --keep` leaves the files.")
    _say("Your own: `agentctl init`, `agentctl add-project NAME PATH`, `agentctl help start`.")
    return _verdict(results)


def _three(stage: Stage) -> list[Result]:
    _say("Three workers (shell scripts: no account needed), each in a tmux pane of its own.", "bold")
    started = demo.start_three(stage)
    for run_id, title in started.items():
        _say("  %s  started   %s" % (run_id, title))
    _say("Look at them: %s" % stage.look())
    _say("")
    _say("agentctl wait, which prints each as it ends:", "bold")
    results = []
    for result in api.wait(stage.home, list(started)):
        _tell(stage, result)
        results.append(result)
    return results


def _escalation(stage: Stage) -> list[Result]:
    _say("")
    _say("A fourth with a quick profile, a check of ours, and --escalate:", "bold")
    _say('  it is asked: "%s"' % demo.SUM_PROMPT.strip())
    first = next(api.wait(stage.home, [demo.start_too_quick(stage)]))
    _tell(stage, first)
    if first.goal_met and first.verified != "passed":
        _say("  It claims success; our check says no. The stronger profile goes on by itself:")
    second = demo.escalated(stage, first)
    _tell(stage, second)
    return [second]


def _tell(stage: Stage, result: Result) -> None:
    good = judge.exit_code([result]) == 0
    who = result.profile or result.project
    _say("  %s  %s  %s" % (result.run_id, who, judge.headline(result)), "green" if good else "red")
    for name, line in demo.artifacts(stage, result):
        _say("      %s: %s" % (name, text.one_line(line, 60)), "dim")
    for line in result.git_diff_stat.splitlines()[-1:]:
        _say("      %s" % line.strip(), "dim")


def _verdict(results: list[Result]) -> int:
    if judge.exit_code(results):
        raise AgentctlError("the demo did not go as it should", demo.LOOK_INTO_IT)
    return 0


def _say(words: str, style: str = "") -> None:
    """Told as it happens, also into a pipe. Indentation is kept."""
    start = len(words) - len(words.lstrip())
    sys.stdout.write(" " * start)
    ui.line(words, style)
    sys.stdout.flush()
