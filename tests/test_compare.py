"""What counts as near enough, and how answers are read and described."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.compare import Tolerance, as_array, as_number, compare, describe, fit, is_single
from grader.model import OpaqueValue


def test_a_small_wrong_entry_is_not_hidden_behind_a_large_right_one():
    """Each entry is held to its own size, with the floor that the array's largest entry sets."""
    right = np.array([1000.0, 1.0])
    assert not compare(np.array([1000.0, 1.0021]), right, Tolerance(1e-6), floor=1.0).within
    assert compare(np.array([1000.0, 1.0009]), right, Tolerance(1e-6), floor=1.0).within
    assert not compare(np.array([1000.0, 1.0009]), right, Tolerance(1e-6), floor=1e-3).within


def test_nan_and_infinity_are_never_near_enough():
    """NaN compares as false with everything, so it must be caught before the comparison."""
    for bad in (np.nan, np.inf, -np.inf):
        difference = compare(np.array([1.0, bad]), np.array([1.0, 1.0]), Tolerance(1e9), floor=1.0)
        assert not difference.within
        assert difference.worst == (1,)
        assert difference.wrong_entries == 1


def test_zero_against_zero_is_right():
    """An array that is zero throughout has no size to be relative to, and still agrees with itself."""
    assert compare(np.zeros(3), np.zeros(3), Tolerance(1e-6), floor=1.0).within
    assert not compare(np.array([0.0, 1e-9]), np.zeros(2), Tolerance(1e-6), floor=1.0).within


def test_a_single_number_is_compared_like_an_array():
    """A loss is an array without axes."""
    assert compare(np.asarray(2.0), np.asarray(2.0), Tolerance(1e-6), floor=0.0).within
    assert compare(np.asarray(np.nan), np.asarray(2.0), Tolerance(1e-6), floor=0.0).worst == ()
    assert not compare(np.asarray(np.nan), np.asarray(2.0), Tolerance(1e-6), floor=0.0).within


def test_the_worst_entry_is_named():
    """The report says where the worst entry is, and both values."""
    right = np.arange(6.0).reshape(2, 3)
    theirs = right.copy()
    theirs[1, 2] = 9.0
    difference = compare(theirs, right, Tolerance(1e-6), floor=1.0)
    assert (difference.worst, difference.theirs, difference.right) == ((1, 2), 9.0, 5.0)


errors = st.lists(st.floats(0, 4), min_size=1).map(np.array)


@given(errors, st.floats(0.5, 3), st.floats(0.5, 3), st.floats(0, 2), st.sampled_from([1.0, 10.0]))
def test_in_its_range_a_tolerance_decides_the_same(error, one, other, least, times):
    """Where the other value lies in the range that the first one noted, each error and all together are judged alike."""
    first, second = Tolerance(one, "loss", least=least), Tolerance(other, "loss", least=least)
    same = np.array_equal(first.covers(error), second.covers(error))
    assert _in_range(first, other) <= same
    first.ranges.clear()
    same = first.covers_all(error, times=times) == second.covers_all(error, times=times)
    assert _in_range(first, other) <= same


def _in_range(tolerance, value):
    low, high = tolerance.ranges["loss"]
    assert low <= tolerance.value < high
    return low <= value < high


def test_the_range_is_as_wide_as_may_be():
    """It ends at the errors next to the tolerance; NaN is wrong whatever is allowed, and what is our own has no range."""
    near = Tolerance(1.0, "loss")
    assert near.covers(np.array([0.5, 0.25, 3.0, 2.0, np.nan])).tolist() == [True, True, False, False, False]
    assert near.ranges == {"loss": (0.5, 2.0)}
    assert not near.covers_all(np.array([0.75, np.nan]))
    assert near.covers_all(np.array([0.75, 0.1]))
    assert near.ranges == {"loss": (0.75, 2.0)}
    own = Tolerance(1.0)
    assert not own.covers_all(1.5)
    assert own.ranges == {}


def test_shapes_must_agree_before_comparing():
    """Broadcasting would compare a scalar bias gradient with every entry and might call it right."""
    with pytest.raises(ValueError, match=r"shapes differ: \(1,\) and \(3,\)"):
        compare(np.zeros(1), np.zeros(3), Tolerance(1.0), floor=1.0)


@pytest.mark.parametrize(
    ("shape", "wanted"), [((1, 4), (4,)), ((4, 1), (4,)), ((4,), (4,)), ((3, 2), (2, 3)), ((1, 2, 3), (2, 3))]
)
def test_a_layout_that_only_differs_is_brought_over(shape, wanted):
    """(1, H) biases and transposed weights are right in the maths; their layout is reported, not failed."""
    fitted = fit(np.arange(float(np.prod(shape))).reshape(shape), wanted)
    assert fitted is not None
    assert fitted.shape == wanted


@pytest.mark.parametrize(
    ("shape", "wanted"), [((), (4,)), ((3,), (4,)), ((2, 2), (4,)), ((6,), (2, 3)), ((3, 3), (2, 3))]
)
def test_another_shape_stays_another_shape(shape, wanted):
    """A scalar bias gradient is a mistake, and no layout."""
    assert fit(np.zeros(shape), wanted) is None


def test_single_precision_is_seen_by_its_digits():
    """Numbers computed in float32 and handed over as float64 are known by the digits that they lack."""
    rng = np.random.default_rng(0)
    double = rng.normal(size=50)
    assert is_single(double.astype(np.float32))
    assert is_single(double.astype(np.float32).astype(np.float64))
    assert not is_single(double)
    assert not is_single(np.zeros(5)), "zeros and whole numbers say nothing"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_reading_an_answer_never_fails(value):
    """Whatever a student returns is read as an array or as none, and can be described in one short line."""
    array = as_array(value)
    assert array is None or array.dtype.kind in "biuf"
    as_number(value)
    assert 0 < len(describe(value)) < 400
    assert "\n" not in describe(value)


def test_descriptions_say_what_came():
    """A message names what was returned in words that a student knows."""
    assert describe(None) == "None"
    assert describe(np.zeros((2, 3))) == "an array of shape (2, 3), dtype float64"
    assert describe(np.float64(2)) in {"the number 2", "the number np.float64(2.0)", "the number 2.0"}
    assert describe((1, 2, 3)) == "a tuple of 3"
    assert describe({"W1": 1}) == "a dict with the keys W1"
    assert describe({}) == "a dict with the keys (none)"
    assert describe(OpaqueValue("Tensor", "...")) == "an object of type Tensor"
