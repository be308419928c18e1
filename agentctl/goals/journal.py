"""The journal of a goal: the steps that its driver has taken, as lines of its own output.

A step is an event of kind `step`; `data.step` says which, `text` says it to people:

    begun        resumed: the run that this one goes on from, or ""
    cycle        cycle: its number; it begins
    run          cycle, part (orchestrator, verifier), who, run: staged, and about to be launched
    ended        cycle, part, who, run, status, claim (done, give_up, ""), summary: an orchestrator's run
    checkpoint   cycle, commit, tree, files (how many differ from the base), diff_stat
    check        cycle, of (work, guarded), command, passed, why, tail, files (put back as they were)
    verdict      cycle, who, run, accept, reasons, evidence
    judged       cycle, accepted, reasons, key (the same for the same rejection)
    spent        what (money, tokens, turns, time), words: a limit of the goal is reached
    over         outcome (accepted, rejected, gave_up, no_progress, same_rejection, out_of_…, failed), why

What a worker could have written there is not believed: of the last cycle, checks, verdicts
and judgements are established anew by whoever resumes the goal (`believed`).
"""

from __future__ import annotations

import json
import os

from .. import backends
from .. import files
from ..stream import raw_events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..store import Run

    Entry = dict[str, Any]

(BEGUN, CYCLE, RUN, ENDED, CHECKPOINT) = ("begun", "cycle", "run", "ended", "checkpoint")
(CHECK, VERDICT, JUDGED, SPENT, OVER) = ("check", "verdict", "judged", "spent", "over")
ORCHESTRATOR, VERIFIER = "orchestrator", "verifier"
DONE, GIVE_UP = "done", "give_up"
ACCEPTED, REJECTED = "accepted", "rejected"
_FINDINGS = (CHECKPOINT, CHECK, VERDICT, JUDGED)


def entries(runs: Iterable[Run]) -> list[Entry]:
    """The steps of a goal's runs, in order; those of a run whose output cannot be read are left out."""
    found: list[Entry] = []
    for run in runs:
        try:
            for event in raw_events(run.file("raw.jsonl"), backends.adapter("goal").parse):
                if event.kind == "step" and isinstance(event.data.get("step"), str):
                    found.append({**event.data, "text": event.text})
        except OSError:
            continue  # its driver was never started
    return found


def believed(history: list[Entry]) -> list[Entry]:
    """What a driver that goes on takes for granted: not what the last cycle found, which it finds again.

    A cycle that was rejected stays so, where nothing says otherwise; a limit that was reached may have been raised.
    """
    last = max((n for n, entry in enumerate(history) if entry["step"] == CYCLE), default=-1)
    judged = [entry.get("accepted") for entry in history[last + 1 :] if entry["step"] == JUDGED]
    doubtful = () if judged and all(said is False for said in judged) else _FINDINGS
    kept = [entry for n, entry in enumerate(history) if n <= last or entry["step"] not in doubtful]
    return [entry for entry in kept if entry["step"] != SPENT]


def write(fd: int, kind: str, text: str, data: Entry) -> None:
    """One line, in one write, on the disk before what it tells of is done. Raises OSError."""
    line = json.dumps({"kind": kind, "text": text, "data": data}) + "\n"
    files.write_all(fd, line.encode("ascii"))
    try:
        os.fsync(fd)
    except OSError:
        pass  # a terminal or a pipe, where somebody calls the driver by hand
