"""Values: what a student may return travels or is named as opaque, and no description can cost the grader much."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from grader.model import OpaqueValue
from grader.sandbox import protocol, values

NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
ARRAYS = arrays.arrays(
    st.sampled_from(["?", "i4", "u8", "f2", "f4", "f8"]), arrays.array_shapes(min_dims=0, min_side=0)
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text() | ARRAYS | st.lists(NUMBERS) | st.tuples(st.floats(), st.floats()),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3) | st.tuples(inner, inner)
    ),
    max_leaves=6,
)


def travel(value):
    """Describe, send through JSON, restore."""
    packing = values.Packing()
    described = json.loads(json.dumps(packing.describe(value)))
    unpacking = values.Unpacking(packing.arrays, OpaqueValue)
    restored = unpacking.restore(described)
    unpacking.finish()
    return restored


def same(a, b):
    """Return whether two values are alike in type and content, NaN included."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))


@given(VALUES)
def test_plain_values_arrive_as_they_were(value):
    """None, bool, int, float, text, arrays, and containers of these."""
    assert same(travel(value), value)


def test_a_loss_history_travels_as_one_array():
    """5,000 losses are 40 kB, whether Python's floats or numpy's; whole numbers stay whole."""
    history = [float(x) for x in np.linspace(2.3, 0.1, 5000)]
    for given_list in (history, [np.float64(x) for x in history]):
        packing = values.Packing()
        assert packing.describe(given_list) == ["numbers", "list"]
        assert travel(given_list) == history
    assert travel([1, 2, 3]) == [1, 2, 3]
    assert all(type(x) is int for x in travel([1, 2, 3]))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(1.5), np.array(1.5)),
        (np.float32(1.5), np.array(1.5, dtype=np.float32)),
        (np.bool_(True), np.array(True)),
        (np.array([1, 2], dtype=">i4"), np.array([1, 2], dtype="<i4")),
        (np.arange(6.0).reshape(2, 3).T, np.array([[0.0, 3], [1, 4], [2, 5]])),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), np.array([1.0, 2.0])),
    ],
)
def test_numpy_values_become_plain_arrays(value, expected):
    """Scalars as 0-d arrays; subclasses, other byte orders and layouts as what they hold."""
    restored = travel(value)
    assert type(restored) is np.ndarray
    np.testing.assert_array_equal(restored, expected)
    assert restored.shape == expected.shape


class Evil:
    """Every method that a description might use raises, or lies."""

    def __getattribute__(self, name):
        """Raise."""
        raise SystemExit(name)

    def __repr__(self):
        """Raise."""
        raise KeyboardInterrupt


class EvilArray:
    """Says that it is an array, and gives none."""

    def __array__(self, dtype=None, copy=None):
        """Raise."""
        raise SystemExit


class EvilMeta(type):
    """A class whose name cannot be asked for."""

    @property
    def __name__(cls):
        """Raise."""
        raise ValueError


class Liar:
    """Says that it is an array."""

    __class__ = property(lambda self: np.ndarray)


class Int(int):
    """An int of a student's own."""

    __int__ = __index__ = __repr__ = None


class Dict(dict):
    """A dict whose own methods lie."""

    def items(self):
        """Raise."""
        raise ValueError

    __iter__ = __len__ = items


def _nameless():
    return EvilMeta("Named", (), {"__repr__": lambda self: "me"})()


def _cyclic():
    value = [1, None]
    value[1] = value
    return value


def _deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (Evil, "Evil", "its __repr__ raised KeyboardInterrupt"),
        (EvilArray, "EvilArray", "its __array__ raised SystemExit"),
        (_nameless, "Named", "me"),
        (lambda: len, "builtin_function_or_method", "<built-in function len>"),
        (lambda: 1j, "complex", "1j"),
        (lambda: {1, 2}, "set", "{1, 2}"),
        (lambda: np.array([1j]), "ndarray", "dtype complex128, shape (1,)"),
        (lambda: np.array([None, 1]), "ndarray", "dtype object, shape (2,)"),
        (lambda: np.zeros(2, dtype=[("a", "f8")]), "ndarray", "dtype [('a', '<f8')], shape (2,)"),
        (lambda: np.array("text"), "ndarray", "dtype <U4, shape ()"),
        (lambda: np.zeros((1,) * 9), "ndarray", "dtype float64, shape (1, 1, 1, 1, 1, 1, 1, 1, 1)"),
        (lambda: 2**5000, "int", "a huge integer"),
        (lambda: [0.5] * 100_001, "list", "100,001 entries; at most 100,000 travel"),
        (lambda: ["a"] * 10_001, "list", "10,001 entries that are not all numbers"),
    ],
)
def test_what_does_not_travel_is_named(make, kind, text):
    """Its type and a short text; whatever its own methods do, the reply lives."""
    assert travel(make()) == OpaqueValue(kind, text)


def test_a_liar_is_an_opaque_value():
    """isinstance() believes __class__; what counts is what asarray makes of it."""
    assert travel(Liar()).type == "Liar"


def test_subclasses_are_read_by_their_base_class():
    """A student's own methods are not asked where the base class can tell."""
    assert travel(Int(7)) == 7
    assert travel(Dict(a=1)) == {"a": 1}
    assert travel({1: "one", (2, 3): "pair"}) == {"1": "one", "(2, 3)": "pair"}


def test_cycles_and_depth_end():
    """A list that holds itself, and a million levels, are named where they are cut."""
    assert travel(_cyclic()) == [1, OpaqueValue("list", "it contains itself")]
    restored = travel(_deep(100_000))
    for _ in range(6):
        (restored,) = restored
    assert restored == OpaqueValue("list", "nested more than 6 deep")


def test_the_caps_hold_for_a_whole_reply():
    """Many values, much text: what is over is cut, and the header stays under its cap."""
    packing = values.Packing()
    described = [packing.describe([["\N{GRINNING FACE}" * 2000] for _ in range(3000)]) for _ in range(5)]
    assert len(json.dumps(described, ensure_ascii=False).encode()) < protocol.MAX_HEADER
    assert protocol.pack({"results": described})


def test_too_large_says_by_how_much_and_takes_nothing_back():
    """The arrays of an answer that is too large are not sent; the next value still travels."""
    packing = values.Packing()
    with pytest.raises(values.TooLargeError, match="80,000,008 bytes; at most 64 MiB travel"):
        packing.describe([np.zeros(1), np.broadcast_to(0.0, 10**7)])
    assert packing.arrays == []
    assert packing.describe(np.ones(3)) == ["array"]
    assert len(packing.arrays) == 1


def test_arrays_are_copied_when_they_are_described():
    """A step's answer stays what it was, though the next step changes the student's array in place."""
    packing, array = values.Packing(), np.ones(3)
    packing.describe(array)
    array[:] = 0
    assert packing.arrays[0].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "described",
    [
        None,
        [],
        ["none", 1],
        ["bool", 1],
        ["int", True],
        ["int", 2**2000],
        ["int", 1.0],
        ["float", 1],
        ["str", None],
        ["array", 0],
        ["list", {}],
        ["list", [1]],
        ["dict", [["a"]]],
        ["dict", [[1, ["none"]]]],
        ["dict", {"a": ["none"]}],
        ["opaque", "x"],
        ["eval", "1"],
        ["numbers", "set"],
        ["numbers", "list"],
        ["list", [["array"], ["array"]]],
    ],
)
def test_a_wrong_description_is_a_protocol_error(described):
    """Whatever JSON can say that describe() never says; each array is used once and has its right kind."""
    with pytest.raises(protocol.ProtocolError):
        values.Unpacking([np.zeros((2, 2))], OpaqueValue).restore(described)


def test_an_array_nobody_speaks_of_is_a_protocol_error():
    """Nothing travels besides the values."""
    with pytest.raises(protocol.ProtocolError, match="more arrays than the values speak of"):
        values.Unpacking([np.zeros(2)], OpaqueValue).finish()


def test_lists_of_numbers_cannot_multiply():
    """A number in a list takes four times its room on the wire, so all of them together have a cap."""
    many = [np.zeros(100_000) for _ in range(11)]
    unpacking = values.Unpacking(many, OpaqueValue)
    with pytest.raises(protocol.ProtocolError, match="more than 1,000,000 numbers in lists"):
        unpacking.restore(["list", [["numbers", "list"]] * 11])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=7), lambda inner: st.lists(inner, max_size=4)
    )
)
def test_arbitrary_descriptions_raise_nothing_else(described):
    """Only ProtocolError comes out of JSON that describes nothing."""
    try:
        values.Unpacking([np.zeros(2)], OpaqueValue).restore(described)
    except protocol.ProtocolError:
        return
    assert described[0] in {"none", "bool", "int", "str", "array", "numbers", "list", "tuple", "dict", "opaque"}
