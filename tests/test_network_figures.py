"""The reference network prints the figures that others have published, to their last digit."""

from __future__ import annotations

import numpy as np
import pytest

from grader.integrations.exercises import EXERCISES, TOLERANCE
from reference.activations import d_sigmoid, sigmoid
from reference.layers import Layer, affine, d_input, d_weights
from reference.network import build

TOY_LABELS = np.array([0, 1, 2, 2, 1])
TOY_SCORES = [
    [-0.81233741, -1.27654624, -0.70335995],
    [-0.17129677, -1.18803311, -0.47310444],
    [-0.51590475, -1.01354314, -0.8504215],
    [-0.15419291, -0.48629638, -0.52901952],
    [-0.00618733, -0.12435261, -0.15226949],
]


def toy_inputs():
    """Return X of the toy case, which is drawn from seed 1."""
    return 10 * np.random.RandomState(1).randn(5, 4)


def test_the_toy_network_gives_the_published_scores():
    """Initialisation draws W1, then W2, and the forward pass gives all fifteen scores to eight digits."""
    network = build()
    params = network.initialise((4, 10, 3), 0.1, np.random.RandomState(0))
    assert np.abs(network.scores(params, toy_inputs()) - TOY_SCORES).max() <= 0.5e-8


@pytest.mark.parametrize(("regulariser", "reg"), [("half", 0.1), ("full", 0.05)])
def test_the_toy_network_gives_the_published_loss(regulariser, reg):
    """Both conventions give 1.30378789133, each at its own reg."""
    network = build(regulariser=regulariser)
    params = network.initialise((4, 10, 3), 0.1, np.random.RandomState(0))
    assert f"{network.loss(params, toy_inputs(), TOY_LABELS, reg):.11f}" == "1.30378789133"


def test_the_toy_training_ends_at_the_published_loss():
    """A hundred iterations, drawn from the generator that also drew the network, end where the published run does."""
    X, rng, network = toy_inputs(), np.random.RandomState(0), build()
    params = network.initialise((4, 10, 3), 0.1, rng)
    training = network.train(params, X, TOY_LABELS, X, TOY_LABELS, 1e-1, 0.95, 5e-6, 100, 200, rng)
    assert training.loss_history.shape == (100,)
    # All printed digits agree here; another machine's BLAS may add up in another order.
    assert training.loss_history[-1] == pytest.approx(0.017149607938732093, rel=1e-13)


def worked_layer():
    """Return the layer of Lecture 4's worked example, x = [2, 1, -3] through a sigmoid, with its upstream gradient."""
    x = np.array([[2.0, 1.0, -3.0]])
    W = np.array([[1.0, 3.0, 2.0, 0.0], [2.0, -1.0, 1.0, 2.0], [3.0, 0.0, 1.0, 4.0]])
    b = np.zeros(4)
    y = affine(x, W, b, 0)
    return Layer(k=0, x=x, W=W, b=b, u=y, h=sigmoid(y)), np.array([[4.0, 1.0, 2.0, -1.0]])


def test_the_worked_back_propagation_forward():
    """Y = xW and its sigmoid are those of the slides, within what the slides print (0.99 there is cut, not rounded)."""
    layer, _upstream = worked_layer()
    assert layer.u.tolist() == [[-5.0, 5.0, 2.0, -10.0]]
    assert (np.abs(layer.h - [0.007, 0.99, 0.88, 0.0]) <= [0.0005, 0.005, 0.005, 0.005]).all()


def test_the_worked_back_propagation_exactly():
    """dh/dy and dh/dx have the exact figures to five digits, and dh/dW is x^T dh/dy."""
    layer, upstream = worked_layer()
    dy = d_sigmoid(upstream, layer)
    assert np.round(dy, 5).tolist() == [[0.02659, 0.00665, 0.20999, -0.00005]]
    assert np.round(d_input(dy, layer), 5).tolist() == [[0.46651, 0.25643, 0.28958]]
    assert d_weights(dy, layer) == pytest.approx(np.array([2.0, 1.0, -3.0])[:, None] * dy, rel=1e-15)


def test_the_worked_back_propagation_as_the_slides_round_it():
    """Multiplying the slides' rounded sigmoids, as the slides do, gives the slides' figures for every entry."""
    layer, upstream = worked_layer()
    rounded = Layer(k=0, x=layer.x, W=layer.W, b=layer.b, u=layer.u, h=np.array([[0.007, 0.99, 0.88, 0.0]]))
    dy = d_sigmoid(upstream, rounded)
    assert (np.abs(dy - [0.028, 0.01, 0.22, 0.0]) <= [0.0005, 0.005, 0.01, 0.005]).all()
    slides = np.array([[0.028, 0.01, 0.22, 0.0]])
    # The slides give two digits: 0.498 is printed as 0.50, 0.266 as 0.27, 0.304 as 0.30.
    assert np.round(d_input(slides, layer), 2).tolist() == [[0.5, 0.27, 0.3]]


def test_the_exercises_by_hand_have_these_figures():
    """The lesson's worked layer is Lecture 4's; its graph is an SVM on the same numbers, with the regulariser 0.1 sum W^2."""
    layer, upstream = worked_layer()
    dy, right = d_sigmoid(upstream, layer), EXERCISES["worked"]
    for found, name in ((dy[0], "dy"), (d_input(dy, layer)[0], "dx"), (d_weights(dy, layer), "dW")):
        assert found == pytest.approx(np.array(right[name]), abs=TOLERANCE / 5)
    svm, right = build(loss="svm", names=(("W", "b"),)), EXERCISES["graph"]
    params, y = {"W": layer.W, "b": layer.b}, np.array([2])
    assert svm.loss(params, layer.x, y, 0.1) == pytest.approx(right["L"])
    assert svm.data_loss(params, layer.x, y) == sum(right["m"])
    assert svm.d_scores(layer.u, y).tolist() == [right["dL_dy"]]
    assert svm.gradients(params, layer.x, y, 0.1)["W"] == pytest.approx(np.array(right["dL_dW"]))


TABLE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


@pytest.mark.parametrize(("bias", "truth"), [(-30.0, [0, 0, 0, 1]), (-10.0, [0, 1, 1, 1])])
def test_one_sigmoid_unit_is_and_or_or(bias, truth):
    """A network of depth 1 with Lecture 4's weights prints the tables of AND and of OR."""
    network = build(loss="sigmoid", names=(("W", "b"),))
    params = {"W": np.array([[20.0], [20.0]]), "b": np.array([bias])}
    assert network.predict(params, TABLE).tolist() == truth
    assert sigmoid(network.scores(params, TABLE))[:, 0] == pytest.approx(truth, abs=1e-4)
    assert truth in (EXERCISES["gates"]["and_h"], EXERCISES["gates"]["or_h"])


def test_two_sigmoid_layers_are_xnor():
    """Lecture 4's two layers, OR of AND and NOR, print the table that no single layer can."""
    network = build(activation="sigmoid", loss="sigmoid")
    params = {
        "W1": np.array([[20.0, -20.0], [20.0, -20.0]]),
        "b1": np.array([-30.0, 10.0]),
        "W2": np.array([[20.0], [20.0]]),
        "b2": np.array([-10.0]),
    }
    assert network.predict(params, TABLE).tolist() == EXERCISES["gates"]["xnor_h"] == [1, 0, 0, 1]
    assert sigmoid(network.scores(params, TABLE))[:, 0] == pytest.approx([1, 0, 0, 1], abs=1e-4)
    assert network.data_loss(params, TABLE, np.array([1, 0, 0, 1])) < 1e-4
