"""A goal as everyone who works on it sees it: what was asked, where, by whom, and how runs are started for it."""

from __future__ import annotations

import time

from .. import capacity
from .. import config as configuration
from .. import environ
from .. import followup
from .. import launch
from .. import planning
from ..measures import Limits
from ..request import Request
from . import asked as asking
from . import kin
from . import team

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Optional

    from ..measures import Usage
    from ..store import Home
    from ..store import Run


class Goal:
    """The newest run of a goal and what it says. Raises AgentctlError where there is none."""

    def __init__(self, home: Home, word: str, env: Mapping[str, str]) -> None:
        runs = kin.named(home, word)
        self.home = home
        self.runs = runs
        self.run = runs[-1]
        self.root = runs[0].id
        self.spec = self.run.spec()
        self.asked = asking.load(self.run)
        self.text = self.run.text("prompt.md")
        self.team = team.of_json(self.asked.team)
        self.config = configuration.sound(home)
        self.env = env

    def request(self, prompt: str, step: str) -> Request:
        """What every run that works for the goal is asked for: where it works, and for whom."""
        return Request(
            prompt=prompt,
            project=self.spec.project,
            cwd=self.spec.cwd,
            within=self.spec.worktree,
            worktree=False,
            pane=self.spec.pane,
            escalate=False,
            goal=self.root,
            step=step,
        )

    def staged(self, request: Request) -> Run:
        """A run of it, under its dot-name. Raises AgentctlError."""
        project = followup.project_of(self.home, self.spec)
        plan = planning.plan(self.home, self.config, request, project, self.env, time.time())
        capacity.check(self.home, self.config, "")
        return launch.stage(self.home, self.config, plan, self.env, environ.umask())

    def launched(self, run: Run) -> None:
        """Give it a runner, in a pane beside the goal's own where that has one. Raises AgentctlError, OSError."""
        launch.launch_surely(self.home, self.config, run, {**self.env, **self._screen()}, self.spec.pane)

    def _screen(self) -> dict[str, str]:
        """The tmux server that the goal's pane is on, as a caller in that pane would name it."""
        said = self.run.progress()
        socket, pane = said.get("socket"), said.get("pane")
        if not isinstance(socket, str) or not isinstance(pane, str) or not socket.startswith("/") or not pane:
            return {}
        return {"TMUX": "%s,0,0" % socket, "TMUX_PANE": pane}

    def spent(self) -> Usage:
        return kin.spent(self.home, self.root)

    def limits(self, wished: Limits, sharers: int = 1) -> Limits:
        """Those of one of `sharers` runs that begin now: its own, and its part of what the goal has left."""
        used, asked = self.spent(), self.asked
        money = _rest(asked.max_cost_usd, _money(used))
        share = None if money is None else money / sharers
        if share is not None and (wished.max_cost_usd is None or share < wished.max_cost_usd):
            wished = wished.replace(max_cost_usd=share)
        turns = _rest(asked.max_turns, used.turns)
        if turns is not None and (wished.max_turns is None or turns < wished.max_turns):
            wished = wished.replace(max_turns=max(int(turns / sharers), 1))
        return wished

    def overspent(self, now: float) -> tuple[str, str]:
        """Which of the goal's limits is reached, and in words; ("", "") while none is."""
        used, asked = self.spent(), self.asked
        if asked.deadline is not None and now >= asked.deadline:
            return "time", "its time is over"
        for what, most, has in (
            ("money", asked.max_cost_usd, _money(used)),
            ("tokens", asked.max_tokens, _tokens(used)),
            ("turns", asked.max_turns, used.turns),
        ):
            if most is not None and has is not None and has >= most:
                return what, "it has used %s of %s %s" % (
                    _number(has),
                    _number(most),
                    "USD" if what == "money" else what,
                )
        return "", ""


def _rest(most: Optional[float], used: Optional[float]) -> Optional[float]:
    return None if most is None else max(most - (used or 0), 0)


def _money(used: Usage) -> Optional[float]:
    """Billed and virtual money alike: a budget is a brake, whoever pays."""
    known = [cost for cost in (used.cost_usd, used.virtual_usd) if cost is not None]
    return sum(known) if known else None


def _tokens(used: Usage) -> Optional[int]:
    known = [count for count in (used.input, used.output) if count is not None]
    return sum(known) if known else None


def _number(value: float) -> str:
    return "%d" % value if value == int(value) else "%.2f" % value
