"""The team of a goal: config/team.json, or a file of the user's.

    {"format": 1, "members": {"tester": {"role": "tester", "backends": ["codex", "claude"], "verifies": true}}}

A member names its role, or a profile, or both; of its backends the first that is installed
serves, without any its profile decides. A member that no installed backend can serve is
left out, and said: the others do its part.
"""

from __future__ import annotations

import os

from .. import backends
from .. import config as configuration
from .. import files
from .. import paths
from .. import roles
from .. import serving
from .. import trust
from ..errors import AgentctlError
from ..errors import usage_error
from ..model import Spec
from ..projects import NAME
from ..record import Record
from ..request import Request
from ..settings import Profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from typing import Any
    from typing import Optional

    from ..config import Config
    from ..settings import Project
    from ..store import Home

_LONGEST = 1 << 20
_HINT = "see `agentctl help goals`"
SHIPPED = "team.json"


class Member(Record):
    """Somebody who may be asked. `verifies`: it judges finished work, in conversations of its own.

    `backend` is the one that was chosen of `backends`. A conversation that has used more
    than `max_context_tokens` is followed by a fresh one; `timeout_s` and `max_turns` hold for each run.
    """

    name: str = ""
    role: str = ""
    profile: str = ""
    description: str = ""
    backends: tuple[str, ...] = ()
    backend: str = ""
    model: str = ""
    effort: str = ""
    verifies: bool = False
    max_context_tokens: Optional[int] = None
    max_turns: Optional[int] = None
    timeout_s: Optional[float] = None


def gathered(
    home: Home, config: Config, members: Iterable[Member], project: Project, env: Mapping[str, str]
) -> tuple[dict[str, Member], list[str]]:
    """The members that can work there, by name; and who cannot, and why. Raises AgentctlError for an unknown name."""
    found: dict[str, Member] = {}
    left_out = []
    for member in members:
        try:
            found[member.name] = member.replace(backend=_backend(home, config, member, project, env))
        except AgentctlError as e:
            if e.code == 2:
                raise
            left_out.append("%s: %s" % (member.name, e))
    return found, left_out


def read(home: Home, path: str) -> list[Member]:
    """The members that a file names; "" for the user's own team.json in the home, or the shipped one."""
    own = os.path.join(home.path, SHIPPED)
    source = path or (own if os.path.exists(own) else paths.asset("config", SHIPPED))
    try:
        raw = files.parse(files.read(source, _LONGEST))
    except OSError as e:
        raise usage_error("cannot read the team %s: %s" % (source, e.strerror), _HINT) from None
    except ValueError as e:
        raise usage_error("the team %s is not JSON: %s" % (source, e), "mend the file") from None
    return parsed(raw.get("members") if isinstance(raw, dict) else None, source)


def parsed(members: object, source: str) -> list[Member]:
    """The members of a team, described by name as in a file. Raises AgentctlError that says which is wrong."""
    if not isinstance(members, dict) or not members:
        raise usage_error("the team %s: `members` is an object with at least one member" % source, _HINT)
    return [_member(source, name, about) for name, about in members.items()]


def _member(source: str, name: str, about: Any) -> Member:
    where = "the team %s: member `%s`" % (source, name)
    if not NAME.match(name) or not isinstance(about, dict):
        raise usage_error("%s is a name and an object" % where, _HINT)
    known = Member().to_json().keys() - {"name", "backend"}
    unknown = [field for field in about if field not in known]
    wrong = unknown or configuration.misfits(Member, about)
    if wrong:
        raise usage_error("%s: `%s` %s" % (where, wrong[0], "is unknown" if unknown else "has the wrong type"), _HINT)
    if not about.get("role") and not about.get("profile"):
        raise usage_error("%s has no `role` and no `profile`" % where, _HINT)
    return Member.from_json({**about, "backends": list(about.get("backends", ()))}).replace(name=name)


def _backend(home: Home, config: Config, member: Member, project: Project, env: Mapping[str, str]) -> str:
    """The first that is installed and serves the project; a name that nobody knows is an error."""
    if member.role:
        roles.named(home, member.role)
    if not member.backends:
        return ""
    for name in member.backends:
        configuration.backend(config, name)
    found = ["%s: %s" % (name, why) for name in member.backends if (why := refusal(config, name, project, env))]
    if len(found) == len(member.backends):
        raise AgentctlError("; ".join(found))
    return next(name for name in member.backends if not refusal(config, name, project, env))


def refusal(config: Config, name: str, project: Project, env: Mapping[str, str]) -> str:
    """Why a backend cannot work in a project, or ""."""
    try:
        _, executable, custom = serving.backend(config, Request(backend=name), Profile(), env)
    except AgentctlError as e:
        return str(e)
    trusted = project.trust or trust.by_vendor(name, project.path, env)
    spec = Spec(backend=name, executable=executable, custom=custom, trusted=trusted, cwd=project.path)
    return backends.adapter_of(spec).refuse(spec)


def of_json(team: Mapping[str, Any]) -> dict[str, Member]:
    """As it was written down at the start of a goal."""
    return {name: Member.from_json(about).replace(name=name) for name, about in team.items()}
