"""The ways of notices to a person: what is configured, what became of the last one, and a test of each."""

from __future__ import annotations

import time

from .. import noticing
from .. import text
from ..errors import AgentctlError
from ..notices import carrying
from ..notices import posting
from ..notices import shelf
from ..notices.shelf import Notice
from ..noticing import DESKTOP
from .rows import Row
from .rows import count
from .rows import edit
from .rows import fail
from .rows import ok
from .rows import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from typing import Optional

    from ..config import Config
    from ..notices.shelf import Outcome
    from ..noticing import Way
    from ..store import Home

_TRY = "agentctl doctor --notify"
_LATE_S = 120.0


def check(home: Home, config: Config, env: Mapping[str, str], now: float) -> Iterator[Row]:
    """Raises OSError."""
    ways, outcomes = noticing.ways(config.notify), shelf.outcomes(home)
    for way in ways:
        yield _each(home, way, env, outcomes.get(way.name))
    late = [notice for notice in shelf.waiting(home) if now - notice.at > _LATE_S]
    if not ways:
        yield ok("notify", "nothing is configured: see `agentctl help notices`")
    elif late:
        yield warn("notify", "%s not sent yet" % count(len(late), "notice"), _TRY)


def _each(home: Home, way: Way, env: Mapping[str, str], last: Optional[Outcome]) -> Row:
    name, missing = "notify " + way.name, _missing(way, env)
    if missing:
        return warn(name, missing, edit(home.config))
    if last and last.problem:
        words = "%s did not arrive at %s: %s" % (last.notice, _clock(last.at), text.one_line(last.problem, 160))
        return warn(name, words, _TRY)
    where = way.host or (way.argv[0] if way.argv else carrying.desktop_program(env))
    return ok(name, "%s; %s" % (where, "last used at %s" % _clock(last.at) if last else "not used yet"))


def _missing(way: Way, env: Mapping[str, str]) -> str:
    """What this machine lacks for it, or ""."""
    if way.name == DESKTOP and not carrying.desktop_program(env):
        return "neither of %s is on the PATH" % ", ".join(carrying.DESKTOPS)
    if way.argv and not carrying.there(way.argv[0], env):
        return "%s is not there" % way.argv[0]
    return ""


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def tried(home: Home, config: Config, env: Mapping[str, str]) -> Iterator[Row]:
    """A test notice by each way; and what waits is sent. Raises AgentctlError, OSError."""
    ways = noticing.ways(config.notify)
    if not ways:
        raise AgentctlError("no way is configured", "see `agentctl help notices`")
    test = Notice(id="test", event="test", title="a test of agentctl", home=home.path, at=time.time())
    for way in ways:
        problem = carrying.carry(way, test.replace(text="sent by `%s`" % _TRY), env)
        shelf.note(home, way.name, test, problem)
        name = "notify %s test" % way.name
        yield fail(name, problem, edit(home.config)) if problem else ok(name, "sent: it should be with you now")
    posting.send_for(home)
