"""A line may hold anything. Seeded damage: no exception, only known kinds, all writable."""

from __future__ import annotations

import copy
import json
import random

import pytest
import transcripts

from agentctl import backends
from agentctl import progress
from agentctl import reports
from agentctl.backends import lines
from agentctl.model import Event

ROUNDS = 5000
VENDORS = ("claude", "codex", "cursor")
VALUES: list[object] = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**400,
    "",
    "x" * 10_000,
    "\ud800",
    "\x1b]52;c;AAAA\x07",
    "nul\0",
    [],
    [[]],
    [None, 1, "a"],
    {},
    {"a": {}},
    [{}],
    {"type": 3},
    "text",
    "tool_use",
    "2026",
]
LINES = [
    b"",
    b"null",
    b"[]",
    b'"a"',
    b"0",
    b"{",
    b"\xff\xfe",
    b"{}",
    b'{"type":1}',
    b'{"type":null}',
    b'{"type":["a"]}',
    b"[" * 100_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"type":"result","n":' + b"9" * 5000 + b"}",
    b'{"type":"result","total_cost_usd":NaN}',
    b'{"type":"result","total_cost_usd":1e999}',
    b'{"type":"result","x":"' + b"y" * (1 << 20) + b'"}',
    '{"type":"a\u2028b"}'.encode(),
    b'{"type":"result","structured_output":' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"}",
    b'{"type":"assistant","message":{"content":[{"type":"text","text":"\\ud800"}]}}',
    b'{"type":"result","structured_output":{"a":NaN}}',
    b'{"type":"result","structured_output":{"a":1e999}}',
]


def checked(events: list[Event]) -> None:
    p = progress.fold(events)
    for event in events:
        assert event.kind in transcripts.KINDS_OF_A_WORKER
        assert len(event.text) <= 4000 and event.text.encode("utf-8") is not None
        assert len(json.dumps(event.to_json(), allow_nan=False)) < 300_000
        assert all(len(v) <= 1000 for k, v in event.data.items() if k in ("path", "command", "name", "id"))
    json.dumps(p.snapshot(), allow_nan=False)
    reports.report_of(p, transcripts.report_schema())


@pytest.mark.parametrize("vendor", [*VENDORS, "shell"])
def test_hostile_lines(vendor: str) -> None:
    for line in LINES:
        checked(backends.adapter(vendor).parse(line))


def test_a_report_is_copied_to_a_limited_depth() -> None:
    line = b'{"type":"result","structured_output":' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}"
    report = backends.adapter("claude").parse(line)[-1].data["report"]
    depth = 0
    while report is not None:
        report, depth = report["a"], depth + 1
    assert depth == lines.DEEPEST


@pytest.mark.parametrize("vendor", VENDORS)
def test_damaged_lines(vendor: str) -> None:
    dice = random.Random(20261120)
    whole = [line for case in transcripts.CASES if case.startswith(vendor) for line in transcripts.raw_lines(case)]
    whole = [line for line in whole if len(line) < 8000]
    parse = backends.adapter(vendor).parse
    for round_ in range(ROUNDS):
        line = dice.choice(whole)
        damage = in_bytes if round_ % 2 else in_values
        checked(parse(damage(line, dice)))


def in_bytes(line: bytes, dice: random.Random) -> bytes:
    made = bytearray(line)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(made))
        what = dice.randrange(4)
        if what == 0:
            made[at] = dice.randrange(256)
        elif what == 1:
            del made[at : at + dice.randint(1, 30)]
        elif what == 2:
            made[at:at] = made[at : at + 40]
        else:
            del made[at:]
        if not made:
            break
    return bytes(made)


def in_values(line: bytes, dice: random.Random) -> bytes:
    """The same line with some values of another type: what a next version may print."""
    try:
        raw = json.loads(line)
    except ValueError:
        return line
    for _ in range(dice.randint(1, 4)):
        _change(raw, dice)
    return json.dumps(raw).encode()


def _change(node: object, dice: random.Random) -> None:
    while isinstance(node, (dict, list)) and node:
        key = dice.choice(list(node) if isinstance(node, dict) else range(len(node)))
        inner = node[key]
        if not isinstance(inner, (dict, list)) or not inner or dice.random() < 0.25:
            node[key] = copy.deepcopy(dice.choice(VALUES))
            return
        node = inner
