"""When a limit ends, of all the forms in which the vendors' programs say it."""

from __future__ import annotations

import random
import time
from datetime import datetime
from datetime import timezone

import pytest

from agentctl import resets

UTC = timezone.utc
NOW = datetime(2026, 2, 15, 13, 45, 10, tzinfo=UTC).timestamp()  # a Sunday


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine stands in Berlin: 14:45 there."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()


@pytest.fixture(autouse=True, scope="module")
def _back() -> object:
    yield
    time.tzset()


def utc(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("said", "at"),
    [
        # numbers
        (NOW + 60, NOW + 60),
        (int(NOW) + 60, int(NOW) + 60),
        ((NOW + 60) * 1000, NOW + 60),
        (str(int(NOW) + 60), int(NOW) + 60),
        # ISO 8601
        ("2026-02-15T15:00:00Z", utc(2026, 2, 15, 15)),
        ("2026-02-15T15:00:00.123+01:00", utc(2026, 2, 15, 14)),
        ("2026-02-15 15:00", utc(2026, 2, 15, 14)),
        # claude
        ("3pm (UTC)", utc(2026, 2, 15, 15)),
        ("3:30pm (Europe/Berlin)", utc(2026, 2, 15, 14, 30)),
        ("9am (America/New_York)", utc(2026, 2, 15, 14)),
        ("3pm", utc(2026, 2, 15, 14)),
        ("1pm", utc(2026, 2, 16, 12)),
        ("12am", utc(2026, 2, 15, 23)),
        ("12pm (UTC)", utc(2026, 2, 16, 12)),
        ("Feb 20 at 3pm (UTC)", utc(2026, 2, 20, 15)),
        ("Feb 20, 3pm (Europe/Berlin)", utc(2026, 2, 20, 14)),
        ("January 2 at 3am (UTC)", utc(2026, 1, 2, 3)),
        ("Mon 12:00am", utc(2026, 2, 15, 23)),
        ("Sun 2pm (UTC)", utc(2026, 2, 15, 14)),
        ("Sun 1pm (UTC)", utc(2026, 2, 22, 13)),
        ("tomorrow at 9am (UTC)", utc(2026, 2, 16, 9)),
        ("at 3pm (UTC).", utc(2026, 2, 15, 15)),
        # codex
        ("10:20 AM", utc(2026, 2, 16, 9, 20)),
        ("2:46 PM", utc(2026, 2, 15, 13, 46)),
        ("2:45 PM", utc(2026, 2, 15, 13, 45)),
        ("Feb 20th, 2026 10:20 AM", utc(2026, 2, 20, 9, 20)),
        ("Jan 1st, 2027 12:05 AM", utc(2026, 12, 31, 23, 5)),
        ("15:00", utc(2026, 2, 15, 14)),
        # spans
        ("2 hours 5 minutes", NOW + 7500),
        ("in 2 days, 3 hours and 1 minute", NOW + 183660),
        ("1s", NOW + 1),
        ("11.5s", NOW + 11.5),
        ("6m0s", NOW + 360),
        ("1h30m", NOW + 5400),
        ("500ms", NOW + 0.5),
        ("20 milliseconds", NOW + 0.02),
        ("45 seconds", NOW + 45),
        ("an hour", NOW + 3600),
        ("less than a minute", NOW + 60),
        ("3 min", NOW + 180),
        # nothing that tells
        (None, None),
        (True, None),
        ("", None),
        ("soon", None),
        ("later", None),
        ("3", None),
        (3, None),
        (0, None),
        (1e300, None),
        (float("nan"), None),
        (float("inf"), None),
        (-5, None),
        ([], None),
        ({}, None),
        ("25:00", None),
        ("13pm", None),
        ("0am", None),
        ("Feb 31 at 3pm", None),
        ("Foo 20 at", None),
        ("2026-13-01T00:00:00Z", None),
        ("Feb 20th, 9999 10:20 AM", None),
        ("9" * 14, None),
        ("9" * 400 + " hours", None),
        ("your plan for 3 hours of rest", None),
    ],
)
def test_each_form_is_understood(said: object, at: float) -> None:
    found = resets.moment(said, NOW)
    assert found == at if at is None else found == pytest.approx(at, abs=0.001)


def test_an_unknown_zone_is_the_machines_own() -> None:
    assert resets.moment("3pm (No/Such_Place)", NOW) == utc(2026, 2, 15, 14)


def test_a_time_just_past_is_not_tomorrows() -> None:
    """10:20 is said at 10:20:40: its seconds were left out."""
    assert resets.moment("2:44 PM", NOW) == utc(2026, 2, 15, 13, 44)
    assert resets.moment("2:42 PM", NOW) == utc(2026, 2, 16, 13, 42)


def test_it_is_total() -> None:
    """Whatever a vendor prints: a moment that is not far, or None."""
    dice = random.Random(6)
    pieces = "3|pm|am| |:|20|Feb|Mon|(UTC)|(|)|in |h|m|s|1767222000|-|+|2026|T|Z|٣|\0|tomorrow|,|th|hours|00|.|9999999"
    for _ in range(5000):
        found = resets.moment("".join(dice.choice(pieces.split("|")) for _ in range(dice.randrange(9))), NOW)
        assert found is None or abs(found - NOW) < 401 * 86400
