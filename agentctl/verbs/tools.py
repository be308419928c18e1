"""The one table of the verbs that a model may call, and the `Toolset` of them."""

from __future__ import annotations

from .. import api
from ..figures import totals
from ..toolset import Answer
from ..toolset import Tool
from . import answers
from . import asking
from . import awaiting
from . import runs
from . import teams
from .asking import IDS
from .asking import PLACE
from .asking import TERMS
from .asking import WHO
from .asking import flag
from .asking import many
from .asking import number
from .asking import object_of
from .asking import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any

    from ..store import Home
    from ..toolset import Caller

    Verb = Callable[[Home, Mapping[str, str], dict[str, Any], Caller], dict[str, Any]]

INSTRUCTIONS = (
    "agentctl starts coding agents (Claude Code, Codex, Cursor, any command), each as a run: one prompt given to one"
    " worker. `start` or `spawn` return run ids at once; `wait` blocks until runs have ended, for hours if need be, and"
    " gives their results; `show` tells more of one. In a result, status says what happened to the process, goal_met"
    " what the worker claims, verified what the check found that was given as `verify`. `resume` goes on in a run's"
    " conversation. Runs go on when this session ends."
)

_SEND = {**TERMS, "new_conversation": flag("begin a fresh conversation, which is told nothing")}
_OF_AGENT: dict[str, Any] = {
    "name": words("the agent's name"),
    **{name: WHO[name] for name in ("role", "profile", "backend", "model")},
    "project": PLACE["project"],
    "instructions": words("its own instructions, added to those of its role or profile"),
    "max_context_tokens": number("how much context a conversation may use before a fresh one begins"),
    "max_turns": TERMS["max_turns"],
}
_OF_WORKFLOW: dict[str, Any] = {
    "name": words("bug_fix, code_review, documentation, feature_implementation, another, or custom"),
    "prompt": words("what is to be done"),
    **{name: PLACE[name] for name in ("project", "worktree")},
    **{name: WHO[name] for name in ("profile", "backend", "model", "effort")},
    **{name: TERMS[name] for name in ("timeout", "max_turns", "max_cost")},
    "set": {"type": "object", "additionalProperties": {"type": "string"}, "description": "values of {{set.KEY}}"},
    "roles": many("custom: the roles of its steps, in order"),
    "parallel": flag("custom: side by side instead of one after the other"),
    "mode": {"type": "string", "enum": ["sequential", "parallel"], "description": "sequential: one step at a time"},
}
_SHOW = {
    "id": words("a run id, a unique prefix of one, or @last"),
    "part": {
        "type": "string",
        "enum": list(runs.PARTS),
        "description": "instead of the result: the prompt, the diff, its newest events, its newest raw output",
    },
    "offset": number("of a part: the byte to begin at; next_offset of the answer before gives the next piece", 0),
}
_LIST = {
    "project": words("only runs of this project"),
    "status": words("only with this status: queued, running, paused, finished, failed, stopped, timed_out, lost"),
    "running": flag("only runs that have not ended"),
    "unacked": flag("only runs with events that nobody has acknowledged"),
    "n": number("at most so many (default: 30)"),
}
_STATS = {
    "by": {"type": "string", "enum": list(totals.BY), "description": "sums for each"},
    "since": asking.time("only runs born so long ago or less"),
    "project": words("only runs of this project"),
}
_WAIT = {
    "ids": IDS,
    "any": flag("return when the first of them has ended"),
    "timeout": asking.time("return after this time with what has ended; the runs go on"),
}
_INBOX = {"ack": many("acknowledge these events, or all of a run"), "all": flag("acknowledge all that is shown")}
_COMMAND = {"command": many("a command to run as the worker, instead of a prompt: ['make', 'test']")}
_PROMPT = {"prompt": words("what it is to do: all it needs to know, as it sees nothing of this conversation")}


def _reading(name: str, description: str, schema: dict[str, Any], verb: Verb) -> tuple[Tool, Verb]:
    return Tool(name=name, description=description, schema=schema, reads=True), verb


def _changing(name: str, description: str, schema: dict[str, Any], verb: Verb) -> tuple[Tool, Verb]:
    return Tool(name=name, description=description, schema=schema), verb


_TABLE: tuple[tuple[Tool, Verb], ...] = (
    _changing(
        "start",
        "Start a run and return its id at once: a prompt for a coding agent, or a command.",
        object_of({**_PROMPT, **_COMMAND, **WHO, **TERMS, **PLACE}),
        runs.start,
    ),
    _changing(
        "spawn",
        "Start a run for each of many prompts and return their ids in order; where one cannot be started, none is.",
        object_of(
            {"prompts": many("what each run is to do"), "parallel": number("at most so many at work at a time")}
            | {**WHO, **TERMS, **PLACE},
            "prompts",
        ),
        runs.spawn,
    ),
    _changing(
        "wait",
        "Wait for runs to end, however long that takes, and return their results in order of ending.",
        object_of(_WAIT, "ids"),
        awaiting.wait,
    ),
    _reading(
        "show", "What is known of a run: its result, or what it does now; or a part.", object_of(_SHOW, "id"), runs.show
    ),
    _reading("list", "Runs in short, newest first.", object_of(_LIST), runs.listed),
    _changing(
        "resume",
        "Start a run that goes on from an ended one, in its conversation; returns the new id.",
        object_of(
            {"parent_run_id": words("the ended run to go on from"), **_PROMPT, **WHO, **TERMS},
            "parent_run_id",
            "prompt",
        ),
        runs.resume,
    ),
    _changing("stop", "Stop runs; they stay resumable.", object_of({"ids": IDS}, "ids"), runs.stop),
    _changing(
        "pause", "Have runs stand still; their slots are free meanwhile.", object_of({"ids": IDS}, "ids"), runs.pause
    ),
    _changing("continue", "Have paused runs go on.", object_of({"ids": IDS}, "ids"), runs.go_on),
    _changing(
        "inbox",
        "What happened to this orchestrator's runs and nobody has acknowledged, oldest first: ends, refusals, limits."
        " `more` have no room in the answer: acknowledge what is shown, then ask again.",
        object_of(_INBOX),
        runs.inbox,
    ),
    _reading("projects", "The registered projects.", object_of({}), teams.all_projects),
    _reading("roles", "The roles that a run can have.", object_of({}), teams.all_roles),
    _changing(
        "agent_create",
        "Make a named worker that keeps its conversation from one prompt to the next.",
        object_of(_OF_AGENT, "name"),
        teams.agent_create,
    ),
    _reading("agent_list", "The named agents, and what they do now.", object_of({}), teams.agent_list),
    _changing(
        "agent_send",
        "Give an agent a prompt, which becomes a run; returns its id, to wait for.",
        object_of({"name": _OF_AGENT["name"], **_PROMPT, **_SEND}, "name", "prompt"),
        teams.agent_send,
    ),
    _reading("workflow_list", "The workflows that can be run, and for what.", object_of({}), teams.workflow_list),
    _changing(
        "workflow_run",
        "Start a workflow, steps that follow each other; returns its id, to wait for or stop.",
        object_of(_OF_WORKFLOW, "name", "prompt"),
        teams.workflow_run,
    ),
    _reading(
        "workflow_show",
        "What became of each step of a started workflow.",
        object_of({"id": words("a workflow's id, or @last")}, "id"),
        teams.workflow_show,
    ),
    _reading("stats", "What runs used, did and cost, in sums.", object_of(_STATS), teams.stats),
)
_VERBS = {tool.name: verb for tool, verb in _TABLE}


class Verbs:
    """The verbs in one home, for a caller with this environment; a home that is not there is said by each call."""

    def __init__(self, home: str, env: Mapping[str, str]) -> None:
        self.tools: Sequence[Tool] = tuple(tool for tool, _ in _TABLE)
        self._home = home
        self._env = env

    def call(self, name: str, arguments: dict[str, Any], caller: Caller) -> Answer:
        """Do what the verb does. Raises AgentctlError, OSError."""
        home = api.home(self._home, self._env)
        return Answer(text=answers.worded(_VERBS[name](home, self._env, arguments, caller)))
