"""Goals from Python: an orchestrator that directs a team, cycle by cycle, until others accept the work.

A goal is a run, as `agentctl goal` makes it; what is kept here is only which one it is.
"""

from __future__ import annotations

import os

from ..errors import usage_error
from ..goals import showing
from ..goals import starting
from ..goals.asked import GoalAsked
from ..measures import Usage
from ..record import Record
from . import runs
from . import sessions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional
    from typing import Union

    from typing_extensions import TypedDict
    from typing_extensions import Unpack

    from ..store import Home
    from .runs import AnyHome
    from .runs import Path

    Team = Union[Path, Mapping[str, Mapping[str, Any]], None]

    class Terms(TypedDict, total=False):
        """What may be asked besides: fields of GoalAsked, which says what they mean; `place` is that of Wish."""

        verify: str
        protect: Sequence[str]
        may_change: Sequence[str]
        max_turns: int
        max_tokens: int
        max_cost_usd: float
        deadline: float
        place: str


class CycleResult(Record):
    """What became of one cycle. `checkpoint` is the commit that its work was kept as; `checks` and `verdicts` are
    what was found, as `agentctl goal show --json` has them; `accepted` is None where nothing was claimed."""

    number: int = 0
    goal: str = ""
    accepted: Optional[bool] = None
    claim: str = ""
    summary: str = ""
    reasons: tuple[str, ...] = ()
    checkpoint: str = ""
    checks: tuple[dict[str, Any], ...] = ()
    verdicts: tuple[dict[str, Any], ...] = ()


class RunResult(Record):
    """What became of a goal: `outcome` and `why` it ended, its cycles, and what all of it used."""

    goal: str = ""
    accepted: bool = False
    outcome: str = ""
    why: str = ""
    summary: str = ""
    cycles: tuple[CycleResult, ...] = ()
    usage: Usage = Usage()


class Orchestrator:
    """Who directs: a backend (claude, codex, anthropic, gemini), with model and effort."""

    def __init__(
        self, backend: str, model: str = "", *, effort: str = "", pane: bool = True, home: AnyHome = None
    ) -> None:
        self.backend, self.model, self.effort, self.pane = backend, model, effort, pane
        self._home = home
        self._goals: dict[tuple[str, str], str] = {}

    def cycle(self, goal: str, project_dir: Path = ".", team: Team = None, **terms: Unpack[Terms]) -> CycleResult:
        """One cycle: work until the orchestrator says done, then verification. Waits for it.

        Called again with the same goal and directory it goes on: with what was rejected, and the
        agents' conversations. In between the work is there to be inspected, and committed. `team`
        is a file, or members by name; None is the shipped team. Raises AgentctlError.
        """
        place, key = runs.opened(self._home), (goal, os.path.realpath(os.fspath(project_dir)))
        root = self._goals.get(key)
        if root:
            count = len(showing.whole(place, root)["cycles"])
            run_id = starting.resume(place, root, {"max_cycles": count + 1}, os.environ)
        else:
            run_id = self._goals[key] = self._set(place, goal, project_dir, team, 1, terms)
        next(runs.wait(run_id, home=place))
        cycles = _ended(place, self._goals[key]).cycles
        if not cycles:
            raise usage_error("the goal ended before its first cycle", "see `agentctl goal show %s`" % run_id)
        return cycles[-1]

    def run(
        self, goal: str, project_dir: Path = ".", team: Team = None, max_cycles: int = 3, **terms: Unpack[Terms]
    ) -> RunResult:
        """As many cycles as it takes, at most `max_cycles`. Waits for the end. Raises AgentctlError."""
        place = runs.opened(self._home)
        run_id = self._set(place, goal, project_dir, team, max_cycles, terms)
        next(runs.wait(run_id, home=place))
        return _ended(place, run_id)

    def _set(
        self, home: Home, goal: str, project_dir: Path, team: Team, max_cycles: int, terms: Mapping[str, Any]
    ) -> str:
        given: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in terms.items()}
        folder = os.path.realpath(os.path.expanduser(os.fspath(project_dir)))
        place = given.pop("place", "")
        own = GoalAsked(orchestrator=self.backend, model=self.model, effort=self.effort, max_cycles=max_cycles)
        asked = own.replace(**given)
        wish = starting.Wish(text=goal, cwd=folder, place=place, pane=self.pane, asked=asked, **_team(team))
        with runs.STARTING:
            plan = starting.planned(home, wish, os.environ, sessions.project_at(home, folder))
            return starting.start(home, plan, os.environ)


def _team(team: Team) -> dict[str, Any]:
    """As a Wish has it: the path of a file, or members by name."""
    if team is None or isinstance(team, (str, os.PathLike)):
        return {"team": os.fspath(team or "")}
    return {"members": {name: dict(about) for name, about in team.items()}}


def _ended(home: Home, run_id: str) -> RunResult:
    known = showing.whole(home, run_id)
    cycles = tuple(_cycle(known["goal"], one) for one in known["cycles"])
    return RunResult(
        goal=known["goal"],
        accepted=known["outcome"] == "accepted",
        outcome=known["outcome"],
        why=known["why"],
        summary=cycles[-1].summary if cycles else "",
        cycles=cycles,
        usage=Usage.from_json(known["usage"]),
    )


def _cycle(goal: str, one: Mapping[str, Any]) -> CycleResult:
    return CycleResult(
        number=one["cycle"],
        goal=goal,
        accepted=one["accepted"],
        claim=one["claim"],
        summary=one["summary"],
        reasons=tuple(one["reasons"]),
        checkpoint=one["checkpoint"] or "",
        checks=tuple(one["checks"]),
        verdicts=tuple(one["verdicts"]),
    )


class ClaudeCodeOrchestrator(Orchestrator):
    """Claude Code directs, headless, by our MCP server: `ClaudeCodeOrchestrator(model="opus")`.

        from agentctl import ClaudeCodeOrchestrator

        orch = ClaudeCodeOrchestrator(model="opus")
        cycle = orch.cycle("Uploads over 10 MB are refused with status 413", ".", verify="python3 -m unittest")
        print(cycle.accepted, cycle.summary, cycle.checkpoint)
        if not cycle.accepted:
            cycle = orch.cycle("Uploads over 10 MB are refused with status 413", ".")
        print(cycle.number, cycle.reasons)

    It asks nobody: what may be changed is in the profiles of its team.
    """

    def __init__(self, model: str = "", *, effort: str = "", pane: bool = True, home: AnyHome = None) -> None:
        super().__init__("claude", model, effort=effort, pane=pane, home=home)


class CodexOrchestrator(Orchestrator):
    """The Codex CLI directs, headless, by our MCP server."""

    def __init__(self, model: str = "", *, effort: str = "", pane: bool = True, home: AnyHome = None) -> None:
        super().__init__("codex", model, effort=effort, pane=pane, home=home)


class ApiOrchestrator(Orchestrator):
    """A model behind an HTTP API directs: `ApiOrchestrator("anthropic")`, `ApiOrchestrator("gemini")`."""
