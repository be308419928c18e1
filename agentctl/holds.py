"""Pools that are held: a vendor's account that has no more to give until a certain time.

    holds/<backend>-<account>    until when and why; written by the runner whose worker ran into it
    holds/lock                   short critical sections

`account` is a hash of what tells accounts apart in a worker's environment: no key is in it.
Where the vendor names no end, the hold is for a minute, then two, four, up to half an hour,
until a worker of the pool ends well. Who removes the file lifts the hold.
"""

from __future__ import annotations

import os

from . import files
from . import locks
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
    from typing import Optional

    from .store import Home

REASONS = {"usage": "usage limit", "rate": "rate limit", "overload": "overload"}
"""What passes by itself, in words. A refused login (LOGIN) does not: it holds nobody."""
LOGIN = "login"
_LONGEST_S = 1800.0
_FORGOTTEN_S = 3600.0
"""After so long nobody knows whether the trouble is still the same."""
_JITTER_S = 2.0
_SAME_S = 60.0
_ACCOUNTS = {
    "claude": (
        *("CLAUDE_CONFIG_DIR", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"),
        *("ANTHROPIC_BASE_URL", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"),
    ),
    "codex": ("CODEX_HOME", "OPENAI_API_KEY", "CODEX_API_KEY", "OPENAI_BASE_URL"),
    "cursor": ("CURSOR_API_KEY",),
}


class Hold(Record):
    """A pool has nothing to give `until` (0.0: its vendor does not say) and `jitter` seconds more.

    `count` holds in a row had no known end; `told` says which orchestrators were told of
    which end; `at` is when it was run into, by `run`.
    """

    until: float = 0.0
    jitter: float = 0.0
    reason: str = ""
    words: str = ""
    count: int = 0
    run: str = ""
    at: float = 0.0
    told: Optional[dict[str, Any]] = None

    @property
    def over_at(self) -> float:
        return self.until + self.jitter


def pool(backend: str, variable: Callable[[str], str]) -> str:
    """The name of the pool of a backend, in an environment whose variables `variable` tells."""
    try:
        from _blake2 import blake2s
    except ImportError:
        from hashlib import blake2s  # it brings OpenSSL along, 3 MB in each runner

    names = _ACCOUNTS.get(backend) or tuple(name for those in _ACCOUNTS.values() for name in those)
    said = "\0".join(variable(name) for name in (*names, "HOME"))
    account = blake2s(said.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return "%s-%s" % ("".join(c if c.isalnum() else "_" for c in backend)[:80], account)


def path(home: Home, name: str) -> str:
    """The file that says that a pool is held."""
    return os.path.join(home.holds, name)


def in_force(home: Home, name: str, now: float) -> Optional[Hold]:
    """The hold of a pool, where it is held now."""
    hold = _load(home, name)
    return hold if hold and hold.over_at > now else None


def note(home: Home, name: str, met: Hold, first_s: float) -> Hold:
    """A worker ran into a limit at `met.at`; the hold of its pool from now on. The later end wins. Raises OSError."""
    files.private_folder(home.holds)
    with _lock(home):
        before = _load(home, name)
        hold = next_hold(before, met, first_s)
        if hold != before:
            hold = hold.replace(jitter=_JITTER_S * int.from_bytes(os.urandom(2), "big") / 65536)
            files.replace(path(home, name), files.dump(hold.to_json()))
        return hold


def next_hold(before: Optional[Hold], met: Hold, first_s: float) -> Hold:
    """The hold after a worker ran into `met`, given the last one of its pool. Pure."""
    if before is None or met.at - before.over_at > _FORGOTTEN_S:
        before = Hold()
    if met.until > met.at:
        return before if before.until >= met.until else met.replace(told=before.told)
    if before.over_at > met.at:
        return before  # another run of the pool met the same a moment ago
    seconds = min(first_s * 2 ** min(before.count, 20), _LONGEST_S)
    return met.replace(until=met.at + seconds, count=before.count + 1, told=before.told)


def worth_telling(home: Home, name: str, orchestrator: str) -> bool:
    """Whether this orchestrator has not been told yet of the pool's hold; from now on it has. Raises OSError."""
    with _lock(home):
        hold = _load(home, name)
        if hold is None:
            return False
        told = (hold.told or {}).get(orchestrator)
        if isinstance(told, (int, float)) and (hold.count or abs(hold.until - told) < _SAME_S):
            return False
        after = hold.replace(told={**(hold.told or {}), orchestrator: hold.until})
        files.replace(path(home, name), files.dump(after.to_json()))
        return True


def lift(home: Home, name: str, since: float) -> None:
    """A worker that was started at `since` ended well: what its pool ran into before is over. Raises OSError."""
    if _load(home, name) is None:
        return
    with _lock(home):
        hold = _load(home, name)
        if hold and hold.at < since:
            files.remove(path(home, name))


def _load(home: Home, name: str) -> Optional[Hold]:
    raw = files.load(path(home, name), 1 << 16)
    return Hold.from_json(raw) if isinstance(raw, dict) else None


def _lock(home: Home) -> locks.holding:
    return locks.holding(os.path.join(home.holds, "lock"))
