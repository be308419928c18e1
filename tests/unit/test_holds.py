"""Holds of pools: how long, whose, told to whom; on a real folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from agentctl import holds
from agentctl import store
from agentctl.holds import Hold

NOW = 1_770_000_000.0


@pytest.fixture
def home(tmp_path: Path) -> store.Home:
    return store.create_home(str(tmp_path / "home"))


def met(at: float, until: float = 0.0) -> Hold:
    return Hold(reason="usage", words="w", at=at, until=until)


def test_a_known_end_is_kept_and_the_later_one_wins(home: store.Home) -> None:
    assert holds.in_force(home, "p", NOW) is None
    assert holds.note(home, "p", met(NOW, NOW + 100), 60).until == NOW + 100
    assert holds.note(home, "p", met(NOW + 1, NOW + 50), 60).until == NOW + 100
    assert holds.note(home, "p", met(NOW + 1), 60).until == NOW + 100, "it is held already"
    assert holds.note(home, "p", met(NOW + 2, NOW + 200), 60).until == NOW + 200
    found = holds.in_force(home, "p", NOW + 200)
    assert found and 0 <= found.jitter <= 2 and found.over_at == found.until + found.jitter
    assert holds.in_force(home, "p", NOW + 203) is None
    assert holds.in_force(home, "other", NOW) is None


def test_without_a_known_end_it_is_longer_each_time(home: store.Home) -> None:
    at, spans = NOW, []
    for _ in range(8):
        hold = holds.note(home, "p", met(at), 60)
        assert holds.note(home, "p", met(at + 0.5), 60) == hold, "two runs of a pool that meet the same count once"
        spans.append(hold.until - at)
        at = hold.over_at + 1
    assert spans == [60, 120, 240, 480, 960, 1800, 1800, 1800]
    assert holds.note(home, "p", met(at + 7200), 60).until - at == 7260, "long forgotten"


def test_an_end_that_is_past_is_none(home: store.Home) -> None:
    assert holds.note(home, "p", met(NOW, NOW - 5), 60).until == NOW + 60


def test_success_lifts_what_was_before_it(home: store.Home) -> None:
    holds.lift(home, "p", NOW)
    holds.note(home, "p", met(NOW, NOW + 100), 60)
    holds.lift(home, "p", NOW - 1)
    assert holds.in_force(home, "p", NOW + 1), "that worker had begun before"
    holds.lift(home, "p", NOW + 1)
    assert holds.in_force(home, "p", NOW + 1) is None
    assert holds.note(home, "p", met(NOW + 2), 60).count == 1


def test_each_orchestrator_is_told_once_of_an_end(home: store.Home) -> None:
    holds.note(home, "p", met(NOW, NOW + 100), 60)
    assert [holds.worth_telling(home, "p", who) for who in ("a", "a", "b", "b")] == [True, False, True, False]
    holds.note(home, "p", met(NOW, NOW + 130), 60)
    assert not holds.worth_telling(home, "p", "a"), "nearly the same"
    holds.note(home, "p", met(NOW, NOW + 5000), 60)
    assert holds.worth_telling(home, "p", "a")
    assert not holds.worth_telling(home, "none", "a")


def test_a_row_of_short_ones_is_told_once(home: store.Home) -> None:
    holds.note(home, "p", met(NOW), 60)
    assert holds.worth_telling(home, "p", "a")
    holds.note(home, "p", met(NOW + 100), 60)
    assert not holds.worth_telling(home, "p", "a")


def test_a_pool_is_a_vendor_and_an_account() -> None:
    env = {"HOME": "/home/u", "ANTHROPIC_API_KEY": "sk-ant-secret", "OPENAI_API_KEY": "x"}
    name = holds.pool("claude", lambda n: env.get(n, ""))
    assert name.startswith("claude-") and "secret" not in name
    others = [{**env, "HOME": "/home/v"}, {**env, "ANTHROPIC_API_KEY": "other"}, {**env, "CLAUDE_CONFIG_DIR": "/c"}]
    assert len({name, *(holds.pool("claude", lambda n, e=e: e.get(n, "")) for e in others)}) == 4  # type: ignore[misc]
    assert holds.pool("claude", lambda n: {**env, "OPENAI_API_KEY": "y"}.get(n, "")) == name
    assert "/" not in holds.pool("my/own", lambda n: env.get(n, ""))


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"until": "x"}', b"\xff" * 100])
def test_a_damaged_hold_is_none_and_is_written_anew(home: store.Home, damage: bytes) -> None:
    with open(holds.path(home, "p"), "wb") as f:
        f.write(damage)
    assert holds.in_force(home, "p", NOW) is None
    assert holds.note(home, "p", met(NOW, NOW + 9), 60).until == NOW + 9
    assert json.loads(Path(holds.path(home, "p")).read_text())["until"] == NOW + 9
    assert os.stat(holds.path(home, "p")).st_mode & 0o077 == 0
