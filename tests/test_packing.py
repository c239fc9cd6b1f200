"""What is packed comes back as it was, bit for bit; and bytes that nobody packed are refused, and cost little."""

from __future__ import annotations

import contextlib
import json
import math
import struct
import tracemalloc
import zlib
from dataclasses import fields, replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from examples import examples
from grader import packing
from grader.model import (
    Curves,
    Environment,
    Finding,
    Findings,
    HeatMap,
    OpaqueValue,
    Place,
    QuestionId,
    Reply,
    Report,
    Run,
    Segment,
    StepRow,
    StepStatus,
    StudentError,
    Submission,
    Verdict,
)
from grader.packing import DamagedError, lay_out, pack, unpack
from grader.sandbox.protocol import DTYPES
from grader.sandbox.values import MAX_INT_BITS

texts = st.text(st.characters(exclude_categories=()), max_size=12)  # lone surrogates and control characters too
whole = st.integers(-(2**MAX_INT_BITS) + 1, 2**MAX_INT_BITS - 1)
arrays = st.sampled_from(sorted(DTYPES)).flatmap(
    lambda code: npst.arrays(np.dtype(code), npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
turned = arrays.map(lambda array: array.T[..., ::-1] if array.ndim else array)
plain = st.none() | st.booleans() | whole | st.floats() | texts
keys = st.one_of(texts, st.integers(), st.booleans(), st.none(), st.tuples(texts, st.integers()))
many = st.integers(0, 12).flatmap(
    lambda size: st.one_of(
        st.lists(st.floats(), min_size=size, max_size=size),
        st.lists(st.integers(-(2**65), 2**65), min_size=size, max_size=size),
        st.lists(st.booleans(), min_size=size, max_size=size),
        st.lists(st.floats() | st.integers() | st.booleans(), min_size=size, max_size=size),
    )
)
values = st.recursive(
    st.one_of(plain, arrays, turned, many, many.map(tuple), st.builds(OpaqueValue, texts, texts)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
    ),
    max_leaves=8,
)
places = st.builds(Place, texts, st.integers(0, 99), texts)
words = st.text("abcdefgh-10", min_size=1, max_size=9)
ids = st.builds(QuestionId, words) | st.builds(QuestionId, words, words, st.none() | st.sampled_from([0.0, 0.1, 3.0]))
replies = st.builds(
    Reply,
    call=ids,
    outcome=st.sampled_from(["returned", "raised", "timed_out"]),
    results=st.lists(values, max_size=3).map(tuple),
    error=st.none() | st.builds(StudentError, texts, texts, texts, st.lists(places, max_size=2).map(tuple)),
    own_shapes=st.dictionaries(texts, st.lists(st.integers(0, 99), max_size=3).map(tuple), max_size=2),
)
runs = st.builds(
    Run,
    load=replies,
    replies=st.dictionaries(ids, replies, max_size=2),
    isolation=st.just(("process", "rlimits")),
    versions=st.dictionaries(texts, texts, max_size=1),
    seconds=st.floats(),
    cpu_seconds=st.floats(),
)
segments = st.lists(st.builds(Segment, texts, texts, st.lists(st.integers(0, 9), max_size=12).map(tuple)), max_size=2)
submissions = st.builds(Submission, texts, texts, texts, texts, segments.map(tuple))
floats = npst.arrays(np.float64, npst.array_shapes(max_dims=2, max_side=4))
figures = st.one_of(
    st.builds(HeatMap, texts, floats, st.lists(st.integers(0, 9), max_size=2).map(tuple)),
    st.builds(Curves, texts, st.lists(st.tuples(texts, floats), max_size=2).map(tuple)),
)
verdicts = st.builds(
    Verdict,
    *(texts, texts, st.just("loss"), st.just("passed"), st.floats(), st.floats(), st.booleans(), texts),
    figures=st.lists(figures, max_size=2).map(tuple),
)
shapes = st.lists(st.integers(0, 2**62), max_size=12).map(tuple)
rows = st.builds(StepRow, places, texts, shapes, st.sampled_from(get_args(StepStatus)), texts)
found = st.builds(
    Findings,
    st.dictionaries(texts, st.builds(Finding, st.floats(0, 1), texts), max_size=2),
    steps=st.lists(rows, max_size=3).map(tuple),
)
reports = st.builds(
    Report,
    *(texts, texts, st.floats(), st.floats(), st.just("graded"), st.lists(verdicts, max_size=2).map(tuple)),
    *(st.just(()), st.lists(texts, max_size=2).map(tuple)),
    environment=st.builds(Environment, st.just({"numpy": "2"}), st.just(("process",))),
    timing=st.dictionaries(texts, st.floats(), max_size=2),
    steps=st.lists(rows, max_size=3).map(tuple),
)


def same(one, other):
    """Return whether two values are equal in type and, for floats and arrays, in every bit that a value has."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, float):
        return struct.pack("<d", one) == struct.pack("<d", other) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one), list(other)) and same(list(one.values()), list(other.values()))
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return one == other


def made(value, header=None):
    """Pack a value, with its header in place of the one that it has."""
    plain = lay_out(value)
    size = packing.LENGTH.size
    (length,) = packing.LENGTH.unpack_from(plain)
    text = plain[size : size + length] if header is None else header
    return zlib.compress(packing.LENGTH.pack(len(text)) + text + plain[size + length :])


def by_header(header):
    """Pack a header that nobody would write, with 64 bytes of arrays."""
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    text += b" " * (-(len(text) + 4) % 8)
    return zlib.compress(packing.LENGTH.pack(len(text)) + text + bytes(64))


@pytest.mark.untraced
@examples(300)
@given(values)
@example(["\ud83d\ude00", "\U0001f600", "\x00\x1b[31m", "\udc80"])
@example([math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e308, 0.1, 0.2])
@example([math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e308, 0.1, 0.2, 0.3])
@example([2**63 - 1, -(2**63), *range(9)])
@example([2**63, *range(9)])
@example([-(2**63) - 1, *range(9)])
@example([True, False] * 6)
@example([True, *range(9)])
@example({"Place": [["label", "x"]], "tuple": [1]})
@example({"Place": {"label": "x", "line": 1, "text": ""}})
@example({"tuple": [1, 2]})
@example([{"tuple": ()}, {"array": "<f8 1"}, {"dict": []}, {"numbers": "<f8 9"}, {"text": "|u1 1"}])
@example(np.zeros((3, 0, 2), np.int16))
@example(np.array(7.0))
@example(np.arange(12, dtype=">f4").reshape(3, 4)[::2, ::-1])
def test_every_value_that_travels_comes_back(value):
    """None, numbers, texts, arrays and containers in any nesting are what they were, in type and in every bit."""
    if isinstance(value, np.ndarray) and value.dtype.byteorder == ">":
        assert same(unpack(pack(value)), value.astype("<f4"))
    else:
        assert same(unpack(pack(value)), value)


@examples(60)
@given(submissions, runs, reports, found)
def test_what_the_gradebook_keeps_comes_back(submission, run, report, findings):
    """Submission, run, report and findings keep every field, whatever replies, figures and steps are in them."""
    assert same(unpack(pack((submission, run, ("said",)))), (submission, run, ("said",)))
    assert same(unpack(pack(report)), report)
    assert same(unpack(pack(findings)), findings)


@pytest.mark.parametrize(("kind", "field"), [(Report, "steps"), (Findings, "steps"), (Findings, "notes")])
@given(st.data())
@examples(5)
def test_what_was_kept_before_there_were_steps_has_none(kind, field, data):
    """A record that was packed without a field is read as one that has nothing there."""
    nothing = {} if (kind, field) == (Findings, "steps") else ()
    value = replace(data.draw(reports if kind is Report else found), **{field: nothing})
    described = packing._Packing()
    header = described.describe(value)
    header[kind.__name__].remove((field, {"dict" if nothing == {} else "tuple": []}))
    without = json.dumps(header, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert same(unpack(made(value, without)), value)


def test_what_was_kept_under_an_earlier_name_is_read():
    """A gradebook of an earlier version calls an opaque value foreign."""
    text = json.dumps({"Foreign": [["type", "Tensor"], ["text", "..."]]}).encode()
    text += b" " * (-(4 + len(text)) % 8)
    assert packing.unpack(zlib.compress(struct.pack("<I", len(text)) + text)) == OpaqueValue("Tensor", "...")


@examples(60)
@given(values)
def test_the_same_value_has_the_same_bytes(value):
    """A digest of what is laid out is one of the value: nothing in it depends on the process or on memory's layout."""
    again = unpack(pack(value))
    assert lay_out(again) == lay_out(value)


def test_numbers_of_numpy_come_back_as_pythons():
    """A list may hold numpy's own numbers among Python's; they are the same numbers."""
    mixed = [np.float64(0.5), np.int32(3), np.bool_(True), np.str_("a"), 0.25]
    assert same(unpack(pack(mixed)), [0.5, 3, True, "a", 0.25])
    assert same(unpack(pack([np.float64(one) for one in range(20)])), [float(one) for one in range(20)])


def test_long_numbers_and_texts_stay_out_of_the_header():
    """The header has a cap, so what may be long is kept as arrays: a history, labels, the source of a submission."""
    source = "x = '\u00e4\udc80'\n" * 20_000
    for value in ([0.1] * 1000, [7] * 1000, tuple(range(1000)), source):
        plain = lay_out(value)
        assert packing.LENGTH.unpack_from(plain)[0] < 60
        assert same(unpack(pack(value)), value)


def test_arrays_cannot_be_written_to():
    """A record is frozen, and so are the arrays in it: a check that wrote to one would change the next check's answer."""
    array = unpack(pack(np.arange(3.0)))
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        1j,
        b"bytes",
        object(),
        np.array(["a"]),
        np.array([None]),
        np.array([1j]),
        np.longdouble(1),
        np.zeros(2, np.longdouble),
        np.zeros(2, "f8,f8"),
        np.datetime64("2026-11-22"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_kept_is_refused(value):
    """A value of any other kind is our fault, and is said when it is packed, not when it is read a term later."""
    with pytest.raises(TypeError, match="cannot be kept"):
        pack([value])


# ---------------------------------------------------------------- damaged

RECORD = ("x", np.arange(40.0), [0.5] * 20, {"a": (1, 2)}, Place("cell 1", 2, "loss = 0"))


def refused(data):
    """Unpack bytes; whatever they are, either there is a value or DamagedError says that there is none."""
    try:
        unpack(data)
    except DamagedError as error:
        return bool(str(error))
    return False


@examples(200)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data):
    """Nothing but DamagedError comes out of bytes that nobody packed, whether zlib likes them or not."""
    assert refused(data)
    refused(zlib.compress(data))


@examples(300)
@given(st.data())
def test_a_damaged_record_is_refused(data):
    """Cut off, longer, or with a bit turned: zlib's checksum tells."""
    packed = pack(RECORD)
    cut = data.draw(st.integers(0, len(packed) - 1))
    assert refused(packed[:cut])
    assert refused(packed + b"x")
    turned = bytearray(packed)
    turned[cut] ^= 1 << data.draw(st.integers(0, 7))
    assert refused(bytes(turned)) or same(unpack(bytes(turned)), RECORD)  # the header's level says nothing


@pytest.mark.untraced
@examples(500)
@given(st.data())
def test_a_record_that_was_tampered_with_is_read_or_refused(data):
    """With zlib's checksum mended there may be another value, but never another error."""
    plain = bytearray(lay_out(RECORD))
    for _ in range(data.draw(st.integers(1, 3))):
        plain[data.draw(st.integers(0, len(plain) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    refused(zlib.compress(bytes(plain)))
    # Not always refused: one bit makes 41 of a header's 40 numbers, and then the eight bytes are the last.
    refused(zlib.compress(bytes(plain) + bytes(8)))


def test_bytes_that_belong_to_nothing_are_refused():
    """What follows the last array of a record is not left lying there."""
    assert refused(zlib.compress(lay_out(RECORD) + bytes(8)))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["<f8 2", "|u1 8", "label", "x", ""]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from([*packing.KINDS, "tuple", "dict", "array", "numbers", "text"]), inner, max_size=2
        ),
    ),
    max_leaves=12,
)


@pytest.mark.untraced
@examples(500)
@given(JUNK)
@example({"array": 5})
@example({"array": ["<f8 2"]})
@example({"array": None})
@example({"text": []})
@example({"dict": [[[], 1]]})
@example({"dict": {"dict": []}})
@example({"Place": [[1, 2]]})
def test_any_header_is_read_or_refused(header):
    """JSON of any shape, with kinds of ours in the wrong places, never raises anything but DamagedError."""
    refused(by_header(header))


@pytest.mark.parametrize(
    "header",
    [
        {"Nobody": []},
        {"Array": []},
        {"Place": [["label", "x"], ["line", 1], ["text", ""], ["more", 1]]},
        {"Place": [["label", "x"], ["line", 1]]},
        {"Place": [], "tuple": []},
        {},
        {"array": "<f8 -1"},
        {"array": "<f8 -1 -8"},
        {"array": "<f8 9"},
        {"array": "<f8 9" + "0" * 5000},
        {"array": "<f8 9223372036854775807 4"},
        {"array": f"<f8 0 {10**30}"},
        {"array": "|O 8"},
        {"array": "<f8,<f8 4"},
        {"array": "<c16 4"},
        {"array": "<M8[s] 8"},
        {"array": "<f16 4"},
        {"array": "<f8 x"},
        {"numbers": "|u1 64"},
        {"text": "<f8 9"},
        [{"array": "<f8 4"}],
        [{"array": "<f8 4"}, {"array": "<f8 5"}],
        b"[" * 100_000,
        b"9" * 5000,
        b"\xff\xfe",
        b'{"tuple": [',
    ],
    ids=lambda header: str(header)[:60],
)
def test_what_nobody_packs_is_refused(header):
    """Unknown kinds and fields, dtypes that run code or do not travel, arrays of other sizes than there are bytes."""
    assert refused(by_header(header))


def test_the_junk_of_these_tests_is_near_what_is_read():
    """The packer of headers above makes some that are read, so that its refusals are about the headers."""
    assert same(unpack(by_header({"array": "<f8 8"})), np.zeros(8))
    assert unpack(by_header([{"numbers": "<f8 4"}, {"numbers": "<i8 4"}])) == [[0.0] * 4, [0] * 4]


def test_a_record_that_lacks_a_field_with_a_default_is_read():
    """A newer grader's records have more fields; what was kept before they came has their defaults."""
    error = StudentError("loss", "ValueError", "no", (Place("cell 1", 1, "x"),))
    header = json.dumps({"StudentError": [["during", "loss"], ["type", "ValueError"], ["message", "no"]]})
    assert unpack(made(error, header.encode())) == replace(error, places=())


@pytest.mark.parametrize("name", ["MOST", "MOST_HEADER", "MOST_NUMBERS"])
def test_each_cap_is_kept(monkeypatch, name):
    """Whatever is over one of the caps is refused, and what is just below is read."""
    value = {"MOST": np.zeros(1000), "MOST_HEADER": ["x" * 10] * 100, "MOST_NUMBERS": [[0.0] * 500, [0] * 500]}[name]
    packed, plain = pack(value), lay_out(value)
    most = {"MOST": len(plain), "MOST_HEADER": packing.LENGTH.unpack_from(plain)[0], "MOST_NUMBERS": 8000}[name]
    monkeypatch.setattr(packing, name, most)
    assert same(unpack(packed), value)
    monkeypatch.setattr(packing, name, most - 1)
    assert refused(packed)


@pytest.mark.slow
def test_a_bomb_takes_no_memory(monkeypatch):
    """A few kilobytes that would become 400 MB are given up at the cap."""
    stream = zlib.compressobj(9)
    bomb = b"".join(stream.compress(bytes(4 << 20)) for _ in range(100)) + stream.flush()
    monkeypatch.setattr(packing, "MOST", 4 << 20)
    tracemalloc.start()
    try:
        assert refused(bomb)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_a_small_header_cannot_ask_for_much_memory():
    """Arrays are views of bytes that are there, none used twice; the caps as they are bound what becomes of them."""
    header = {"tuple": [{"array": "<f8 1000000000000"}]}
    tracemalloc.start()
    try:
        assert refused(by_header(header))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert packing.MOST <= 1 << 30
    assert 20 * packing.MOST_HEADER + 5 * packing.MOST_NUMBERS <= 2 << 30


# ---------------------------------------------------------------- values that are restored one by one


@examples(60)
@given(st.lists(values, min_size=1, max_size=4))
def test_values_that_are_packed_apart_come_back_each_by_itself(several):
    """Each is what it was; and the same array is kept once, however often it stands there."""
    apart = packing.Apart(packing.pack_apart([*several, *several]))
    assert len(apart) == 2 * len(several)
    assert all(same(apart.restore(at), one) for at, one in enumerate([*several, *several]))


def test_equal_arrays_are_kept_once():
    """A thousand of them take little more than one."""
    noise = np.random.default_rng(1).normal(size=1000)
    once, often = (len(packing.pack_apart([noise.copy() for _ in range(count)])) for count in (1, 1000))
    assert often < 1.5 * once


@examples(100)
@given(st.data())
def test_values_that_were_tampered_with_are_read_or_refused(data):
    """Nothing but DamagedError comes out of it."""
    plain = bytearray(zlib.decompress(packing.pack_apart([RECORD, RECORD])))
    plain[data.draw(st.integers(0, len(plain) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    for tried in (bytes(plain), lay_out({"texts": "{", "arrays": []}), lay_out([1])):
        with contextlib.suppress(DamagedError):
            packing.Apart(zlib.compress(tried)).restore(0)
