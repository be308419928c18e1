"""A moment as people write it for `--since`: so long ago, or a date."""

from __future__ import annotations

import re

from .. import text
from ..errors import usage_error
from ..figures import of_run

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?Z?)?\Z")


def moment(words: str, now: float) -> float:
    """Seconds since the epoch of `7d` (ago), `2026-11-01` or `2026-11-01T12:30:00Z`. Raises AgentctlError."""
    found = _MOMENT.match(words)
    try:
        if not found:
            return now - text.seconds(words)
        parts = [int(part or 0) for part in found.groups()]
        moment = text.utc(*parts)
        if of_run.day(moment) == words[:10] and max(parts[4:]) < 60:
            return moment
    except ValueError:
        pass  # said below, in our words
    raise usage_error("--since %s is no time" % words, "as 7d, 12h, 30m or 2026-11-01")
