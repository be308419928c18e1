from __future__ import annotations

import json
import pathlib

import pytest

from agentctl import schema

REPORT = json.loads((pathlib.Path(__file__).parent.parent.parent / "config" / "report.schema.json").read_text())
GOOD = {"goal_met": True, "summary": "s", "followup_prompt": "", "notes": ""}


@pytest.mark.parametrize(
    "value, wanted",
    [
        (1, {"type": "integer"}),
        (1.0, {"type": "integer"}),
        (1, {"type": "number"}),
        (1.5, {"type": "number"}),
        (None, {"type": ["string", "null"]}),
        ("a", {"enum": ["a", 1]}),
        (True, {"const": True}),
        ({}, {}),
        ([], True),
        ({"x": 1}, {"type": "object"}),
        ([1, 2], {"items": {"type": "integer"}}),
        ("ab", {"minLength": 2, "maxLength": 2}),
        (5, {"minimum": 5, "maximum": 5}),
        ("a", {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ({"x": "y"}, {"additionalProperties": {"type": "string"}}),
        (1, {"type": "no-such-type"}),
        (GOOD, REPORT),
        ("a", {"pattern": "b"}),
    ],
)
def test_what_fits(value: object, wanted: object) -> None:
    assert schema.problems(value, wanted) == []


@pytest.mark.parametrize(
    "value, wanted, path",
    [
        (True, {"type": "integer"}, "$:"),
        (1, {"type": "boolean"}, "$:"),
        (1.5, {"type": "integer"}, "$:"),
        (1, {"enum": [True]}, "$:"),
        (1, {"const": True}, "$:"),
        ("a", {"minLength": 2}, "$:"),
        ("abc", {"maxLength": 2}, "$:"),
        (4, {"minimum": 5}, "$:"),
        (6, {"maximum": 5}, "$:"),
        ({"a": [1, "x"]}, {"properties": {"a": {"items": {"type": "integer"}}}}, "$.a[1]:"),
        ({"x": 1}, {"additionalProperties": {"type": "string"}}, "$.x:"),
        (1, {"anyOf": [{"type": "string"}]}, "$:"),
        ("true", {"type": "boolean"}, "$:"),
        ({**GOOD, "goal_met": "true"}, REPORT, "$.goal_met:"),
        ({**GOOD, "goal_met": 1}, REPORT, "$.goal_met:"),
        ({**GOOD, "run_id": "x"}, REPORT, "$: `run_id`"),
        ({"nope": 1}, REPORT, "$: `goal_met` is missing"),
        ([], REPORT, "$:"),
    ],
)
def test_what_does_not(value: object, wanted: object, path: str) -> None:
    found = schema.problems(value, wanted)
    assert found and found[0].startswith(path)


def test_depth_and_number_of_problems_are_bounded() -> None:
    deep: dict[str, object] = {"type": "object"}
    value: dict[str, object] = {}
    for _ in range(200):
        deep, value = {"type": "object", "properties": {"a": deep}}, {"a": value}
    assert any("deeply" in line for line in schema.problems(value, deep))
    assert any("deeply" in line for line in schema.check_schema(deep))
    assert len(schema.problems(["x"] * 5000, {"items": {"type": "integer"}})) == schema.MOST_PROBLEMS
    assert len(schema.problems({}, {"required": ["r%d" % n for n in range(100)]})) == schema.MOST_PROBLEMS


def test_the_report_schema_is_usable_and_strict_already() -> None:
    assert schema.check_schema(REPORT) == []
    assert schema.strict(REPORT) == REPORT


OPTIONAL = {
    "type": "object",
    "required": ["a"],
    "properties": {
        "a": {"type": "object", "properties": {"z": {"type": "integer"}}},
        "b": {"type": "string"},
        "c": {"type": ["string", "null"]},
    },
}


def test_strict_requires_everything_and_lets_the_optional_be_null() -> None:
    made = schema.strict(OPTIONAL)
    assert made["required"] == ["a", "b", "c"] and made["additionalProperties"] is False
    assert made["properties"]["a"]["required"] == ["z"]
    assert schema.problems({"a": {"z": None}, "b": None, "c": None}, made) == []
    assert schema.problems({"a": None, "b": None, "c": None}, made)
    assert "required" in OPTIONAL and OPTIONAL["required"] == ["a"]  # the given one is untouched


def test_without_nulls_is_the_way_back() -> None:
    back = schema.without_nulls({"a": {"z": None}, "b": None, "c": None}, OPTIONAL)
    assert back == {"a": {}, "c": None} and schema.problems(back, OPTIONAL) == []


@pytest.mark.parametrize(
    "given, word",
    [
        ([], "object schema"),
        ({"type": "array"}, "object schema"),
        ({"type": "object"}, "properties"),
        ({"type": "object", "properties": {"a": {"$ref": "#/x"}}}, "$ref"),
        ({"type": "object", "properties": {"goal_met": {"type": "string"}}}, "goal_met"),
        ({"type": "object", "properties": {"a": {"type": "strin"}}}, "$.properties.a.type"),
        ({"type": "object", "properties": {"a": 3}}, "not a schema"),
        ({"type": "object", "properties": {"a": {"enum": []}}}, "enum"),
        ({"type": "object", "required": "a", "properties": {"a": {}}}, "$.required"),
        ({"type": "object", "properties": {"a": {"description": "x" * 70_000}}}, "larger"),
    ],
)
def test_an_unusable_schema_is_named(given: object, word: str) -> None:
    assert any(word in line for line in schema.check_schema(given))


def test_a_schema_may_leave_goal_met_out() -> None:
    assert schema.check_schema({"type": "object", "properties": {"answer": {"type": "string"}}}) == []
