"""Records as bytes for the gradebook and back: JSON and raw arrays, compressed, and nothing that could be run.

The bytes, once unpacked by zlib, are the header's length (unsigned 32 bits, little endian), the header (JSON) and the
arrays one after another, each beginning at a multiple of eight bytes. In the header a record is {"Place": {field: value}},
a tuple {"tuple": [...]}, a dict {"dict": [[key, value], ...]}, an array {"array": number}, and what JSON knows is itself.
Fields go by name, so that a record which gained a field with a default is still read.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np

from grader import records
from grader.records import Array

LENGTH = struct.Struct("<I")
ALIGNMENT = 8
# Level 1 keeps the replies of a class at 0.7 of their size; the highest saves 2 % more and takes three times as long.
LEVEL = 1
# The floats of a loss history take 8 bytes as an array and 20 as JSON.
FEW = 8
KINDS = {
    name: kind for name in records.__all__ if isinstance(kind := getattr(records, name), type) and is_dataclass(kind)
}
NUMBERS = frozenset("biuf")  # dtype kinds: no objects, which only pickle could write


class DamagedError(Exception):
    """What should be a packed record is none."""


def pack(value: Any) -> bytes:
    """Lay out a record with all that it holds.

    Raises TypeError for a value that is no record, number, text, array, None, or container of these: a fault of ours.
    """
    return zlib.compress(laid_out(value), LEVEL)


def laid_out(value: Any) -> bytes:
    """Give the bytes that `pack` compresses: the same value has the same ones, whichever zlib there is."""
    packing = _Packing()
    header = json.dumps(packing.describe(value), separators=(",", ":")).encode("ascii")
    pieces = [LENGTH.pack(len(header)), header]
    size = LENGTH.size + len(header)
    for array in packing.arrays:
        gap = -size % ALIGNMENT
        pieces += [bytes(gap), array.tobytes()]
        size += gap + array.nbytes
    return b"".join(pieces)


def unpack(data: bytes) -> Any:
    """Give the record that `pack` laid out; its arrays cannot be written to.

    Raises DamagedError, with what is wrong, for bytes that `pack` did not make.
    """
    try:
        plain = zlib.decompress(data)
        (length,) = LENGTH.unpack_from(plain)
        start = LENGTH.size + length
        return _Unpacking(plain, start).restore(json.loads(plain[LENGTH.size : start]))
    except (zlib.error, struct.error, ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise DamagedError(f"{type(error).__name__}: {error}") from error


class _Packing:
    """Collects the arrays while values are described."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []

    def describe(self, value: Any) -> Any:
        kind = type(value)
        if value is None or kind in {bool, int, float, str}:
            return value
        if isinstance(value, np.ndarray):
            return self._array(value)
        if kind is tuple:
            return {"tuple": self._entries(value)}
        if kind is list:
            return self._entries(value)
        if isinstance(value, dict):
            return {"dict": [[self.describe(key), self.describe(one)] for key, one in value.items()]}
        if KINDS.get(kind.__name__) is kind:
            return {kind.__name__: {one.name: self.describe(getattr(value, one.name)) for one in fields(value)}}
        if isinstance(value, np.generic):
            return self.describe(value.item())
        for base in (int, float, str):
            if isinstance(value, base):
                return base(value)
        raise TypeError(f"a {kind.__name__} cannot be kept in a gradebook")

    def _entries(self, value: tuple[Any, ...] | list[Any]) -> Any:
        if len(value) > FEW and set(map(type, value)) == {float}:
            return {"floats": self._array(np.array(value))["array"]}
        return [self.describe(one) for one in value]

    def _array(self, array: Array) -> dict[str, Any]:
        if array.dtype.kind not in NUMBERS:
            raise TypeError(f"an array of {array.dtype} cannot be kept in a gradebook")
        little = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
        self.arrays.append(little)
        return {"array": [little.dtype.str, list(little.shape)]}


class _Unpacking:
    """Takes the arrays in the order in which they were described."""

    def __init__(self, plain: bytes, start: int) -> None:
        self.plain = plain
        self.position = start

    def restore(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.restore(one) for one in node]
        if not isinstance(node, dict):
            return node
        ((kind, inside),) = node.items()
        if kind == "array":
            return self._array(*inside)
        if kind == "tuple":
            return tuple(self.restore(inside))
        if kind == "dict":
            return {self.restore(key): self.restore(one) for key, one in inside}
        if kind == "floats":
            return self._array(*inside).tolist()
        return KINDS[kind](**{name: self.restore(one) for name, one in inside.items()})

    def _array(self, code: str, shape: list[int]) -> Array:
        dtype = _dtype(code)
        start = self.position + -self.position % ALIGNMENT
        self.position = start + math.prod(shape) * dtype.itemsize
        return np.ndarray(shape, dtype, self.plain, start)


@cache
def _dtype(code: str) -> np.dtype[Any]:
    dtype = np.dtype(code)
    if dtype.kind not in NUMBERS:
        raise ValueError(f"an array of {dtype}")
    return dtype
