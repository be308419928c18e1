"""The part of JSON Schema that a report needs: checked by us, whoever enforced it.

Codex never validates what it returns and Claude may return nothing, so a report
counts only after `problems` found none. Keywords outside the supported part are
ignored in `problems` and named by `check_schema` before a run is started.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEEPEST = 24
MOST_PROBLEMS = 20
LONGEST = 64 * 1024
"""Bytes of a schema: it stands in an argv, where one word may have 128 KB."""

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
_CHECKED = (
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "anyOf",
)
_SAID = ("title", "description", "default", "examples", "format", "$schema", "$id", "$comment")


def problems(value: object, schema: object) -> list[str]:
    """What is wrong with `value`, as `path: reason` lines; [] if it fits. Total."""
    found: list[str] = []
    _check(value, schema, "$", DEEPEST, found)
    return found[:MOST_PROBLEMS]


def _check(value: object, schema: object, path: str, depth: int, found: list[str]) -> None:
    if not isinstance(schema, dict) or len(found) >= MOST_PROBLEMS:
        return
    if depth <= 0:
        found.append("%s: nested too deeply" % path)
        return
    if not _has_type(value, schema.get("type")):
        found.append("%s: is %s, not %s" % (path, _name(value), _words(schema.get("type"))))
        return
    _check_choice(value, schema, path, depth, found)
    if isinstance(value, str):
        _check_size(len(value), schema, "minLength", "maxLength", path + ": length", found)
    if _is_number(value):
        _check_size(value, schema, "minimum", "maximum", path + ": value", found)
    if isinstance(value, dict):
        _check_object(value, schema, path, depth, found)
    if isinstance(value, list):
        for n, item in enumerate(value):
            _check(item, schema.get("items"), "%s[%d]" % (path, n), depth - 1, found)


def _has_type(value: object, wanted: object) -> bool:
    names = wanted if isinstance(wanted, list) else [wanted]
    known = [n for n in names if isinstance(n, str) and n in _TYPES]
    return not known or any(_is_a(value, n) for n in known)


def _is_a(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[name])


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _name(value: object) -> str:
    return next((name for name in _TYPES if _is_a(value, name)), type(value).__name__)


def _words(wanted: object) -> str:
    return " or ".join(str(n) for n in wanted) if isinstance(wanted, list) else str(wanted)


def _same(a: object, b: object) -> bool:
    """JSON equality: true is not 1."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _check_choice(value: object, schema: dict[str, Any], path: str, depth: int, found: list[str]) -> None:
    allowed = schema.get("enum")
    if isinstance(allowed, list) and not any(_same(value, a) for a in allowed):
        found.append("%s: is not one of %s" % (path, json.dumps(allowed)[:200]))
    if "const" in schema and not _same(value, schema["const"]):
        found.append("%s: is not %s" % (path, json.dumps(schema["const"])[:200]))
    choices = schema.get("anyOf")
    if isinstance(choices, list) and choices and not any(_fits(value, c, depth - 1) for c in choices):
        found.append("%s: fits none of the schemas in anyOf" % path)


def _fits(value: object, schema: object, depth: int) -> bool:
    found: list[str] = []
    _check(value, schema, "$", depth, found)
    return not found


def _check_size(size: Any, schema: dict[str, Any], least: str, most: str, path: str, found: list[str]) -> None:
    low, high = schema.get(least), schema.get(most)
    if _is_number(low) and size < low:
        found.append("%s %s is less than %s" % (path, size, low))
    if _is_number(high) and size > high:
        found.append("%s %s is more than %s" % (path, size, high))


def _check_object(value: dict[str, Any], schema: dict[str, Any], path: str, depth: int, found: list[str]) -> None:
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    required = schema.get("required")
    for name in required if isinstance(required, list) else []:
        if name not in value:
            found.append("%s: `%s` is missing" % (path, name))
    for name, item in value.items():
        more = schema.get("additionalProperties")
        if name not in properties and more is False:
            found.append("%s: `%s` is not a known property" % (path, name[:80]))
        _check(item, properties.get(name, more), "%s.%s" % (path, name[:80]), depth - 1, found)


def strict(schema: object, depth: int = DEEPEST) -> Any:
    """The same schema as OpenAI's strict mode wants it: every property required, none
    besides them, and what was optional may be null. See `without_nulls` for the way back."""
    if not isinstance(schema, dict) or depth <= 0:
        return schema
    made = dict(schema)
    if isinstance(made.get("items"), dict):
        made["items"] = strict(made["items"], depth - 1)
    if isinstance(made.get("anyOf"), list):
        made["anyOf"] = [strict(choice, depth - 1) for choice in made["anyOf"]]
    properties = made.get("properties")
    if isinstance(properties, dict):
        needed = _required(made)
        made["properties"] = {
            name: strict(part, depth - 1) if name in needed else _nullable(strict(part, depth - 1))
            for name, part in properties.items()
        }
        made["required"], made["additionalProperties"] = list(properties), False
    return made


def _required(schema: dict[str, Any]) -> list[Any]:
    required = schema.get("required")
    return required if isinstance(required, list) else []


def _nullable(schema: Any) -> Any:
    return schema if _fits(None, schema, DEEPEST) else {"anyOf": [schema, {"type": "null"}]}


def without_nulls(value: Any, schema: object, depth: int = DEEPEST) -> Any:
    """`value` without the nulls that stand for an optional property left out."""
    if depth <= 0 or not isinstance(schema, dict):
        return value
    if isinstance(value, list):
        return [without_nulls(item, schema.get("items"), depth - 1) for item in value]
    properties = schema.get("properties")
    if not isinstance(value, dict) or not isinstance(properties, dict):
        return value
    needed = _required(schema)
    return {
        name: without_nulls(item, properties.get(name), depth - 1)
        for name, item in value.items()
        if item is not None or name in needed or name not in properties or _fits(None, properties[name], depth - 1)
    }


def check_schema(schema: object) -> list[str]:
    """Why a user's schema cannot be used for reports; [] if it can.

    It must describe an object in the supported keywords. It may leave `goal_met` out:
    then a run's goal_met is null, and only its check can say more.
    """
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return ['$: must be an object schema (`"type": "object"`)']
    found: list[str] = []
    _check_keywords(schema, "$", DEEPEST, found)
    properties = schema.get("properties")
    if not isinstance(properties, dict) or not properties:
        return ["$.properties: must name the report's properties", *found][:MOST_PROBLEMS]
    goal = properties.get("goal_met")
    if goal is not None and (not isinstance(goal, dict) or goal.get("type") != "boolean"):
        found.append("$.properties.goal_met: must be a boolean")
    if not found and len(json.dumps(schema)) > LONGEST:
        found.append("$: is larger than %d bytes" % LONGEST)
    return found[:MOST_PROBLEMS]


def _check_keywords(schema: object, path: str, depth: int, found: list[str]) -> None:
    if not isinstance(schema, dict):
        found.append("%s: is not a schema" % path)
        return
    if depth <= 0 or len(found) >= MOST_PROBLEMS:
        found.append("%s: nested too deeply" % path)
        return
    found += ["%s: keyword `%s` is not supported" % (path, k[:80]) for k in schema if k not in _CHECKED + _SAID]
    found += ["%s.%s: has the wrong form" % (path, k) for k, ok in _FORMS.items() if k in schema and not ok(schema[k])]
    for name, part in _parts(schema):
        _check_keywords(part, path + name, depth - 1, found)


def _parts(schema: dict[str, Any]) -> list[tuple[str, Any]]:
    """The schemas inside a schema, with the end of their path."""
    properties, choices = schema.get("properties"), schema.get("anyOf")
    parts = [(".properties." + name[:80], p) for name, p in properties.items()] if isinstance(properties, dict) else []
    parts += [(".anyOf[%d]" % n, c) for n, c in enumerate(choices)] if isinstance(choices, list) else []
    parts += [(".items", schema["items"])] if "items" in schema else []
    more = schema.get("additionalProperties")
    return parts if more is None or isinstance(more, bool) else [*parts, (".additionalProperties", more)]


def _is_type(value: object) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(isinstance(n, str) and n in _TYPES for n in names)


_FORMS: dict[str, Any] = {
    "type": _is_type,
    "properties": lambda v: isinstance(v, dict),
    "required": lambda v: isinstance(v, list) and all(isinstance(n, str) for n in v),
    "enum": lambda v: isinstance(v, list) and bool(v),
    "anyOf": lambda v: isinstance(v, list) and bool(v),
    "minLength": _is_number,
    "maxLength": _is_number,
    "minimum": _is_number,
    "maximum": _is_number,
}
