"""Other losses than the one asked for, classes miscounted, and what loss() returns."""

from typing import Any

import numpy as np

from grader.model import Array
from reference.losses import as_they_are, cross_entropy, less_target, probabilities, svm
from reference.mistakes.entry import Number
from reference.mistakes.loss import CARRIED, SOFTMAX, of_softmax


def both_sides(z: Array, y: Array) -> Any:
    p = probabilities(z)
    target = np.eye(z.shape[1])[y]
    return -(target * np.log(p) + (1 - target) * np.log(1 - p)).sum() / len(y)


def epsilon_in_logarithm(c: float) -> Any:
    return {"data_term": lambda z, y: -np.log(probabilities(z)[np.arange(len(y)), y] + c).mean()}


def epsilon_in_denominator(c: float) -> Any:
    def softmax(z: Array) -> Any:
        return np.exp(z) / (np.exp(z).sum(axis=1, keepdims=True) + c)

    return {
        "data_term": lambda z, y: cross_entropy(softmax(z), y),
        "d_scores": lambda z, y: less_target(softmax(z), y) / len(y),
    }


def squared_errors(c: float) -> Any:
    return lambda z, y: c * ((z - np.eye(z.shape[1])[y]) ** 2).sum() / len(y)


def d_squared_errors(c: float) -> Any:
    return lambda z, y: 2 * c * (z - np.eye(z.shape[1])[y]) / len(y)


def of_classes(z: Array, y: Array, classes: int) -> Any:
    return (np.log(np.exp(z[:, :classes]).sum(axis=1)) - z[np.arange(len(y)), y]).mean()


def d_of_classes(z: Array, y: Array, classes: int) -> Any:
    dz = np.zeros_like(z)
    dz[:, :classes] = probabilities(z[:, :classes])
    return less_target(dz, y) / len(y)


def classes_of_the_labels(z: Array, y: Array) -> Any:
    return of_classes(z, y, y.max() + 1)


def three_classes(z: Array, y: Array) -> Any:
    return of_classes(z, y, 3)


def three_columns(z: Array) -> Any:
    exps = np.exp(z - z.max(axis=1, keepdims=True))
    return exps / np.tile(exps.sum(axis=1), (3, 1)).T


_HINGE = svm(1.0)

MISTAKES = (
    of_softmax(
        "binary_cross_entropy",
        "The loss also counts log(1 - p) of the wrong classes, as for independent yes-or-no questions.",
        "The softmax makes one choice among C classes. Which terms of the formula are left then?",
        {"data_term": both_sides},
    ),
    of_softmax(
        "normaliser_left_out",
        "The loss uses the score of the right class alone: the sum over all classes is missing.",
        "Write out the logarithm of the softmax. Where did the denominator go?",
        {"data_term": lambda z, y: -z[np.arange(len(y)), y].mean()},
        {"data_term": lambda z, y: -(z[np.arange(len(y)), y] - z.sum(axis=1)).mean()},
        formula="-log p[y] = log sum_j exp(z_j) - z_y",
        about="probabilities",
    ),
    of_softmax(
        "softmax_of_probabilities",
        "The softmax is taken twice inside the loss.",
        "How often is exp() taken on the way from the scores to the loss?",
        {"data_term": lambda z, y: -np.log(probabilities(probabilities(z))[np.arange(len(y)), y]).mean()},
        formula=SOFTMAX,
        about="probabilities",
    ),
    of_softmax(
        "epsilon_too_large",
        "The number added inside the logarithm, {c}, is so large that it changes the loss.",
        "Is an epsilon needed at all once the maximum of each row is subtracted before exp()?",
        number=Number(epsilon_in_logarithm, 1e-7, 1.0, (1e-2, 1e-3, 1e-4, 1e-5), (1e-2, 1e-4)),
    ),
    of_softmax(
        "epsilon_in_the_denominator",
        "The number added to the softmax's denominator, {c}, is so large that the probabilities do not add up to one.",
        "Can the sum of a row's exp() be zero once its maximum is subtracted? What would an epsilon be for?",
        number=Number(epsilon_in_denominator, 1e-7, 10.0, (1e-2, 1e-3, 1e-5), (1e-2, 1e-4)),
        formula=SOFTMAX,
        about="probabilities",
        shows_in=CARRIED,
    ),
    of_softmax(
        "hinge_for_cross_entropy",
        "The loss is the multiclass SVM's hinge loss instead of {loss}.",
        "Look up which loss the assignment names. Does yours take an exp and a log?",
        {"data_term": _HINGE.forward, "d_scores": _HINGE.backward},
        {"data_term": _HINGE.forward},
        shows_in=CARRIED,
        formula="{data_loss}",
        losses=("softmax", "sigmoid"),
    ),
    of_softmax(
        "squared_error",
        "The loss is a squared error instead of the softmax's cross-entropy.",
        "Look up which loss the assignment names. Does yours take a log?",
        {"centre": as_they_are, "data_term": squared_errors(1), "d_scores": d_squared_errors(1)},
        {"centre": as_they_are, "data_term": squared_errors(0.5), "d_scores": d_squared_errors(0.5)},
        {"centre": as_they_are, "data_term": squared_errors(1)},
        {"data_term": lambda z, y: ((probabilities(z) - np.eye(z.shape[1])[y]) ** 2).sum() / len(y)},
        {"data_term": lambda z, y: 0.5 * ((probabilities(z) - np.eye(z.shape[1])[y]) ** 2).sum() / len(y)},
        shows_in=CARRIED,
    ),
    of_softmax(
        "classes_counted_from_labels",
        "The number of classes is taken from the labels of the batch, but a batch need not hold every class.",
        "Where else than in y can you read how many classes there are?",
        {"data_term": classes_of_the_labels, "d_scores": lambda z, y: d_of_classes(z, y, y.max() + 1)},
        {"data_term": classes_of_the_labels},
        about="probabilities",
        shows_in=CARRIED,
    ),
    of_softmax(
        "classes_written_into_code",
        "The number of classes is written into the code as 3, but other data have other numbers.",
        "Look for a 3 in loss(). What would it have to be for ten classes?",
        {"data_term": three_classes, "d_scores": lambda z, y: d_of_classes(z, y, 3)},
        {"data_term": three_classes},
        {
            "data_term": lambda z, y: cross_entropy(three_columns(z), y),
            "d_scores": lambda z, y: less_target(three_columns(z), y) / len(y),
        },
        about="probabilities",
        shows_in=CARRIED,
    ),
    of_softmax(
        "loss_in_three_parts",
        "loss(X, y, reg) returns more than the pair (loss, grads).",
        "Compare your return statement with what the docstring promises.",
        {"report_loss": lambda loss, gradients: (loss, gradients, loss)},
        about="total loss",
        formula="loss(X, y, reg) returns (loss, grads)",
        source=("Lecture 4",),
        shows_in=CARRIED,
        losses=(),
    ),
    of_softmax(
        "loss_and_gradients_swapped",
        "loss(X, y, reg) returns (grads, loss) instead of (loss, grads).",
        "Compare your return statement with what the docstring promises.",
        {"report_loss": lambda loss, gradients: (gradients, loss)},
        about="total loss",
        formula="loss(X, y, reg) returns (loss, grads)",
        source=("Lecture 4",),
        shows_in=CARRIED,
        losses=(),
    ),
)
