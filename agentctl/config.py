"""What the user configured: config.json and profiles.

Only the user's own home and the shipped defaults are read, never a file of the
repository a worker runs in. A damaged file is said, kept as it is, and replaced
by the defaults for this one command; nothing writes over it.
"""

from __future__ import annotations

import os

from . import backends
from . import files
from . import paths
from . import sense
from . import text
from .errors import AgentctlError
from .errors import usage_error
from .model import EDIT
from .model import PERMISSIONS
from .record import Record
from .settings import Choice
from .settings import Profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

    from .store import Home


class Config(Record):
    """config.json. Times in seconds, sizes in bytes.

    `tmux_session`: where worker panes go ("" is the caller's own tmux session, or
    `ai` outside tmux); `tmux_socket`: a server's name or socket path.
    `tmux_notify_target`: a pane whose status line is told of each end;
    `tmux_sendkeys_target`: a pane to tell in place of one that merely called `start`.
    `wake`: the transports to try, in order; or an object of such lists by orchestrator,
    `*` for the others. `wake_keys`: false takes the keys out of it.
    `orch_allow`: what an orchestrator that `orch` starts may run unasked, in Claude's words.
    `idle_notice_s`: a worker that printed nothing for so long is told of; 0 never.
    `keep_panes`: "failed" keeps the panes of runs that did not reach their goal,
    "always" and "never" say themselves.
    `stop_grace_s`: between TERM and KILL; `exit_grace_s`: how long a worker may live
    on after it reported. `backends`: the user's own, by name (agentctl help backends).
    `max_parallel`: how many runs may work at a time: a number for the home, or an object of
    numbers by backend, `*` for the home; absent: no limit. `default_parallel`: of those of
    one `spawn`. `stagger_s`: between two starts of one vendor. `port_base`, `ports_per_slot`:
    what AGENTCTL_PORT_BASE is made of. `min_free_disk_mb`, `min_free_memory_mb`: with less
    free nothing is started. `worktree_dir`: where worktrees are made ("": in the home),
    `branch_prefix` of their branches, `setup_timeout_s` of a project's setup command.
    `bypass_permissions`: rules added to the `allow` of every profile that may edit.
    `rescue_ignored`: whether a cleanup saves ignored files too; `rescue_limit_mb`: a
    worktree with more to save is kept instead.
    `keep_awake`: whether the machine is kept awake while the driver of a goal lives.
    `hold_first_s`: how long a pool is held where its vendor names no end, doubled each time;
    `hold_at_most_s`: a run whose pool is held for longer fails and waits no more.
    `day_limits`: cost_usd, turns, tokens that the runs which begin on one day may use.
    `notify`: what a person is told of, and by which ways (agentctl help notices).
    `prices`: USD per million tokens by model, before the shipped ones (agentctl help figures).
    `problem` and `wrong` are not read from it: what is not used of the file, or ""; and of
    that what has the wrong type or no sense, for which nothing may be started.
    """

    tmux_session: str = ""
    tmux_socket: str = ""
    tmux_notify_target: str = ""
    tmux_sendkeys_target: str = ""
    panes_per_window: int = 6
    keep_panes: str = "failed"
    wake: Optional[Any] = None
    wake_keys: bool = True
    orch_allow: Optional[list[str]] = None
    idle_notice_s: float = 900.0
    stop_grace_s: float = 5.0
    exit_grace_s: float = 15.0
    verify_timeout_s: float = 600.0
    max_output_bytes: int = 256 << 20
    default_profile: str = "spark"
    executables: Optional[dict[str, str]] = None
    max_parallel: Optional[Any] = None
    default_parallel: Optional[int] = None
    stagger_s: float = 1.0
    port_base: int = 20000
    ports_per_slot: int = 100
    min_free_disk_mb: int = 512
    min_free_memory_mb: int = 256
    worktree_dir: str = ""
    branch_prefix: str = "agentctl"
    setup_timeout_s: float = 600.0
    bypass_permissions: Optional[list[str]] = None
    rescue_ignored: bool = True
    rescue_limit_mb: int = 2048
    keep_awake: bool = True
    hold_first_s: float = 60.0
    hold_at_most_s: float = 43200.0
    day_limits: Optional[dict[str, Any]] = None
    profiles: Optional[dict[str, Any]] = None
    backends: Optional[dict[str, Any]] = None
    prices: Optional[dict[str, Any]] = None
    notify: Optional[Any] = None
    problem: str = ""
    wrong: str = ""


_SETTINGS = Config().to_json().keys() - {"problem", "wrong"}
_ABOVE_ZERO = (
    "panes_per_window",
    "default_parallel",
    "ports_per_slot",
    "port_base",
    "verify_timeout_s",
    "setup_timeout_s",
    "hold_first_s",
)
DEFAULT_SESSION = "ai"


def load(home: Home) -> tuple[Config, str]:
    """The configuration, and its `problem`: said by whoever talks to the user."""
    raw: object = {}
    problem = wrong = ""
    try:
        raw = files.parse(files.read(home.config))
    except FileNotFoundError:
        pass  # nothing is configured
    except (OSError, ValueError) as e:
        problem = "%s cannot be read (%s): using defaults" % (home.config, e)
    if not isinstance(raw, dict):
        problem = "%s is not a JSON object: using defaults" % home.config
    elif not problem:
        faults = _faults(raw)
        wrong = ", ".join(faults.values())
        unknown = ["`%s` is no setting" % name for name in raw if name not in _SETTINGS]
        if unknown or wrong:
            problem = "%s: %s: ignored" % (home.config, ", ".join([*unknown, *faults.values()]))
        raw = {name: value for name, value in raw.items() if name not in faults.keys() - {"wake"}}
    return Config.from_json(raw).replace(problem=problem, wrong=wrong and "%s: %s" % (home.config, wrong)), problem


def sound(home: Home) -> Config:
    """The configuration for whoever starts or changes something. Raises AgentctlError that names key and file."""
    config, _ = load(home)
    if config.wrong:
        raise AgentctlError(config.wrong, "mend the file: see `agentctl help config`")
    return config


def _faults(raw: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the values, by setting: their type, or that they make no sense."""
    found = {n: "`%s` must be above 0" % n for n in _ABOVE_ZERO if isinstance(raw.get(n), (int, float)) and raw[n] <= 0}
    found.update({n.partition(".")[0]: "`%s` has the wrong type" % n for n in misfits(Config, raw)})
    for name, wrong in sense.CHECKS:
        said = wrong(raw.get(name))
        found.update({name: "`%s`: %s" % (name, said)} if said else {})
    return {name: words for name, words in found.items() if name in _SETTINGS}


def misfits(kind: type[Record], raw: dict[str, Any]) -> list[str]:
    """The fields of a record (`limits.max_turns` within another) whose value in `raw` it does not take."""
    fitted = kind.from_json(raw).to_json()
    return [name + more for name in raw if name in fitted for more in _differences(raw[name], fitted[name])]


def _differences(given: object, taken: object) -> list[str]:
    if isinstance(given, dict) and isinstance(taken, dict):
        return ["." + name + more for name in given if name in taken for more in _differences(given[name], taken[name])]
    return [] if given == taken and isinstance(given, bool) == isinstance(taken, bool) else [""]


def transports(config: Config, orchestrator: str) -> tuple[str, ...]:
    """How to wake an orchestrator, in order; what is no transport is left out."""
    wanted = config.wake.get(orchestrator, config.wake.get("*")) if isinstance(config.wake, dict) else config.wake
    listed = wanted if isinstance(wanted, list) else sense.TRANSPORTS
    return tuple(dict.fromkeys(t for t in listed if t in sense.TRANSPORTS and (config.wake_keys or t != "keys")))


def profiles(config: Config) -> dict[str, Profile]:
    """The shipped profiles, with the user's own of the same name before them. Raises AgentctlError."""
    return {name: _profile(name, entry) for name, entry in _profile_entries(config).items()}


def _profile_entries(config: Config) -> dict[str, Any]:
    shipped = files.load(paths.asset("config", "profiles.json")) or {}
    raw = dict(shipped.get("profiles") or {})
    for name, entry in (config.profiles or {}).items():
        raw[name] = {**raw.get(name, {}), **entry} if isinstance(entry, dict) else entry
    return raw


def _profile(name: str, raw: object) -> Profile:
    wrong = _wrong_with_profile(raw)
    if wrong or not isinstance(raw, dict):
        raise AgentctlError("profile `%s` in config.json: %s" % (name, wrong), "see `agentctl help profiles`")
    choices = tuple(Choice.from_json(c) for c in raw.get("backends") or ())
    return Profile.from_json({**raw, "backends": None}).replace(name=name, backends=choices)


def _wrong_with_profile(raw: object) -> str:
    if not isinstance(raw, dict):
        return "it is not an object"
    listed = raw.get("backends") or []
    if not isinstance(listed, list) or not all(isinstance(c, dict) and c.get("backend") for c in listed):
        return "backends is a list of objects, each with a `backend`"
    found = misfits(Profile, {k: v for k, v in raw.items() if k not in ("backends", "env")})
    found += ["backends." + field for choice in listed for field in misfits(Choice, choice)]
    if found:
        return "%s has the wrong type" % ", ".join(found)
    if raw.get("permissions", EDIT) not in PERMISSIONS:
        return "permissions is one of %s" % ", ".join(PERMISSIONS)
    return _wrong_with_env(raw.get("env"))


def _wrong_with_env(env: object) -> str:
    """Numbers are taken for what they look like; a name or value that no environment can hold is not."""
    if env is not None and not isinstance(env, dict):
        return "env is an object of names and values"
    for name, value in (env or {}).items():
        if not isinstance(value, (str, int, float)) or not name or "=" in name or not _encodable(name + str(value)):
            return "env: `%s` cannot be in an environment" % name
    return ""


def _encodable(words: str) -> bool:
    try:
        return b"\0" not in os.fsencode(words)
    except UnicodeEncodeError:
        return False  # a lone surrogate


def backend(config: Config, name: str) -> Optional[dict[str, Any]]:
    """The description of a backend of the user's own; None for one of ours.

    Raises AgentctlError for a name that is neither, and for a description that will not do.
    """
    own = config.backends or {}
    if name not in own:
        if name not in backends.NAMES:
            raise usage_error("no backend named `%s`" % name, "one of: %s" % ", ".join([*backends.OFFERED, *own]))
        return None
    wrong = backends.wrong_with(own[name])
    if wrong:
        raise AgentctlError("backend `%s` in config.json: %s" % (name, wrong), "see `agentctl help backends`")
    described: dict[str, Any] = own[name]
    return described


def profile(config: Config, name: str) -> Profile:
    """A profile by name. Raises AgentctlError that names the closest one."""
    known = _profile_entries(config)
    if name in known:
        return _profile(name, known[name])
    hint = meant(name, list(known))
    raise usage_error("no profile named `%s`" % name, "%s (%s)" % (hint, config.problem) if config.problem else hint)


def meant(name: str, known: list[str]) -> str:
    """A hint: the closest known name, or all of them."""
    guess = text.closest(name, known)
    return "did you mean `%s`?" % guess if guess else "known: %s" % ", ".join(sorted(known) or ["none"])
