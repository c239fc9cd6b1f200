"""Training is the plain loop, prediction the largest score, and nothing that is given is changed."""

from __future__ import annotations

import numpy as np
import pytest

from reference.network import build


def rows(N, rng):
    """Return N rows of six features, and labels 0, 1 and 2 that two of them decide."""
    X = rng.standard_normal((N, 6))
    return X, (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def case():
    """Return a network, parameters with random biases, and training and validation data."""
    rng, network = np.random.RandomState(3), build()
    params = {name: rng.standard_normal(shape) for name, shape in network.shapes((6, 8, 3)).items()}
    return network, params, (*rows(43, rng), *rows(20, rng))


def plain_training(params, data, rate, decay, reg, num_iters, batch_size, rng):
    """Train by hand: one loop, in place, with nothing of the reference."""
    X, y, X_val, y_val = data
    W1, b1, W2, b2 = (params[name].copy() for name in ("W1", "b1", "W2", "b2"))

    def accuracy(inputs, labels):
        return np.mean((np.maximum(inputs @ W1 + b1, 0) @ W2 + b2).argmax(1) == labels)

    losses, train_accuracies, val_accuracies = [], [], []
    for iteration in range(num_iters):
        rows = rng.choice(len(X), batch_size)
        x, onehot = X[rows], np.eye(3)[y[rows]]
        hidden = np.maximum(x @ W1 + b1, 0)
        e = np.exp(hidden @ W2 + b2)
        p = e / e.sum(1, keepdims=True)
        losses.append(-np.log((p * onehot).sum(1)).mean() + reg * ((W1**2).sum() + (W2**2).sum()))
        dz = (p - onehot) / batch_size
        du = (dz @ W2.T) * (hidden > 0)
        W2 -= rate * (hidden.T @ dz + 2 * reg * W2)
        b2 -= rate * dz.sum(0)
        W1 -= rate * (x.T @ du + 2 * reg * W1)
        b1 -= rate * du.sum(0)
        if iteration % max(len(X) // batch_size, 1) == 0:
            train_accuracies.append(accuracy(x, y[rows]))
            val_accuracies.append(accuracy(X_val, y_val))
            rate *= decay
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}, losses, train_accuracies, val_accuracies


@pytest.mark.parametrize("batch_size", [10, 43, 60])  # four batches an epoch, one, and a batch larger than the data
def test_training_is_the_plain_loop(batch_size):
    """Parameters and all three histories are those of a loop written by hand, at every step."""
    network, params, data = case()
    training = network.train(params, *data, 0.3, 0.8, 0.02, 21, batch_size, np.random.RandomState(5))
    theta, losses, train_accuracies, val_accuracies = plain_training(
        params, data, 0.3, 0.8, 0.02, 21, batch_size, np.random.RandomState(5)
    )
    for name, right in theta.items():
        np.testing.assert_allclose(training.params[name], right, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(training.loss_history, losses, rtol=1e-11)
    assert training.train_acc_history.tolist() == train_accuracies
    assert training.val_acc_history.tolist() == val_accuracies
    assert len(val_accuracies) == (6 if batch_size == 10 else 21)


def test_training_learns():
    """From a small start, nine in ten of 200 held-out rows are told apart, where guessing gets a half."""
    rng, network = np.random.RandomState(0), build()
    data = (*rows(400, rng), *rows(200, rng))
    start = network.initialise((6, 8, 3), 0.1, rng)
    training = network.train(start, *data, 0.5, 0.97, 1e-4, 600, 50, rng)
    assert training.loss_history[-20:].mean() < training.loss_history[0] / 3
    assert training.val_acc_history[-1] >= 0.9
    assert training.val_acc_history[-1] == np.mean(network.predict(training.params, data[2]) == data[3])


def test_nothing_given_is_changed():
    """Parameters and data keep every byte through all that a network is asked; made read-only, they prove it."""
    network, params, data = case()
    for array in (*params.values(), *data):
        array.setflags(write=False)
    X, y = data[:2]
    network.scores(params, X)
    network.loss(params, X, y, 0.1)
    network.gradients(params, X, y, 0.1)
    network.penalty_gradients(params)
    network.predict(params, X)
    training = network.train(params, *data, 0.3, 0.9, 0.1, 3, 10, np.random.RandomState(0))
    assert all((training.params[name] != params[name]).any() for name in params)


def test_no_iterations_give_the_parameters_back():
    """Zero iterations leave equal parameters, in arrays of their own, and empty histories."""
    network, params, data = case()
    training = network.train(params, *data, 0.3, 0.9, 0.1, 0, 10, np.random.RandomState(0))
    assert all((training.params[name] == params[name]).all() for name in params)
    assert not any(np.shares_memory(training.params[name], params[name]) for name in params)
    assert training.loss_history.shape == training.train_acc_history.shape == training.val_acc_history.shape == (0,)


@pytest.mark.parametrize("loss", ["softmax", "svm"])
def test_prediction_is_the_largest_score(loss):
    """Labels are int64, the class of the largest score, and a bias moves them."""
    network = build(loss=loss, names=(("W", "b"),))
    params, X = {"W": np.eye(3), "b": np.zeros(3)}, np.array([[3.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    labels = network.predict(params, X)
    assert labels.dtype == np.int64
    assert labels.tolist() == [0, 2]
    assert network.predict({**params, "b": np.array([0.0, 9.0, 0.0])}, X).tolist() == [1, 1]


def test_binary_prediction_is_the_likelier_label():
    """One output stands for label 1 where its probability passes one half."""
    network = build(loss="sigmoid", names=(("W", "b"),))
    labels = network.predict({"W": np.eye(1), "b": np.zeros(1)}, np.array([[-2.0], [0.1], [0.0]]))
    assert labels.dtype == np.int64
    assert labels.tolist() == [0, 1, 0]


def test_single_precision_is_computed_in_double():
    """Parameters and inputs in float32 give the float64 answers of the same numbers."""
    network, params, (X, y, *_rest) = case()
    single = {name: theta.astype(np.float32) for name, theta in params.items()}
    double = {name: theta.astype(np.float64) for name, theta in single.items()}
    X = X.astype(np.float32)
    scores = network.scores(single, X)
    assert scores.dtype == np.float64
    assert (scores == network.scores(double, X.astype(np.float64))).all()
    assert {g.dtype for g in network.gradients(single, X, y, 0.1).values()} == {np.dtype(np.float64)}


def test_initialisation_draws_layer_by_layer():
    """Weights have the deviation asked for, biases are zero, and maxout's hidden layers hold two maps."""
    network = build("maxout", names=(("W1", "b1"), ("W2", "b2"), ("W3", "b3")))
    shapes = network.shapes((40, 50, 30, 3))
    assert shapes == {
        "W1": (2, 40, 50), "b1": (2, 50), "W2": (2, 50, 30), "b2": (2, 30), "W3": (30, 3), "b3": (3,),
    }  # fmt: skip
    params = network.initialise((40, 50, 30, 3), 0.01, np.random.RandomState(0))
    assert {name: theta.shape for name, theta in params.items()} == shapes
    assert params["W1"].std() == pytest.approx(0.01, rel=0.05)
    assert not any(params[name].any() for name in ("b1", "b2", "b3"))
