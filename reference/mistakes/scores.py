"""Mistakes in the layers' biases and inputs, and in what is returned for the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reference.mistakes.entry import Mistake

if TYPE_CHECKING:
    from grader.model import Array


def normalised_inputs(x: Array, W: Array, b: Array, _k: int) -> Any:
    return (x - x.mean(axis=0)) / x.std(axis=0) @ W + b


def softmax_on_top(z: Array) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_over_examples(z: Array) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=0)


def logarithms(z: Array) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.log(e / e.sum(axis=1, keepdims=True))


_THROUGHOUT = ("scores", "loss", "gradient", "stability", "labels")
_HIDDEN, _SCORES = "h = max(0, u), u = X W1 + b1", "z = h W2 + b2"


MISTAKES = (
    Mistake(
        "bias_forgotten",
        "scores",
        "The bias {b} is left out of the forward pass.",
        "Which parameters of `self.params` does your forward pass never read?",
        f"{_HIDDEN}; {_SCORES}",
        ("001", "003"),
        ("scores",),
        "layer {k}",
        ({"affine": lambda x, W, _b, _k: x @ W},),
        "each",
        shows_in=_THROUGHOUT,
        example="hidden = np.maximum(0, X.dot(W1))",
    ),
    Mistake(
        "bias_subtracted",
        "scores",
        "The bias {b} is subtracted instead of added.",
        "Compare the sign of the bias with the formula of the layer.",
        f"{_HIDDEN}; {_SCORES}",
        ("001", "003"),
        ("scores",),
        "layer {k}",
        ({"affine": lambda x, W, b, _k: x @ W - b},),
        "each",
        shows_in=_THROUGHOUT,
        example="hidden = np.maximum(0, X.dot(W1) - b1)",
    ),
    Mistake(
        "bias_inside_product",
        "scores",
        "The bias {b} is added to the weights before the product, not to the product.",
        "Work out by hand, for one example and one unit, how often your bias is counted. Look at the parentheses.",
        f"{_HIDDEN}; {_SCORES}",
        ("001", "003"),
        ("scores",),
        "layer {k}",
        ({"affine": lambda x, W, b, _k: x @ (W + b)},),
        "each",
        shows_in=_THROUGHOUT,
        example="hidden = np.maximum(0, X.dot(W1 + b1))",
    ),
    Mistake(
        "bias_after_relu",
        "scores",
        "b1 is added after the ReLU instead of before it.",
        "Which array does the ReLU cut off at zero: the product alone, or the product with its bias?",
        _HIDDEN,
        ("001", "003"),
        ("scores",),
        "hidden",
        ({"affine@0": lambda x, W, b, _k: np.maximum(x @ W, 0) + b, "activate": lambda u: u},),
        shows_in=_THROUGHOUT,
        example="hidden = np.maximum(0, X.dot(W1)) + b1",
    ),
    Mistake(
        "inputs_normalised_inside",
        "scores",
        "loss() changes the inputs first (it subtracts their mean), so the scores are not those of X.",
        "loss() must use X unchanged. Look for a mean or a deviation over the batch. Data are prepared outside.",
        _HIDDEN,
        ("003",),
        ("scores",),
        "layer 0",
        ({"affine@0": lambda x, W, b, _k: (x - x.mean(axis=0)) @ W + b}, {"affine@0": normalised_inputs}),
        shows_in=_THROUGHOUT,
        example="X = X - X.mean(axis=0)",
    ),
    Mistake(
        "relu_on_the_scores",
        "scores",
        "A ReLU is applied to the scores as well.",
        "Scores may be negative. Which layer has an activation in the assignment, and which has none?",
        _SCORES,
        ("001", "003"),
        ("scores",),
        "scores",
        ({"output": lambda z: np.maximum(z, 0)},),
        shows_in=_THROUGHOUT,
        example="scores = np.maximum(0, hidden.dot(W2) + b2)",
    ),
    Mistake(
        "sigmoid_on_the_scores",
        "scores",
        "A sigmoid is applied to the scores.",
        "What comes between the second layer and the softmax?",
        _SCORES,
        ("003",),
        ("scores",),
        "scores",
        ({"output": lambda z: 1 / (1 + np.exp(-z))},),
        shows_in=("scores", "loss", "gradient", "stability"),
        example="scores = 1 / (1 + np.exp(-(hidden.dot(W2) + b2)))",
    ),
    Mistake(
        "softmax_twice",
        "scores",
        "The scores are turned into probabilities, and the loss takes the softmax of those again.",
        "How often is exp() taken on the way from the second layer to the loss?",
        f"{_SCORES}; p = exp(z) / sum_j exp(z_j)",
        ("003", "004"),
        ("scores",),
        "scores",
        ({"output": softmax_on_top},),
        shows_in=("scores", "loss", "gradient", "stability"),
        example="scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)",
    ),
    Mistake(
        "probabilities_returned",
        "scores",
        "loss(X) returns probabilities instead of scores.",
        "What does loss() return if y is None: the second layer's output, or its softmax?",
        _SCORES,
        ("003", "004"),
        ("scores",),
        "returned scores",
        (
            {"report_scores": softmax_on_top},
            {"report_scores": lambda z: np.exp(z - z.max(axis=1, keepdims=True))},
            {"report_scores": lambda z: np.exp(z)},  # noqa: PLW0108 -- its source is written out
            {"report_scores": softmax_over_examples},
            {"report_scores": logarithms},
        ),
        shows_in=("scores",),
        example="if y is None:\n    return probabilities",
    ),
    Mistake(
        "scores_shifted",
        "scores",
        "loss(X) returns the scores minus their maximum.",
        "Only the softmax needs the maximum subtracted. What were the scores one line earlier?",
        _SCORES,
        ("004",),
        ("scores",),
        "returned scores",
        ({"report_scores": lambda z: z - z.max(axis=1, keepdims=True)}, {"report_scores": lambda z: z - z.max()}),
        shows_in=("scores",),
        example="scores -= scores.max(axis=1, keepdims=True)\nif y is None: return scores",
    ),
    Mistake(
        "scores_in_a_tuple",
        "scores",
        "loss(X) returns the scores together with something else.",
        "If y is None, loss() must return exactly one array.",
        _SCORES,
        ("003",),
        ("scores",),
        "returned scores",
        ({"report_scores": lambda z: (z, z)},),
        shows_in=("scores",),
        example="if y is None:\n    return scores, hidden",
    ),
    Mistake(
        "labels_for_scores",
        "scores",
        "loss(X) returns labels instead of scores.",
        "Choosing a class is for predict(). What shape must the scores have?",
        _SCORES,
        ("003",),
        ("scores",),
        "returned scores",
        ({"report_scores": lambda z: z.argmax(axis=1)},),
        shows_in=("scores",),
        example="if y is None:\n    return scores.argmax(axis=1)",
    ),
)
