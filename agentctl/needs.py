"""What a live run has to tell its orchestrator before it ends: that it needs a person, or news of its own.

`needs` decides from plain facts; `Teller` posts each once and has somebody deliver it.
"""

from __future__ import annotations

from . import holds
from . import inbox
from . import notify
from . import text
from . import wake
from .notices import posting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import Limits
    from .model import Spec
    from .progress import Progress
    from .store import Run

_RETRIES = 3
_NEARLY = 0.8
_OF_POOL = (*holds.REASONS, holds.LOGIN)
"""Limits that concern more than the run: they are told with their end, once it is seen what comes of them (held.py)."""


def needs(progress: Progress, limits: Limits, quiet_s: float, idle_notice_s: float) -> dict[str, str]:
    """Kind of event → what it is about, for all that is so now."""
    found = news(progress)
    if progress.denied:
        found[inbox.DENIED] = "was refused: %s" % text.one_line(progress.denied[0], 80)
    if progress.limit and progress.limit.get("reason") not in _OF_POOL:
        found[inbox.LIMIT] = text.one_line(progress.limit.get("text") or "its vendor's limit", 160)
    if progress.retries >= _RETRIES and progress.retrying:
        found[inbox.BLOCKED] = "has tried %d times" % progress.retries
    nearly = _nearly_spent(progress, limits)
    if nearly:
        found[inbox.BUDGET] = nearly
    if idle_notice_s and quiet_s >= idle_notice_s and not progress.reported:
        found[inbox.IDLE] = "has printed nothing for %s" % text.duration(quiet_s)
    return found


def news(progress: Progress) -> dict[str, str]:
    """Of `needs`, what is told of a worker that has ended, too."""
    return {"%s-%d" % (inbox.NEWS, n): words for n, words in enumerate(progress.news, 1)}


def _nearly_spent(progress: Progress, limits: Limits) -> str:
    used = progress.usage
    spent = used.money
    if limits.max_cost_usd and (spent or 0) >= _NEARLY * limits.max_cost_usd:
        return "has used %s of %s" % (text.money(spent), text.money(limits.max_cost_usd))
    if limits.max_turns and (used.turns or 0) >= _NEARLY * limits.max_turns:
        return "has used %d of %d turns" % (used.turns or 0, limits.max_turns)
    if limits.max_tokens and (used.tokens or 0) >= _NEARLY * limits.max_tokens:
        return "has used %d of %d tokens" % (used.tokens or 0, limits.max_tokens)
    return ""


def tell_limit(run: Run, spec: Spec, number: int, words: str) -> None:
    """A limit that concerns more than the run; the `number`th that it tells of."""
    kind = inbox.LIMIT if number == 1 else "%s-%d" % (inbox.LIMIT, number)
    Teller(run, spec).look({kind: words})


class Teller:
    """Posts what one run needs, each kind once. A full disk loses nothing: the next look posts it."""

    def __init__(self, run: Run, spec: Spec) -> None:
        self._run = run
        self._spec = spec
        self._told: set[str] = set()

    def look(self, found: dict[str, str]) -> None:
        """Post what is new, then wake whom it concerns; a run without an orchestrator has its person still."""
        fresh = [kind for kind in found if kind not in self._told]
        if not fresh:
            return
        try:
            posted = [kind for kind in fresh if notify.post(self._run, self._spec, kind, found[kind])]
            if posted:
                wake.send_for(self._run.home, self._spec.wake.orchestrator)
            posting.of_needs(self._run, self._spec, {kind: found[kind] for kind in fresh})
            self._told.update(fresh)
        except OSError:
            pass  # a full disk: it is tried again at the next look
