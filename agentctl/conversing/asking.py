"""One question to a model, until there is an answer or it is known that there will be none."""

from __future__ import annotations

import json
import os
import time

from .. import apidoor
from .. import files
from ..record import Record
from . import anthropic
from . import gemini
from . import journal
from . import patience
from .entries import Fault
from .entries import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from .entries import Asking
    from .journal import Stream

DIALECTS: dict[str, ModuleType] = {"anthropic": anthropic, "gemini": gemini}
LONGEST_ANSWER_S = 900.0
"""A model that thinks for long answers after minutes, and says nothing before."""


class Place(Record):
    """Where a model is asked: the dialect of its API, the address, and the headers with the key."""

    dialect: str = ""
    base: str = ""
    headers: dict[str, str] = {}
    seconds: float = LONGEST_ANSWER_S


def answer(place: Place, asking: Asking, stream: Stream, nap: Callable[[float], None]) -> Reply | Fault:
    """The model's reply. What passes is waited out, each time with a line that says so; a Fault is final."""
    sent = json.dumps(DIALECTS[place.dialect].body(asking)).encode("ascii")
    attempt = 0
    while True:
        attempt += 1
        came = once(place, asking.model, sent)
        if isinstance(came, Reply):
            return came
        wait = patience.wait_before(attempt, came, int.from_bytes(os.urandom(2), "big") / 65536)
        if wait is None:
            return came
        told = {"attempt": attempt, "max": patience.MOST_TRIES, "delay_s": round(wait, 1), "status": came.status}
        stream.show(journal.event("retry", came.words, **told))
        nap(wait)


def once(place: Place, model: str, sent: bytes) -> Reply | Fault:
    """One try."""
    dialect = DIALECTS[place.dialect]
    came = apidoor.post(place.base + dialect.path(model), place.headers, sent, place.seconds)
    if came.problem:
        return Fault(kind="connection", words=came.problem)
    raw = _parsed(came.body)
    if came.status == 200:
        reply: Reply | None = dialect.reply(raw)
        return reply or Fault(kind="garbled", words="an answer that is not the API's", status=200)
    if 300 <= came.status < 400:
        return Fault(kind="request", words="it sends elsewhere, which is not followed (%d)" % came.status)
    fault: Fault = dialect.fault(came.status, came.headers, raw)
    wait = patience.told(came.headers.get("retry-after", ""))
    return fault if wait is None else fault.replace(wait_s=wait)


def _parsed(body: bytes) -> Any:
    try:
        return files.parse(body)
    except ValueError:
        return None


def nap(seconds: float) -> None:
    """A signal that ends the process is heard meanwhile."""
    time.sleep(seconds)
