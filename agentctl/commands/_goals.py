"""What `agentctl goal` asks, tells and shows."""

from __future__ import annotations

import os
import re
import sys
import time

from .. import api
from .. import judge
from .. import text
from .. import ui
from ..errors import usage_error
from ..goals import asked as asking
from ..goals import deciding
from ..goals import starting
from ..goals.asked import GoalAsked
from ..goals.starting import Planned
from ..goals.starting import Wish
from . import _asking
from . import _progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any
    from typing import Optional

    from ..store import Home

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\Z")


def wish(args: Namespace) -> Wish:
    """What the words and options say. Raises AgentctlError."""
    words: list[str] = args.words
    written = str(getattr(args, "text", ""))
    if not words and not written:
        raise usage_error("no goal is given", "write it down and give the file: `agentctl goal GOAL.md`")
    if len(words) > 2:
        raise usage_error("goal wants a file and a directory at most", "see `agentctl goal --help`")
    folder = os.path.realpath(os.path.expanduser(words[1])) if len(words) > 1 else os.getcwd()
    if not os.path.isdir(folder):
        raise usage_error("%s is not a directory" % folder, "give the directory that the goal is for")
    return Wish(
        text=written or ui.prompt_text(words[0]),
        title=args.title,
        project=args.project,
        cwd=folder,
        team=args.team,
        place=args.place,
        pane=not args.no_pane,
        asked=asked(args),
    )


def asked(args: Namespace) -> GoalAsked:
    """Raises AgentctlError (2) for a value that makes no sense."""
    for name in ("max_cycles", "max_turns", "max_tokens", "max_cost"):
        value = getattr(args, name)
        if value is not None and not 0 < value < 1e9:
            raise usage_error("--%s wants a number above 0" % name.replace("_", "-"))
    now = time.time()
    return GoalAsked(
        orchestrator=args.orchestrator,
        model=args.model,
        effort=args.effort,
        mode=args.mode or asking.SAGA,
        verify=args.verify,
        protect=tuple(args.protect),
        may_change=tuple(args.may_change),
        max_cycles=args.max_cycles or GoalAsked().max_cycles,
        max_turns=args.max_turns,
        max_tokens=args.max_tokens,
        max_cost_usd=args.max_cost,
        deadline=starting.deadline(_asking.seconds(args.max_time), until(args.until, now), now),
    )


def until(words: str, now: float) -> Optional[float]:
    """The next time that the clock shows this, in seconds since the epoch. Raises AgentctlError (2)."""
    if not words:
        return None
    found = _CLOCK.match(words)
    if not found:
        raise usage_error("--until wants a time of the day, not `%s`" % words, "for example `--until 07:00`")
    here = time.localtime(now)
    at = time.mktime((here.tm_year, here.tm_mon, here.tm_mday, int(found.group(1)), int(found.group(2)), 0, 0, 0, -1))
    if at > now:
        return at
    return time.mktime(
        (here.tm_year, here.tm_mon, here.tm_mday + 1, int(found.group(1)), int(found.group(2)), 0, 0, 0, -1)
    )


def agreed(args: Namespace, home: Home, plan: Planned) -> bool:
    """What will be done, and by whom with which leave, is said first; on a terminal it is asked for."""
    for words in promised(home, plan):
        print(text.one_line(words), file=sys.stderr)
    return args.yes or not ui.may_ask() or ui.asked("Begin?")


def promised(home: Home, plan: Planned) -> list[str]:
    """The goal as it would be set, in lines."""
    asked = plan.asked
    verifiers = deciding.verifiers(asked)
    lines = [
        "goal: %s" % text.one_line(plan.wish.title or plan.wish.text.strip().partition("\n")[0], 100),
        "in %s%s" % (plan.project.path, _place(plan)),
        "directed by %s%s, %s" % (asked.orchestrator, " " + asked.model if asked.model else "", _limits(asked)),
        "team: %s"
        % ", ".join("%s (%s)" % (name, about.get("backend") or "its profile's") for name, about in asked.team.items()),
        "leave: workers edit files there and run what their profiles allow (`agentctl help profiles`); nobody is asked",
        "verified by %s"
        % " and ".join(filter(None, ("`%s`" % asked.verify if asked.verify else "", ", ".join(verifiers)))),
    ]
    return lines + ["left out: %s" % words for words in plan.left_out]


def _place(plan: Planned) -> str:
    if plan.wish.place == starting.BESIDE or plan.project.worktree:
        return ", in a worktree of its own, from the last commit"
    return ", whose uncommitted changes are committed first" if plan.uncommitted else ""


def _limits(asked: GoalAsked) -> str:
    cycles = "one cycle" if asked.mode == asking.MISSION else "at most %d cycles" % asked.max_cycles
    ends = text.iso(asked.deadline)
    more = (
        "until %s" % ends if ends else "",
        text.money(asked.max_cost_usd) if asked.max_cost_usd else "",
        "%s tokens" % text.count(asked.max_tokens) if asked.max_tokens else "",
        "%d turns" % asked.max_turns if asked.max_turns else "",
    )
    return ", ".join(filter(None, (cycles, *more)))


def waited(home: Home, run_id: str) -> int:
    """Wait for the end; a ^C leaves it at work."""
    try:
        with _progress.Line(home, [run_id]) as line:
            [result] = api.wait(home, [run_id], None, line.wanted)
    except KeyboardInterrupt:
        ui.say("still at work; stop it with `agentctl goal stop %s`" % run_id)
        return 130
    ui.data(result.to_json())
    return judge.exit_code([result])


def show(known: dict[str, Any]) -> None:
    """A goal, for people."""
    state = known["outcome"] or known["status"]
    ui.line("%s  %s  %s" % (known["goal"], state, text.one_line(known["title"], 80)), "bold")
    if known["why"]:
        ui.line(text.one_line(known["why"], 400))
    for cycle in known["cycles"]:
        _show_cycle(cycle)
    rows = [_member(one) for one in known["members"]]
    if rows:
        ui.table(("RUN", "WHO", "STATUS", "STEP", "SAYS"), rows)
    if known["status"] in ("queued", "running"):
        ui.line("now: %s" % known["doing"], "dim")


def _show_cycle(cycle: dict[str, Any]) -> None:
    judged = {True: "ACCEPTED", False: "REJECTED", None: cycle["claim"] or "at work"}[cycle["accepted"]]
    ui.line("cycle %d: %s" % (cycle["cycle"], judged), "bold")
    for check in cycle["checks"]:
        said = "passes" if check.get("passed") else "fails: %s" % check.get("why")
        ui.line(
            "  check (%s) `%s`: %s"
            % (check.get("of"), text.one_line(check.get("command"), 60), text.one_line(said, 200))
        )
    for verdict in cycle["verdicts"]:
        said = {True: "accepts", False: "rejects", None: "no verdict"}[verdict.get("accept")]
        reasons = "; ".join(map(str, verdict.get("reasons") or [verdict.get("why") or ""]))
        ui.line("· %s %s: %s" % (verdict.get("who"), said, text.one_line(reasons, 300)))


def _member(one: dict[str, Any]) -> tuple[str, ...]:
    says = one["summary"] or one["error"] or one["title"]
    return (one["run"], one["name"] or "-", one["status"], one["step"] or "-", text.one_line(says, 60))
