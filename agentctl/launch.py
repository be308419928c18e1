"""Putting a planned run into the world: stage its folder, give its runner a pane.

`start` returns as soon as tmux has made the pane; the run is born when its runner
holds the lock. Where that never happens a reader settles it.
"""

from __future__ import annotations

import os
import time

from . import birth
from . import environ
from . import files
from . import inbox
from . import locks
from . import orchestrators
from . import paths
from . import processes
from . import tmux
from .config import DEFAULT_SESSION
from .config import Config
from .errors import AgentctlError
from .planning import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Optional

    from .store import Home
    from .store import Run


_MOST_PLACES = 64
_LOOK_AGAIN_S = 0.02


class _turn_at_tmux:  # noqa: N801
    """tmux's lock, with the grace of staged runs renewed while another's thousand panes are opened."""

    def __init__(self, home: Home, runs: Sequence[Run]) -> None:
        self._path = home.tmux_lock
        self._runs = runs
        self._lock = -1

    def __enter__(self) -> None:
        lock, last = locks.try_take(self._path), 0.0
        while lock is None:
            last = birth.renewed(self._runs, last)
            time.sleep(_LOOK_AGAIN_S)  # not in flock(2): whoever sleeps in it cannot renew
            lock = locks.try_take(self._path)
        self._lock = lock

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)


def stage(home: Home, config: Config, plan: Plan, env: Mapping[str, str], umask: int) -> Run:
    """The run's folder under its dot-name, with the caller's environment handed over."""
    if processes.in_codex_sandbox():
        raise AgentctlError(
            "in Codex's sandbox whatever is started ends with the command",
            'let agentctl out of it: put prefix_rule(pattern=["agentctl"], decision="allow") into '
            "~/.codex/rules/default.rules; see `agentctl help orchestrators`",
        )
    if config.day_limits and plan.spec.backend != "shell":
        from . import budgets  # most have none

        budgets.check_day(home, config)
    handed = environ.handed_over({os.fsencode(k): os.fsencode(v) for k, v in {**env, **plan.env}.items()}, umask)
    texts = {**plan.texts, "environment": handed}
    try:
        wake = orchestrators.addressee(home, config, env)
        spec = plan.spec.replace(wake=wake if wake.orchestrator else plan.spec.wake.replace(run=wake.run))
        run = birth.stage(home, spec, texts)
        if spec.batch or config.max_parallel is not None:
            from . import pools  # without a limit nobody queues

            pools.enrol(run, config, spec)
        if spec.wake.orchestrator:
            inbox.ring(home, spec.wake.orchestrator)  # whoever waits for its news has one more run to watch
        return run
    except OSError as e:
        raise AgentctlError(
            "cannot write in %s: %s" % (home.runs, e.strerror), "free space there, or choose another --home"
        ) from None


def launch(home: Home, config: Config, run: Run, env: Mapping[str, str], pane: bool) -> None:
    """Start the runner of a staged run. On failure nothing of the run is left; AgentctlError."""
    try:
        if pane:
            _in_pane(home, config, run, env)
        else:
            detached(_runner_argv(home, run), {"PATH": os.environ.get("PATH", os.defpath)})
    except (AgentctlError, OSError) as e:
        if isinstance(e, tmux.TmuxFailed) and _born_all_the_same(run):
            return
        if not birth.withdraw(run):
            return
        if isinstance(e, AgentctlError):
            raise
        raise _no_runner(e) from None


def launch_all(
    home: Home, config: Config, runs: Sequence[Run], env: Mapping[str, str], pane: bool
) -> Optional[AgentctlError]:
    """Start the runners of staged runs, in order; why it ended early, and then those without one are withdrawn."""
    left = list(runs)
    birth.renewed(left, 0.0)
    try:
        while left:
            started = _in_panes if pane else _each_detached
            failed = started(home, config, left, env)
            if failed is None:
                return None
            if not (isinstance(failed, tmux.TmuxFailed) and _born_all_the_same(left[0])):
                return failed
            left.pop(0)
        return None
    finally:
        for run in left:
            birth.withdraw(run)


def launch_surely(home: Home, config: Config, run: Run, env: Mapping[str, str], pane: bool) -> None:
    """Start the runner of a run that a published result names: without a screen where there is none any more."""
    try:
        if pane:
            _in_pane(home, config, run, env)
            return
    except AgentctlError:
        if _born_all_the_same(run):
            return
    detached(_runner_argv(home, run), {"PATH": os.environ.get("PATH", os.defpath)})


def _runner_argv(home: Home, run: Run) -> list[str]:
    return [*paths.PROGRAM, "_run", home.path, run.id]


def server_of(config: Config, env: Mapping[str, str]) -> tuple[tmux.Server, str]:
    """The caller's tmux server, else the configured one, else the default; and where panes go."""
    caller, pane = tmux.of_caller(env)
    if pane and not config.tmux_socket:
        return caller, config.tmux_session or pane
    return tmux.Server(socket=config.tmux_socket), config.tmux_session or DEFAULT_SESSION


def _in_pane(home: Home, config: Config, run: Run, env: Mapping[str, str]) -> None:
    server, session = server_of(config, env)
    key = "%s %s" % (server.socket, session)
    with _turn_at_tmux(home, [run]):
        places = _places(home)
        last = tmux.Place.from_json(places.get(key))
        place = tmux.open_pane(server, session, _runner_argv(home, run), max(config.panes_per_window, 1), last)
        _note(home, {**places, key: place.to_json()})


def _in_panes(home: Home, config: Config, left: list[Run], env: Mapping[str, str]) -> Optional[AgentctlError]:
    """Takes from `left` the runs that have a pane; why there are others, or None."""
    from . import manypanes

    server, session = server_of(config, env)
    key = "%s %s" % (server.socket, session)
    argvs, count, renewed = [_runner_argv(home, run) for run in left], len(left), 0.0
    with _turn_at_tmux(home, left):
        places = _places(home)
        last = tmux.Place.from_json(places.get(key))
        try:
            for place, opened in manypanes.open_all(server, session, argvs, max(config.panes_per_window, 1), last):
                last = place
                del left[: len(left) - (count - opened)]
                renewed = birth.renewed(left, renewed)
        except (AgentctlError, OSError) as e:
            return e if isinstance(e, AgentctlError) else _no_runner(e)
        finally:
            _note(home, {**places, key: last.to_json()})
    return None


def _each_detached(home: Home, _config: Config, left: list[Run], _env: Mapping[str, str]) -> Optional[AgentctlError]:
    """As `_in_panes`, without a terminal."""
    renewed = time.monotonic()
    while left:
        renewed = birth.renewed(left, renewed)
        try:
            detached(_runner_argv(home, left[0]), {"PATH": os.environ.get("PATH", os.defpath)})
        except OSError as e:
            return _no_runner(e)
        left.pop(0)
    return None


def _no_runner(error: OSError) -> AgentctlError:
    return AgentctlError("cannot start a runner: %s" % error.strerror, "see `agentctl help home`")


def _places(home: Home) -> dict[str, object]:
    places = files.load(home.places)
    return places if isinstance(places, dict) and len(places) < _MOST_PLACES else {}


def _note(home: Home, places: dict[str, object]) -> None:
    try:
        files.refresh(home.places, files.dump(places))
    except OSError:
        pass  # a full disk: the next start asks tmux for its windows


def detached(argv: list[str], env: Mapping[str, str]) -> None:
    """Run one of our own programs without a terminal, in a session of its own. Raises OSError."""
    from . import supervise

    null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        supervise.spawn(argv, environ.for_errand(env), os.devnull, null, null)
    finally:
        os.close(null)


def _born_all_the_same(run: Run) -> bool:
    """tmux can fail (a user's hook) and have made the pane; only the lock tells."""
    for _ in range(100):
        if not run.staged():
            return True
        time.sleep(0.01)
    return False
