"""Words for people: made safe for a terminal, cut to length, in human units.

Whatever a worker or a model wrote may hold escape sequences that set the title,
the clipboard, or type answers into the pane. Every sink for people passes here;
sinks for programs are ASCII JSON.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Optional

# Controls, DEL, C1, and the characters that reorder or hide text.
_UNSAFE: dict[int, Optional[int]] = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
_UNSAFE.update(dict.fromkeys((0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)))
_UNSAFE.update({ord(c): ord(" ") for c in "\t\r\v\f\u0085\u2028\u2029"})
STYLES = {"": "", "bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
"""Names of styles and their terminal codes; no meaning is carried by colour alone."""

_LINE = {**_UNSAFE, ord("\n"): ord(" ")}
_LINES = {n: c for n, c in _UNSAFE.items() if n != ord("\n")}


def one_line(value: object, width: int = 0) -> str:
    """Printable, on one line, with spaces folded, at most `width` characters."""
    text = str(value)[: 4 * width if width else None]
    if not (text.isascii() and text.isprintable()):
        text = _whole(text).translate(_LINE)
    text = " ".join(text.split())
    return text if not width or len(text) <= width else text[: width - 1] + "…"


def printable(value: object) -> str:
    """Printable, with its line ends kept."""
    return _whole(str(value)).translate(_LINES)


def _whole(words: str) -> str:
    """Without lone surrogates, which no terminal encoding can write."""
    return words.encode("utf-8", "replace").decode("utf-8")


def duration(seconds: Optional[float]) -> str:
    """`42s`, `3m05s`, `2h10m`; `-` where unknown."""
    if seconds is None or not abs(seconds) < 1e12:
        return "-"
    whole = int(max(seconds, 0))
    if whole < 60:
        return "%ds" % whole
    if whole < 3600:
        return "%dm%02ds" % divmod(whole, 60)
    return "%dh%02dm" % (whole // 3600, whole % 3600 // 60)


def count(number: Optional[int]) -> str:
    """`950`, `12.3k`, `1.2M`; `-` where unknown."""
    if number is None:
        return "-"
    for size, suffix in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return "%.1f%s" % (number / size, suffix)
    return str(number)


def money(usd: Optional[float]) -> str:
    """`$0.12`; `-` where unknown, which is not the same as nothing."""
    return "-" if usd is None else "$%.2f" % usd if usd >= 0.01 or not usd else "$%.4f" % usd


def clock(at: float) -> str:
    """Local time of day; dashes for a time that no calendar has."""
    try:
        return time.strftime("%H:%M:%S", time.localtime(at))
    except (ValueError, OverflowError, OSError):
        return "--:--:--"


def moment(at: float, now: float) -> str:
    """`07:00`, local time; with the day where that is another one than now."""
    try:
        then, today = time.localtime(at), time.localtime(now)
        return time.strftime("%H:%M" if then[:3] == today[:3] else "%b %d %H:%M", then)
    except (ValueError, OverflowError, OSError):
        return "--:--"


def iso(at: Optional[float]) -> Optional[str]:
    """UTC in ISO 8601, for programs; None for a time that no calendar has."""
    try:
        return None if at is None else time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + "Z"
    except (ValueError, OverflowError, OSError):
        return None


def utc(year: int, month: int, date: int, hour: int = 0, minute: int = 0, second: int = 0) -> float:
    """Seconds since the epoch of a moment in UTC (what `timegm` does; `calendar` costs 5 ms)."""
    years = year - (month <= 2)
    era, of_era = divmod(years, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + date - 1
    days = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
    return float(((days * 24 + hour) * 60 + minute) * 60 + second)


def seconds(words: str) -> float:
    """Seconds from `90`, `45s`, `30m`, `8h`, `1h30m`. Raises ValueError."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    total, number = 0.0, ""
    for c in words.strip().lower():
        if c in units and number:
            total, number = total + float(number) * units[c], ""
        elif c.isdigit() or c == ".":
            number += c
        else:
            raise ValueError(words)
    total += float(number) if number else 0.0
    if total <= 0:
        raise ValueError(words)
    return total


def closest(word: str, known: list[str]) -> str:
    """The known word that was probably meant, or ""."""
    from difflib import get_close_matches

    found = get_close_matches(word, known, 1)
    return found[0] if found else ""


def public(record: dict[str, Any]) -> dict[str, Any]:
    """A result or row as programs get it: times in ISO 8601."""
    return {k: iso(v) if k.endswith("_at") and isinstance(v, (int, float)) else v for k, v in record.items()}
