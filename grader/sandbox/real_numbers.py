"""Numbers of any type as those that travel: a student's Decimal, float128 or array of objects is as right as a float64."""

from array import array as typed_array
from collections import deque
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_INTS = (int, np.int64, np.int32)
_FLOATS = (float, np.float64, np.float32, np.float16)
PLAIN_NUMBERS = frozenset({*_INTS, *_FLOATS})
# Containers of Python's own that are read as a list and as a dict.
PLAIN_FORMS: dict[type, Callable[[Any], Any]] = {deque: list, typed_array: list, MappingProxyType: dict}


def plain_numbers(entries: list[Any]) -> Array | None:
    """Return plain numbers as one array, where they are two or more: 5,000 losses are 40 kB so, and no JSON."""
    kinds = set(map(type, entries))
    if len(entries) < 2 or not kinds <= {*_INTS, *_FLOATS}:
        return None
    if kinds <= set(_INTS):
        try:
            return np.array(entries, dtype=np.int64)
        except OverflowError:
            return None
    # Whole numbers among the floats stay what they are only up to 2^53; more than that is no loss.
    if any(type(one) in _INTS and abs(one) > 1 << 53 for one in entries):
        return None
    return np.array(entries, dtype=np.float64)


def cast_numbers(entries: list[Any]) -> Array | None:
    """Return two or more numbers of any types as one array of float64; None where some are no numbers."""
    reals = [None if type(one) is bool else cast_number(one) for one in entries]
    return None if len(reals) < 2 or None in reals else np.array(reals, dtype=np.float64)


def cast_array(array: Array) -> Array:
    """Return an array's numbers as float64, where it holds real numbers and nothing else; else the array itself.

    Whole numbers that are objects stay whole: as labels they are right.
    """
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    if array.dtype.kind == "c":
        real: Array = array.real.astype(np.float64)
        return real if np.array_equal(array, real) else array
    if array.dtype.kind != "O":
        return array
    entries = array.reshape(-1).tolist()
    if entries and all(type(one) is int and one.bit_length() < 64 for one in entries):
        return np.array(entries, dtype=np.int64).reshape(array.shape)
    reals = [cast_number(one) for one in entries]
    return array if None in reals else np.array(reals, dtype=np.float64).reshape(array.shape)


def cast_number(value: Any) -> float | None:
    """Return a number of any type as a float, such as a Decimal or an array of one; None for what is none.

    Its methods are the student's own, and may do what the student may do anyway: what comes of it is a float or None.
    """
    if issubclass(type(value), str | bytes):
        return None
    try:
        return float.__float__(float(value))
    except BaseException:  # noqa: BLE001 -- the student's own __float__ may raise anything
        return None
