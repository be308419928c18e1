"""What tokens cost, by a dated table: pure, and never a guess.

A table is an object of models; each is a list of entries {since, input, cached, output}
in USD per million tokens, of which the one in force on a day counts. A single entry may
stand without its list, and without `since` it was always in force.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

    from .measures import Usage

_MILLION = 1e6
_DAY = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z")
_VARIANT = re.compile(r"\[[^\]]*\]\Z")
_DATE = re.compile(r"[-@](\d{8}|\d{4}-\d\d-\d\d)\Z")
_KEYS = ("input", "cached", "output")


def wrong_with(table: object) -> str:
    """Why this is no table of prices, or ""."""
    if table is None:
        return ""
    if not isinstance(table, dict):
        return "it is an object of prices by model"
    for model, listed in table.items():
        for entry in listed if isinstance(listed, list) else [listed]:
            wrong = _wrong_with_entry(entry)
            if wrong:
                return "%s: %s" % (model, wrong)
    return ""


def _wrong_with_entry(entry: object) -> str:
    if not isinstance(entry, dict):
        return "a price is an object with input, cached, output and since"
    since = entry.get("since", "")
    if since != "" and not (isinstance(since, str) and _DAY.match(since)):
        return "since is a day as 2026-11-20"
    good = all(_price(entry.get(key)) is not None for key in ("input", "output"))
    good = good and (entry.get("cached") is None or _price(entry["cached"]) is not None)
    return "" if good else "input, cached and output are USD per million tokens, 0 or more"


def _price(value: object) -> Optional[float]:
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _MILLION
    return float(value) if known else None  # type: ignore[arg-type]


def names(model: str) -> list[str]:
    """The names under which a model's price may stand, the most exact first.

    `claude-haiku-4-5-20251001[1m]` is also `claude-haiku-4-5-20251001` and `claude-haiku-4-5`.
    """
    plain = _VARIANT.sub("", model)
    return list(dict.fromkeys((model, plain, _DATE.sub("", plain))))


def in_force(table: dict[str, Any], model: str, day: str) -> Optional[dict[str, Any]]:
    """The entry for a model on a day (2026-11-20), or None."""
    listed: Any = next((table[name] for name in names(model) if name in table), [])
    entries = listed if isinstance(listed, list) else [listed]
    known = [entry for entry in entries if str(entry.get("since") or "") <= day]
    return max(known, key=lambda entry: str(entry.get("since") or "")) if known else None


def cost(entry: dict[str, Any], used: Usage) -> Optional[float]:
    """USD for the tokens used; None where a count or its price is unknown.

    A worker that does not tell cached tokens apart has them in `input`.
    """
    counts = (used.input, used.cached or 0, used.output)
    total = 0.0
    for key, count in zip(_KEYS, counts):
        price = _price(entry.get(key))
        if count is None or price is None and count:
            return None
        total += count * (price or 0.0)
    return total / _MILLION
