"""Frames between the grader and a student's process: a JSON header and raw array bytes, with a cap on everything.

A frame is the four bytes `2LN1`, the header's length (unsigned 32 bits, little endian), the header (JSON, UTF-8)
`{"arrays": [[dtype, shape], ...], "message": {...}}`, and the arrays' bytes one after another, in C order and
little endian. Nothing here unpickles: a student's bytes can become numbers, text and arrays, and nothing else.
"""

from __future__ import annotations

import json
import math
import os
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import socket

    from .deadline import Deadline

MAGIC = b"2LN1"
PREFIX = struct.Struct("<4sI")
# 1 MiB of JSON becomes some 40 MiB of Python objects at worst, dicts in dicts: what the grader can afford for one bad submission.
MAX_HEADER = 1 << 20
# What the grader itself sends is its own; only source text makes it long.
MAX_OWN_HEADER = 64 << 20
JOINED_BYTES = 1 << 20  # frames below this are written in one piece
MAX_BYTES = 64 << 20
MAX_ARRAYS = 4096
MAX_NDIM = 8
MAX_DEPTH = 32
# So few cannot nest deep enough to hurt, and need not be looked at.
FEW_BRACKETS = 256
# Of descriptions of arrays that are remembered: 10 MiB at most, where a class sends nothing but the longest.
FEW_CHARACTERS, MOST_KNOWN = 4_096, 256
DTYPES = frozenset(
    ["|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"],
)
CHUNK = 1 << 16

# A string that never ends is taken to the end: looked for anew at each of its quotes, one megabyte of `\"` took hours.
_STRINGS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")

Array = npt.NDArray[Any]
Spec = tuple[np.dtype[Any], tuple[int, ...], int]
_known_specs: dict[str, list[Spec]] = {}


class ProtocolError(Exception):
    """Bytes that are no frame, or a frame over a cap."""


@dataclass(frozen=True)
class Frame:
    """One message with its arrays, which are fresh, aligned and writable."""

    message: dict[str, Any]
    arrays: tuple[Array, ...] = ()


# ---------------------------------------------------------------- writing


def pack(header: Mapping[str, Any], arrays: Sequence[Array] = (), max_header: int = MAX_HEADER) -> list[memoryview]:
    """Lay out one frame as pieces to be written in order.

    Large arrays are not copied, so that an answer of 64 MiB does not need twice its memory.
    Raises ProtocolError where the frame would be over a cap.
    """
    plain = [_plain(array) for array in arrays]
    specs = [[array.dtype.str, list(array.shape)] for array in plain]
    text = json.dumps({"arrays": specs, "message": header}, ensure_ascii=False, separators=(",", ":"))
    encoded = text.encode("utf-8", "replace")
    if len(encoded) > max_header:
        raise ProtocolError(f"a header of {len(encoded):,} bytes; at most {max_header:,} travel")
    if len(plain) > MAX_ARRAYS:
        raise ProtocolError(f"{len(plain):,} arrays; at most {MAX_ARRAYS:,} travel")
    total = sum(array.nbytes for array in plain)
    if total > MAX_BYTES:
        raise ProtocolError(f"{total:,} bytes of arrays; at most {MAX_BYTES:,} travel")
    start = memoryview(PREFIX.pack(MAGIC, len(encoded)) + encoded)
    pieces = [start, *(array.reshape(-1).view(np.uint8).data for array in plain if array.size)]
    # A write for every array would wake the other side a dozen times a call: 10 ms a submission.
    return [memoryview(b"".join(pieces))] if total < JOINED_BYTES else pieces


def _plain(array: Array) -> Array:
    """Return the array in C order and little endian, or say why it cannot travel."""
    little = array.dtype.newbyteorder("<")
    if little.str not in DTYPES:
        raise ProtocolError(f"an array of {array.dtype}; bool, int, uint and float of 8 to 64 bits travel")
    if array.ndim > MAX_NDIM:
        raise ProtocolError(f"an array of {array.ndim} dimensions; at most {MAX_NDIM} travel")
    return np.asarray(array, dtype=little, order="C")


def write(descriptor: int, pieces: Sequence[memoryview]) -> None:
    """Write a frame to a blocking descriptor.

    Plain write(2): the lock-down refuses the socket calls to a student's process.
    """
    for piece in pieces:
        rest = piece
        while rest:
            rest = rest[os.write(descriptor, rest) :]


def send(channel: socket.socket, pieces: Sequence[memoryview], deadline: Deadline) -> None:
    """Send a frame to a student's process, which may never read it.

    Past the deadline, TimeoutError is raised. A process that has gone raises another OSError.
    """
    for piece in pieces:
        rest = piece
        while rest:
            channel.settimeout(deadline.pause())
            try:
                rest = rest[channel.send(rest) :]
            except (TimeoutError, BlockingIOError):
                deadline.note_silence()


# ---------------------------------------------------------------- reading


class Reader:
    """Makes frames of bytes as they come; every byte is taken to be hostile."""

    def __init__(self, max_header: int = MAX_HEADER) -> None:
        self._max_header = max_header
        self._buffer = bytearray()
        self._header: tuple[dict[str, Any], list[Spec], int, int] | None = None

    def feed(self, data: bytes) -> None:
        """Add bytes as they came; call `take` before feeding more, so that the caps are looked at."""
        self._buffer += data

    def take(self) -> Frame | None:
        """Return the next whole frame, or None while it is incomplete; raise ProtocolError on anything else."""
        if self._header is None:
            self._header = self._read_header()
        if self._header is None:
            return None
        message, specs, start, end = self._header
        if len(self._buffer) < end:
            return None
        arrays = _arrays(self._buffer, specs, start)
        del self._buffer[:end]
        self._header = None
        return Frame(message, arrays)

    def _read_header(self) -> tuple[dict[str, Any], list[Spec], int, int] | None:
        if not MAGIC.startswith(self._buffer[: len(MAGIC)]):
            raise ProtocolError("bytes that do not begin a frame")
        if len(self._buffer) < PREFIX.size:
            return None
        _, length = PREFIX.unpack_from(self._buffer)
        if length > self._max_header:
            raise ProtocolError(f"a header of {length:,} bytes; at most {self._max_header:,} are read")
        start = PREFIX.size + length
        if len(self._buffer) < start:
            return None
        header = _parse(bytes(self._buffer[PREFIX.size : start]))
        specs = _specs(header["arrays"])
        return header["message"], specs, start, start + sum(size for _, _, size in specs)


def unpack(data: bytes | memoryview) -> Frame:
    """Return the frame that is all of these bytes, which are our own or were packed by us."""
    start = PREFIX.size + PREFIX.unpack_from(data)[1]
    header = _parse(bytes(data[PREFIX.size : start]))
    return Frame(header["message"], _arrays(data, _specs(header["arrays"]), start))


def _parse(encoded: bytes) -> dict[str, Any]:
    """Read a header's JSON; the depth is looked at first, so that no parser's stack is ever at stake."""
    try:
        text = encoded.decode("utf-8")
        if text.count("[") + text.count("{") > FEW_BRACKETS and _depth(text) > MAX_DEPTH:
            raise ProtocolError(f"a header nested more than {MAX_DEPTH} deep")
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"a header that is not JSON: {type(error).__name__}") from None
    if not isinstance(header, dict) or set(header) != {"arrays", "message"} or not isinstance(header["message"], dict):
        raise ProtocolError("a header without its two parts")
    return header


def _depth(text: str) -> int:
    deepest = depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _specs(raw: Any) -> list[Spec]:
    if not isinstance(raw, list) or len(raw) > MAX_ARRAYS:
        raise ProtocolError(f"a list of arrays that is none, or of more than {MAX_ARRAYS}")
    # Most programs of a class lay their answers out alike. As text, in which 1 is neither true nor 1.0.
    written = repr(raw)
    specs = _known_specs.get(written)
    if specs is None:
        specs = [_spec(one) for one in raw]
        if len(written) <= FEW_CHARACTERS:
            if len(_known_specs) >= MOST_KNOWN:
                _known_specs.clear()
            _known_specs[written] = specs
    if sum(size for _, _, size in specs) > MAX_BYTES:
        raise ProtocolError(f"more than {MAX_BYTES:,} bytes of arrays")
    return specs


def _spec(raw: Any) -> Spec:
    if not (isinstance(raw, list) and len(raw) == 2 and isinstance(raw[0], str) and raw[0] in DTYPES):
        raise ProtocolError("an array of a kind that does not travel")
    shape = raw[1]
    if not isinstance(shape, list) or len(shape) > MAX_NDIM or any(type(n) is not int or n < 0 for n in shape):
        raise ProtocolError("an array's shape that is none")
    # Zeros are left out of the product: the shape (0, 2^40, 2^40) holds no entry, yet it overflows numpy's strides.
    if math.prod(max(n, 1) for n in shape) > MAX_BYTES:
        raise ProtocolError("an array's shape that is too large")
    dtype = np.dtype(raw[0])
    return dtype, tuple(shape), math.prod(shape) * dtype.itemsize


def _arrays(buffer: bytes | bytearray | memoryview, specs: Sequence[Spec], start: int) -> tuple[Array, ...]:
    arrays = []
    for dtype, shape, size in specs:
        arrays.append(_array(buffer, dtype, shape, start))
        start += size
    return tuple(arrays)


def _array(buffer: bytes | bytearray | memoryview, dtype: np.dtype[Any], shape: tuple[int, ...], start: int) -> Array:
    count = math.prod(shape)
    if dtype.kind == "b":
        # A byte other than 0 and 1 in a bool array makes numpy's sums and comparisons disagree.
        return np.not_equal(np.frombuffer(buffer, np.uint8, count, start), 0).reshape(shape)
    return np.frombuffer(buffer, dtype, count, start).reshape(shape).copy()


def receive(channel: socket.socket, reader: Reader, deadline: Deadline) -> Frame | None:
    """Wait for a student's process to send a frame; None where it closed the channel instead.

    Past the deadline, which is one for all bytes of the frame, TimeoutError is raised.
    """
    while (frame := reader.take()) is None:
        channel.settimeout(deadline.pause())
        try:
            data = channel.recv(CHUNK)
        except (TimeoutError, BlockingIOError):
            # What comes never brings a look forward or puts it off: its sender would choose when it is awake.
            deadline.note_silence()
            continue
        except ConnectionError:
            data = b""
        if not data:
            return None
        reader.feed(data)
    return frame


def read(descriptor: int, reader: Reader) -> Frame | None:
    """Read a frame from a blocking descriptor; None where the other end is closed."""
    while (frame := reader.take()) is None:
        data = os.read(descriptor, CHUNK)
        if not data:
            return None
        reader.feed(data)
    return frame
