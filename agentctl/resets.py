"""When a vendor's limit ends: from what its program says of it to a moment. Pure but for the table of time zones.

    1767222000            seconds or milliseconds since the epoch, as a number or its digits
    2026-02-15T15:00:00Z  ISO 8601; without a zone the machine's own
    3pm (UTC)             a time of day, the next one; also 10:20 AM, 15:00, Mon 12am, tomorrow at 9am
    Feb 20th, 2026 10:20 AM      also Feb 20 at 3pm (Europe/Berlin)
    2 hours 5 minutes     from now; also 6m0s, 1.5s, 500ms, an hour, less than a minute

What is none of these is None: an end that nobody knows is not one.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from datetime import tzinfo
    from typing import Optional

_LONGEST = 200
_NO_LONGER = 400 * 86400.0
"""No limit is that far away: a number that says so counts something else."""
_JUST_PAST_S = 120.0
"""A time of day is told without its seconds: one that was a moment ago is meant, and not tomorrow's."""
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_SPAN = re.compile(
    r"(\d+(?:\.\d+)? ?|an? )"
    r"(ms|milliseconds?|d(?:ays?)?|h(?:ours?|rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)(?![a-z])"
)
_BETWEEN = re.compile(r"(?:\s|,|and\b|about\b|less than\b|~)*\Z")
_ZONE = re.compile(r"\(([A-Za-z_]+(?:/[A-Za-z0-9_+-]+)*)\)|\b(UTC|GMT)\b")
_CLOCK = re.compile(
    r"(?<![\d:])(\d{1,2})(?::(\d\d))?(?::\d\d)? ?([ap])\.?m\b|(?<![\d:])(\d{1,2}):(\d\d)(?::\d\d)?(?![\d:])", re.I
)
_DATE = re.compile(
    r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.? (\d{1,2})(?:st|nd|rd|th)?\b(?:,? (\d{4})\b(?!:))?"
)
_WEEKDAY = re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\b")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def moment(said: object, now: float) -> Optional[float]:
    """Seconds since the epoch at which a limit ends, of which this was said at `now`. None where it does not tell."""
    if isinstance(said, (int, float)) and not isinstance(said, bool):
        return _of_epoch(float(said), now)
    if not isinstance(said, str):
        return None
    words = " ".join(said[:_LONGEST].split())
    if re.match(r"\d{9,14}(\.\d*)?\Z", words, re.ASCII):
        return _of_epoch(float(words), now)
    try:
        found = _after(words.lower())
        at = _of_calendar(words, now) if found is None else now + found
    except (ValueError, OverflowError, OSError):
        return None  # a 31st of February, a year 9999: no calendar has it
    return None if at is None or abs(at - now) > _NO_LONGER else at


def _of_epoch(number: float, now: float) -> Optional[float]:
    for at in (number, number / 1000):
        if abs(at - now) <= _NO_LONGER:
            return at
    return None


def _after(words: str) -> Optional[float]:
    """Seconds from now; None for what is no span of time from its beginning to its end."""
    total, end, found = 0.0, 0, False
    for part in _SPAN.finditer(words):
        if not _BETWEEN.match(words[end : part.start()].removeprefix("in ")):
            return None
        number, unit = part.group(1), part.group(2)
        size = 0.001 if unit.startswith(("ms", "mil")) else _UNITS[unit[0]]
        total += (1.0 if number[0] == "a" else float(number)) * size
        end, found = part.end(), True
    rest = words[end:].strip(" .")
    return total if found and rest in ("", "from now") else None


def _of_calendar(words: str, now: float) -> Optional[float]:
    iso = re.search(r"\b(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)? ?(Z|[+-]\d\d:?\d\d)?", words, re.ASCII)
    if iso:
        return _of_iso(*iso.groups())
    clock, zone = _CLOCK.search(words), _zone(words)
    date, weekday = _DATE.search(words), _WEEKDAY.search(words)
    if clock is None and date is None:
        return None
    hour, minute = _hour(clock) if clock else (0, 0)
    here = _at(now, zone).replace(hour=hour, minute=minute, second=0, microsecond=0)
    if date:
        return _on_date(here, date, now)
    if weekday:
        return _later(here, (_WEEK.index(weekday.group(1)) - here.weekday()) % 7, now, 7)
    return _later(here, 1 if "tomorrow" in words.lower() else 0, now, 1)


def _of_iso(day: str, clock: str, zone: Optional[str]) -> float:
    from datetime import datetime

    offset = "" if not zone else "+00:00" if zone == "Z" else zone if ":" in zone else zone[:3] + ":" + zone[3:]
    return datetime.fromisoformat("%sT%s%s" % (day, clock, offset)).timestamp()


def _hour(clock: re.Match[str]) -> tuple[int, int]:
    """Of a day of 24 hours: 12am is its beginning."""
    twelve, minute, half, hour, other = clock.groups()
    if half is None:
        return int(hour), int(other)
    if not 1 <= int(twelve) <= 12:
        raise ValueError(twelve)
    return int(twelve) % 12 + (12 if half.lower() == "p" else 0), int(minute or 0)


def _zone(words: str) -> Optional[tzinfo]:
    """None is the machine's own, in which the vendors' programs tell times unless they say another."""
    found = _ZONE.search(words)
    if not found:
        return None
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(found.group(1) or found.group(2))
    except (KeyError, ValueError, OSError):
        return None  # no zone, or none that this machine knows: they print the machine's own


def _at(now: float, zone: Optional[tzinfo]) -> datetime:
    from datetime import datetime

    return datetime.fromtimestamp(now, zone)


def _on_date(here: datetime, date: re.Match[str], now: float) -> float:
    """The day of this year, where none is named; of the next one where that was long ago."""
    year = int(date.group(3) or here.year)
    at = here.replace(year=year, month=_MONTHS.index(date.group(1)) + 1, day=int(date.group(2)))
    if not date.group(3) and at.timestamp() < now - 180 * 86400:
        at = at.replace(year=year + 1)
    return at.timestamp()


def _later(here: datetime, days: int, now: float, step: int) -> float:
    """That time on the day after so many; where it is past, after `step` more."""
    from datetime import timedelta

    at = here + timedelta(days=days)
    return (at if at.timestamp() >= now - _JUST_PAST_S else at + timedelta(days=step)).timestamp()
