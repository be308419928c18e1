"""What the API does: each endpoint that changes something, as a function over the service layer."""

from __future__ import annotations

import os
import time

from .. import agents
from .. import api
from .. import config
from .. import finding
from .. import judge
from .. import pausing
from .. import schema
from .. import text
from ..cleanup import plans
from ..cleanup.cleaning import Wanted
from ..errors import usage_error
from ..goals import asked
from ..goals import starting
from ..model import FORMAT
from ..sessions import adopting
from ..store import ID
from ..verbs import asking
from ..verbs.asking import flag
from ..verbs.asking import many
from ..verbs.asking import number
from ..verbs.asking import object_of
from ..verbs.asking import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .site import Site

    Given = dict[str, Any]

SPAWN = object_of(
    {
        "prompt": words("what a run is to do; or"),
        "prompts": many("what each run is to do"),
        "parallel": number("at most so many at work at a time"),
        **asking.WHO,
        **asking.TERMS,
        **asking.PLACE,
    }
)
GO_ON = object_of({"prompt": words("what is to be done next"), **asking.WHO, **asking.TERMS})
NOTHING = object_of({})
CLEANUP = object_of(
    {
        "ids": many("these runs"),
        "all": flag("all runs that ended"),
        "merged": flag("runs whose branch is in its project's branch"),
        "older_than": asking.time("runs that ended so long ago"),
        "project": words("of these, only runs of this project"),
        "dry_run": flag("only say what would be done (the default)"),
    }
)


def _checked(given: Given, wanted: dict[str, Any]) -> Given:
    """The body as the endpoint takes it; null stands for one left out. Raises AgentctlError."""
    meant: Given = schema.without_nulls(given, wanted)
    wrong = schema.problems(meant, wanted)
    if wrong:
        raise usage_error("the body is wrong: %s" % text.one_line("; ".join(wrong), 300))
    return meant


def spawn(site: Site, _ids: tuple[str, ...], body: Given) -> dict[str, Any]:
    """A run for each prompt; where not all could be started, why."""
    given = _checked(body, SPAWN)
    prompts = [*given.get("prompts", ()), *([given.pop("prompt")] if given.get("prompt") else ())]
    if not prompts or not all(prompt.strip() for prompt in prompts):
        raise usage_error("a prompt is empty" if prompts else "no prompt", "write what is to be done")
    request = asking.request(given).replace(cwd=os.getcwd())
    started, problem = api.spawn(site.home, request, prompts, given.get("parallel"), site.env)
    if problem and not started:
        raise problem
    return {"format": FORMAT, "runs": started, "error": str(problem) if problem else None}


def pause(site: Site, ids: tuple[str, ...], body: Given) -> dict[str, Any]:
    """Have it stand still."""
    _checked(body, NOTHING)
    return _outcomes(pausing.pause(site.home, _meant(site, ids[0])))


def resume(site: Site, ids: tuple[str, ...], body: Given) -> dict[str, Any]:
    """A paused run goes on; with a prompt, a new run goes on from one that has ended."""
    given = _checked(body, GO_ON)
    if given.get("prompt", "").strip():
        run_id = api.resume(site.home, _meant(site, ids[0])[-1], asking.request(given), site.env)
        return {"format": FORMAT, "runs": [{"run_id": run_id, "status": "queued", "doing": "", "followed_by": ""}]}
    if given:
        raise usage_error("the prompt is empty", "write what is to be done next")
    return _outcomes(pausing.go_on(site.home, _meant(site, ids[0]), site.env))


def adopt(site: Site, ids: tuple[str, ...], body: Given) -> dict[str, Any]:
    """A run goes on with a conversation, whoever began it."""
    given = _checked(body, GO_ON)
    if not given.get("prompt", "").strip():
        raise usage_error("the prompt is empty", "write what is to be done next")
    run_id = adopting.adopt(site.home, ids[0], asking.request(given), site.env)
    return {"format": FORMAT, "runs": [{"run_id": run_id, "status": "queued", "doing": "", "followed_by": ""}]}


def stop(site: Site, ids: tuple[str, ...], body: Given) -> dict[str, Any]:
    """End it; of a goal all that works for it."""
    _checked(body, NOTHING)
    found = _meant(site, ids[0])
    if len(found) == 1 and asked.is_goal(site.home.run(found[0])):
        return {"format": FORMAT, "runs": [{"run_id": i} for i in starting.stop(site.home, found[0], site.env)]}
    stopped = api.stop(site.home, found)
    rows = [{"run_id": r.run_id, "status": r.status, "words": judge.headline(r)} for r in stopped]
    return {"format": FORMAT, "runs": rows}


def cleanup(site: Site, _ids: tuple[str, ...], body: Given) -> dict[str, Any]:
    """What a cleanup would remove and save; and done, where `dry_run` is false."""
    given = _checked(body, CLEANUP)
    now, dry = time.time(), given.get("dry_run", True)
    age = asking.seconds(given.get("older_than"))
    wanted = Wanted(
        ids=tuple(given.get("ids", ())),
        every=given.get("all", False),
        merged=given.get("merged", False),
        before=now - age if age else 0.0,
        project=given.get("project", ""),
    )
    configured = config.sound(site.home)
    plan = plans.made(site.home, configured, wanted, now)
    will = [pair for pair in plan if pair[1].removes()]
    done = {} if dry else plans.carried_out(site.home, configured, will, now)
    found = [plans.row(item, done.get(item.run_id)) for _, item in plan]
    return {"format": FORMAT, "dry_run": dry, "runs": found}


def _outcomes(found: Any) -> dict[str, Any]:
    return {"format": FORMAT, "runs": [outcome.to_json() for outcome in found]}


def _meant(site: Site, word: str) -> list[str]:
    """The runs that an id means: of a run, a workflow, or an agent, whose live ones these are. Raises AgentctlError."""
    if ID.match(word) or finding.names_workflow(word):
        return finding.expand(site.home, [word])
    found = agents.live_runs(site.home, agents.named(site.home, word))
    if not found:
        raise usage_error("that agent does nothing now")
    return found
