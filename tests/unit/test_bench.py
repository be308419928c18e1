"""The arithmetic of the benchmark's table: ratios pair by pair, percentiles, verdicts."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

_PATH = Path(__file__).resolve().parents[2] / "bench" / "table.py"


@pytest.fixture(scope="module")
def table() -> Any:
    """bench/table.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("bench_table", _PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("samples, middle", [([3.0], 3.0), ([9.0, 1.0, 5.0], 5.0), ([4.0, 1.0, 2.0, 9.0], 3.0)])
def test_median(table: Any, samples: list[float], middle: float) -> None:
    assert table.median(samples) == middle


def test_the_worst_is_the_maximum_until_there_are_enough_for_a_p99(table: Any) -> None:
    few = [float(n) for n in range(1, 100)]
    assert table.worst(few) == 99.0
    assert table.worst([*few, 1000.0]) == 99.0
    assert table.percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert table.percentile([1.0, 2.0, 3.0], 0.5) == 2.0
    assert table.as_json(table.Row("f", "ms", tuple(few)))["worst_is"] == "max"
    assert table.as_json(table.Row("f", "ms", (*few, 1000.0)))["worst_is"] == "p99"
    assert table.percentile([5.0], 0.99) == 5.0


def test_a_ratio_is_of_pairs_and_not_of_medians(table: Any) -> None:
    # the machine was ten times slower in the middle round, for both
    row = table.Row("f", "ms", (2.0, 20.0, 2.0, 3.0, 30.0), (1.0, 10.0, 1.0, 3.0, 1.0))
    assert table.ratio(row) == 2.0
    assert table.median(row.ours) / table.median(row.floor) == 3.0
    assert table.ratios([1.0, 2.0], [0.0, 4.0]) == [0.5]


def test_a_verdict_needs_every_goal(table: Any) -> None:
    ratio, worst = table.Goal("ratio", most=1.0), table.Goal("worst", most=15.0)
    assert table.verdict(table.Row("f", "ms", (1.0, 9.0), (2.0, 9.0), goals=(ratio, worst))) == "met"
    assert table.verdict(table.Row("f", "ms", (1.0, 16.0), (2.0, 16.0), goals=(ratio, worst))) == "missed"
    assert table.verdict(table.Row("f", "ms", (3.0, 9.0), (2.0, 8.0), goals=(ratio, worst))) == "missed"
    assert table.verdict(table.Row("f", "MB/s", (3.0,), (9.0,), goals=(table.Goal("ratio", least=0.35),))) == "missed"
    assert table.verdict(table.Row("f", "s", (0.0,), goals=(table.Goal("worst", most=0.0),))) == "met"


def test_the_worst_speed_is_the_lowest(table: Any) -> None:
    said = table.as_json(table.Row("f", "MB/s", (3.0, 9.0), (9.0, 9.0), goals=(table.Goal("ratio", least=0.35),)))
    assert (said["worst"], said["worst_is"]) == (3.0, "min")


def test_what_was_not_measured_meets_nothing(table: Any) -> None:
    goals = (table.Goal("ratio", most=1.0),)
    assert table.verdict(table.Row("f", "ms", (1.0,), goals=goals)) == "missed"
    assert table.verdict(table.Row("f", "ms", error="no tmux", goals=goals)) == "error"
    assert table.verdict(table.Row("f", "ms", (1.0,), (1.0,))) == "-"


def test_the_table_and_its_json_say_the_same(table: Any) -> None:
    row = table.Row(
        "start",
        "ms",
        (12.34, 15.0, 200.4),
        (10.0, 12.0, 150.0),
        "pass",
        (table.Goal("ratio", most=2.0),),
        ((4.0, 2.0), (9.0, 3.0), (8.0, 2.0)),
    )
    said = table.as_json(row)
    assert (said["n"], said["min"], said["median"], said["worst"]) == (3, 12.34, 15.0, 200.4)
    assert (said["ratio"], said["cpu_ratio"], said["verdict"]) == (1.25, 3.0, "met")
    lines = table.text([row, table.Row("gone", "", error="no such command")]).splitlines()
    words = ["start", "15.0", "ms", "max", "200", "ms", "12.0", "ms", "(pass)", "1.25x", "3.00x", "<=", "2x", "met"]
    assert lines[1].split() == words
    assert lines[2].endswith("error: no such command")
