from __future__ import annotations

import json
import random
from typing import Any

import pytest

from agentctl import model
from agentctl import settings
from agentctl.model import Limits
from agentctl.model import Result
from agentctl.model import Spec
from agentctl.model import Usage
from agentctl.record import Record
from agentctl.record import typed

RECORDS = [
    model.Limits,
    model.Usage,
    model.Wake,
    model.Spec,
    model.Event,
    model.Git,
    model.Result,
    settings.Choice,
    settings.Profile,
    settings.Project,
]
WILD: tuple[Any, ...] = (None, True, False, 0, -1, 1 << 70, 1.5, "", "x", [], [1, None, {}], {}, {"a": {}}, "\ud800")


@pytest.mark.parametrize("kind", RECORDS)
def test_anything_loads_and_only_fitting_values_stay(kind: type[Record]) -> None:
    """A file of any version: unknown keys ignored, wrong types become the default, and what loads can be written."""
    dice = random.Random(1)
    for _ in range(400):
        raw = {name: dice.choice(WILD) for name in (*kind().__dict__, "from_the_future") if dice.random() < 0.7}
        made = kind.from_json(raw)
        assert set(made.__dict__) == set(kind().__dict__)
        json.dumps(made.to_json(), allow_nan=False)
        for name in kind().__dict__:
            default, value = getattr(kind(), name), getattr(made, name)
            if default is not None:
                assert type(value) is type(default) or default == value, (name, value)
            if isinstance(value, tuple):
                assert all(isinstance(v, str) for v in value)
    for raw in WILD:
        assert isinstance(kind.from_json(raw), kind)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ({"timeout_s": "30m"}, None),
        ({"timeout_s": 30}, 30),
        ({"timeout_s": True}, None),
        ({"timeout_s": 1.5}, 1.5),
        ({"timeout_s": None}, None),
    ],
)
def test_an_optional_field_takes_its_own_type_only(raw: dict[str, Any], kept: object) -> None:
    assert Limits.from_json(raw).timeout_s == kept


def test_optional_claims_are_true_false_or_unknown() -> None:
    for value, kept in ((True, True), (False, False), (1, None), ("true", None), ([True], None)):
        assert Result.from_json({"goal_met": value}).goal_met is kept


def test_a_record_survives_json() -> None:
    spec = Spec(id="x", argv=("a", "b"), limits=Limits(max_turns=3), created_at=1.5, custom={"argv": ["x"]})
    assert Spec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_a_record_is_frozen_and_knows_its_fields() -> None:
    usage = Usage(input=1)
    with pytest.raises(AttributeError):
        usage.input = 2  # type: ignore[misc]
    with pytest.raises(TypeError, match="no field inptu"):
        Usage(inptu=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        hash(usage)
    assert usage == Usage(input=1) != Usage(input=2) and usage != 1
    assert usage.replace(output=2) == Usage(input=1, output=2) and usage.output is None
    assert repr(usage) == "Usage(input=1)"


def test_unknown_usage_stays_unknown() -> None:
    assert Usage(input=1) + Usage(input=2, output=3) == Usage(input=3, output=3)
    assert Usage(input=5, output=1) - Usage(input=2) == Usage(input=3)


def test_typed() -> None:
    raw = {"a": 1, "b": True, "c": "x", "d": None}
    assert [typed(raw, key, int) for key in "abcde"] == [1, None, None, None, None]
    assert typed(raw, "b", bool) is True and typed(raw, "c", (str, int)) == "x"
