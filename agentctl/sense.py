"""Which values of config.json make sense. Pure: each says what is wrong with its setting, or ""."""

from __future__ import annotations

from . import noticing
from . import prices

TRANSPORTS = ("pull", "hooks", "keys", "status")
DAY_LIMITS = ("cost_usd", "turns", "tokens")


def wrong_with_parallel(wanted: object) -> str:
    numbers = list(wanted.values()) if isinstance(wanted, dict) else [] if wanted is None else [wanted]
    good = all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in numbers)
    return "" if good else "it is a number above 0, or an object of such numbers by backend"


def wrong_with_prefix(raw: object) -> str:
    """By the rules of git check-ref-format, for each part."""
    parts = raw.split("/") if isinstance(raw, str) else ["x"]
    bad = [p for p in parts if p in ("", "@") or p[0] in ".-" or p.endswith((".", ".lock")) or ".." in p or "@{" in p]
    strange = isinstance(raw, str) and any(c <= " " or c in "~^:?*[\\\x7f" for c in raw)
    return "no branch can begin like this" if bad or strange else ""


def wrong_with_wake(raw: object) -> str:
    lists = list(raw.values()) if isinstance(raw, dict) else [] if raw is None else [raw]
    good = all(isinstance(words, list) and all(w in TRANSPORTS for w in words) for words in lists)
    return "" if good else "it is a list of %s, or an object of such lists" % ", ".join(TRANSPORTS)


def wrong_with_day(raw: object) -> str:
    names = raw if isinstance(raw, dict) else {}
    good = all(isinstance(n, (int, float)) and not isinstance(n, bool) and n > 0 for n in names.values())
    good = good and names.keys() <= set(DAY_LIMITS)
    return "" if good else "it is an object of numbers above 0: %s" % ", ".join(DAY_LIMITS)


CHECKS = (
    ("day_limits", wrong_with_day),
    ("wake", wrong_with_wake),
    ("max_parallel", wrong_with_parallel),
    ("branch_prefix", wrong_with_prefix),
    ("prices", prices.wrong_with),
    ("notify", noticing.wrong_with),
)
