"""Mistakes in the hidden layer's activation."""

from typing import Any

import numpy as np

from grader.model import Array
from reference.activations import leaky_relu, sigmoid, tanh
from reference.mistakes.entry import ENTRYWISE, Number, define_kind


def leaky(c: float) -> Any:
    def activate(u: Array) -> Any:
        return np.maximum(c * u, u)

    return activate


def size_of(u: Array) -> Any:
    return np.abs(u)


_THROUGHOUT = ("scores", "loss", "gradient", "stability", "labels")
_HIDDEN = "h = {h}, u = X W1 + b1"
_activation = define_kind(
    stage="scores", formula=_HIDDEN, source=("Lecture 4",), charged=("scores",), about="activation", shows_in=_THROUGHOUT,
    activations=("relu",),
)  # fmt: skip

MISTAKES = (
    _activation(
        "{kind}_left_out",
        "There is no {act} between the layers.",
        "Two layers with nothing between them are one layer. Which line {does}?",
        {"activate": lambda u: u},
        {"activate": lambda u: u, "d_activate": lambda dh, _layer: dh},
        about="hidden",
        source=("COMS 4732", "Lecture 4"),
        activations=ENTRYWISE,
    ),
    _activation(
        "{kind}_left_out_in_one_layer",
        "The layer of {W} and {b} has no {act}.",
        "Two layers with nothing between them are one layer. Which line {does}?",
        {"activate": lambda u: u},
        {"activate": lambda u: u, "d_activate": lambda dh, _layer: dh},
        about="layer {k}",
        source=("COMS 4732", "Lecture 4"),
        activations=ENTRYWISE,
        layers="hidden",
        fewest_layers=3,
    ),
    _activation(
        "relu_is_a_maximum_over_an_axis",
        "The ReLU takes the largest of several hidden values instead of comparing each with zero.",
        "np.max searches along an axis, np.maximum compares entry by entry. What shape should the hidden layer have?",
        {"activate": lambda u: np.maximum(u, u.max(axis=1, keepdims=True))},
    ),
    _activation(
        "max_for_maximum",
        "np.max is used instead of np.maximum: only the largest value of each column is left, and the rows are gone.",
        "What shape does the hidden layer have for N examples? Look up the second argument of np.max.",
        {"activate": lambda u: u.max(axis=0)},
        shows_in=("purity", "scores", "loss", "gradient", "stability", "labels"),
    ),
    _activation(
        "leaky_relu_for_{kind}",
        "The hidden layer uses a leaky ReLU of slope {c}; the assignment asks for the {plain}.",
        "What does your activation return for a negative input, and what does the formula say?",
        number=Number(
            lambda c: {"activate": leaky(c), "d_activate": leaky_relu(c).backward}, 1e-4, 0.99, (0.01, 0.1), (0.01, 0.5)
        ),
        activations=("relu", "sigmoid", "tanh", "elu"),
    ),
    _activation(
        "leaky_relu_on_the_way_forward",
        "The hidden layer uses a leaky ReLU of slope {c}, and the backward pass uses the plain ReLU's slope.",
        "What does your activation return for a negative input, and what does the formula say?",
        number=Number(lambda c: {"activate": leaky(c)}, 1e-4, 0.99, (0.01, 0.1), (0.01, 0.5)),
    ),
    _activation(
        "sigmoid_for_{kind}",
        "The hidden layer uses a sigmoid; the assignment asks for the {act}.",
        "Look up which activation the assignment asks for, and what it does to a large value.",
        {"activate": sigmoid, "d_activate": lambda dh, layer: dh * layer.h * (1 - layer.h)},
        {"activate": sigmoid},
        activations=ENTRYWISE,
    ),
    _activation(
        "tanh_for_{kind}",
        "The hidden layer uses tanh; the assignment asks for the {act}.",
        "Look up which activation the assignment asks for, and what it does to a large value.",
        {"activate": tanh, "d_activate": lambda dh, layer: dh * (1 - layer.h**2)},
        {"activate": tanh},
        activations=ENTRYWISE,
    ),
    _activation(
        "softplus_for_relu",
        "The hidden layer uses log(1 + exp(u)), which is close to the ReLU but not the same.",
        "What does your activation return at u = 0, and what does the ReLU return there?",
        {"activate": lambda u: np.log(1 + np.exp(u)), "d_activate": lambda dh, layer: dh / (1 + np.exp(-layer.u))},
        {"activate": lambda u: np.log(1 + np.exp(u))},
    ),
    _activation(
        "absolute_value_for_relu",
        "The activation takes the absolute value: negative inputs pass with the opposite sign.",
        "What should happen to a negative u?",
        {"activate": size_of, "d_activate": lambda dh, layer: dh * np.sign(layer.u)},
        {"activate": size_of},
    ),
    _activation(
        "relu_upside_down",
        "The activation keeps the negative values and drops the positive ones.",
        "Which values does the ReLU let through? Look at minimum and maximum, or at the sign of the comparison.",
        {"activate": lambda u: np.minimum(u, 0), "d_activate": lambda dh, layer: dh * (layer.u < 0)},
        {"activate": lambda u: np.minimum(u, 0)},
    ),
)
