"""Recorded transcripts → the figures of their runs, as they were counted by hand.

The table says in its head how. It was not made by this program, and nothing here writes it.
"""

from __future__ import annotations

import pytest
import transcripts

from agentctl import judge
from agentctl import progress
from agentctl.figures import of_run
from agentctl.figures import touched
from agentctl.measures import Usage
from agentctl.model import FINISHED
from agentctl.model import Result
from agentctl.model import Spec

TABLE = transcripts.DATA.parent / "figures.tsv"
CONTINUED = {"codex/resume": Usage(input=9638, cached=0, output=61)}
"""What the conversation had used before."""
COUNTS = ("messages", "turns", "input", "cached", "output", "retries", "denied")
COLUMNS = {"api": "billed_usd", "subscription": "virtual_usd", "-": "unknown_usd"}


def table() -> dict[str, dict[str, str]]:
    lines = [line for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    head, *rows = [line.split("\t") for line in lines]
    return {row[0]: dict(zip(head, row)) for row in rows}


def ended(case: str) -> tuple[Result, Spec]:
    """The run of a transcript, as its runner would write it down."""
    before = CONTINUED.get(case)
    spec = Spec(
        id="20261120-074100-0000",
        backend=case.split("/")[0],
        cwd="/repo",
        model="m",
        resume=before is not None,
        usage_before=before or Usage(),
        created_at=100.0,
    )
    seen = progress.of_spec(spec)
    for event in transcripts.events_of(case):
        seen.add(event)
    return judge.seen(judge.blank(spec, FINISHED, ""), seen).replace(started_at=101.0, finished_at=103.0), spec


def number(words: str) -> object:
    return None if words == "-" else float(words) if "." in words else int(words)


def listed(words: str) -> set[str]:
    return set() if words in ("-", "0") else set(words.split(","))


def tools(words: str) -> object:
    return None if words == "-" else {pair.split(":")[0]: int(pair.split(":")[1]) for pair in listed(words)}


def test_the_table_has_every_transcript() -> None:
    assert sorted(table()) == transcripts.CASES and len(transcripts.CASES) >= 30


@pytest.mark.parametrize("case", transcripts.CASES)
def test_figures_are_those_counted_by_hand(case: str) -> None:
    result, spec = ended(case)
    row = table()[case]
    made = of_run.figures(result.to_json(), spec)
    assert {name: getattr(made, name) for name in COUNTS} == {name: number(row[name]) for name in COUNTS}
    assert made.tools == tools(row["tools"])
    assert made.tool_calls == (None if made.tools is None else sum(made.tools.values()))
    assert touched.read(result, spec) == listed(row["read"])
    assert touched.written(result, spec) == listed(row["written"])
    for name, column in (("files_read", "read"), ("files_written", "written")):
        assert getattr(made, name) == (None if row[column] == "-" else len(listed(row[column])))


@pytest.mark.parametrize("case", transcripts.CASES)
def test_the_cost_is_the_vendors_and_stands_in_one_column(case: str) -> None:
    result, spec = ended(case)
    row = table()[case]
    made = of_run.figures(result.to_json(), spec)
    known = {column: number(row["cost"]) if who == row["who"] else None for who, column in COLUMNS.items()}
    assert {column: getattr(made, column) for column in known} == known
    assert made.unpriced == (row["cost"] == "-")
    assert (made.waiting_s, made.working_s) == (1.0, 2.0)
