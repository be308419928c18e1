"""Frozen records with defaults that load from JSON of any version.

Why not `dataclasses`: importing it costs more than a whole `agentctl list` may
take (bench/), and this is the small part of it that we use. A type checker sees
these classes as dataclasses.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any
    from typing import TypeVar

    from typing_extensions import dataclass_transform

    R = TypeVar("R", bound="Record")
else:
    def dataclass_transform(**_: object):
        return lambda cls: cls


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """A base for values: keyword-only, frozen, comparable, every field defaulted.

    Subclasses annotate their fields and give each a default. Defaults must be
    immutable. `from_json` ignores unknown keys and replaces a value of the wrong
    JSON type by the default, so that a folder written by any version loads.
    """

    __slots__ = ("__dict__",)
    _fields: tuple[str, ...] = ()
    _kinds: dict[str, tuple[type, ...]] = {}

    def __init_subclass__(cls) -> None:
        inherited = cls.__mro__[1]._fields  # type: ignore[attr-defined]
        own = tuple(n for n in cls.__dict__.get("__annotations__", ()) if not n.startswith("_"))
        cls._fields = inherited + own
        cls._kinds = {**cls.__mro__[1]._kinds, **{n: _kind(cls.__annotations__[n]) for n in own}}  # type: ignore[attr-defined]

    def __init__(self, **values: Any) -> None:
        unknown = values.keys() - set(self._fields)
        if unknown:
            raise TypeError("%s has no field %s" % (type(self).__name__, ", ".join(sorted(unknown))))
        self.__dict__.update((n, getattr(type(self), n)) for n in self._fields)
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("%s is frozen" % type(self).__name__)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ("%s=%r" % (n, v) for n, v in self.__dict__.items() if v != getattr(type(self), n))
        return "%s(%s)" % (type(self).__name__, ", ".join(shown))

    def replace(self: R, **changes: Any) -> R:
        """The same record with some fields changed."""
        return type(self)(**{**self.__dict__, **changes})

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, every field present, nested records included."""
        return {name: _plain(value) for name, value in self.__dict__.items()}

    @classmethod
    def from_json(cls: type[R], raw: object) -> R:
        """Total: anything that is not an object gives the record of defaults."""
        if not isinstance(raw, dict):
            return cls()
        return cls(**{n: _fitted(raw[n], getattr(cls, n), cls._kinds[n]) for n in cls._fields if n in raw})


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


_KINDS: dict[str, tuple[type, ...]] = {"float": (float, int), "int": (int,), "bool": (bool,), "str": (str,), "dict": (dict,)}


def _kind(annotation: str) -> tuple[type, ...]:
    """What a field annotated `Optional[…]` takes besides None; () for any other field."""
    return _KINDS.get(annotation.replace("[", " ").replace("]", " ").split()[1], ()) if annotation.startswith("Optional[") else ()


def _fitted(value: Any, default: Any, kind: tuple[type, ...]) -> Any:
    """`value` if it could stand where `default` stands, else the default."""
    if isinstance(default, Record):
        return type(default).from_json(value)
    if isinstance(default, tuple):
        return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else default
    if default is None:
        right = isinstance(value, kind) and (bool in kind or not isinstance(value, bool))
        return value if right or not kind else None
    if value is None:
        return default
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, bool) is not isinstance(default, bool):
        return default
    return value if isinstance(value, type(default)) else default


def typed(raw: Mapping[str, Any], key: str, kind: type | tuple[type, ...]) -> Any:
    """`raw[key]` when it has that JSON type (a bool is not a number), else None."""
    value = raw.get(key)
    if isinstance(value, bool) and kind is not bool:
        return None
    return value if isinstance(value, kind) else None
