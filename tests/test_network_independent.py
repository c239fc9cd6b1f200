"""A second implementation, written afresh from the formulas, agrees with the reference over the whole family.

It is differentiated by autograd, knows nothing of back-propagation, and is written the long way round where there is
one: one example at a time, logarithms of probabilities, absolute values in place of branches.
"""

from __future__ import annotations

import itertools

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from examples import in_part
from reference.activations import ACTIVATIONS
from reference.losses import LOSSES
from reference.network import build
from reference.regularisers import REGULARISERS

SIZES = {1: (6,), 2: (6, 5), 3: (6, 5, 8)}  # D and the hidden sizes
NAMES = {1: (("A", "a"),), 2: (("W", "b"), ("V", "c")), 3: (("W1", "b1"), ("W2", "b2"), ("W3", "b3"))}
VARIANTS = list(itertools.product(ACTIVATIONS, LOSSES, REGULARISERS, (1, 2, 3)))

UNITS = {
    "relu": lambda u: (u + anp.abs(u)) / 2,
    "leaky_relu": lambda u: 0.55 * u + 0.45 * anp.abs(u),
    "sigmoid": lambda u: 1 / (1 + anp.exp(-u)),
    "tanh": lambda u: (anp.exp(2 * u) - 1) / (anp.exp(2 * u) + 1),
    "elu": lambda u: (u + anp.abs(u)) / 2 + anp.exp((u - anp.abs(u)) / 2) - 1,
}


def scores_of_one(theta, x, activation, names):
    """Return the scores of one example, a vector."""
    *hidden, (weights, bias) = names
    for W, b in hidden:
        if activation == "maxout":
            one, two = (anp.einsum("d,dh->h", x, theta[W][i]) + theta[b][i] for i in (0, 1))
            x = (one + two + anp.abs(one - two)) / 2
        else:
            x = UNITS[activation](anp.einsum("d,dh->h", x, theta[W]) + theta[b])
    return anp.einsum("d,dc->c", x, theta[weights]) + theta[bias]


def loss_of_one(scores, label, loss):
    """Return the data loss of one example."""
    if loss == "softmax":
        return -anp.log(anp.exp(scores[label]) / anp.sum(anp.exp(scores)))
    if loss == "svm":
        return sum(anp.maximum(0.0, scores[j] - scores[label] + 1.0) for j in range(len(scores)) if j != label)
    on = label if len(scores) == 1 else anp.arange(len(scores)) == label
    likelihood = 1 / (1 + anp.exp(-scores))
    return -anp.sum(on * anp.log(likelihood) + (1 - on) * anp.log(1 - likelihood))


def objective(theta, X, y, reg, activation, loss, regulariser, names):
    """Return the whole loss."""
    data = sum(
        loss_of_one(scores_of_one(theta, x, activation, names), int(label), loss) for x, label in zip(X, y, strict=True)
    )
    covered = [name for pair in names for name in (pair if regulariser == "every" else pair[:1])]
    norms = sum(anp.dot(theta[name].flatten(), theta[name].flatten()) for name in covered)
    return data / len(y) + (reg * norms / 2 if regulariser == "half" else reg * norms)


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize(("activation", "loss", "regulariser", "depth"), in_part(VARIANTS, 4))
def test_the_reference_agrees_with_a_second_implementation(activation, loss, regulariser, depth):
    """Scores, loss and every gradient entry agree to 1e-10, at a small and a large reg."""
    names, classes = NAMES[depth], 1 if loss == "sigmoid" and depth == 1 else 4
    network = build(activation, loss, regulariser, names)
    rng = np.random.RandomState(depth)
    shapes = network.shapes((*SIZES[depth], classes))
    theta = {name: 0.6 * rng.standard_normal(shape) for name, shape in shapes.items()}
    X, y = rng.standard_normal((3, 6)), rng.randint(0, max(classes, 2), 3)

    scores = np.array([scores_of_one(theta, x, activation, names) for x in X])
    assert network.scores(theta, X).dtype == np.float64
    np.testing.assert_allclose(network.scores(theta, X), scores, rtol=1e-10, atol=1e-12)
    for reg in (0.01, 2.0):
        arguments = (theta, X, y, reg, activation, loss, regulariser, names)
        assert network.loss(theta, X, y, reg) == pytest.approx(objective(*arguments), rel=1e-10)
        slopes = autograd.grad(objective)(*arguments)
        gradients = network.gradients(theta, X, y, reg)
        assert list(gradients) == [name for pair in names for name in pair]
        for name, slope in slopes.items():
            np.testing.assert_allclose(gradients[name], slope, rtol=1e-10, atol=1e-12, err_msg=name)


def test_the_two_implementations_know_the_same_variants():
    """A variant added to the reference fails here until it has been written a second time."""
    assert ACTIVATIONS.keys() == UNITS.keys() | {"maxout"}
    assert set(LOSSES) == {"softmax", "svm", "sigmoid"}
    assert set(REGULARISERS) == {"half", "full", "every"}
