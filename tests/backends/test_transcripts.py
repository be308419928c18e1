"""Recorded streams → golden events and their fold. AGENTCTL_REGOLD=1 writes them anew.

The recordings of claude (2.1.197) and codex (0.169.0) were made with the real CLIs
against loopback model servers; those of cursor are written from its documentation.
"""

from __future__ import annotations

import json
import os

import pytest
import transcripts

from agentctl import progress
from agentctl import reports
from agentctl.model import KINDS


def told(p: progress.Progress, case: str) -> dict[str, object]:
    report, problem = reports.report_of(p, transcripts.report_schema())
    return {
        **p.snapshot(),
        "version": p.version,
        "billing": p.billing,
        "reported": p.reported,
        "ok": p.ok,
        "reason": p.reason,
        "fatal": p.fatal,
        "report": report,
        "problem": problem,
        "usage_session": p.usage_session.to_json(),
        "files_read": p.files_read,
        "files_written": p.files_written,
        "denied": p.denied,
        "counts": p.counts,
        "last_message": p.last_message,
        "exit_code": int((transcripts.DATA / case / "exit_code").read_text()),
    }


def golden(case: str, name: str, made: object) -> object:
    path = transcripts.DATA / case / name
    if os.environ.get("AGENTCTL_REGOLD") == "1":
        text = json.dumps(made, indent=1, sort_keys=True, ensure_ascii=True)
        path.write_text(text + "\n", encoding="ascii")
    return json.loads(path.read_text(encoding="ascii"))


@pytest.mark.parametrize("case", transcripts.CASES)
def test_events_are_the_golden_ones(case: str) -> None:
    made = [{"kind": e.kind, "text": e.text, "data": e.data} for e in transcripts.events_of(case)]
    assert made == golden(case, "events.json", made)


@pytest.mark.parametrize("case", transcripts.CASES)
def test_the_fold_is_the_golden_one(case: str) -> None:
    made = told(transcripts.folded(case), case)
    assert made == golden(case, "progress.json", made)


@pytest.mark.parametrize("case", transcripts.CASES)
def test_events_are_of_known_kinds_bounded_and_ascii_json(case: str) -> None:
    for event in transcripts.events_of(case):
        assert event.kind in transcripts.KINDS_OF_A_WORKER <= set(KINDS)
        assert len(event.text) <= 4000
        json.dumps(event.to_json(), allow_nan=False).encode("ascii")


def test_there_are_recordings_of_every_vendor() -> None:
    counts = {v: sum(c.startswith(v + "/") for c in transcripts.CASES) for v in ("claude", "codex", "cursor")}
    assert counts["claude"] >= 25 and counts["codex"] >= 15 and counts["cursor"] >= 5
