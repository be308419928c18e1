"""What the API tells: each endpoint that only reads, as a function over the service layer."""

from __future__ import annotations

import time

from .. import config
from .. import finding
from .. import fleet
from .. import listing
from .. import projects
from .. import roles
from .. import text
from .. import worktrees
from ..errors import AgentctlError
from ..errors import usage_error
from ..figures import cache
from ..figures import costs
from ..figures import totals
from ..goals import kin
from ..goals import showing
from ..model import FORMAT
from ..sessions import finding as conversations
from . import reading
from . import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..sessions.session import Session
    from ..store import Home
    from ..store import Run
    from .site import Site

    Given = dict[str, Any]

_MOST_RUNS = 500
_SESSION_HOURS, _MOST_HOURS = 24 * 7, 24 * 3650
_OF_SESSION = (
    *("session_id", "run_id", "backend", "model", "project", "cwd", "agent", "status", "title", "context_tokens"),
)
_RUNS = 100
_MOST_GOALS = 100
_PROMPT = 200_000
_ASKED = ("verify", "permissions", "effort", "after", "touches")
_SIZES = {"events": "events.jsonl", "diff": "diff.patch"}
_BY = ("day", "agent", "role", "model", "project")


def status(site: Site, _ids: tuple[str, ...], _given: Given) -> dict[str, Any]:
    """The fleet: what lives, and the newest of what has ended."""
    return site.feed.status()


def sessions(site: Site, _ids: tuple[str, ...], given: Given) -> dict[str, Any]:
    """Conversations that can be gone on with, newest first: of our own runs, each by its newest run, and others'."""
    project, most = given.get("project", ""), _number(given, "limit", _RUNS, _MOST_RUNS)
    found: dict[str, dict[str, Any]] = {}
    for run_id in finding.newest(site.home, project):
        record = listing.record_of(site.home, run_id, time.time())
        if record and record.get("session_id") and record["session_id"] not in found:
            found[record["session_id"]] = _session(record)
        if len(found) >= most:
            break
    hours = float(_number(given, "hours", _SESSION_HOURS, _MOST_HOURS))
    wanted = conversations.Wanted(hours=hours, project=project)
    for one in conversations.recent(site.home, wanted, site.env, time.time()).sessions:
        found.setdefault(one.session_id, _foreign(one))
    ordered = sorted(found.values(), key=lambda one: one["last_at"] or "9", reverse=True)
    return {"format": FORMAT, "sessions": ordered[:most]}


def _session(record: dict[str, Any]) -> dict[str, Any]:
    known = {name: record.get(name) for name in _OF_SESSION}
    return text.public({**known, "live": "doing" in record, "last_at": record.get("finished_at") or None})


def _foreign(one: Session) -> dict[str, Any]:
    """One that a person began without us; `run_id` is None."""
    known = {name: one.to_json().get(name) for name in _OF_SESSION}
    title = one.title or text.one_line(one.prompt or "", 80)
    more = {"run_id": one.run_id or None, "title": title, "live": bool(one.live), "last_at": one.last_active_at}
    return text.public({**known, **more})


def all_worktrees(site: Site, _ids: tuple[str, ...], given: Given) -> dict[str, Any]:
    found = worktrees.rows(site.home, given.get("project", ""))
    return {"format": FORMAT, "worktrees": [text.public(row) for row in found]}


def runs(site: Site, _ids: tuple[str, ...], given: Given) -> dict[str, Any]:
    """Runs, newest first: `limit` of them, noted before the run `before`, of a project, in one of some statuses."""
    statuses = [word for word in given.get("status", "").split(",") if word]
    for word in statuses:
        if word not in listing.STATUSES:
            raise usage_error("no such status", "one of: %s" % ", ".join(listing.STATUSES))
    most, before, now = _number(given, "limit", _RUNS, _MOST_RUNS), given.get("before", ""), time.time()
    found: list[dict[str, Any]] = []
    for run_id in finding.newest(site.home, given.get("project", ""), before):
        row = rows.row(site.home, run_id, now, site.feed.need(run_id))
        if row and (not statuses or row["status"] in statuses):
            found.append(row)
        if len(found) > most:
            break
    more = found[most - 1]["run_id"] if len(found) > most else None
    return {"format": FORMAT, "runs": found[:most], "before": more}


def run(site: Site, ids: tuple[str, ...], _given: Given) -> dict[str, Any]:
    """All that is known of a run, with what was asked of it."""
    found, now = site.home.run(ids[0]), time.time()
    known, spec = text.public(listing.known(found, now)), found.spec()
    asked = {name: getattr(spec, name) for name in _ASKED}
    limits = {name: value for name, value in spec.limits.to_json().items() if value is not None}
    sizes = {of + "_bytes": reading.size(found.file(name)) for of, name in _SIZES.items()}
    return {
        **known,
        **sizes,
        "asked": {**asked, "limits": limits, "command": list(spec.argv)},
        "prompt": found.text("prompt.md", _PROMPT),
        "row": rows.row(site.home, found.id, now, site.feed.need(found.id)),
        "goal": known.get("goal") or _goal_of(site.home, found),
    }


def _goal_of(home: Home, found: Run) -> str:
    """The goal that a run is itself one of; "" where it is none."""
    from ..goals import asked

    return asked.root_of(home, found.id)


def events(site: Site, ids: tuple[str, ...], given: Given) -> dict[str, Any]:
    """A piece of a run's events, from the byte `from` on; negative: so many bytes before the end."""
    found = site.home.run(ids[0])
    most = _number(given, "bytes", reading.PIECE, reading.PIECE)
    return {"run_id": found.id, **reading.events(found.file("events.jsonl"), _offset(given), most)}


def diff(site: Site, ids: tuple[str, ...], given: Given) -> dict[str, Any]:
    """A piece of what a run changed, as a patch, from the byte `from` on."""
    found = site.home.run(ids[0])
    piece = reading.text(found.file("diff.patch"), max(_offset(given), 0))
    return {"run_id": found.id, "diff": piece.pop("text"), **piece}


def stats(site: Site, _ids: tuple[str, ...], given: Given) -> dict[str, Any]:
    """Sums over runs born in the last `days`, of a project: all, and by day, agent, role, model, project."""
    now, project = time.time(), given.get("project", "")
    since = now - 86400.0 * _number(given, "days", 3650, 3650)
    found = [one for one in site.shared("figures", lambda: cache.every(site.home, now)) if one.at >= since]
    found = [one for one in found if project in ("", one.project)]
    return {
        "format": FORMAT,
        "prices_as_of": costs.table(site.home).as_of,
        "fleet": totals.fleet(found, fleet.names(site.home)),
        "totals": totals.total(found).to_json(),
        **{"by_" + by: [{"key": key, **t.to_json()} for key, t in totals.grouped(found, by)] for by in _BY},
    }


def goals(site: Site, _ids: tuple[str, ...], _given: Given) -> dict[str, Any]:
    """The goals, newest first."""
    roots = site.shared("goals", lambda: kin.every(site.home)[:_MOST_GOALS])
    found = (showing.summary(site.home, root) for root in roots)
    return {"format": FORMAT, "goals": [text.public(one.to_json()) for one in found]}


def goal(site: Site, ids: tuple[str, ...], _given: Given) -> dict[str, Any]:
    """A goal with its cycles, checks and verdicts, and everyone who worked for it."""
    return text.public(showing.whole(site.home, ids[0]))


def choices(site: Site, _ids: tuple[str, ...], _given: Given) -> dict[str, Any]:
    """What a run can be started with: projects, profiles, roles."""
    configured, problem = config.load(site.home)
    known, _ = roles.every(site.home)
    return {
        "format": FORMAT,
        "projects": sorted(projects.every(site.home)),
        "profiles": sorted(config.profiles(configured)),
        "roles": [{"name": role.name, "description": role.description} for role in known],
        "problem": str(problem or ""),
    }


def _number(given: Given, name: str, plain: int, most: int) -> int:
    """A number above 0 of the query. Raises AgentctlError."""
    word = given.get(name, "")
    if word and not (word.isdigit() and word.isascii() and 0 < len(word) < 10 and int(word)):
        raise usage_error("`%s` wants a number above 0" % name)
    return min(int(word), most) if word else plain


def _offset(given: Given) -> int:
    word = given.get("from", "0")
    digits = word[1:] if word.startswith("-") else word
    if not (digits.isdigit() and digits.isascii() and len(digits) <= 15):
        raise AgentctlError("`from` wants a number of bytes", code=2)
    return int(word)
