"""A value is told what it is among those of the right network: itself, laid otherwise, a multiple, a row, an entry, or nothing."""

from dataclasses import replace

import numpy as np
import pytest

from grader.locate.recognise import Network
from grader.locate.recorded_case import Case, Known, laid_out, multiple
from reference.cases import network_of
from reference.recompute import follow

NAMES = ("W1", "b1", "W2", "b2")
N, D, H, C = 7, 5, 9, 4
REG = 0.3


@pytest.fixture(scope="module")
def case(assignment):
    """Return a question of the bundled sizes, in which the regulariser may have either factor."""
    network, rng = network_of(assignment), np.random.default_rng(5)
    params = {name: rng.normal(size=shape) for name, shape in network.shapes((D, H, C)).items()}
    X, y = rng.normal(size=(N, D)), np.arange(N) % 3

    def followed(factor, replaced, whole):
        return follow(replace(network, coefficient=factor), params, X, y, REG, replaced, whole=whole)

    return Case(params, X, y, REG, NAMES, frozenset({"W1", "W2"}), (1.0, 0.5), followed)


@pytest.fixture(scope="module")
def right(case):
    """Return the right network of it."""
    return Network.of(case, {})


def same(right, one, other):
    """Return whether two of the network's values are the same numbers."""
    return right[one].size == right[other].size and np.allclose(right[one].ravel(), right[other].ravel())


def arrays(right):
    """Return the names of the network's arrays; the regulariser of a bias is zero, and that is nothing."""
    return [name for name, value in right.right.items() if value.size > 1 and value.any()]


# ---------------------------------------------------------------- the network's own


def test_each_value_of_the_network(right):
    """Every value is recognised as right, under its name or one whose numbers are the same."""
    for name in (
        *arrays(right),
        "data loss",
        "loss",
        "regulariser",
        "sum of losses",
        "max",
        "sum W1^2",
        "sum of squares",
    ):
        found = right.recognise(right[name])
        assert found is not None, name
        assert (found.kind, found.factor, found.detail) == ("right", "", ""), name
        assert found.name.startswith("squares of ") or same(right, found.name, name), name


def test_values_laid_otherwise(right):
    """Transposed, and with axes of length one, a value is itself."""
    for name in arrays(right):
        value = right[name]
        for laid in (value.T, value[None], value[..., None], value[:, None] if value.ndim == 1 else value):
            found = right.recognise(laid)
            assert found is not None, (name, laid.shape)
            assert (found.kind, found.factor) == ("right", ""), (name, laid.shape)
            assert same(right, found.name, name)


@pytest.mark.parametrize(
    ("factor", "words"),
    [(N, "N times "), (1 / N, "1/N of "), (-1, "minus "), (-N, "minus N times "), (-1 / N, "minus 1/N of ")],
)
@pytest.mark.parametrize("name", ["d h", "d u", "-log p true", "p", "data dW1", "exp(scores)"])
def test_values_that_are_divided_later(right, name, factor, words):
    """Gradients on the way and losses may be carried with another factor: they are right, and it is said which."""
    assert right.recognise(right[name] * factor) == Known(name, "right", words)


def test_the_gradient_of_the_scores(right):
    """Undivided it has a name of its own, and by that with either sign it is right; divided twice it is near."""
    assert right.recognise(right["d scores"] * N) == Known("p - one-hot", "right")
    assert right.recognise(right["d scores"]) == Known("d scores", "right")
    assert right.recognise(right["d scores"] * -1) == Known("p - one-hot", "right", "minus 1/N of ")
    assert right.recognise(right["d scores"] / N) == Known("p - one-hot", "near", "1/N^2 of ")


@pytest.mark.parametrize(
    ("factor", "words"), [(2, "twice "), (0.5, "half of "), (N**2, "N^2 times "), (0.1234, "0.1234 times ")]
)
def test_multiples_that_no_right_program_makes(right, factor, words):
    """They are near: what the factor is is told, and that it may not stand."""
    assert right.recognise(right["d h"] * factor) == Known("d h", "near", words)


def test_inputs_and_parameters(case, right):
    """X, y and the parameters are recognised as they are."""
    for name, value in {**case.params, "X": case.X, "y": case.y.astype(float)}.items():
        assert right.recognise(value) == Known(name, "right")
    assert right.recognise(case.X / 255) == Known("X", "right", "0.003922 times ")
    for with_ones in (np.c_[case.X, np.ones(N)], np.c_[np.ones(N), case.X]):
        assert right.recognise(with_ones) == Known("X", "right", detail="with ones:")
    assert right.recognise(np.c_[np.ones(N), case.X * 1.01]) is None


# ---------------------------------------------------------------- parts


def test_rows(right):
    """A row of a value is a part of it, with any factor that a right program has."""
    for name in ("scores", "u", "p", "d scores"):
        found = right.recognise(right[name][3])
        assert found is not None
        assert (found.kind, found.detail) == ("part", "row 3 of")
        np.testing.assert_allclose(right[found.name][3] * (1 / N if found.factor else 1), right[name][3])
    assert right.recognise(right["X W1"][2] * -1).factor == "minus "
    assert right.recognise(right["scores"][3] * 1.7) is None


def test_entries(right):
    """One number is an entry of a value or the part of one row, and the sum of the first rows' losses a part of the sum."""
    entry = right.recognise(np.array(right["u"][2, 3]))
    assert (entry.kind, entry.detail) == ("part", "an entry of")
    np.testing.assert_allclose(np.abs(right[entry.name] - right["u"][2, 3]).min(), 0, atol=1e-15)
    one = right.recognise(np.array(right["row max"][4]))
    assert one.kind == "part"
    assert right.recognise(np.array([[right["-log p true"][:3].sum()]])).detail == "a part of"
    assert right.recognise(np.array(-right["p true"][5])).kind == "part"


def test_scores_with_each_row_moved(right):
    """A softmax is the same whatever is taken off a row: such scores are right; moved entry by entry they are nothing."""
    moved = right["scores"] - np.arange(N)[:, None] * 0.3
    assert right.recognise(moved) == Known("scores", "right", detail="each row moved:")
    assert right.recognise(moved.T) == Known("scores", "right", detail="each row moved:")
    assert right.recognise(right["scores"] - np.arange(N * C).reshape(N, C) ** 2) is None


# ---------------------------------------------------------------- sums of squares and losses


def test_sums_of_squares(case, right):
    """Those of the regularised parameters are right, those that have a bias in them are near, with any usual factor."""
    squares = {name: float((value**2).sum()) for name, value in case.params.items()}
    for k in (1.0, REG, REG / 2, 2 * REG):
        assert right.recognise(np.array(k * (squares["W1"] + squares["W2"]))).kind == "right"
        assert right.recognise(np.array(k * sum(squares.values()))) == Known("squares of W1 + b1 + W2 + b2", "near")
        assert right.recognise(np.array(k * squares["W1"])).kind == "right"


@pytest.mark.parametrize("k", [1.0, 0.5])
def test_the_loss_of_either_convention(case, right, k):
    """The data loss with the whole regulariser, or half of it, is the loss; N times it, still to be divided, too."""
    data, squares = float(right["data loss"]), float(right["sum of squares"])
    loss = data + k * REG * squares
    assert right.loss_form(loss) == (1.0, k, ("W1", "W2"))
    assert case.loss_is_right(right.loss_form(loss))
    assert right.recognise(np.array(loss)).name == "loss"
    assert right.recognise(np.array(loss)).kind == "right"
    assert right.recognise(np.array(N * data + k * REG * squares)).kind == "right"


@pytest.mark.parametrize(
    ("a", "k", "covered"),
    [
        (1.0, 2.0, ("W1", "W2")), (1.0, 1.0, NAMES), (float(N), 1.0, ("W1", "W2")), (1 / N, 0.5, ("W1", "W2")),
        (-1.0, 1.0, ("W1", "W2")), (1.0, 0.0, ("W1", "W2")), (1.0, 1 / N, ("W1", "W2")), (1.0, -1.0, ("W1", "W2")),
        (1.0, 1.0, ("W1",)), (1.0, 0.5, ("W2",)),
    ],
)  # fmt: skip
def test_the_form_of_a_wrong_loss(case, right, a, k, covered):
    """A wrong factor of either part, or a wrong set of parameters, is found; none of them is right."""
    value = a * float(right["data loss"]) + k * REG * sum(float((case.params[name] ** 2).sum()) for name in covered)
    form = right.loss_form(value)
    assert form == (a, k, covered)
    assert not case.loss_is_right(form)


def test_a_part_of_the_loss(right):
    """A loss on its way, with one of two parameters' squares, is a part."""
    value = float(right["data loss"]) + REG * float(right["sum W2^2"])
    assert right.recognise(np.array(value)) == Known("loss", "part", detail="a part of")


# ---------------------------------------------------------------- gradients


@pytest.mark.parametrize(
    ("a", "k"), [(1.0, 1.0), (1.0, 0.5), (1.0, 0.0), (N, 1.0), (-1.0, 0.5), (0.0, 1.0), (2.0, -1.0)]
)
@pytest.mark.parametrize("name", NAMES)
def test_the_form_of_a_gradient(case, right, name, a, k):
    """A gradient is taken apart into the data's and the parameter, in any layout; right with a factor that is allowed."""
    value = a * right[f"data d{name}"] + 2 * k * REG * case.params[name]
    for laid in (value, value.T, value[None]):
        assert right.gradient_form(laid, name) == pytest.approx((a, k), rel=1e-6)
    form = right.gradient_form(value, name)
    whole = k in {1.0, 0.5} if name in {"W1", "W2"} else k == 0
    assert case.gradient_is_right(form, name, (1.0, 0.5)) == (a == 1 and whole)
    if a == 1 and name in {"W1", "W2"}:
        assert case.gradient_is_right(form, name, (1.0,)) == (k == 1.0)


def test_what_is_no_gradient(right):
    """Another gradient, another shape, and numbers of nothing have no form."""
    assert right.gradient_form(right["data dW1"] ** 2, "W1") is None
    assert right.gradient_form(right["data dW1"], "W2") is None
    assert right.gradient_form(np.ones(3), "b1") is None
    assert right.recognise(right["data dW1"] + REG * 0.7 * right["W1^2"]) is None


def test_a_gradient_with_the_wrong_regulariser_is_near(case, right):
    """Whole and half of it are right; a third is near."""
    for k, kind in ((1.0, "right"), (0.5, "right"), (1 / 3, "near")):
        assert right.recognise(right["data dW1"] + 2 * k * REG * case.params["W1"]) == Known("dW1", kind)
    assert right.recognise(2 * right["data dW1"] + REG * case.params["W1"]) == Known("dW1", "near", "twice ")


# ---------------------------------------------------------------- nothing


def test_values_that_are_nothing(right):
    """Numbers that no step makes, zeros and whole numbers are not recognised."""
    rng = np.random.default_rng(1)
    for shape in ((N, H), (N, C), (D, H), (N,), (C,), (3, 3), (1,), ()):
        assert right.recognise(rng.normal(size=shape)) is None, shape
        assert right.recognise(np.zeros(shape)) is None, shape
    assert right.recognise(np.array(3.0)) is None
    assert right.recognise(np.zeros((0, 3))) is None
    assert right.recognise(right["scores"] + 1e-3 * np.sin(np.arange(N * C).reshape(N, C))) is None


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e308, 1e7, 1e-300])
def test_values_beyond_all_measure(case, right, value):
    """Infinite, NaN and overflowing values are nothing."""
    with np.errstate(all="ignore"):  # as in the judge
        for shape in ((N, H), (N, C), (N,), (), (D, H), (H,)):
            odd = np.full(shape, value)
            assert right.recognise(odd) is None
            if odd.size > 1:
                odd.ravel()[1:] = 1.5
                assert right.recognise(odd) is None
        assert right.loss_form(value) is None
        assert all(
            right.gradient_form(np.full(case.params[name].shape, value), name) in (None, (0.0, 0.0)) for name in NAMES
        )


def test_a_network_that_overflows(case):
    """Where a replaced value is not finite, nothing that follows is recognised and nothing stops."""
    with np.errstate(all="ignore"):
        other = Network.of(case, {"scores": np.full((N, C), np.inf)})
        assert isinstance(other, Network)
        assert other.recognise(np.ones((N, C)) * 0.3) is None
        assert other.recognise(np.array(0.3)) is None
        assert other.loss_form(1.5) is None
        assert other.gradient_form(np.ones((D, H)), "W1") is None
        assert other.recognise(other["u"]) == Known("u", "right")


def test_single_precision(case, right):
    """A program in single precision is recognised with the tolerance for it, and not with the one for doubles."""
    rough = Network.of(replace(case, fine=1e-4), {})
    for name in ("scores", "p", "d u", "data dW2"):
        value = right[name].astype(np.float32).astype(np.float64)
        value += 3e-6 * np.abs(value).max() * np.cos(np.arange(value.size)).reshape(value.shape)
        assert rough.recognise(value).kind == "right"
        assert right.recognise(value) is None


def test_layouts():
    """A value is laid out in a shape that it has transposed or with axes of length one, and in no other."""
    value = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(laid_out(value.T, (2, 3)), value)
    np.testing.assert_array_equal(laid_out(value[None], (2, 3)), value)
    np.testing.assert_array_equal(laid_out(np.arange(3)[None], (3,)), np.arange(3.0))
    assert laid_out(value, (3, 3)) is None
    assert laid_out(np.arange(6), (2, 3)) is not None  # one axis fewer
    assert laid_out(value.reshape(6, 1), (2, 3)) is None


def test_multiples():
    """The factor of a multiple is found; what is none, or is of nothing, has no factor."""
    value = np.array([1.0, -2.0, 3.0])
    assert multiple(value * -2.5, value) == pytest.approx(-2.5)
    assert multiple(value + np.array([0, 0, 0.1]), value) is None
    assert multiple(value, np.zeros(3)) is None
    assert multiple(np.array([np.inf, 1.0, 1.0]), value) is None
