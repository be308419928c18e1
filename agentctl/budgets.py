"""What runs have used together, held against what they may: of a day, of a goal.

Read from result.json, and of a live run from its status.json. What nobody told counts as
nothing: a limit on turns or time is what holds where a vendor tells no cost.
"""

from __future__ import annotations

import time

from . import finding
from . import text
from .errors import AgentctlError
from .model import Limits
from .model import Usage
from .store import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from typing import Optional

    from .config import Config
    from .model import Spec
    from .store import Home

_LOOK_S = 1.0
_STAMP = "%Y%m%d-%H%M%S"


def spent(runs: Iterable[Run]) -> Usage:
    """The sum of what these runs used so far, what was billed and what subscriptions covered apart."""
    return sum((_used_by(run)[0] for run in runs), Usage())


def counted(runs: Iterable[Run]) -> Usage:
    """The same sum, to be held against a budget."""
    return sum((_counts(_used_by(run)[0]) for run in runs), Usage())


def _counts(used: Usage) -> Usage:
    """What a run used, its own money in one figure: of a sum, what was billed would hide what was covered. Pure."""
    return used.replace(cost_usd=used.money, virtual_usd=None)


def exhausted(limits: Limits, used: Usage, whose: str = "the") -> str:
    """What of `whose` budget is spent, in words; "" while something of everything is left. Pure."""
    held_against = (
        (limits.max_cost_usd, used.money, text.money),
        (limits.max_turns, used.turns, "%d turns".__mod__),
        (limits.max_tokens, used.tokens, "%d tokens".__mod__),
    )
    for most, taken, words in held_against:
        if most is not None and taken is not None and taken >= most:
            return "%s budget of %s is spent: %s" % (whose, words(most), words(taken))
    return ""


def left(limits: Limits, used: Usage) -> Limits:
    """What a budget leaves for the next run, as its own limits; ask `exhausted` first. Pure.

    None stays None: what has no limit, and time, which is the caller's to count.
    """
    cost, turns, tokens = limits.max_cost_usd, limits.max_turns, limits.max_tokens
    return limits.replace(
        max_cost_usd=None if cost is None else max(cost - (used.money or 0.0), 0.01),
        max_turns=None if turns is None else max(turns - (used.turns or 0), 1),
        max_tokens=None if tokens is None else max(tokens - (used.tokens or 0), 1),
    )


def check_day(home: Home, config: Config) -> None:
    """Raises AgentctlError where today's budget is spent."""
    now = time.time()
    over = Day(home, _limits(config), now).over(Usage(), now)
    if over:
        raise AgentctlError(over, 'wait for tomorrow, or raise "day_limits" in config.json')


class Day:
    """The budget of the day on which a run began; `besides` is that run, which tells itself what it used."""

    def __init__(self, home: Home, limits: Limits, began: float, besides: str = "") -> None:
        self._home = home
        self._limits = limits
        self._from, self._until = _bounds(began)
        self._besides = besides
        self._ended: dict[str, Usage] = {}
        self._others = Usage()
        self._looked_at: Optional[float] = None

    def over(self, own: Usage, now: float) -> str:
        """What of the day's budget is spent, in words, or "". Looks at other runs at most once a second."""
        if self._looked_at is None or not 0 <= now - self._looked_at < _LOOK_S:
            self._others, self._looked_at = sum((self._used(run) for run in self._runs()), Usage()), now
        return exhausted(self._limits, self._others + _counts(own), "the day's")

    def _runs(self) -> Iterator[Run]:
        for run_id in finding.between(self._home, _stamp(self._from), _stamp(self._until)):
            if run_id != self._besides:
                yield Run(self._home, run_id)

    def _used(self, run: Run) -> Usage:
        """A result never changes, and is read once."""
        if run.id not in self._ended:
            used, over = _used_by(run)
            if not over:
                return _counts(used)
            self._ended[run.id] = _counts(used)
        return self._ended[run.id]


def of_run(home: Home, config: Config, spec: Spec) -> Optional[Day]:
    """The day whose budget a run has to keep; None where there is none, or it costs nothing."""
    if not config.day_limits or spec.backend == "shell":
        return None
    return Day(home, _limits(config), spec.created_at, spec.id)


def _limits(config: Config) -> Limits:
    asked = config.day_limits or {}
    return Limits(max_cost_usd=asked.get("cost_usd"), max_turns=asked.get("turns"), max_tokens=asked.get("tokens"))


def _used_by(run: Run) -> tuple[Usage, bool]:
    """What a run used, and whether that is the end of it."""
    record = run.recorded()
    said = run.progress() if record is None else record
    return Usage.from_json(said.get("usage")), record is not None


def _bounds(at: float) -> tuple[float, float]:
    """The local midnights before and after a moment."""
    day = time.localtime(at)
    begin, end = (time.mktime((day[0], day[1], day[2] + n, 0, 0, 0, 0, 0, -1)) for n in (0, 1))
    return begin, end


def _stamp(at: float) -> str:
    return time.strftime(_STAMP, time.gmtime(at))
