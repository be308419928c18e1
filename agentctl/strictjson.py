"""JSON as every reader can take it: the standard library alone is more generous.

It accepts NaN, Infinity and 1e999, and writes them back as no JSON; it takes time
that grows with the square of an integer's length. Here the former are refused, and
integers beyond 64 bits become floats, as most readers have it. Pure; one decoder for
files, workers' lines and reports.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DIGITS = 20  # of 2**64 - 1


def decoded(data: bytes) -> Any:
    """The value in bytes nobody vouches for. Raises ValueError only."""
    try:
        return _DECODER.decode(data.decode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def decoded_at(text: str, start: int) -> tuple[Any, int]:
    """The value that begins at `start`, and where it ends. Raises ValueError only."""
    try:
        return _DECODER.raw_decode(text, start)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_number(word: str) -> float:
    raise ValueError("%s is not JSON" % word)


def _finite(digits: str) -> float:
    value = float(digits)
    return value if abs(value) < 1e300 else _no_number(digits)


def _countable(digits: str) -> float:
    return int(digits) if len(digits) <= _DIGITS else _finite(digits)


_DECODER = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite, parse_int=_countable)
