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
    _defaults: dict[str, Any] = {}
    _kinds: dict[str, frozenset[type]] = {}

    def __init_subclass__(cls) -> None:
        own = {n: a for n, a in cls.__dict__.get("__annotations__", {}).items() if not n.startswith("_")}
        above: type[Record] = cls.__mro__[1]
        cls._defaults = {**above._defaults, **{n: getattr(cls, n) for n in own}}
        cls._kinds = {**above._kinds, **{n: _kinds(a, cls._defaults[n]) for n, a in own.items()}}

    def __init__(self, **values: Any) -> None:
        if not values.keys() <= self._defaults.keys():
            unknown = sorted(values.keys() - self._defaults.keys())
            raise TypeError("%s has no field %s" % (type(self).__name__, ", ".join(unknown)))
        self.__dict__.update(self._defaults)
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("%s is frozen" % type(self).__name__)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ("%s=%r" % (n, v) for n, v in self.__dict__.items() if v != self._defaults[n])
        return "%s(%s)" % (type(self).__name__, ", ".join(shown))

    def replace(self: R, **changes: Any) -> R:
        """The same record with some fields changed."""
        return type(self)(**{**self.__dict__, **changes})

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, every field present, nested records included."""
        return {n: v if type(v) in _PLAIN else _plain(v) for n, v in self.__dict__.items()}

    @classmethod
    def from_json(cls: type[R], raw: object) -> R:
        """Total: anything that is not an object gives the record of defaults."""
        values = dict(cls._defaults)
        for name, value in raw.items() if isinstance(raw, dict) else ():
            if name in values:
                kinds = cls._kinds[name]
                values[name] = value if type(value) in kinds else _fitted(value, values[name], kinds)
        return cls(**values)


_PLAIN = frozenset((str, int, float, bool, type(None)))
_OPTIONAL: dict[str, tuple[type, ...]] = {
    "float": (float, int),
    "int": (int,),
    "bool": (bool,),
    "str": (str,),
    "dict": (dict,),
    "list": (list,),
    "Any": (list, dict, int),
}


def _kinds(annotation: str, default: object) -> frozenset[type]:
    """The types of JSON values that a field takes as they are."""
    if annotation.startswith("Optional["):
        return frozenset((type(None), *_OPTIONAL[annotation[9:].partition("[")[0].rstrip("]")]))
    return frozenset() if isinstance(default, (tuple, Record)) else frozenset((type(default),))


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


def _fitted(value: Any, default: Any, kinds: frozenset[type]) -> Any:
    """What stands for a value that is not taken as it is: another form of it, or the default."""
    if isinstance(default, Record):
        return type(default).from_json(value)
    if isinstance(default, tuple):
        return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else default
    return float(value) if float in kinds and type(value) is int else default


def typed(raw: Mapping[str, Any], key: str, kind: type | tuple[type, ...]) -> Any:
    """`raw[key]` when it has that JSON type (a bool is not a number), else None."""
    value = raw.get(key)
    if isinstance(value, bool) and kind is not bool:
        return None
    return value if isinstance(value, kind) else None
