"""A goal as everyone who works on it sees it: what was asked, where, by whom, and how runs are started for it."""

from __future__ import annotations

import time

from .. import budgets
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
        """What all that work for it have used so far, as it counts against its limits."""
        return budgets.counted(kin.members(self.home, self.root))

    def limits(self, wished: Limits, sharers: int = 1) -> Limits:
        """Those of one of `sharers` runs that begin now: its own, and its part of what the goal has left."""
        rest = budgets.left(self._budget(), self.spent())
        parts = {
            "max_cost_usd": rest.max_cost_usd and rest.max_cost_usd / sharers,
            "max_turns": rest.max_turns and max(rest.max_turns // sharers, 1),
            "max_tokens": rest.max_tokens and max(rest.max_tokens // sharers, 1),
        }
        own = wished.to_json()
        return wished.replace(**{name: _least(own[name], part) for name, part in parts.items()})

    def overspent(self, now: float) -> tuple[str, str]:
        """Which of the goal's limits is reached, and in words; ("", "") while none is."""
        if self.asked.deadline is not None and now >= self.asked.deadline:
            return "time", "its time is over"
        used = self.spent()
        for name, what in (("max_cost_usd", "money"), ("max_tokens", "tokens"), ("max_turns", "turns")):
            over = budgets.exhausted(Limits(**{name: getattr(self.asked, name)}), used, "the goal's")
            if over:
                return what, over
        return "", ""

    def _budget(self) -> Limits:
        asked = self.asked
        return Limits(max_cost_usd=asked.max_cost_usd, max_turns=asked.max_turns, max_tokens=asked.max_tokens)


def _least(own: Optional[float], part: Optional[float]) -> Optional[float]:
    return min((value for value in (own, part) if value is not None), default=None)
