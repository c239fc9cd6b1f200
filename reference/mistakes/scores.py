"""Mistakes in the layers' biases and inputs, and in what is returned for the scores."""

from typing import Any

import numpy as np

from grader.model import Array, Variant
from reference.mistakes.entry import ENTRYWISE, Mistake, define_kind
from reference.network import Network


def softmax_on_top(z: Array) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_over_examples(z: Array) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=0)


def bias_after(activate: Any) -> Any:
    return lambda x, W, b, _k: activate(x @ W) + b


_THROUGHOUT = ("scores", "loss", "gradient", "stability", "labels")
_HIDDEN, _SCORES = "h = {h}, u = X W1 + b1", "z = h W2 + b2"

_forward = define_kind(
    stage="scores",
    formula=_HIDDEN,
    source=("COMS 4732", "Lecture 4"),
    charged=("scores",),
    about="layer {k}",
    shows_in=_THROUGHOUT,
)
_scores = define_kind(
    stage="scores",
    formula=_SCORES,
    source=("Lecture 4",),
    charged=("scores",),
    about="returned scores",
    shows_in=("scores",),
)

MISTAKES = (
    _forward(
        "bias_forgotten",
        "The bias {b} is left out of the forward pass.",
        "Which parameters of `self.params` does your forward pass never read?",
        {"affine": lambda x, W, _b, _k: x @ W},
        formula=f"{_HIDDEN}; {_SCORES}",
        layers="each",
    ),
    _forward(
        "bias_subtracted",
        "The bias {b} is subtracted instead of added.",
        "Compare the sign of the bias with the formula of the layer.",
        {"affine": lambda x, W, b, _k: x @ W - b[..., None, :]},
        formula=f"{_HIDDEN}; {_SCORES}",
        layers="each",
    ),
    _forward(
        "bias_inside_product",
        "The bias {b} is added to the weights before the product, not to the product.",
        "Work out by hand, for one example and one unit, how often your bias is counted. Look at the parentheses.",
        {"affine": lambda x, W, b, _k: x @ (W + b[..., None, :])},
        formula=f"{_HIDDEN}; {_SCORES}",
        layers="each",
    ),
    _forward(
        "inputs_normalised_inside",
        "loss() changes the inputs first (it subtracts their mean), so the scores are not those of X.",
        "loss() must use X unchanged. Look for a mean or a deviation over the batch. Data are prepared outside.",
        {"affine@0": lambda x, W, b, _k: (x - x.mean(axis=0)) @ W + b[..., None, :]},
        {"affine@0": lambda x, W, b, _k: (x - x.mean(axis=0)) / x.std(axis=0) @ W + b[..., None, :]},
        source=("Lecture 4",),
        about="layer 0",
    ),
    _scores(
        "sigmoid_on_the_scores",
        "A sigmoid is applied to the scores.",
        "What comes between the second layer and {then}?",
        {"output": lambda z: 1 / (1 + np.exp(-z))},
        about="scores",
        shows_in=("scores", "loss", "gradient", "stability"),
    ),
    _scores(
        "softmax_twice",
        "The scores are turned into probabilities, and the loss takes the softmax of those again.",
        "How often is exp() taken on the way from the second layer to the loss?",
        {"output": softmax_on_top},
        formula=f"{_SCORES}; p = exp(z) / sum_j exp(z_j)",
        source=("Lecture 4", "derivations"),
        about="scores",
        shows_in=("scores", "loss", "gradient", "stability"),
        losses=("softmax",),
    ),
    _scores(
        "probabilities_returned",
        "loss(X) returns probabilities instead of scores.",
        "What does loss() return if y is None: the second layer's output, or its softmax?",
        {"report_scores": softmax_on_top},
        {"report_scores": lambda z: np.exp(z - z.max(axis=1, keepdims=True))},
        {"report_scores": lambda z: np.exp(z)},  # noqa: PLW0108 -- its source is written out
        {"report_scores": softmax_over_examples},
        {"report_scores": lambda z: np.log(softmax_on_top(z))},
        source=("Lecture 4", "derivations"),
        losses=("softmax",),
    ),
    _scores(
        "scores_shifted",
        "loss(X) returns the scores minus their maximum.",
        "Only the softmax needs the maximum subtracted. What were the scores one line earlier?",
        {"report_scores": lambda z: z - z.max(axis=1, keepdims=True)},
        {"report_scores": lambda z: z - z.max()},
        source=("derivations",),
        losses=("softmax",),
    ),
    _scores(
        "scores_in_a_tuple",
        "loss(X) returns the scores together with something else.",
        "If y is None, loss() must return exactly one array.",
        {"report_scores": lambda z: (z, z)},
    ),
    _scores(
        "labels_for_scores",
        "loss(X) returns labels instead of scores.",
        "Choosing a class is for predict(). What shape must the scores have?",
        {"report_scores": lambda z: z.argmax(axis=1)},
    ),
)


def list_mistakes(_variant: Variant, network: Network) -> tuple[Mistake, ...]:
    """Return the mistakes that are made of the right activation."""
    return (
        _forward(
            "bias_after_{kind}",
            "b1 is added after the {act} instead of before it.",
            "Which array does the {act} {take}: the product alone, or the product with its bias?",
            {"affine@0": bias_after(network.activate), "activate": lambda u: u},
            about="hidden",
            activations=ENTRYWISE,
            fewest_layers=2,
        ),
        _forward(
            "{kind}_on_the_scores",
            "{An_act} is applied to the scores as well.",
            "Scores may be negative. Which layer has an activation in the assignment, and which has none?",
            {"output": network.activate},
            formula=_SCORES,
            about="scores",
            activations=("relu", "leaky_relu", "tanh", "elu"),
        ),
    )
