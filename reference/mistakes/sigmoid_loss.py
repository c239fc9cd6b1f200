"""Mistakes in the log-likelihood of sigmoid outputs, one for each class (COL 865)."""

from typing import Any

import numpy as np

from grader.model import Array
from reference.activations import sigmoid
from reference.losses import centred, d_softmax_loss, softmax_loss, targets
from reference.mistakes.entry import define_kind


def true_class_alone(z: Array, y: Array) -> Any:
    return np.logaddexp(0, -z)[np.arange(len(y)), y].sum() / len(y)


def d_true_class_alone(z: Array, y: Array) -> Any:
    t = targets(z, y)
    return (sigmoid(z) - t) * t / len(y)


def targets_exchanged(z: Array, y: Array) -> Any:
    return np.logaddexp(0, np.where(targets(z, y) == 1, z, -z)).sum() / len(y)


def squared_errors(z: Array, y: Array) -> Any:
    return ((sigmoid(z) - targets(z, y)) ** 2).sum() / len(y)


def own_slope(z: Array, y: Array) -> Any:
    s = sigmoid(z)
    return (s - targets(z, y)) * s * (1 - s) / len(y)


def of_outputs(z: Array, y: Array) -> Any:
    s, t = 1 / (1 + np.exp(-z)), targets(z, y)
    return -(t * np.log(s) + (1 - t) * np.log(1 - s)).sum() / len(y)


_loss = define_kind(
    stage="loss", formula="{data_loss}", source=("COL 865",), charged=("data_loss",), about="data loss",
    shows_in=("loss", "gradient", "stability"), losses=("sigmoid",),
)  # fmt: skip
MISTAKES = (
    _loss(
        "outputs_returned",
        "loss(X) returns sigmoid outputs instead of scores.",
        "What does loss() return if y is None: the second layer's output, or its sigmoid?",
        {"report_scores": sigmoid},
        stage="scores",
        formula="z = h W2 + b2",
        charged=("scores",),
        about="returned scores",
        shows_in=("scores",),
    ),
    _loss(
        "softmax_for_sigmoid",
        "The loss is the softmax's cross-entropy instead of {loss}.",
        "Is each output by itself the probability of its class, or do those of a row add up to one?",
        {"centre": centred, "data_term": softmax_loss, "d_scores": d_softmax_loss},
        {"data_term": softmax_loss},
    ),
    _loss(
        "true_output_alone",
        "Only the output of the true class is in the loss. The others should be 0, and cost as well.",
        "How many outputs does one example have, and what should each of them be?",
        {"data_term": true_class_alone, "d_scores": d_true_class_alone},
        {"data_term": true_class_alone},
    ),
    _loss(
        "targets_exchanged",
        "The two terms of the likelihood are exchanged: log(1 - s) stands at the true class.",
        "Which of log s and log(1 - s) belongs to an output that should be 1?",
        {"data_term": targets_exchanged},
    ),
    _loss(
        "squared_error",
        "The loss is a squared error instead of {loss}.",
        "Look up which loss the assignment names. Does yours take a log?",
        {"data_term": squared_errors, "d_scores": lambda z, y: 2 * own_slope(z, y)},
        {"data_term": squared_errors},
    ),
    _loss(
        "logarithm_of_zero",
        "The logarithm is taken of the sigmoid outputs, which are exactly 0 or 1 where scores are large.",
        "What is log(1 - s) where s has become 1? Which formula of the score gives it without the detour?",
        {"data_term": of_outputs},
        charged=("stability",),
        shows_in=("stability",),
    ),
    _loss(
        "slope_of_sigmoid_in_gradient",
        "The gradient of the scores has a factor s (1 - s), which the logarithm cancels.",
        "Derive the gradient of -log sigma(z) by hand once: which factors are left?",
        {"d_scores": own_slope},
        stage="gradients",
        formula="{dz}",
        charged=("gradient_W{last}", "gradient_b{last}"),
        about="dscores",
        shows_in=("gradient",),
    ),
)
