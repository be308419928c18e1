"""The live round trip: a test event sent through each transport, and what arrived."""

from __future__ import annotations

from .. import orchestrators
from .. import trial
from . import listeners
from .rows import Row
from .rows import fail
from .rows import ok
from .rows import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from ..config import Config
    from ..store import Home
    from ..trial import Heard

_REACHING = ("hooks", "keys")


def check(home: Home, config: Config, env: Mapping[str, str]) -> Iterator[Row]:
    """The caller's orchestrator, else each that lives. Raises AgentctlError, OSError."""
    known, caller = orchestrators.known(home), orchestrators.of_caller(home, env)
    names = [at.name for at in known if at.name == caller] or [at.name for at in known if listeners.alive(home, at)]
    for name in names:
        yield from judged(name, list(trial.each(home, config, name, env)))
    if not names:
        yield warn("wake", "no orchestrator is alive to be woken", "orch")


def judged(name: str, heard: Sequence[Heard]) -> Iterator[Row]:
    """One that reaches the conversation is enough; a pull arrives only as long as the orchestrator itself waits."""
    state = warn if any(one.arrived for one in heard if one.transport in _REACHING) else fail
    for one in heard:
        title = "wake %s %s" % (name, one.transport)
        if one.arrived:
            yield ok(title, "arrived after %.2f s%s" % (one.seconds or 0, ": " + one.words if one.words else ""))
        elif one.arrived is None:
            yield ok(title, "not tried: %s" % one.words)
        else:
            yield state(title, "did not arrive: %s" % one.words, "agentctl wake --test %s" % name)
    if not heard:
        yield fail("wake " + name, "no transport is configured", "agentctl help wake")
