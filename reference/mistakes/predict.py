"""Mistakes in predict(): its own forward pass, and how a class is chosen."""

from collections.abc import Callable
from typing import Any

import numpy as np

from grader.model import Array, Params, Variant
from reference.activations import sigmoid, tanh
from reference.mistakes.entry import ENTRYWISE, Mistake, define_kind
from reference.mistakes.scores import softmax_on_top, softmax_over_examples
from reference.network import Network
from reference.regularisers import Names

Forward = Callable[[Array], Array]


def whole(x: Array, W: Array, b: Array) -> Any:
    return x @ W + b


def bare(x: Array, W: Array, _b: Array) -> Any:
    return x @ W


def inside(x: Array, W: Array, b: Array) -> Any:
    return x @ (W + b)


def own_pass(activate: Any, first: Any, others: Any) -> Any:
    """Make a forward pass of predict()'s own; first, others : what these layers do with x, W and b."""

    def predict_scores(_forward: Forward, params: Params, names: Names, X: Array) -> Any:
        x = X
        for k, (W, b) in enumerate(names):
            u = (others if k else first)(x, params[W], params[b][..., None, :])
            x = activate(u) if k + 1 < len(names) else u
        return x

    return predict_scores


def hidden_layer(activate: Any) -> Any:
    def predict_scores(_forward: Forward, params: Params, names: Names, X: Array) -> Any:
        x = X
        for W, b in names[:-1]:
            x = activate(x @ params[W] + params[b][..., None, :])
        return x

    return predict_scores


_SAME, _LABEL = "the scores of predict() are those of loss(X)", "label = the class of the largest score, row by row"


_of_labels = define_kind(
    stage="predict", formula=_LABEL, source=("Lecture 4",), charged=("predict",), about="labels", shows_in=("labels",)
)
_of_scores = define_kind(
    stage="predict",
    formula=_SAME,
    source=("Lecture 4",),
    charged=("predict",),
    about="predict scores",
    shows_in=("labels",),
)
_COMPARE = "predict() and loss(X) must compute the same scores: put the two side by side."

MISTAKES = (
    _of_scores(
        "predict_with_relu_on_the_scores",
        "predict() applies a ReLU to the scores, so that negative ones can no longer be told apart.",
        "Which class is chosen where all scores of a row are negative?",
        {"predict_scores": lambda forward, _params, _names, X: np.maximum(0, forward(X))},
    ),
    _of_labels(
        "predict_over_examples",
        "predict() looks for the largest score along the wrong axis.",
        "How many labels must be returned for N rows? Along which axis do the classes lie?",
        {"label": lambda z: z.argmax(axis=0)},
        {"label": lambda z: z.argmax()},
    ),
    _of_labels(
        "predict_softmax_over_examples",
        "predict() normalises its softmax over the examples (axis 0), so the other rows change what it chooses.",
        "Does the label of one row change with the other rows? Which sums of your probabilities are 1?",
        {"label": lambda z: softmax_over_examples(z).argmax(axis=1)},
        losses=("softmax",),
    ),
    _of_labels(
        "predict_lowest_score",
        "predict() chooses the lowest score.",
        "Is a high score a good or a bad sign for a class?",
        {"label": lambda z: z.argmin(axis=1)},
    ),
    _of_labels(
        "predict_largest_size",
        "predict() chooses the score that is furthest from zero, whatever its sign.",
        "Which wins: a score of -5 or a score of +3?",
        {"label": lambda z: np.abs(z).argmax(axis=1)},
    ),
    _of_labels(
        "predict_second_best",
        "predict() chooses the second largest score.",
        "In which order does argsort put the scores, and which position do you take?",
        {"label": lambda z: z.argsort(axis=1)[:, -2]},
    ),
    _of_labels(
        "predict_returns_maximum",
        "predict() returns the largest score of each row, not its position.",
        "max returns the value, argmax the position. Which of them is the class?",
        {"label": lambda z: z.max(axis=1)},
    ),
    _of_labels(
        "predict_returns_scores",
        "predict() returns scores or probabilities instead of labels.",
        "predict() must return one whole number per row.",
        {"label": lambda z: z},
        {"label": softmax_on_top},
        {"label": lambda z: z.argsort(axis=1)},
    ),
    _of_labels(
        "predict_returns_one_hot",
        "predict() returns a one-hot row for each example instead of its label.",
        "predict() must return one whole number per row.",
        {"label": lambda z: np.eye(z.shape[1])[z.argmax(axis=1)]},
    ),
    _of_labels(
        "predict_returns_column",
        "predict() returns a column (N, 1). Comparing that with y compares every row with every label.",
        "What shape does y have, and what shape does your result have?",
        {"label": lambda z: z.argmax(axis=1)[:, None]},
    ),
    _of_labels(
        "predict_returns_floats",
        "predict() returns labels as floating-point numbers.",
        "What type is the array that the labels are written into?",
        {"label": lambda z: z.argmax(axis=1).astype(float)},
    ),
    _of_labels(
        "predict_counts_from_one",
        "predict() counts the classes from 1, but they begin at 0.",
        "What does argmax return where the first class wins?",
        {"label": lambda z: z.argmax(axis=1) + 1},
    ),
)


def list_mistakes(_variant: Variant, network: Network) -> tuple[Mistake, ...]:
    """Return the mistakes of a forward pass that is written a second time."""
    return (
        _of_scores(
            "predict_without_{kind}",
            "predict() leaves the {act} out.",
            _COMPARE,
            {"predict_scores": own_pass(lambda u: u, whole, whole)},
            activations=ENTRYWISE,
        ),
        *_of_biases(network),
        _of_scores(
            "predict_with_another_activation",
            "predict() uses a different activation from loss().",
            _COMPARE,
            {"predict_scores": own_pass(sigmoid, whole, whole)},
            {"predict_scores": own_pass(tanh, whole, whole)},
            activations=ENTRYWISE,
        ),
        _of_scores(
            "predict_from_hidden_layer",
            "predict() chooses the largest hidden unit, not the largest score.",
            "How many classes are there, and how many hidden units?",
            {"predict_scores": hidden_layer(network.activate)},
            fewest_layers=2,
        ),
    )


def _of_biases(network: Network) -> tuple[Mistake, ...]:
    return (
        _of_scores(
            "predict_without_first_bias",
            "predict() leaves the first bias out.",
            _COMPARE,
            {"predict_scores": own_pass(network.activate, bare, whole)},
        ),
        _of_scores(
            "predict_without_second_bias",
            "predict() leaves the second bias out.",
            _COMPARE,
            {"predict_scores": own_pass(network.activate, whole, bare)},
        ),
        _of_scores(
            "predict_without_biases",
            "predict() leaves both biases out.",
            _COMPARE,
            {"predict_scores": own_pass(network.activate, bare, bare)},
        ),
        _of_scores(
            "predict_bias_inside_product",
            "predict() adds a bias to the weights before the product, not to the product.",
            "Look at the parentheses of predict()'s forward pass.",
            {"predict_scores": own_pass(network.activate, inside, whole)},
            {"predict_scores": own_pass(network.activate, whole, inside)},
        ),
    )
