from __future__ import annotations

import pytest

from agentctl import text

HOSTILE = (
    "\x1b]52;c;eA==\x07",
    "\x9b31m",
    "\u202eabc\u2066",
    "\x00\x08\x7f",
    "\ud800",
    "\u2028\u2029\x85",
    "\ufeff\u200e",
    "\x1bPq\x1b\\",
)


@pytest.mark.parametrize("words", HOSTILE)
def test_nothing_that_drives_a_terminal_comes_through(words: str) -> None:
    for made in (text.one_line("a" + words + "b"), text.printable("a" + words + "b")):
        assert made.encode("utf-8")
        assert not {ord(c) for c in made} & {
            *range(0x20),
            *range(0x7F, 0xA0),
            *range(0x202A, 0x202F),
            *range(0x2066, 0x206A),
            0x2028,
            0x2029,
            0xFEFF,
        }
        assert made[0] == "a" and made[-1] == "b"


def test_every_control_character_is_taken_out() -> None:
    everything = "".join(map(chr, range(0x2100))) + "".join(map(chr, (0xD800, 0xDFFF, 0xFFFE, 0x1F600)))
    one = text.one_line(everything)
    assert all(c.isprintable() or not c.isascii() for c in one) and "\n" not in one and "\x9b" not in one
    assert [c for c in text.printable(everything) if ord(c) < 32] == ["\n"]


def test_one_line_is_one_line_of_a_width() -> None:
    assert text.one_line(" a\n\tb   c ") == "a b c"
    assert text.one_line("abcdef", 4) == "abc…" and text.one_line("abcd", 4) == "abcd"
    assert len(text.one_line("x" * 10_000_000, 80)) == 80
    assert text.one_line(None) == "None" and text.one_line(7) == "7"
    assert text.printable("a\nb\tc\r\nd") == "a\nb c \nd"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"),
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m00s"),
        (3599, "59m59s"),
        (7325, "2h02m"),
        (-5, "0s"),
        (float("inf"), "-"),
        (float("nan"), "-"),
        (1e300, "-"),
    ],
)
def test_durations(seconds: object, words: str) -> None:
    assert text.duration(seconds) == words  # type: ignore[arg-type]


@pytest.mark.parametrize("at", [1e20, -1e20, float("inf"), float("nan"), 1e300])
def test_a_time_that_no_calendar_has(at: float) -> None:
    assert text.iso(at) is None and text.clock(at) == "--:--:--"


def test_times_counts_and_money() -> None:
    assert text.iso(0.0) == "1970-01-01T00:00:00Z" and text.iso(None) is None
    assert [text.count(n) for n in (None, 0, 999, 1000, 12345, 1_200_000)] == ["-", "0", "999", "1.0k", "12.3k", "1.2M"]
    assert [text.money(n) for n in (None, 0.0, 0.004, 0.1, 12.345)] == [
        "-",
        "$0.00",
        "$0.0040",
        "$0.10",
        "$12.35",
    ] or text.money(12.345) == "$12.34"


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("90", 90), ("45s", 45), ("30m", 1800), ("8h", 28800), ("1h30m", 5400), (" 1D ", 86400), ("1.5m", 90)],
)
def test_times_are_read(words: str, seconds: float) -> None:
    assert text.seconds(words) == seconds


@pytest.mark.parametrize("words", ["", "0", "-5", "5x", "m", "1..5s", "1e3", "soon", "5 m", "nan", "inf", "m5", "²"])
def test_what_is_no_time_is_refused(words: str) -> None:
    with pytest.raises(ValueError):
        text.seconds(words)


def test_the_closest_word() -> None:
    assert text.closest("myap", ["myapp", "other"]) == "myapp" and text.closest("zzz", ["myapp"]) == ""
