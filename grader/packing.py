"""Records to bytes for gradebooks and frozen questions, and back: JSON and raw arrays, compressed, with nothing to be run.

The bytes, once unpacked by zlib, are the header's length (unsigned 32 bits, little endian), the header (JSON) and the
arrays one after another, each filled up to a multiple of eight bytes, as the header is. In the header every object has one member, which
tells what it stands for: {"Place": [[field, value], ...]} a record (a question's id is its text), {"tuple": [...]}, {"dict": [[key, value], ...]},
{"array": "<f8 5 14"} the next array, {"numbers": "<f8 5000"} a list of numbers kept as the next array, and
{"text": "|u1 200000"} a long text kept so. What JSON knows is itself. Fields go by name, so that a record which gained a
field with a default is still read.
"""

import json
import math
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from importlib import import_module
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from grader.model import Array, Call, Charge, QuestionId, Reply, Run
from grader.sandbox.protocol import DTYPES

LENGTH = struct.Struct("<I")
ALIGNMENT = 8
# Floats are stored as they are, in blocks that zlib reads like any other: the replies of a class stay at 0.83 of their size.
# With the floats they would be at 0.62, and take twelve times as long.
LEVEL = 1
BEGIN = b"\x78\x01"  # of a zlib stream (RFC 1950)
# RFC 1951: whether it is the last block, its length, the complement.
STORED, MOST_STORED = struct.Struct("<BHH"), 0xFFFF
BEST = 9
# The floats of a loss history take 8 bytes as an array and 20 as JSON.
FEW = 8
AS_THEY_ARE = frozenset({type(None), bool, int, float})
LONG = 100_000  # characters; a text above them stays out of the header, so that the header can have a cap
# Whoever can write the folder can write a gradebook, and a megabyte of zlib may become a gigabyte. A submission and its
# replies are some 0.3 MB; by their own caps 64 MiB and 80 MiB. JSON becomes twenty times its size at worst, in empty
# lists, and a list of numbers takes five times its array.
MOST = 512 << 20
MOST_HEADER = 64 << 20
MOST_NUMBERS = 64 << 20  # bytes of arrays that become lists
KINDS = {
    name: kind
    for name, kind in vars(import_module("grader.model")).items()
    if isinstance(kind, type) and is_dataclass(kind)
}
# Names under which earlier versions kept records.
FORMER_NAMES = {"Foreign": "OpaqueValue"}
# `fields` looks through a class each time, which took a third of the time of packing a report.
FIELDS = {kind: tuple(one.name for one in fields(kind)) for kind in KINDS.values()}


class DamagedError(Exception):
    """These bytes are no packed record."""


def pack(value: Any) -> bytes:
    """Return a record with all that it holds as bytes.

    Raises TypeError for a value that is no record, number, text, array, None, or container of these.
    """
    stream, plain, check = zlib.compressobj(LEVEL, wbits=-zlib.MAX_WBITS), [BEGIN], 1
    for floats, run in groupby(_pieces(value), key=itemgetter(0)):
        content = b"".join(piece for _, piece in run)
        check = zlib.adler32(content, check)
        if floats:
            blocks = (content[start : start + MOST_STORED] for start in range(0, len(content), MOST_STORED))
            plain += [STORED.pack(0, len(one), len(one) ^ 0xFFFF) + one for one in blocks]
        else:
            # Flushed whole, so that nothing refers back across what is stored.
            plain += [stream.compress(content), stream.flush(zlib.Z_FULL_FLUSH)]
    return b"".join([*plain, STORED.pack(1, 0, 0xFFFF), check.to_bytes(4, "big")])


def lay_out(value: Any) -> bytes:
    """Return the bytes before compression: they are the same for the same value, whatever zlib's version."""
    return b"".join(piece for _, piece in _pieces(value))


def _pieces(value: Any) -> list[tuple[bool, bytes]]:
    """Return the bytes in pieces, each with whether it is an array of floats, in which there is little to compress."""
    packing = _Packing()
    described = json.dumps(packing.describe(value), ensure_ascii=False, separators=(",", ":"))
    # Unescaped: two lone surrogates side by side would come back from \ud83d\ude00 as one character.
    header = described.encode("utf-8", "surrogatepass")
    header += b" " * _gap(LENGTH.size + len(header))
    arrays = [(array.dtype.kind == "f", array.tobytes() + bytes(_gap(array.nbytes))) for array in packing.arrays]
    return [(False, LENGTH.pack(len(header)) + header), *arrays]


def _gap(size: int) -> int:
    """Return how many bytes are missing to the next boundary."""
    return -size % ALIGNMENT


def unpack(data: bytes) -> Any:
    """Return the record that `pack` packed; its arrays are read-only.

    Raises DamagedError, with what is wrong, for bytes that `pack` did not make.
    """
    try:
        return _Unpacking(_decompressed(data)).value()
    except (zlib.error, struct.error, ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        raise DamagedError(f"{type(error).__name__}: {error}") from error


def _decompressed(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    plain = stream.decompress(data, MOST + 1)
    if len(plain) > MOST:
        raise ValueError(f"over {MOST:,} bytes")
    if not stream.eof or stream.unused_data:
        raise ValueError("its end is missing" if not stream.eof else "more after its end")
    return plain


def pack_apart(values: Sequence[Any]) -> bytes:
    """Return many values as small as they get: arrays that are equal are kept once. `Apart` restores each by itself."""
    packing = _Packing(once=True)
    texts = [json.dumps(packing.describe(one), ensure_ascii=False, separators=(",", ":")) for one in values]
    return zlib.compress(lay_out({"texts": "\n".join(texts), "arrays": packing.arrays}), BEST)


class Apart:
    """The values that `pack_apart` packed, each restored when it is asked for; raises DamagedError."""

    def __init__(self, data: bytes) -> None:
        found = unpack(data)
        try:
            arrays: Sequence[Array] = found["arrays"]
            self._texts: Sequence[str] = found["texts"].split("\n")
        except (TypeError, LookupError, AttributeError) as error:
            raise DamagedError(f"no values: {error}") from error
        self._restore = _restoring(array=lambda place: arrays[place], numbers=lambda place: arrays[place].tolist())

    def __len__(self) -> int:
        return len(self._texts)

    def restore(self, place: int) -> Any:
        """Return one value, made anew each time."""
        try:
            return json.loads(self._texts[place], object_pairs_hook=self._restore)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise DamagedError(f"{type(error).__name__}: {error}") from error


class _Packing:
    """Collects the arrays while values are described. once : equal ones are one, and are known by their number."""

    def __init__(self, *, once: bool = False) -> None:
        self.arrays: list[Array] = []
        self.known: dict[tuple[str, bytes], int] | None = {} if once else None

    def describe(self, value: Any) -> Any:
        kind = type(value)
        if kind in AS_THEY_ARE:
            return value
        if kind is str:
            return value if len(value) <= LONG or self.known is not None else {"text": self._bytes(value)}
        if isinstance(value, np.ndarray):
            return {"array": self._form(value)}
        if kind is tuple:
            return {"tuple": self._entries(value)}
        if kind is list:
            return self._entries(value)
        if isinstance(value, dict):
            return {"dict": [self._each(pair) for pair in value.items()]}
        if kind is QuestionId:
            return str(value)
        if KINDS.get(kind.__name__) is kind:
            held = [getattr(value, name) for name in FIELDS[kind]]
            return {kind.__name__: [*zip(FIELDS[kind], self._each(held), strict=True)]}
        return self._lesser(value)

    def _lesser(self, value: Any) -> Any:
        """Return the description of a value whose class is derived from a plain one: np.float64, np.bool_, an enum member."""
        plain = value.item() if isinstance(value, np.generic) else value
        for base in (bool, int, float, str):
            if isinstance(plain, base):
                return self.describe(base(plain))
        raise TypeError(f"a {type(value).__name__} cannot be kept")

    def _entries(self, value: Sequence[Any]) -> Any:
        kinds = set(map(type, value)) if len(value) > FEW else set()
        if kinds == {float}:
            return {"numbers": self._form(np.array(value, dtype=np.float64))}
        if kinds == {int} and min(value) >= -(1 << 63) and max(value) < 1 << 63:
            return {"numbers": self._form(np.array(value, dtype=np.int64))}
        return self._each(value)

    def _each(self, values: Sequence[Any]) -> list[Any]:
        """Return the description of each value; what stays as it is, which most are, is not looked into."""
        describe = self.describe
        return [
            one if type(one) in AS_THEY_ARE or (type(one) is str and len(one) <= LONG) else describe(one)
            for one in values
        ]

    def _bytes(self, text: str) -> str | int:
        return self._form(np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8))

    def _form(self, array: Array) -> str | int:
        """Keep an array and return its dtype and shape, as in "<f8 5 14"; its number where equal ones are one."""
        written = array.dtype.str if array.dtype.str in DTYPES else array.dtype.newbyteorder("<").str
        if written not in DTYPES:
            raise TypeError(f"an array of {array.dtype} cannot be kept")
        plain, form = np.asarray(array, dtype=written, order="C"), " ".join([written, *map(str, array.shape)])
        number = len(self.arrays)
        if self.known is not None:
            number = self.known.setdefault((form, plain.tobytes()), number)
        if number == len(self.arrays):
            self.arrays.append(plain)
        return form if self.known is None else number


class _Unpacking:
    """Takes the arrays in the order in which they were described."""

    def __init__(self, plain: bytes) -> None:
        (length,) = LENGTH.unpack_from(plain)
        if length > MOST_HEADER:
            raise ValueError(f"a header of {length:,} bytes")
        self.plain = plain
        self.position = self.start = LENGTH.size + length
        self.listed = 0

    def value(self) -> Any:
        header = self.plain[LENGTH.size : self.start].decode("utf-8", "surrogatepass")
        # Objects are restored as the parser closes them, from the inside out: walking through all that it made took
        # twice as long.
        restore = _restoring(array=self._array, numbers=self._numbers, text=self._text)
        value = json.loads(header, object_pairs_hook=restore)
        if self.position != len(self.plain):
            raise ValueError(f"{len(self.plain):,} bytes, and {self.position:,} are spoken of")
        return value

    def _text(self, form: str) -> str:
        return self._array(form).tobytes().decode("utf-8", "surrogatepass")

    def _array(self, form: str) -> Array:
        dtype, shape, room = _parsed(form)
        start = self.position
        self.position += room
        return np.ndarray(shape, dtype, self.plain, start)

    def _numbers(self, form: str) -> Any:
        array = self._array(form)
        self.listed += array.nbytes
        if array.dtype not in (np.float64, np.int64) or self.listed > MOST_NUMBERS:
            raise ValueError("lists of too many numbers, or of none")
        return array.tolist()


def _restoring(**made: Callable[[Any], Any]) -> Callable[[list[tuple[str, Any]]], Any]:
    """Return what makes the value that a JSON object of one member stands for; made : it by the member's name."""
    plain = {"tuple": tuple, "dict": dict, **made}

    def restore(members: list[tuple[str, Any]]) -> Any:
        ((kind, inside),) = members
        make = plain.get(kind)
        return make(inside) if make else _record(KINDS[FORMER_NAMES.get(kind, kind)], dict(inside))

    return restore


def _record(kind: type, members: dict[str, Any]) -> Any:
    """Return a record from its fields, in which question ids are still texts."""
    if kind is Reply:
        members["call"] = QuestionId.parse(members["call"])
    elif kind is Call:
        members["id"] = QuestionId.parse(members["id"])
    elif kind is Run:
        members["replies"] = {QuestionId.parse(call): reply for call, reply in dict(members["replies"]).items()}
    elif kind is Charge and "suspect" in members:  # as gradebooks of version 4 call it
        members["mistake"] = members.pop("suspect")
    return kind(**members)


@lru_cache(maxsize=4096)
def _parsed(form: str) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Return dtype, shape, and the bytes up to the next array."""
    if not isinstance(form, str):
        raise TypeError("an array of no known form")
    code, *sizes = form.split(" ")
    if code not in DTYPES:
        raise ValueError(f"an array of {code}")
    dtype, shape = np.dtype(code), tuple(map(int, sizes))
    size = math.prod(shape) * dtype.itemsize
    return dtype, shape, size + _gap(size)
