"""Recorded streams of the vendors' CLIs and how to read them."""

from __future__ import annotations

import json
import pathlib

from agentctl import backends
from agentctl import progress
from agentctl.model import Event

DATA = pathlib.Path(__file__).parent.parent / "data" / "transcripts"
CASES = sorted("%s/%s" % (d.parent.name, d.name) for d in DATA.glob("*/*") if d.is_dir())
KINDS_OF_A_WORKER = {
    "session",
    "message",
    "thinking",
    "tool_call",
    "tool_result",
    "file_read",
    "file_write",
    "denied",
    "usage",
    "limit",
    "retry",
    "error",
    "report",
    "other",
}


def raw_lines(case: str) -> list[bytes]:
    return [line for line in (DATA / case / "stdout.jsonl").read_bytes().split(b"\n") if line]


def events_of(case: str) -> list[Event]:
    parse = backends.adapter(case.split("/")[0]).parse
    return [event for line in raw_lines(case) for event in parse(line)]


def folded(case: str) -> progress.Progress:
    return progress.fold(events_of(case))


def report_schema() -> object:
    return json.loads((DATA.parent.parent.parent / "config" / "report.schema.json").read_text())
