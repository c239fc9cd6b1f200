"""`dataclass` for records, made in a sixth of the time: a command made 190 of them in 110 ms before it did anything.

A frozen class is what the standard library's would be, with one method compiled in place of six.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, FrozenInstanceError, field, fields, replace
from functools import partial
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Never

__all__ = ["dataclass", "field", "fields", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(kind: type | None = None, /, *, frozen: bool = False, eq: bool = True, kw_only: bool = False) -> Any:
        """Return a class as `dataclasses.dataclass` does."""
        if kind is None:
            return partial(dataclass, frozen=frozen, eq=eq, kw_only=kw_only)
        if not frozen:
            return dataclasses.dataclass(kind, eq=eq, kw_only=kw_only)
        own = vars(kind).copy()
        dataclasses.dataclass(kind, init=False, repr=False, eq=False, kw_only=kw_only)
        methods = {"__init__": _write_init(kind), "__repr__": _show, "__setattr__": _refuse, "__delattr__": _refuse}
        if eq:
            methods |= _compare(kind)
        for name, method in methods.items():
            if own.get(name) is None:
                setattr(kind, name, method)
        return kind


def _write_init(kind: type) -> Any:
    """Compile the method that takes the fields; it fills the instance's dictionary, past what refuses changes."""
    space: dict[str, Any] = {"MISSING": MISSING}
    taken, kept, named = ["self"], [], False
    for one in fields(kind):
        if one.kw_only and not named:
            taken.append("*")
            named = True
        value = one.name
        if one.default_factory is not MISSING:
            space[f"_{one.name}"], space[f"__{one.name}"] = MISSING, one.default_factory
            value = f"__{one.name}() if {one.name} is MISSING else {one.name}"
        elif one.default is not MISSING:
            space[f"_{one.name}"] = one.default
        taken.append(f"{one.name}=_{one.name}" if f"_{one.name}" in space else one.name)
        kept.append(f"_held[{one.name!r}] = {value}")
    last = "self.__post_init__()" if hasattr(kind, "__post_init__") else ""
    exec("\n ".join([f"def __init__({', '.join(taken)}):", "_held = self.__dict__", *kept, last]), space)  # noqa: S102
    made = space["__init__"]
    made.__qualname__ = f"{kind.__qualname__}.__init__"  # which a wrong argument's message says
    return made


def _compare(kind: type) -> dict[str, Any]:
    names = [one.name for one in fields(kind)]

    def one_by_one(record: object) -> tuple[Any, ...]:
        return tuple(getattr(record, name) for name in names)

    values = attrgetter(*names) if len(names) > 1 else one_by_one

    def __eq__(self: object, other: object) -> Any:  # noqa: N807
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: object) -> int:  # noqa: N807
        return hash(values(self))

    return {"__eq__": __eq__, "__hash__": __hash__}


@recursive_repr()
def _show(self: Any) -> str:
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self))
    return f"{self.__class__.__qualname__}({shown})"


def _refuse(_self: object, name: str, *_value: object) -> Never:
    raise FrozenInstanceError(f"cannot change field {name!r}")
