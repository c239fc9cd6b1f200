"""A wrong network is the right one with one step replaced; and what bad input is told."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reference.layers import d_bias
from reference.network import build
from reference.regularisers import REGULARISERS


def rows(N, rng):
    """Return N rows of six features, and labels 0, 1 and 2 that two of them decide."""
    X = rng.standard_normal((N, 6))
    return X, (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def case():
    """Return a network, parameters with random biases, and training and validation data."""
    rng, network = np.random.RandomState(3), build()
    params = {name: rng.standard_normal(shape) for name, shape in network.shapes((6, 8, 3)).items()}
    return network, params, (*rows(43, rng), *rows(20, rng))


def mean_bias(du, layer):
    """Take the mean over rows where the sum is right."""
    return d_bias(du, layer) / len(du)


def softmaxed(z):
    """Return probabilities."""
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def zero_first_bias(x, W, b, k):
    """Forget the bias of the first layer."""
    return x @ W + (b if k else 0.0)


def without_biases(params, gradients, rate, names, _memory):
    """Update the weights alone."""
    return {**params, **{W: params[W] - rate * gradients[W] for W, _b in names}}


def with_momentum(params, gradients, rate, _names, memory):
    """Remember the last step, as the memory is there for."""
    for name, gradient in gradients.items():
        memory[name] = 0.9 * memory.get(name, 0.0) - rate * gradient
    return {name: theta + memory[name] for name, theta in params.items()}


def other_rows(rng, X, y, batch_size):
    """Draw X and y by different indices."""
    return X[rng.choice(len(X), batch_size)], y[rng.choice(len(X), batch_size)]


def reg_forgotten(X, y, _reg):
    """Ask for loss and gradients without reg."""
    return X, y, 0.0


def no_relu(_forward, params, _names, X):
    """Predict from a forward pass without the activation."""
    return (X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]


WRONG = {
    "b1 missing": ({"affine": zero_first_bias}, {"scores", "loss", "data_loss", "gradients", "train", "predict"}),
    "scores softmaxed before they are returned": ({"report_scores": softmaxed}, {"scores"}),
    "ReLU on the output": (
        {"output": lambda z: np.maximum(z, 0)},
        # No label changes: in no row here are all scores negative.
        {"scores", "loss", "data_loss", "gradients", "train"},
    ),
    "sum instead of mean": (
        {"data_term": lambda z, y: len(y) * build().data_term(z, y)},
        {"loss", "data_loss", "train"},
    ),
    "biases regularised, loss and gradients": (
        {
            "penalty_term": REGULARISERS["every"].penalty,
            "d_penalty": REGULARISERS["every"].backward,
        },
        {"loss", "penalty", "gradients", "penalty_gradients", "train"},
    ),
    "regulariser divided by N in the loss": (
        {"total": lambda data, penalty, s, N: data + s * penalty / N},
        {"loss", "train"},
    ),
    "regulariser's gradient halved": (
        {"d_total": lambda data, penalty, s, N, k: data + s * penalty / 2},
        {"gradients", "train"},
    ),
    "no minus one": ({"d_scores": lambda z, y: softmaxed(z) / len(y)}, {"gradients", "train"}),
    "bias gradient a mean": ({"d_bias": mean_bias}, {"gradients", "train"}),
    "weights seen with the wrong sign": ({"d_weights": lambda du, layer: -layer.x.T @ du}, {"gradients", "train"}),
    "mask from the wrong array": ({"d_activate": lambda dh, layer: dh * (dh > 0)}, {"gradients", "train"}),
    "W2 updated before dh": (
        {"d_input": lambda du, layer: du @ (layer.W - layer.x.T @ du).T},
        {"gradients", "train"},
    ),
    "biases never updated": ({"update": without_biases}, {"train"}),
    "momentum": ({"update": with_momentum}, {"train"}),
    "inputs and labels of different rows": ({"draw_batch": other_rows}, {"train"}),
    "reg not passed on": ({"loss_arguments": reg_forgotten}, {"train"}),
    "decay at every step": ({"decay": lambda rate, factor, iteration, per_epoch: rate * factor}, {"train"}),
    "accuracy at every step": ({"is_epoch": lambda iteration, per_epoch: True}, {"train"}),
    "one more iteration an epoch": ({"iterations_per_epoch": lambda N, batch_size: N // batch_size + 1}, {"train"}),
    "started anew": ({"begin": lambda params, rng: build().initialise((6, 8, 3), 0.1, rng)}, {"train"}),
    "history not kept": (
        {
            "report_training": lambda losses, train, val: {
                "loss_history": np.array([]),
                "train_acc_history": train,
                "val_acc_history": val,
            }
        },
        {"train"},
    ),
    "no ReLU in predict": ({"predict_scores": no_relu}, {"predict", "train"}),
    "argmin": ({"label": lambda z: z.argmin(axis=1)}, {"predict", "train"}),
}


def answers(network):
    """Return all that can be asked of a network, flattened for comparison."""
    _right, params, data = case()
    X, y = data[:2]
    training = network.train(params, *data, 0.3, 0.8, 0.1, 9, 10, np.random.RandomState(5))
    histories = (training.loss_history, training.train_acc_history, training.val_acc_history)
    return {
        "scores": [network.scores(params, X)],
        "loss": [network.loss(params, X, y, 0.5)],
        "data_loss": [network.data_loss(params, X, y)],
        "penalty": [network.penalty(params)],
        "gradients": list(network.gradients(params, X, y, 0.5).values()),
        "penalty_gradients": list(network.penalty_gradients(params).values()),
        "predict": [network.predict(params, X)],
        "train": [*training.params.values(), *histories],
    }


@pytest.mark.parametrize("mistake", WRONG)
def test_one_replaced_step_changes_what_it_should_and_nothing_else(mistake):
    """Each mistake shows in exactly the answers that a student with that mistake would get wrong."""
    steps, expected = WRONG[mistake]
    right, wrong = answers(build()), answers(dataclasses.replace(build(), **steps))
    changed = {asked for asked, arrays in right.items() if not all(map(np.array_equal, arrays, wrong[asked]))}
    assert changed == expected


# ---------------------------------------------------------------- what bad input is told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"activation": "rellu"},
            "unknown activation 'rellu': did you mean 'relu'? Known: relu, leaky_relu, sigmoid, tanh, elu, maxout.",
        ),
        ({"loss": "hinge"}, "unknown loss 'hinge': Known: softmax, svm, sigmoid."),
        ({"regulariser": "ful"}, "unknown regulariser 'ful': did you mean 'full'? Known: half, full, every."),
        ({"names": ()}, "names are (): expected a (weights, bias) pair for each layer, all names different"),
        (
            {"names": (("W", "b"), ("W", "c"))},
            "names are (('W', 'b'), ('W', 'c')): expected a (weights, bias) pair for each layer, all names different",
        ),
    ],
)
def test_an_unknown_variant_is_named_with_its_neighbours(arguments, message):
    """The error says what was found, what is near, and what there is."""
    with pytest.raises(ValueError, match=r".") as error:
        build(**arguments)
    assert str(error.value) == message


def test_missing_parameters_are_named():
    """The error names the missing parameter, those found and those expected."""
    network, params, (X, *_rest) = case()
    del params["b2"]
    with pytest.raises(ValueError, match=r"^no parameter b2 among W1, b1, W2: this network has W1, b1, W2, b2$"):
        network.scores(params, X)
    with pytest.raises(ValueError, match=r"^no parameter W1, b1, W2, b2 among none at all: "):
        network.penalty({})


def test_sizes_must_fit_the_depth():
    """Too few sizes, or a size of zero, are refused with the number that the depth takes."""
    text = r"^sizes are \(4, 3\): a network of depth 2 takes 3 sizes of 1 or more, from the inputs D over the hidden"
    with pytest.raises(ValueError, match=text):
        build().shapes((4, 3))
    with pytest.raises(ValueError, match=r"^sizes are \(4, 0, 3\): "):
        build().shapes((4, 0, 3))


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (np.array([0, 3]), "int64 of shape (2,) from 0 to 3"),
        (np.array([-1, 0]), "int64 of shape (2,) from -1 to 0"),
        (np.array([0.0, 1.0]), "float64 of shape (2,) from 0.0 to 1.0"),
        (np.array([0, 1, 2]), "int64 of shape (3,) from 0 to 2"),
        (np.array([[0], [1]]), "int64 of shape (2, 1) from 0 to 1"),
    ],
)
@pytest.mark.parametrize("asked", ["loss", "data_loss", "gradients", "train"])
def test_labels_that_no_score_stands_for_are_refused(asked, labels, found):
    """A label of -1 would silently mean the last class; the error says what was found and expected."""
    network, params, (X, y, *_rest) = case()
    rng = np.random.RandomState(0)
    calls = {
        "loss": lambda: network.loss(params, X[:2], labels, 0.1),
        "data_loss": lambda: network.data_loss(params, X[:2], labels),
        "gradients": lambda: network.gradients(params, X[:2], labels, 0.1),
        "train": lambda: network.train(params, X, y, X[:2], labels, 0.1, 1.0, 0.1, 1, 2, rng),
    }
    with pytest.raises(ValueError, match=r"^labels are ") as error:
        calls[asked]()
    expected = "expected integers of shape (2,) from 0 to 2, one for each row of X, and at least one row"
    assert str(error.value) == f"labels are {found}: {expected}"


def test_no_rows_at_all_are_refused():
    """The mean over no examples would be a silent nan."""
    network, params, (X, y, *_rest) = case()
    with pytest.raises(ValueError, match=r"^labels are int64 of shape \(0,\): expected integers of shape \(0,\) from"):
        network.loss(params, X[:0], y[:0], 0.1)
