"""Frames: what is sent arrives, and whatever else arrives is a ProtocolError, at once and within the caps."""

import contextlib
import json
import os
import socket
import struct
import threading
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from grader.sandbox import protocol
from grader.sandbox.deadline import Deadline
from hanging import must_end

DTYPES = st.sampled_from(["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", ">f8", ">i4"])
ARRAYS = DTYPES.flatmap(lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0, max_side=4)))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def frame(header, body=b""):
    """Make the bytes of a frame by hand."""
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<4sI", b"2LN1", len(encoded)) + encoded + body


def read(data, size=1 << 16):
    """Feed bytes in portions of a size, and give the frames."""
    reader, frames = protocol.Reader(), []
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
        while (one := reader.take()) is not None:
            frames.append(one)
    return frames


@pytest.mark.untraced
@given(st.dictionaries(st.text(), JSON, max_size=4), st.lists(ARRAYS, max_size=4), st.integers(1, 40))
def test_what_is_packed_is_read(message, sent, portion):
    """Round trip, however the bytes are cut, two frames in a row: same values, dtypes and shapes, fresh and writable."""
    data = b"".join(protocol.pack(message, sent))
    for one in read(data * 2, portion):
        assert repr(one.message) == repr(json.loads(json.dumps(message)))
        assert len(one.arrays) == len(sent)
        for got, array in zip(one.arrays, sent, strict=True):
            np.testing.assert_array_equal(got, array)
            assert got.shape == array.shape
            assert got.dtype == array.dtype.newbyteorder("<")
            assert got.flags.writeable
            assert got.flags.aligned
    assert len(read(data * 2, portion)) == 2


def _swallow(data, size=1 << 16):
    with contextlib.suppress(protocol.ProtocolError):
        read(data, size)


@given(st.binary(max_size=300), st.integers(1, 50))
@example(b"2LN1" + b"\xff" * 300, 7)
def test_arbitrary_bytes_raise_nothing_else(data, portion):
    """Only ProtocolError comes out of bytes that are no frame."""
    _swallow(data, portion)


@given(st.binary(max_size=200), st.binary(max_size=64))
def test_arbitrary_headers_raise_nothing_else(header, body):
    """The same behind a right prefix."""
    _swallow(frame(header, body))


@given(JSON, JSON, st.binary(max_size=64))
@example([["<f8", [0, 2**40, 2**40]]], {}, b"")
@example([["<f8", [2**62, 4]]], {}, b"")
@example([["<f8", [-1]]], {}, b"")
@example([["<f8", [True]]], {}, b"")
@example([["<f8", [1.0]]], {}, b"12345678")
@example([["|O", [1]]], {}, b"12345678")
@example([[["<f8"], [1]]], {}, b"12345678")
def test_arbitrary_specifications_raise_nothing_else(specs, message, body):
    """The same inside a header with the two parts that it must have."""
    _swallow(frame({"arrays": specs, "message": message}, body))


@given(st.data())
def test_a_damaged_frame_raises_nothing_else(data):
    """A right frame with one byte changed is another frame, or an error, never an accident."""
    good = bytearray(b"".join(protocol.pack({"a": [1, "x"]}, [np.arange(3.0)])))
    good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    _swallow(bytes(good))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"GET / HTTP/1.1", "bytes that do not begin a frame"),
        (struct.pack("<4sI", b"2LN1", 2**31), "a header of 2,147,483,648 bytes; at most 1,048,576 are read"),
        (frame(b"\xff\xfe"), "a header that is not JSON: UnicodeDecodeError"),
        (frame(b"{"), "a header that is not JSON: JSONDecodeError"),
        (frame(b"1" * 5000), "a header that is not JSON: ValueError"),
        (frame(b"[" * 500_000), "a header nested more than 32 deep"),
        (frame([]), "a header without its two parts"),
        (frame({"arrays": [], "message": []}), "a header without its two parts"),
        (frame({"arrays": {}, "message": {}}), "a list of arrays that is none"),
        (frame({"arrays": [["<c16", [1]]], "message": {}}), "an array of a kind that does not travel"),
        (frame({"arrays": [["<f8", [1] * 9]], "message": {}}), "an array's shape that is none"),
        (frame({"arrays": [["<f8", [0, 2**40]]], "message": {}}), "an array's shape that is too large"),
        (frame({"arrays": [["|u1", [2**25]]] * 3, "message": {}}), "more than 67,108,864 bytes of arrays"),
        (frame({"arrays": [["|u1", [0]]] * 5000, "message": {}}), "or of more than 4096"),
    ],
)
def test_what_is_wrong_is_told(data, message):
    """The report of a broken protocol names what came."""
    with pytest.raises(protocol.ProtocolError, match=message):
        read(data)


def test_duplicate_keys_and_nan_are_fine():
    """json.dumps writes NaN; a header that names a key twice means its last."""
    (one,) = read(frame(b'{"arrays": [], "message": {"a": 1, "a": NaN}}'))
    assert np.isnan(one.message["a"])


def test_many_brackets_in_strings_are_no_depth():
    """A long text with brackets in it, as a print of lists has, is not nested."""
    (one,) = read(frame({"arrays": [], "message": {"printed": '[[{"\\' * 1000}}))
    assert one.message["printed"] == '[[{"\\' * 1000


def test_a_bool_array_is_made_of_zeros_and_ones():
    """Numpy trusts its bool bytes; a 2 in one makes sums and comparisons disagree."""
    (one,) = read(frame({"arrays": [["|b1", [3]]], "message": {}}, b"\x00\x02\xff"))
    assert one.arrays[0].view(np.uint8).tolist() == [0, 1, 1]


def test_a_promise_of_much_takes_no_memory():
    """A header that announces 64 MiB is believed as the bytes come, not before."""
    tracemalloc.start()
    read(frame({"arrays": [["<f8", [2**23]]], "message": {}}, b"x" * 1000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(2, dtype=complex), "an array of complex128; bool, int, uint and float of 8 to 64 bits travel"),
        (np.array([None]), "an array of object"),
        (np.zeros(2, dtype=np.longdouble), "an array of (float|longdouble)"),
        (np.zeros((1,) * 9), "an array of 9 dimensions; at most 8 travel"),
        (np.broadcast_to(np.uint8(0), 2**26 + 1), "67,108,865 bytes of arrays; at most 67,108,864 travel"),
    ],
)
def test_what_cannot_travel_is_not_packed(array, message):
    """The same caps on the way out, with what was found and what is allowed."""
    with pytest.raises(protocol.ProtocolError, match=message):
        protocol.pack({}, [array])


def test_a_header_over_the_cap_is_not_packed():
    """Ours may be longer, because source text is."""
    with pytest.raises(protocol.ProtocolError, match="a header of 2,000,"):
        protocol.pack({"a": "x" * 2_000_000})
    assert protocol.pack({"a": "x" * 2_000_000}, (), protocol.MAX_OWN_HEADER)


def test_a_slow_drip_gains_nothing():
    """The deadline is one point in time, not a timeout for each byte."""
    ours, theirs = socket.socketpair()
    stop = threading.Event()

    def drip():
        for byte in b"".join(protocol.pack({"a": "x" * 1000})):
            if stop.wait(0.02):
                return
            theirs.send(bytes([byte]))

    thread = threading.Thread(target=drip)
    thread.start()
    with ours, theirs:
        with must_end(10), pytest.raises(TimeoutError):  # to its end it would take 20
            protocol.receive(ours, protocol.Reader(), Deadline(os.getpid(), 1, time.monotonic() + 0.2))
        stop.set()
        thread.join()


def test_a_reader_that_never_reads_does_not_hang_the_sender():
    """A full socket buffer ends at the deadline."""
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(TimeoutError):
        protocol.send(ours, protocol.pack({}, [np.zeros(2**22)]), Deadline(os.getpid(), 1, time.monotonic() + 0.2))


def test_a_closed_channel_is_no_frame():
    """In the middle of one, too: how the process ended is asked of the kernel."""
    for said in (b"", b"2LN1"):
        ours, theirs = socket.socketpair()
        theirs.sendall(said)
        theirs.close()
        with ours:
            assert protocol.receive(ours, protocol.Reader(), Deadline(os.getpid(), 5)) is None
