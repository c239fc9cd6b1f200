"""Right values of another numeric type are right: they are cast once, and a note says so."""

import array as typed_array
import collections
import decimal
import fractions
import types

import numpy as np
import pytest

from examples import in_part
from grader.model import OpaqueValue, QuestionId, Reply, Run, StudentError
from grader.remarks import remarks
from grader.sandbox import values

END = "        return loss, grads\n"
SCORES = "            return scores\n"
CAST = "        loss, grads = {loss}, {{name: {grad} for name, value in grads.items()}}\n"
ALIKE = {
    "float128": ("np.longdouble(loss)", "value.astype(np.longdouble)", "scores.astype(np.longdouble)"),
    "objects": ("float(loss)", "value.astype(object)", "scores.astype(object)"),
    "Decimal": (
        "__import__('decimal').Decimal(float(loss))",
        "np.vectorize(__import__('decimal').Decimal, otypes=[object])(value)",
        "scores",
    ),
    "matrix": ("loss", "np.asmatrix(value)", "np.asmatrix(scores)"),
    "complex": ("float(loss)", "value.astype(complex)", "scores.astype(complex)"),
}


def test_longdouble_throughout_is_right(judgement_of, edited):
    """What is computed in it reaches every check, and the losses that train() keeps."""
    judgement = judgement_of(
        edited(('W1, b1 = self.params["W1"]', 'X = X.astype(np.longdouble)\n        W1, b1 = self.params["W1"]'))
    )
    assert {one.id: one.message for one in judgement.verdicts if one.points < one.max_points} == {}


@pytest.mark.parametrize("name", in_part(ALIKE, 4))
def test_what_is_returned_in_another_type_is_right(name, judgement_of, edited):
    """Objects that hold numbers, and classes of arrays, are their numbers."""
    loss, gradient, scores = ALIKE[name]
    after = CAST.format(loss=loss, grad=gradient)
    train = "            loss, grads = self.loss(X_batch, y=y_batch, reg=reg)\n"
    plain = "            loss, grads = float(loss), {name: np.asarray(one, dtype=complex).real.reshape(self.params[name].shape) for name, one in grads.items()}\n"
    judgement = judgement_of(
        edited((END, after + END), (SCORES, SCORES.replace("scores", scores)), (train, train + plain))
    )
    lost = {one.id: one.message for one in judgement.verdicts if one.points < one.max_points}
    assert not lost.keys() - {"predict", "learns_toy", "learns_digits", "best_hyperparameters", "histories"}, lost


def travel(value):
    """Return what arrives, and the types that were cast."""
    packing = values.Packing()
    described = packing.describe(value)
    unpacking = values.Unpacking(packing.arrays, OpaqueValue)
    return unpacking.restore(described), tuple(unpacking.casts)


@pytest.mark.parametrize(
    ("value", "arrives", "kind"),
    [
        (decimal.Decimal("0.5"), 0.5, "Decimal"),
        (fractions.Fraction(1, 4), 0.25, "Fraction"),
        ([decimal.Decimal(1), 2.5, np.float32(3)], [1.0, 2.5, 3.0], "Decimal"),
        ((np.longdouble(1), np.longdouble(2)), (1.0, 2.0), np.dtype(np.longdouble).name),
    ],
)
def test_single_numbers_and_lists_of_them(value, arrives, kind):
    """A loss history of any numbers is a list of floats."""
    assert travel(value) == (arrives, (kind,))


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.array([[1, 2.5]], dtype=object), "object"),
        (np.array([[1, 2.5]], dtype=np.longdouble), np.dtype(np.longdouble).name),
        (np.array([[1, 2.5]], dtype=complex), "complex128"),
    ],
)
def test_arrays_of_numbers(array, kind):
    """Shape and values stay, and the type is named."""
    arrived, kinds = travel(array)
    assert kinds == (kind,)
    assert (arrived.dtype, arrived.tolist()) == (np.float64, [[1.0, 2.5]])


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        (collections.deque([1.5, 2.5]), [1.5, 2.5]),
        (typed_array.array("d", [1.5, 2.5]), [1.5, 2.5]),
        (types.MappingProxyType({"W1": 1.5}), {"W1": 1.5}),
    ],
)
def test_pythons_own_containers(value, arrives):
    """A history in a deque is a list, and a view of a dict is a dict."""
    assert travel(value) == (arrives, ())


def test_a_view_of_a_students_mapping_may_raise():
    """It is described as what cannot be looked at."""

    class Mine(dict):
        def keys(self):
            raise SystemExit

    arrived, _ = travel([types.MappingProxyType(Mine(a=1))])
    assert isinstance(arrived[0], OpaqueValue)


def test_labels_that_are_objects_stay_whole():
    """Python's own whole numbers in an array of objects are no floating-point numbers."""
    arrived, kinds = travel(np.array([[1, -2]], dtype=object))
    assert (arrived.dtype, arrived.tolist(), kinds) == (np.int64, [[1, -2]], ("object",))


def test_gradients_in_half_precision_are_followed(judgement_of, edited):
    """Float16 rounds each step of train() itself, which is no other update."""
    half = "        grads = {name: value.astype(np.float16) for name, value in grads.items()}\n"
    verdicts = judgement_of(edited((END, half + END))).verdicts
    assert [one.message for one in verdicts if one.id == "update_rule" and one.points < one.max_points] == []


@pytest.mark.parametrize(
    "value",
    [
        np.array(["1"], dtype=object),
        np.array([None, 1.0], dtype=object),
        np.array([1 + 2j]),
        "1.5",
        [1.0, "2"],
        [True, 1.0],
    ],
    ids=str,
)
def test_what_is_no_number_is_none(value):
    """Texts that read like numbers, None and true complex numbers are cast to nothing."""
    assert travel(value)[1] == ()


def test_the_types_are_noted(assignment, questions):
    """One sentence for the whole program."""
    replies = {
        call.id: Reply(call.id, "returned", casts=("Decimal", "float128")[: 1 + at % 2])
        for at, call in enumerate(questions.calls)
    }
    run = Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)
    noted = ("It returns numbers of type Decimal, float128; they were judged as float64.",)
    assert remarks(assignment, questions, run) == noted


@pytest.mark.parametrize(
    ("message", "mend"),
    [
        ("'dict' object has no attribute 'iteritems'", "write .items() for .iteritems()"),
        ("'dict' object has no attribute 'has_key'", "write `key in table` for table.has_key(key)"),
        ("'zip' object is not subscriptable", "zip() is no longer a list: put list(...) around it"),
        ("'map' object has no attribute 'append'", "map() is no longer a list: put list(...) around it"),
        ("'dict_keys' object has no attribute 'sort'", "keys() is no longer a list: put list(...) around it"),
        ("object of type 'filter' has no len()", "filter() is no longer a list: put list(...) around it"),
        ("'list_iterator' object has no attribute 'next'", "write next(it) for it.next()"),
    ],
)
def test_what_is_left_of_python_2_is_noted(message, mend, assignment, questions):
    """Once, whichever calls stop there."""
    error = StudentError("train", "TypeError", message)
    replies = {call.id: Reply(call.id, "raised", error=error) for call in questions.calls}
    run = Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)
    noted = (f"This belongs to Python 2, and the grader runs Python 3: {mend}.",)
    assert remarks(assignment, questions, run) == noted
