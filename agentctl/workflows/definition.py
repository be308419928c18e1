"""What a workflow is: a file of steps, read once and checked key by key.

    {"format": 1, "name": "…", "description": "…", "steps": [
        {"id": "plan", "role": "planner", "prompt": "Plan this: {{prompt}}"},
        {"id": "build", "role": "builder", "prompt": ["{{prompt}}", "", "{{before}}"], "after": ["plan"]},
        {"id": "test", "command": "make test", "after": ["build"], "continue_on": ["not_met"]}]}

Shipped ones are in config/workflows/; the user's own, in workflows/ of the home, win. A key
that is not known is an error: a mistyped `after` would change the order of everything.
"""

from __future__ import annotations

import os
import re

from .. import config
from .. import files
from .. import judge
from .. import paths
from .. import text
from ..errors import AgentctlError
from ..errors import usage_error
from ..model import Limits
from ..projects import NAME
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

    from ..store import Home

AUTO, CUSTOM = "auto", "custom"
RESERVED = (AUTO, CUSTOM)
"""Names that stand for no file: chosen by a model, put together of roles."""
_FOLDER, _SUFFIX = "workflows", ".json"
_LONGEST = 4 << 20
_HINT = "see `agentctl workflow --help`"
_STEP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
_TEXTS = ("id", "title", "role", "agent", "profile", "backend", "model", "effort", "command", "verify")
_LISTS = ("after", "continue_on")
_OTHERS = ("prompt", "worktree", "escalate", "timeout", "max_turns", "max_cost")
_OF_MODEL = ("role", "agent", "profile", "backend", "model", "effort", "prompt", "escalate", "max_turns", "max_cost")
_OF_AGENT = ("role", "profile", "backend", "model", "effort", "worktree")


class Step(Record):
    """One step. `own_worktree`: it works in one of its own; `within`: in that of another step.

    `continue_on` are its own ends in spite of which those that come after it begin.
    """

    id: str = ""
    title: str = ""
    role: str = ""
    agent: str = ""
    profile: str = ""
    backend: str = ""
    model: str = ""
    effort: str = ""
    command: str = ""
    prompt: str = ""
    after: tuple[str, ...] = ()
    verify: str = ""
    own_worktree: bool = False
    within: str = ""
    continue_on: tuple[str, ...] = ()
    escalate: Optional[bool] = None
    limits: Limits = Limits()

    def worker(self) -> str:
        """Who does it, in a word or two."""
        return self.role or (self.agent and "agent " + self.agent) or (self.command and "shell") or self.profile


class Definition(Record):
    """A workflow as its file says; `raw` is what the file held."""

    name: str = ""
    description: str = ""
    steps: tuple[Step, ...] = ()
    source: str = ""
    raw: dict[str, Any] = {}

    def step(self, step_id: str) -> Step:
        return next(step for step in self.steps if step.id == step_id)


def named(home: Home, word: str) -> Definition:
    """A definition by its name, or by the path of its file. Raises AgentctlError that names the closest one."""
    known = _paths(home)
    if word in known:
        return _kept(word, known[word])
    if word in RESERVED:
        raise usage_error(
            "`%s` has no steps before it is run" % word,
            "run it: `agentctl workflow run auto PROMPT`, or `run custom --roles a,b,c PROMPT`",
        )
    if os.sep in word or word.endswith(_SUFFIX):
        return read(os.path.splitext(os.path.basename(word))[0], word)
    raise usage_error("no workflow named `%s`" % word, config.meant(word, [*known, *RESERVED]))


def names(home: Home) -> list[str]:
    """Of all definitions, in order."""
    return sorted(_paths(home))


def every(home: Home) -> tuple[list[Definition], list[AgentctlError]]:
    """All definitions that can be read, by name; and what is wrong with the others."""
    found, problems = [], []
    for name, path in sorted(_paths(home).items()):
        try:
            found.append(_kept(name, path))
        except AgentctlError as e:
            problems.append(e)
    return found, problems


def _kept(name: str, path: str) -> Definition:
    """One that is found by the name of its file goes by that, whatever it says itself."""
    return read(name, path).replace(name=name)


def _paths(home: Home) -> dict[str, str]:
    """The file of each definition; the user's own replaces the shipped one of that name."""
    shipped = os.path.dirname(paths.asset("config", os.path.join(_FOLDER, "bug_fix" + _SUFFIX)))
    found = {}
    for folder in (shipped, home.workflows):
        for file in os.listdir(folder) if os.path.isdir(folder) else ():
            name = file[: -len(_SUFFIX)]
            if file.endswith(_SUFFIX) and NAME.match(name) and name not in RESERVED:
                found[name] = os.path.join(folder, file)
    return found


def read(name: str, path: str) -> Definition:
    """The definition that a file holds. Raises AgentctlError that names file, step and key."""
    try:
        raw = files.parse(files.read(path, _LONGEST))
    except OSError as e:
        raise usage_error(
            "cannot read the workflow %s: %s" % (path, e.strerror), "see `agentctl workflow list`"
        ) from None
    except ValueError as e:
        raise AgentctlError("%s is not JSON: %s" % (path, e), "mend the file") from None
    return parsed(raw, name, path)


def parsed(raw: object, name: str, source: str) -> Definition:
    """The definition that this JSON value is. Raises AgentctlError that names file, step and key."""
    if not isinstance(raw, dict):
        raise AgentctlError("%s: it is not an object" % source, _HINT)
    _demand_known(raw, ("format", "name", "description", "steps"), source)
    for key in ("name", "description"):
        _demand(isinstance(raw.get(key, ""), str), source, key, "a text")
    _demand(raw.get("format", 1) == 1, source, "format", "1")
    steps = raw.get("steps")
    if not isinstance(steps, list) or not steps:
        raise AgentctlError("%s: `steps` is a list of at least one step" % source, _HINT)
    return Definition(
        name=raw.get("name") or name,
        description=raw.get("description", ""),
        steps=tuple(_step(entry, n, source) for n, entry in enumerate(steps, 1)),
        source=source,
        raw=raw,
    )


def _step(raw: object, number: int, source: str) -> Step:
    where = "%s: step %d" % (source, number)
    if not isinstance(raw, dict):
        raise AgentctlError("%s is not an object" % where, _HINT)
    if not isinstance(raw.get("id"), str) or not _STEP_ID.match(raw["id"]):
        raise AgentctlError("%s: `id` is a word of letters, digits, `_` and `-`" % where, _HINT)
    where = "%s: step `%s`" % (source, raw["id"])
    _demand_known(raw, (*_TEXTS, *_LISTS, *_OTHERS), where)
    for key in _TEXTS:
        _demand(isinstance(raw.get(key, ""), str), where, key, "a text")
    for key in _LISTS:
        _demand(_is_list_of_words(raw.get(key, [])), where, key, "a list of words")
    _demand_sense(raw, where)
    tree = raw.get("worktree", False)
    return Step(
        **{key: raw.get(key, "") for key in _TEXTS},
        after=tuple(raw.get("after", ())),
        continue_on=tuple(raw.get("continue_on", ())),
        prompt=_prompt(raw, where),
        own_worktree=tree is True,
        within=tree if isinstance(tree, str) else "",
        escalate=raw.get("escalate"),
        limits=_limits(raw, where),
    )


def _demand_sense(raw: dict[str, Any], where: str) -> None:
    """Keys that go together, and words that mean something."""
    _demand(isinstance(raw.get("worktree", False), (bool, str)), where, "worktree", "true, or the id of a step")
    _demand(isinstance(raw.get("escalate", False), bool), where, "escalate", "true or false")
    unknown = [word for word in raw.get("continue_on", ()) if word not in judge.SHORTFALLS]
    if unknown:
        raise AgentctlError(
            "%s: `continue_on`: `%s` is no end of a run" % (where, text.one_line(unknown[0], 60)),
            "one of: %s" % ", ".join(judge.SHORTFALLS),
        )
    for key, others in (("command", _OF_MODEL), ("agent", _OF_AGENT)):
        both = [other for other in others if raw.get(key) and raw.get(other)]
        if both:
            raise AgentctlError("%s: `%s` and `%s` do not go together" % (where, key, both[0]), _HINT)
    if not raw.get("command") and not raw.get("prompt"):
        raise AgentctlError(
            "%s has no template: no `prompt`, and no `command`" % where, 'for example "prompt": "{{prompt}}"'
        )


def _prompt(raw: dict[str, Any], where: str) -> str:
    """A text, or a list of lines, which reads better in JSON."""
    found = raw.get("prompt", "")
    _demand(isinstance(found, str) or _is_list_of_words(found), where, "prompt", "a text, or a list of lines")
    return found if isinstance(found, str) else "\n".join(found)


def _limits(raw: dict[str, Any], where: str) -> Limits:
    turns, cost, time = raw.get("max_turns"), raw.get("max_cost"), raw.get("timeout")
    _demand(turns is None or type(turns) is int and turns > 0, where, "max_turns", "a number above 0")
    _demand(cost is None or type(cost) in (int, float) and cost > 0, where, "max_cost", "a number above 0")
    try:
        timeout = text.seconds(time) if isinstance(time, str) else time
    except ValueError:
        timeout = False
    _demand(timeout is None or type(timeout) in (int, float) and timeout > 0, where, "timeout", 'a time, as "30m"')
    return Limits(timeout_s=timeout and float(timeout), max_turns=turns, max_cost_usd=cost)


def _is_list_of_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _demand_known(raw: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    unknown = [key for key in raw if key not in known]
    if unknown:
        raise AgentctlError(
            "%s: no key `%s` is known there" % (where, text.one_line(unknown[0], 60)),
            config.meant(unknown[0], list(known)),
        )


def _demand(holds: bool, where: str, key: str, what: str) -> None:
    if not holds:
        raise AgentctlError("%s: `%s` is %s" % (where, key, what), _HINT)
