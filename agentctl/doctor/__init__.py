"""`agentctl doctor`: everything agentctl depends on, a row each, with the command that mends it.

Nothing of the user's is changed, and nothing is started but questions to the vendors'
CLIs. Two things of our own are: the home is written in, to see whether that works, and
cleaned up; and which pane `tmux_sendkeys_target` means now is noted in its about.json,
as with every wake. `--wake` posts events and types; `--notify` sends a test notice.
Each check stands alone: what breaks one is its row, and hides none of the others.
"""

from __future__ import annotations

import time

from .. import config as configuration
from .. import paths
from .. import store
from . import home as at_home
from . import listeners
from . import records
from . import system
from . import terminal
from . import vendors
from .rows import FAIL
from .rows import Row
from .rows import guarded
from .rows import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from typing import Optional

    from ..config import Config
    from ..store import Home
    from .vendors import Version

__all__ = ["Row", "examine", "healthy", "notify_test", "wake_round_trip"]


def examine(
    path: str,
    env: Mapping[str, str],
    missing_profiles: Callable[[Optional[Version]], tuple[list[str], str]],
    now: Optional[float] = None,
) -> Iterator[Row]:
    """The rows of the home at `path`, which need not be there, and of all around it."""
    for row in _all(path, env, missing_profiles, now):
        yield _for_home(row, path, env)


def _for_home(row: Row, path: str, env: Mapping[str, str]) -> Row:
    """Our own commands are to mean this very home."""
    ours = row.remedy.startswith(("agentctl ", "orch")) and "--home" not in row.remedy
    if not ours or path == paths.home_folder("", env):
        return row
    return row.replace(remedy="AI_ORCH_HOME=%s %s" % (quote(path), row.remedy))


def _all(
    path: str,
    env: Mapping[str, str],
    missing_profiles: Callable[[Optional[Version]], tuple[list[str], str]],
    now: Optional[float],
) -> Iterator[Row]:
    at = time.time() if now is None else now
    home = store.Home(path)
    usable = guarded("home", lambda: at_home.rows(path, env))
    there = len(usable) > 1  # a single row says why it is none
    config = configuration.load(home)[0]
    yield from guarded("python", lambda: [system.python()])
    yield from usable
    yield from guarded("memory", lambda: [system.memory(system.meminfo())])
    if there:
        yield from guarded("records", lambda: records.check(home, config))
    yield from guarded("tmux", lambda: terminal.check(home, config, env, vendors.programs(config, env)))
    yield from guarded(
        "vendors", lambda: vendors.check(home, config, records.defaults(home, config), env, missing_profiles)
    )
    if there:
        yield from guarded("orchestrators", lambda: listeners.check(home, config, env, at))
        yield from guarded("notify", lambda: _notices(home, config, env, at))


def _notices(home: Home, config: Config, env: Mapping[str, str], at: float) -> Iterable[Row]:
    from . import noticing  # with what speaks HTTP

    return noticing.check(home, config, env, at)


def notify_test(path: str, env: Mapping[str, str]) -> Iterator[Row]:
    """A test notice by each way that is configured, and what became of it."""
    from . import noticing

    home = store.Home(path)
    for row in guarded("notify", lambda: noticing.tried(home, configuration.load(home)[0], env)):
        yield _for_home(row, path, env)


def wake_round_trip(path: str, env: Mapping[str, str]) -> Iterator[Row]:
    """A test event through each transport, to the caller's orchestrator or each that lives."""
    from . import waking

    home = store.Home(path)
    for row in guarded("wake", lambda: waking.check(home, configuration.load(home)[0], env)):
        yield _for_home(row, path, env)


def healthy(rows: list[Row]) -> bool:
    """Whether nothing that agentctl needs is broken."""
    return all(row.state != FAIL for row in rows)
