"""The search for culprits: every set of them in every batch of up to eight."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Callable

import pytest

from agentctl.merging import bisecting
from agentctl.merging.bisecting import Verdict

Names = tuple[str, ...]
SIZES = range(1, 9)


def whole(names: Names) -> Names:
    return names


def searched(
    batch: Names, green: Callable[[Names], bool], fitting: Callable[[Names], Names] = whole
) -> tuple[Verdict, list[Names]]:
    """The verdict, and what was asked for it."""
    search = bisecting.sound(batch, fitting)
    asked: list[Names] = []
    try:
        question = next(search)
        while True:
            asked.append(question)
            question = search.send(green(question))
    except StopIteration as end:
        assert isinstance(end.value, Verdict)
        return end.value, asked


def batch_of(size: int) -> Names:
    return tuple("abcdefgh"[:size])


def most(size: int, culprits: int) -> int:
    """Questions: one for the whole, ceil(log2 n)+1 more per culprit."""
    return 1 + culprits * (math.ceil(math.log2(size)) + 1)


def subsets(names: Names) -> Iterator[set[str]]:
    for size in range(len(names) + 1):
        yield from map(set, itertools.combinations(names, size))


@pytest.mark.parametrize("size", SIZES)
def test_every_set_of_culprits_is_found_and_nobody_else(size: int) -> None:
    batch = batch_of(size)
    for wrong in subsets(batch):
        verdict, asked = searched(batch, lambda names, wrong=wrong: not wrong & set(names))  # type: ignore[misc]
        assert set(verdict.culprits) == wrong
        assert verdict.good == tuple(n for n in batch if n not in wrong)
        assert not verdict.red
        assert len(asked) <= most(size, len(wrong)), (wrong, asked)
        assert len(asked) == len(set(asked)), "asked twice"


@pytest.mark.parametrize("size", SIZES)
def test_of_two_that_are_wrong_together_the_later_one_is_left_out(size: int) -> None:
    batch = batch_of(size)
    for pair in itertools.combinations(batch, 2):
        verdict, asked = searched(batch, lambda names, pair=pair: not set(pair) <= set(names))  # type: ignore[misc]
        assert verdict.culprits == (pair[1],)
        assert verdict.good == tuple(n for n in batch if n != pair[1])
        assert verdict.good in asked
        assert len(asked) <= most(size, 1)


@pytest.mark.parametrize("size", SIZES)
def test_pairs_and_lone_culprits_together(size: int) -> None:
    batch = batch_of(size)
    for pair in itertools.combinations(batch, 2):
        for lone in batch:

            def green(names: Names, pair: Names = pair, lone: str = lone) -> bool:
                return lone not in names and not set(pair) <= set(names)

            verdict, asked = searched(batch, green)
            assert green(verdict.good) and verdict.good in (*asked, ())
            assert lone in verdict.culprits
            assert set(verdict.culprits) <= {lone, *pair}
            assert len(asked) <= most(size, len(verdict.culprits))


@pytest.mark.parametrize("size", SIZES)
def test_a_red_target_is_found_out_and_nothing_lands(size: int) -> None:
    verdict, asked = searched(batch_of(size), lambda names: False)
    assert verdict.red and not verdict.good
    assert len(verdict.culprits) <= 1, "an innocent was named before the target was looked at"
    assert len(asked) <= most(size, 2)


@pytest.mark.parametrize("size", SIZES)
def test_one_that_mends_a_red_target_lands(size: int) -> None:
    batch = batch_of(size)
    for mender in batch:
        verdict, asked = searched(batch, lambda names, mender=mender: mender in names)  # type: ignore[misc]
        assert verdict == Verdict(good=batch)
        assert asked == [batch]


@pytest.mark.parametrize("size", SIZES)
def test_whatever_lands_was_green_as_a_whole(size: int) -> None:
    """Also where what is green follows no rule at all."""
    batch = batch_of(size)
    for seed in range(300):

        def green(names: Names, seed: int = seed) -> bool:
            return hash((seed, *map(ord, names))) % 3 == 0

        verdict, asked = searched(batch, green)
        assert not verdict.good or (green(verdict.good) and verdict.good in asked)
        assert len(asked) <= most(size, len(verdict.culprits) + verdict.red)


def test_those_that_do_not_fit_are_not_asked_of_and_come_back_when_they_do() -> None:
    """`c` conflicts with `b`, which is the culprit."""

    def fitting(names: Names) -> Names:
        return tuple(n for n in names if n != "c" or "b" not in names)

    verdict, asked = searched(("a", "b", "c"), lambda names: "b" not in names, fitting)
    assert verdict == Verdict(good=("a", "c"), culprits=("b",))
    assert asked == [("a", "b"), ("a",), ("a", "c")]


def test_nothing_is_asked_of_an_empty_batch() -> None:
    assert searched((), lambda names: False) == (Verdict(), [])
