"""Encode Python values for the channel: `describe` turns them into plain JSON and arrays, `restore` turns these back.

A description is a JSON list that begins with its kind: ["none"], ["bool", x], ["int", x], ["float", x], ["str", x],
["array"], ["numbers", "list" | "tuple"], ["list" | "tuple", [...]], ["dict", [[key, description], ...]],
["cast", type, description] and ["opaque", type, text]. "array" and "numbers" take the frame's next array: none is used
twice, so that a small header cannot ask for much memory. What holds real numbers in a type that does not travel, such as
float128 or Decimal, is cast to float64 once, here, and its type is named.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import protocol
from .real_numbers import PLAIN_FORMS, PLAIN_NUMBERS, cast_array, cast_number, cast_numbers, plain_numbers

Array = npt.NDArray[Any]

MAX_DEPTH = 6
MAX_NODES = 10_000
MAX_TEXT = 2_000  # characters of one string
# All strings of one message together: at four bytes a character they stay well under protocol.MAX_HEADER.
MAX_ALL_TEXT = 100_000
# A loss history has some thousand entries.
MAX_NUMBERS = 100_000
MAX_ALL_NUMBERS = 1_000_000
MAX_INT_BITS = 1_024
MAX_CAST = 1_000_000  # entries of an array of objects, each of which is asked for its number
OPAQUE_TEXT = 200
UNKNOWN = "a value described in no known way"

_PLAIN = frozenset({type(None), bool, int, float})


class TooLargeError(Exception):
    """An answer that is over the cap on what travels; its text says by how much."""


# ---------------------------------------------------------------- to a description


class Packing:
    """Collects the arrays of one message while its values are described, and keeps the caps on all of them together."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self._bytes = 0
        self._nodes = 0
        self._text = 0
        self._open: list[int] = []

    def describe(self, value: Any) -> list[Any]:
        """Describe one value, copying its arrays; raise TooLargeError where its arrays are over the cap.

        Whatever the value's own methods do, the answer is a description: what cannot be looked at is opaque.
        """
        kept, size = len(self.arrays), self._bytes
        try:
            return self._describe(value)
        except TooLargeError:
            del self.arrays[kept:]
            self._bytes = size
            raise
        finally:
            self._open.clear()

    def _describe(self, value: Any) -> list[Any]:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            return self._opaque(value, f"over {MAX_NODES:,} values in one reply")
        kind = type(value)
        if kind in _PLAIN:
            return self._plain(value)
        if issubclass(kind, str):
            return ["str", self._clip(str.__str__(value), MAX_TEXT)]
        if issubclass(kind, np.ndarray | np.generic):
            return self._array(value)
        if issubclass(kind, list | tuple | dict):
            return self._container(value)
        if kind in PLAIN_FORMS:
            return self._as_plain(value)
        if hasattr(kind, "__array__"):
            return self._array_like(value)
        if issubclass(kind, int | float):
            return self._plain(int.__int__(value) if issubclass(kind, int) else float.__float__(value))
        number = cast_number(value)
        return self._opaque(value) if number is None else ["cast", self._type(value), ["float", number]]

    def _plain(self, value: float | None) -> list[Any]:
        """Describe None, or a bool, int or float that is of the very class."""
        if value is None:
            return ["none"]
        if type(value) is int and value.bit_length() > MAX_INT_BITS:
            return self._opaque(value, "a huge integer")
        return [type(value).__name__, value]

    def _as_plain(self, value: Any) -> list[Any]:
        try:
            plain = PLAIN_FORMS[type(value)](value)
        except BaseException as error:  # noqa: BLE001 -- the mapping behind the view may be the student's own
            return self._opaque(value, f"reading it raised {type(error).__name__}")
        return self._container(plain)

    def _array_like(self, value: Any) -> list[Any]:
        try:
            array = np.asarray(value)
        except BaseException as error:  # noqa: BLE001 -- the student's own __array__ may raise anything
            return self._opaque(value, f"its __array__ raised {type(error).__name__}")
        return self._array(array) if type(array) is np.ndarray else self._opaque(value)

    def _array(self, value: Any) -> list[Any]:
        # For a subclass, asarray gives a view of the base class and calls none of the student's methods.
        array = np.asarray(value)
        if array.dtype.newbyteorder("<").str not in protocol.DTYPES and array.size <= MAX_CAST:
            kept = array.dtype
            array = cast_array(array)
            if array.dtype != kept:
                return ["cast", self._clip(str(kept), OPAQUE_TEXT), self._array(array)]
        if array.dtype.newbyteorder("<").str not in protocol.DTYPES or array.ndim > protocol.MAX_NDIM:
            return self._opaque(value, f"dtype {array.dtype}, shape {array.shape}")
        if len(self.arrays) >= protocol.MAX_ARRAYS:
            return self._opaque(value, f"over {protocol.MAX_ARRAYS:,} arrays in one reply")
        # Before any copy: an answer of 10^9 entries may be a broadcast that takes no memory at all.
        self._bytes += array.nbytes
        if self._bytes > protocol.MAX_BYTES:
            raise TooLargeError(f"{self._bytes:,} bytes; at most {protocol.MAX_BYTES >> 20} MiB travel")
        # A copy, because later steps may change the student's own array in place.
        self.arrays.append(np.array(array, order="C"))
        return ["array"]

    def _container(self, value: Any) -> list[Any]:
        if len(self._open) >= MAX_DEPTH:
            return self._opaque(value, f"nested more than {MAX_DEPTH} deep")
        if id(value) in self._open:
            return self._opaque(value, "it contains itself")
        self._open.append(id(value))
        described = self._dict(value) if issubclass(type(value), dict) else self._sequence(value)
        self._open.pop()
        return described

    def _dict(self, value: dict[Any, Any]) -> list[Any]:
        items = list(dict.items(value))
        if len(items) > MAX_NODES:
            return self._opaque(value, f"{len(items):,} entries")
        return ["dict", [[self._key(key), self._describe(one)] for key, one in items]]

    def _key(self, key: Any) -> str:
        text = str.__str__(key) if issubclass(type(key), str) else _text(key)
        return self._clip(text, OPAQUE_TEXT)

    def _sequence(self, value: Sequence[Any]) -> list[Any]:
        kind = "tuple" if issubclass(type(value), tuple) else "list"
        # Through the base class: a student's own list may say anything of itself.
        base: Any = tuple if kind == "tuple" else list
        entries: list[Any] = list(base.__iter__(value))
        if len(entries) > MAX_NUMBERS:
            return self._opaque(value, f"{len(entries):,} entries; at most {MAX_NUMBERS:,} travel")
        numbers = plain_numbers(entries)
        if numbers is not None:
            self._array(numbers)
            return ["numbers", kind]
        others = [one for one in entries if type(one) not in PLAIN_NUMBERS]
        if others and (reals := cast_numbers(entries)) is not None:
            self._array(reals)
            scalar = issubclass(type(others[0]), np.generic)
            return ["cast", str(np.asarray(others[0]).dtype) if scalar else self._type(others[0]), ["numbers", kind]]
        if len(entries) > MAX_NODES:
            return self._opaque(value, f"{len(entries):,} entries that are not all numbers")
        return [kind, [self._describe(one) for one in entries]]

    def _opaque(self, value: Any, why: str = "") -> list[Any]:
        return ["opaque", self._type(value), self._clip(why or _text(value), OPAQUE_TEXT)]

    def _type(self, value: Any) -> str:
        return self._clip(name_of_type(value), OPAQUE_TEXT)

    def _clip(self, text: str, most: int) -> str:
        clipped = text[: max(0, min(most, MAX_ALL_TEXT - self._text))]
        self._text += len(clipped)
        return clipped


def name_of_type(value: Any) -> str:
    """Name a value's type, whatever its metaclass does."""
    name = type.__dict__["__name__"].__get__(type(value))
    return str(name)


def in_short(value: Any) -> str:
    """Return what a value is, for an error message: "None", "an array of shape (3,)" or "a list"."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"a {name_of_type(value)}"


def _text(value: Any) -> str:
    try:
        return str.__str__(repr(value))
    except BaseException as error:  # noqa: BLE001 -- the student's own __repr__ may raise anything
        return f"its __repr__ raised {name_of_type(error)}"


# ---------------------------------------------------------------- from a description


class Unpacking:
    """Restores the descriptions of one message, in the order in which they were described.

    `opaque` makes the value for what did not travel, of its type's name and a short text; `clean` makes texts fit to keep.
    Every wrong description raises protocol.ProtocolError.
    """

    def __init__(
        self,
        arrays: Sequence[Array],
        opaque: Callable[[str, str], Any],
        clean: Callable[[str], str] = str,
    ) -> None:
        self._arrays: Iterator[Array] = iter(arrays)
        self._opaque = opaque
        self._clean = clean
        self._numbers = 0
        self._depth = 0
        self.casts: dict[str, None] = {}  # types whose values came as float64, in order

    def restore(self, node: Any) -> Any:
        """Restore one value."""
        match node:
            case ["none"]:
                return None
            case ["bool", bool(x)] | ["float", float(x)]:
                return x
            case ["str", str(x)]:
                return self._clean(x)
            case ["int", x] if type(x) is int and x.bit_length() <= MAX_INT_BITS:
                return x
            case ["opaque", str(kind), str(text)]:
                return self._opaque(kind, text)
            case [str(), *_]:
                # `describe` never nests deeper, and whoever walks through a value later does so by recursion.
                if self._depth > MAX_DEPTH:
                    raise protocol.ProtocolError(f"a value nested more than {MAX_DEPTH} deep")
                self._depth += 1
                value = self._restore_large(node)
                self._depth -= 1
                return value
        raise protocol.ProtocolError(UNKNOWN)

    def _restore_large(self, node: list[Any]) -> Any:
        match node:
            case ["array"]:
                return self._next()
            case ["cast", str(kind), node]:
                self.casts[self._clean(kind)] = None
                return self.restore(node)
            case ["numbers", "list" | "tuple" as kind]:
                numbers = self._plain_numbers()
                return numbers if kind == "list" else tuple(numbers)
            case ["list", list(nodes)]:
                return [self.restore(one) for one in nodes]
            case ["tuple", list(nodes)]:
                return tuple(self.restore(one) for one in nodes)
            case ["dict", list(pairs)]:
                return dict(self._pair(pair) for pair in pairs)
        raise protocol.ProtocolError(UNKNOWN)

    def finish(self) -> None:
        """Raise ProtocolError where arrays came that no description speaks of."""
        if next(self._arrays, None) is not None:
            raise protocol.ProtocolError("more arrays than the values speak of")

    def _pair(self, pair: Any) -> tuple[str, Any]:
        match pair:
            case [str(key), node]:
                return self._clean(key), self.restore(node)
        raise protocol.ProtocolError(UNKNOWN)

    def _next(self) -> Array:
        array = next(self._arrays, None)
        if array is None:
            raise protocol.ProtocolError("fewer arrays than the values speak of")
        return array

    def _plain_numbers(self) -> list[Any]:
        array = self._next()
        self._numbers += array.size
        if array.ndim != 1 or array.dtype not in (np.int64, np.float64) or array.size > MAX_NUMBERS:
            raise protocol.ProtocolError("a list of numbers that is none")
        if self._numbers > MAX_ALL_NUMBERS:
            raise protocol.ProtocolError(f"more than {MAX_ALL_NUMBERS:,} numbers in lists")
        numbers: list[Any] = array.tolist()
        return numbers
