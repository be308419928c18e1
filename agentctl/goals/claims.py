"""What an orchestrator claims: claim.json in the folder of its run, written once by its tools.

A claim starts a verification and ends nothing: whoever forges one has the work checked earlier.
"""

from __future__ import annotations

import time

from .. import files
from ..record import Record
from . import journal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..store import Run

FILE = "claim.json"
LONGEST = 20_000


class Claim(Record):
    """`claim`: done, give_up, or "" where nothing was claimed; and what was said about it."""

    claim: str = ""
    summary: str = ""
    at: float = 0.0


def write(run: Run, claim: str, summary: str) -> bool:
    """False where something was claimed before: that stands. Raises OSError."""
    said = Claim(claim=claim, summary=summary[:LONGEST], at=time.time())
    return files.publish(run.file(FILE), files.dump(said.to_json()))


def read(run: Run) -> Claim:
    claim = Claim.from_json(files.load(run.file(FILE)))
    return claim if claim.claim in (journal.DONE, journal.GIVE_UP) else Claim()
