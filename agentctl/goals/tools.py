"""The tools of a goal's orchestrator: its only hands.

They answer with reports, never with logs, each with how full the member's conversation is.
The same object serves the MCP server of a vendor's program and the loops of our own.
"""

from __future__ import annotations

import json
import threading
import time

from .. import finding
from .. import prompting
from .. import waiting
from ..errors import AgentctlError
from ..errors import usage_error
from ..store import Run
from ..text import duration
from ..text import printable
from ..toolset import Answer
from . import claims
from . import journal
from . import kin
from .asking import Ask
from .asking import Asker
from .goal import Goal
from .offered import TOOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any

    from ..model import Result
    from ..store import Home
    from ..toolset import Caller
    from ..toolset import Tool

_TELL_S = 10.0
_MOST_ASKS = 16
LONGEST_ANSWER = 24_000


def of_goal(home: Home, goal_id: str, caller_run: str, env: Mapping[str, str]) -> GoalTools:
    """The tools of one orchestrator's run. Raises AgentctlError where there is no such goal, or the run is not its."""
    goal = Goal(home, goal_id, {**env, "AGENTCTL_RUN_ID": caller_run})
    if not caller_run or home.run(caller_run).spec().goal != goal.root:
        raise usage_error("run %s does not work for goal %s" % (caller_run or "?", goal.root))
    return GoalTools(goal, caller_run)


class GoalTools:
    """What one orchestrator may call. `tools` is what it is told of them."""

    tools: Sequence[Tool] = TOOLS

    def __init__(self, goal: Goal, caller_run: str) -> None:
        self._goal = goal
        self._asker = Asker(goal, caller_run)
        self._lock = threading.Lock()
        self._open = {run.id: True for run in kin.live(goal.home, goal.root) if kin.name_of(run)}
        """Who was asked and has not answered; also by attempts that were interrupted, and in cycles before."""

    def call(self, name: str, arguments: dict[str, Any], caller: Caller) -> Answer:
        """Do it. Raises AgentctlError, OSError."""
        does = _DOES.get(name)
        if does is None:
            raise usage_error("no tool `%s`" % name, "one of: %s" % ", ".join(_DOES))
        return does(self, arguments, caller)

    def _ask(self, given: dict[str, Any], caller: Caller) -> Answer:
        return self._asked([given], given.get("wait", True), caller)

    def _ask_many(self, given: dict[str, Any], caller: Caller) -> Answer:
        asks = given["asks"]
        if not 0 < len(asks) <= _MOST_ASKS:
            raise usage_error("`asks` holds one to %d" % _MOST_ASKS)
        return self._asked(asks, given.get("wait", True), caller)

    def _asked(self, asks: Sequence[dict[str, Any]], wait: bool, caller: Caller) -> Answer:
        """Begin all, then wait for all; what could not be begun is an answer among the others."""
        rows: list[Any] = []
        for given in asks:
            try:
                run, before = self._asker.ask(Ask.from_json(given), len(asks))
                self._note(run.id, before)
                rows.append(run.id)
            except (AgentctlError, OSError) as e:
                rows.append(_problem(given, e))
        begun = [row for row in rows if isinstance(row, str)]
        if not begun:
            return Answer(text=_json(rows[0] if len(rows) == 1 else rows), error=True)
        if wait:
            told = {result.run_id: self._told(result, caller) for result in self._ended(begun, len(begun), caller)}
            rows = [told.get(row, {"run": row, "status": "at work"}) if isinstance(row, str) else row for row in rows]
        else:
            rows = [{"run": row, "status": "at work"} if isinstance(row, str) else row for row in rows]
        return Answer(text=_json(rows[0] if len(rows) == 1 else rows))

    def _note(self, run_id: str, before: bool) -> None:
        with self._lock:
            self._open[run_id] = before

    def _wait_any(self, given: dict[str, Any], caller: Caller) -> Answer:
        wanted = list(given.get("runs") or self._open)
        unknown = [run_id for run_id in wanted if run_id not in self._open]
        if unknown or not wanted:
            words = "run %s was answered already, or not begun by you" % unknown[0] if unknown else "nobody is at work"
            raise usage_error(words, "ask somebody with `wait` false first")
        told = [self._told(result, caller) for result in self._ended(wanted, 1, caller)]
        return Answer(text=_json({"answers": told, "still_at_work": list(self._open)}))

    def _ended(self, ids: Sequence[str], count: int, caller: Caller) -> list[Result]:
        """The first `count` results; fewer only where the caller has gone."""
        found: list[Result] = []
        last = [0.0]

        def wanted() -> bool:
            if time.monotonic() - last[0] > _TELL_S:
                last[0] = time.monotonic()
                caller.progress(self._waits_for(set(ids) - {result.run_id for result in found}))
            return not caller.gone()

        for result in waiting.each_while(self._goal.home, ids, None, wanted):
            with self._lock:
                self._open.pop(result.run_id, None)
            found.append(result)
            if len(found) == count:
                break
        return found

    def _waits_for(self, ids: set[str]) -> str:
        known = [kin.known(Run(self._goal.home, run_id)) for run_id in sorted(ids)]
        return "; ".join(
            "%s: %s %s" % (one["run_id"][-4:], one["status"], printable(one.get("doing") or "")[:80]) for one in known
        )

    def _told(self, result: Result, caller: Caller) -> dict[str, Any]:
        """What a model is told of a result; of one that another run went on for, of that one, while it listens."""
        last = finding.last_of(self._goal.home, result.run_id)
        if last != result.run_id:
            for later in waiting.each_while(self._goal.home, [last], None, lambda: not caller.gone()):
                result = later.replace(run_id=result.run_id)
        return of_result(kin.name_of(Run(self._goal.home, result.run_id)), result)

    def _show(self, given: dict[str, Any], _caller: Caller) -> Answer:
        run = self._goal.home.run(finding.resolve(self._goal.home, given["run"]))
        if run.spec().goal != self._goal.root:
            raise usage_error("run %s does not work for this goal" % run.id)
        part = given.get("part") or "report"
        if part == "diff":
            return Answer(text=prompting.shortened(run.text("diff.patch", 1 << 20), LONGEST_ANSWER) or "no diff")
        if part == "prompt":
            return Answer(text=prompting.shortened(run.text("prompt.md", 1 << 20), LONGEST_ANSWER))
        result = run.result()
        if result is None:
            known = kin.known(run)
            return Answer(text=_json({name: known.get(name) for name in ("run_id", "status", "doing", "usage")}))
        if part == "files":
            names = ("files_read", "files_written", "git_files", "git_diff_stat")
            return Answer(text=_json({name: getattr(result, name) for name in names}))
        return Answer(text=_json({**of_result(kin.name_of(run), result), "report": result.report}))

    def _done(self, given: dict[str, Any], _caller: Caller) -> Answer:
        return self._claim(journal.DONE, given["summary"])

    def _give_up(self, given: dict[str, Any], _caller: Caller) -> Answer:
        return self._claim(journal.GIVE_UP, given["reason"])

    def _claim(self, claim: str, words: str) -> Answer:
        if not words.strip():
            raise usage_error("say why in words", "whoever comes after you knows nothing else")
        with self._lock:
            at_work = list(self._open)
        if at_work and claim == journal.DONE:
            raise usage_error("%d are still at work: %s" % (len(at_work), ", ".join(at_work)), "call `wait_any` first")
        if not claims.write(self._asker.run, claim, words):
            return Answer(text="You have claimed something already; that stands. End your turn now.", over=True)
        return Answer(text="Noted. End your turn now, with your report: what you say now changes nothing.", over=True)


_DOES: dict[str, Callable[[GoalTools, dict[str, Any], Caller], Answer]] = {
    "ask": GoalTools._ask,
    "ask_many": GoalTools._ask_many,
    "wait_any": GoalTools._wait_any,
    "show": GoalTools._show,
    "done": GoalTools._done,
    "give_up": GoalTools._give_up,
}


def of_result(name: str, result: Result) -> dict[str, Any]:
    """A result in the few words that an orchestrator needs. What a worker says of itself is marked as a claim."""
    used, window = result.context_tokens, result.context_window
    told = {
        "from": name,
        "run": result.run_id,
        "status": result.status,
        "claims_goal_met": result.goal_met,
        "summary": result.summary,
        "followup_prompt": result.followup_prompt,
        "notes": result.notes,
        "error": result.error,
        "warnings": list(result.warnings),
        "was_denied": list(result.denied)[:10],
        "changed": result.git_diff_stat,
        "took": duration(result.finished_at - result.started_at) if result.started_at else "",
        "cost_usd": result.usage.cost_usd if result.usage.cost_usd is not None else result.usage.virtual_usd,
        "context": {"tokens": used, "of": window, "share": round(used / window, 2) if used and window else None},
        "conversation": result.conversation or "goes on",
    }
    return {key: value for key, value in told.items() if value not in ("", [], None)}


def _problem(given: dict[str, Any], error: Exception) -> dict[str, Any]:
    hint = getattr(error, "hint", "")
    return {"to": given.get("to"), "error": str(error), **({"hint": hint} if hint else {})}


def _json(value: object) -> str:
    return prompting.shortened(json.dumps(value, ensure_ascii=False, indent=1), LONGEST_ANSWER)
