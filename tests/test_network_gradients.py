"""Every variant's gradients are the slopes of its own loss, entry by entry, by two numeric methods."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from examples import in_part
from reference.activations import ACTIVATIONS
from reference.losses import LOSSES
from reference.network import build
from reference.regularisers import REGULARISERS

# N, D, the hidden sizes and C all differ, so that no wrong axis fits by chance.
N, SIZES = 5, (4, 6, 7, 3)
NAMES = (("W1", "b1"), ("W2", "b2"), ("W3", "b3"))
VARIANTS = list(itertools.product(ACTIVATIONS, LOSSES, (1, 2, 3)))


def kink_distance(network, params, X, y, loss):
    """Return how far the nearest pre-activation or margin is from where its slope jumps."""
    *hidden, last = network.forward(params, X)
    gaps = [np.abs(layer.u if layer.u.ndim == 2 else layer.u[0] - layer.u[1]).min() for layer in hidden]
    if loss == "svm":
        margins = last.h - last.h[np.arange(len(y)), y][:, None] + 1.0
        margins[np.arange(len(y)), y] = np.inf
        gaps.append(np.abs(margins).min())
    return min(gaps, default=np.inf)


def draw(activation, loss, depth, regulariser):
    """Return a network of the variant, random parameters (biases too), and data that keep away from the kinks."""
    network = build(activation, loss, regulariser, NAMES[:depth])
    classes = 1 if loss == "sigmoid" and depth == 1 else SIZES[3]
    for seed in range(100):
        rng = np.random.RandomState(seed)
        shapes = network.shapes((*SIZES[:depth], classes))
        params = {name: 0.7 * rng.standard_normal(shape) for name, shape in shapes.items()}
        X, y = rng.standard_normal((N, SIZES[0])), rng.randint(0, max(classes, 2), N)
        if kink_distance(network, params, X, y, loss) > 1e-3:
            return network, params, X, y
    pytest.fail("no seed below 100 keeps away from the kinks")


def moved(params, name, index, step):
    """Return the parameters with one entry moved."""
    theta = params[name].astype(np.result_type(params[name], step))
    theta[index] += step
    return {**params, name: theta}


def central(loss, params, h):
    """Differentiate numerically, (loss(theta + h) - loss(theta - h)) / 2h for each entry."""
    slopes = {name: np.zeros(theta.shape) for name, theta in params.items()}
    for name, slope in slopes.items():
        for index in np.ndindex(slope.shape):
            slope[index] = (loss(moved(params, name, index, h)) - loss(moved(params, name, index, -h))) / (2 * h)
    return slopes


def complex_step(loss, params, h=1e-30):
    """Differentiate by a step into the imaginary direction: Im loss(theta + ih) / h, with no cancellation."""
    slopes = {name: np.zeros(theta.shape) for name, theta in params.items()}
    for name, slope in slopes.items():
        for index in np.ndindex(slope.shape):
            slope[index] = loss(moved(params, name, index, 1j * h)).imag / h
    return slopes


def assert_entries(found, expected, relative, floor):
    """Compare entry by entry: one ratio over a tensor would hide a small wrong entry behind a large right one."""
    assert found.keys() == expected.keys()
    for name, right in expected.items():
        assert found[name].shape == right.shape
        assert found[name].dtype == np.float64
        excess = np.abs(found[name] - right) - relative * np.abs(right)
        assert excess.max() <= floor, f"{name}: off by {np.abs(found[name] - right).max():.2e}"


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize("regulariser", REGULARISERS)
@pytest.mark.parametrize(("activation", "loss", "depth"), in_part(VARIANTS, 3))
def test_gradients_are_the_slopes_of_the_loss(activation, loss, depth, regulariser):
    """The analytic gradient is the complex-step derivative to 1e-12 and the central difference to 5e-7."""
    network, params, X, y = draw(activation, loss, depth, regulariser)

    def objective(theta):
        return network.loss(theta, X, y, 0.7)

    gradients = network.gradients(params, X, y, 0.7)
    assert_entries(gradients, complex_step(objective, params), 1e-12, 1e-13)
    assert_entries(gradients, central(objective, params, 1e-5), 5e-7, 1e-9)


@pytest.mark.parametrize("reg", [0.0, 1e-3, 50.0])
@pytest.mark.parametrize("regulariser", REGULARISERS)
def test_loss_and_gradients_are_linear_in_reg(regulariser, reg):
    """Loss and gradients are data part plus coefficient * reg * penalty part, at no, little and much regularisation."""
    network, params, X, y = draw("relu", "softmax", 2, regulariser)
    strength = network.coefficient * reg
    loss = network.data_loss(params, X, y) + strength * network.penalty(params)
    assert network.loss(params, X, y, reg) == pytest.approx(loss, rel=1e-14)
    data, penalty = network.gradients(params, X, y, 0.0), network.penalty_gradients(params)
    expected = {name: data[name] + strength * penalty[name] for name in params}
    assert_entries(network.gradients(params, X, y, reg), expected, 1e-14, 1e-15)


@pytest.mark.parametrize("regulariser", REGULARISERS)
def test_the_penalty_counts_what_the_regulariser_covers(regulariser):
    """A hand-made network has the sum of squares 30 in its weights and 14 in its biases; the gradient is 2 theta or 0."""
    network = build(regulariser=regulariser)
    params = {
        "W1": np.array([[1.0, -2.0]]),
        "b1": np.array([1.0, -2.0]),
        "W2": np.array([[3.0], [4.0]]),
        "b2": np.array([3.0]),
    }
    biases = regulariser == "every"
    assert network.penalty(params) == (44.0 if biases else 30.0)
    assert network.coefficient == (0.5 if regulariser == "half" else 1.0)
    gradients = network.penalty_gradients(params)
    assert gradients["W1"].tolist() == [[2.0, -4.0]]
    assert gradients["W2"].tolist() == [[6.0], [8.0]]
    assert gradients["b1"].tolist() == ([2.0, -4.0] if biases else [0.0, 0.0])
    assert gradients["b2"].tolist() == ([6.0] if biases else [0.0])


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "maxout"])
def test_slopes_at_the_kink_itself(activation):
    """Where u is exactly 0 the gradient is that of the left side, as the lectures say; maxout's tie goes to one map."""
    network = build(activation)
    record = ACTIVATIONS[activation](0.1, 1.0)
    params = {name: np.zeros(shape) for name, shape in network.shapes((2, 3, 4)).items()}
    layer = network.forward(params, np.ones((1, 2)))[0]
    slope = record.backward(np.ones((1, 3)), layer)
    expected = {"relu": 0.0, "leaky_relu": 0.1, "elu": 1.0}
    if activation == "maxout":
        assert slope.sum(axis=0).tolist() == [[1.0, 1.0, 1.0]]
    else:
        assert slope.tolist() == [[expected[activation]] * 3]


def test_a_class_that_is_absent_still_gets_a_gradient():
    """With no example of class 2 of 3, its scores are pushed down, and the loss counts it."""
    network, params, X, _y = draw("relu", "softmax", 2, "full")
    y = np.array([0, 1, 1, 0, 1])
    gradients = network.gradients(params, X, y, 0.0)
    assert (gradients["b2"][2] > 0).all()
    assert_entries(gradients, complex_step(lambda theta: network.loss(theta, X, y, 0.0), params), 1e-12, 1e-13)


@pytest.mark.parametrize("loss", LOSSES)
def test_one_example_is_enough(loss):
    """N = 1 keeps all shapes and the mean over examples is that one example's loss."""
    network, params, X, y = draw("relu", loss, 2, "full")
    each = [network.data_loss(params, X[i : i + 1], y[i : i + 1]) for i in range(N)]
    assert network.data_loss(params, X, y) == pytest.approx(np.mean(each), rel=1e-14)
    assert {name: g.shape for name, g in network.gradients(params, X[:1], y[:1], 0.1).items()} == {
        name: theta.shape for name, theta in params.items()
    }


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_extreme_scores_stay_finite(activation, loss):
    """Scores of +1000 and -1000 give finite loss and gradients without a warning, real and complex."""
    network, params, X, y = draw(activation, loss, 2, "full")
    for shift in (1000.0, -1000.0):
        for scale in (1.0, 1000.0):
            huge = {
                **params,
                "W1": scale * params["W1"],
                "b2": params["b2"] + shift * np.array([1.0, -1.0, 0.5])[: len(params["b2"])],
            }
            assert np.isfinite(network.loss(huge, X, y, 0.1))
            assert np.isfinite(network.loss(moved(huge, "b2", 0, 1e-30j), X, y, 0.1))
            assert all(np.isfinite(g).all() for g in network.gradients(huge, X, y, 0.1).values())


def test_extreme_scores_give_the_right_loss():
    """At scores of +-1000 the loss is the gap between the scores, not the logarithm of an underflowed zero."""
    softmax, binary = build(names=(("W", "b"),)), build(loss="sigmoid", names=(("W", "b"),))
    X = np.array([[1.0]])
    two = {"W": np.array([[1000.0, -1000.0]]), "b": np.zeros(2)}
    assert softmax.loss(two, X, np.array([1]), 0.0) == 2000.0
    assert softmax.loss(two, X, np.array([0]), 0.0) == 0.0
    one = {"W": np.array([[1000.0]]), "b": np.zeros(1)}
    assert binary.loss(one, X, np.array([0]), 0.0) == 1000.0
    assert binary.loss(one, X, np.array([1]), 0.0) == 0.0
