"""Workflows from Python: steps that wait for each other, and are told what those before them found.

Thin over the package workflows, as `agentctl workflow` is: what is started here is shown,
resumed and counted like any other.
"""

from __future__ import annotations

import os
import time

from .. import flows
from ..errors import usage_error
from ..model import Result
from ..projects import NAME
from ..request import Request
from ..settings import Agent as NamedAgent
from . import runs
from .sessions import Agent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any
    from typing import Optional
    from typing import Union

    from typing_extensions import TypedDict
    from typing_extensions import Unpack

    from ..model import Limits
    from ..store import Home
    from ..workflows.choosing import Choice
    from ..workflows.definition import Definition
    from ..workflows.showing import State
    from .runs import AnyHome

    class StepOptions(TypedDict, total=False):
        """A step as a workflow's file has it, without `id` and `after`."""

        title: str
        role: str
        agent: str
        profile: str
        backend: str
        model: str
        effort: str
        command: str
        prompt: str
        verify: str
        worktree: Union[bool, str]
        continue_on: list[str]
        escalate: bool
        timeout: Union[str, float]
        max_turns: int
        max_cost: float

    class AskedOfAll(TypedDict, total=False):
        """What may be asked of a whole workflow: fields of flows.Asked, which says what they mean."""

        project: str
        cwd: str
        sets: dict[str, Any]
        profile: str
        backend: str
        model: str
        effort: str
        limits: Limits
        worktree: Optional[bool]
        sequential: bool
        pane: bool

    Step = Union[str, Agent, NamedAgent, StepOptions]

_BEFORE = "\n\n---\n\nOthers have worked on this before you. Check what matters before you rely on it.\n\n{{before}}"
_OF_STEP = ("title", "role", "profile", "backend", "model", "effort", "verify", "escalate", "worktree")
_ELSEWHERE = ("prompt", "instructions", "limits", "pane", "cwd", "project")


class Workflow:
    """A workflow that was started, by this process or another: `Workflow("w-20260215-143022-ab12")`.

    Its id is all it holds; what has become of it is looked up each time.
    """

    def __init__(self, workflow_id: str, *, home: AnyHome = None) -> None:
        """Also by a unique prefix, or `@last`. Raises AgentctlError where there is none."""
        self._home = runs.opened(home)
        self.id = flows.resolve(self._home, workflow_id)

    @property
    def status(self) -> str:
        """`queued` or `running`; then `finished`, or `failed` where a step ended neither well nor unmet."""
        from ..workflows import showing

        return showing.overall(self._states())[0]

    @property
    def runs(self) -> list[str]:
        """The ids of the steps' runs in the order of the steps, the last one of each; "" where it has none."""
        return [state.run_id for state in self._states()]

    def results(self) -> list[Result]:
        """What is known of each step now, in the order of the steps. See `show`."""
        return [self._result(state) for state in self._states()]

    def wait(self) -> list[Result]:
        """Block until nothing of it lives any more; the results in the order of the steps."""
        from ..workflows import showing

        showing.until_ended(self._home, self.id)
        return self.results()

    def stop(self) -> list[Result]:
        """Stop what lives of it, and wait until it has ended; the results in the order of the steps."""
        runs.stop(*(state.run_id for state in self._states() if state.lives()), home=self._home)
        return self.wait()

    def resume(self) -> list[str]:
        """Start what is missing or was interrupted, repeating nothing that is done; the ids of the new runs."""
        from ..workflows import resuming

        with runs.STARTING:
            return [step.run_id for step in resuming.resume(self._home, self.id, os.environ)]

    def _states(self) -> list[State]:
        from ..workflows import showing

        return showing.states(self._home, flows.load(self._home, self.id), time.time())

    def _result(self, state: State) -> Result:
        from ..workflows import showing

        if state.status == showing.MISSING:
            return Result(
                run_id=state.run_id, status=state.status, workflow=self.id, step=state.step, error=state.error
            )
        return runs.show(state.run_id, home=self._home)


def workflow(
    steps: Union[str, Sequence[Step]],
    dependencies: Optional[Mapping[int, Sequence[int]]] = None,
    *,
    prompt: str = "",
    home: AnyHome = None,
    **asked: Unpack[AskedOfAll],
) -> Workflow:
    """Start a workflow, all of which is checked first. Raises AgentctlError, and then nothing of it runs.

    `steps` are the name of a workflow that there is (`auto`: a model chooses one), or a list:

    - a word is a role, which is given `prompt`;
    - more than a word is what is to be done, with {{prompt}}, {{before}}, {{steps.0.summary}};
    - an Agent works as it is set up, on `prompt`, in a conversation of its own;
    - a named agent, as `get_agent` gives it, in its conversation;
    - a dict is a step as in a workflow's file: {"command": "make test", "continue_on": ["not_met"]}.

    `dependencies={1: [0], 2: [0, 1]}`: step 1 comes after step 0, step 2 after both, and is told
    what they report. A step that does not reach its goal skips those that come after it, unless its
    `continue_on` has a word for that. Without a project, the one that contains the current directory.
    """
    from ..workflows import starting

    place = runs.opened(home)
    wanted = flows.Asked(prompt=prompt, cwd=os.getcwd()).replace(**asked)
    meant, choice = _meant(place, steps, dependencies, wanted)
    with runs.STARTING:
        return Workflow(starting.start(place, meant, wanted, os.environ, choice), home=place)


def _meant(
    home: Home,
    steps: Union[str, Sequence[Step]],
    dependencies: Optional[Mapping[int, Sequence[int]]],
    wanted: flows.Asked,
) -> tuple[Definition, Optional[Choice]]:
    """The definition, and why where a model chose it. Raises AgentctlError."""
    from ..workflows import choosing
    from ..workflows import definition

    if not isinstance(steps, str):
        return _listed(steps, dependencies or {}, wanted.prompt), None
    if dependencies:
        raise usage_error("workflow `%s` has dependencies of its own" % steps, "give them with a list of steps")
    choice = choosing.choose(home, wanted, os.environ) if steps == definition.AUTO else None
    return definition.named(home, choice.name if choice else steps), choice


def _listed(steps: Sequence[Step], dependencies: Mapping[int, Sequence[int]], prompt: str) -> Definition:
    """The definition that a list of steps is."""
    from ..workflows import definition

    after = {n: tuple(dict.fromkeys(others)) for n, others in dependencies.items()}
    unknown = [n for n in (*after, *(n for others in after.values() for n in others)) if n not in range(len(steps))]
    if unknown:
        raise usage_error("there is no step %s" % unknown[0], "the first of the %d steps is 0" % len(steps))
    entries = [_entry(step, n, after.get(n, ())) for n, step in enumerate(steps)]
    if not prompt.strip() and any("{{prompt}}" in str(entry.get("prompt")) for entry in entries):
        raise usage_error("the prompt is empty", 'say what is to be done: `prompt="…"`')
    raw = {"format": 1, "name": definition.CUSTOM, "description": "from Python", "steps": entries}
    return definition.parsed(raw, definition.CUSTOM, "the workflow").replace(source="")


def _entry(step: Step, number: int, after: Sequence[int]) -> dict[str, Any]:
    """The step as a file has it: its id is its number."""
    if isinstance(step, Agent):
        made = _of_request(step.request("{{prompt}}"))
    elif isinstance(step, NamedAgent):
        made = {"agent": step.name}
    elif isinstance(step, str):
        made = {"role": step} if NAME.match(step) else {"prompt": step}
    else:
        made = {**step}
    if made.keys() & {"id", "after"}:
        raise usage_error("the id of a step is its number", "say in `dependencies` what it comes after")
    if not made.get("command"):
        made["prompt"] = _told(made.get("prompt") or "{{prompt}}", bool(after))
    return {**made, "id": str(number), "after": [str(other) for other in after]}


def _told(template: str, follows: bool) -> str:
    """A template that does not say where the reports of those before it go is told them at its end."""
    return template + _BEFORE if follows and "{{before}}" not in template and "{{steps." not in template else template


def _of_request(request: Request) -> dict[str, Any]:
    """What an agent is set up to be, in the words of a step. Raises AgentctlError for what no step can be."""
    given = {name: value for name, value in request.to_json().items() if value != Request().to_json()[name]}
    unfit = sorted(given.keys() - {*_OF_STEP, *_ELSEWHERE})
    if unfit or request.backend == "shell":
        raise usage_error(
            "a step of a workflow cannot have `%s`" % (unfit or ["backend"])[0], "give it as a dict, or leave it out"
        )
    limits = request.limits
    bounds = {"timeout": limits.timeout_s, "max_turns": limits.max_turns, "max_cost": limits.max_cost_usd}
    made = {name: given[name] for name in _OF_STEP if name in given}
    made.update((name, value) for name, value in bounds.items() if value is not None)
    words = (request.instructions.replace("{{", "{{{{"), request.prompt)
    return {**made, "prompt": "\n\n---\n\n".join(part for part in words if part)}
