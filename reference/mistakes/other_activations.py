"""Mistakes of hidden layers other than the ReLU: the slope on the way back, and each activation's own number."""

from typing import Any

import numpy as np

from grader.model import Array
from reference.activations import d_relu, elu, leaky_relu, relu
from reference.layers import Layer
from reference.mistakes.activation import leaky
from reference.mistakes.entry import Number, define_kind


def first_map(dh: Array, _layer: Layer) -> Any:
    return np.stack([dh, np.zeros_like(dh)])


def both_maps(dh: Array, _layer: Layer) -> Any:
    return np.stack([dh, dh])


def losing_map(dh: Array, layer: Layer) -> Any:
    first = layer.u[0] >= layer.u[1]
    return dh * np.stack([~first, first])


def other_alpha(c: float) -> Any:
    return {"activate": elu(c).forward, "d_activate": elu(c).backward}


_OTHERS = ("leaky_relu", "elu", "sigmoid", "tanh")
_DERIVE = "Write down the derivative of the {act}. Which values does yours have?"
_MAPS = "A maxout unit has two affine maps. What does it do with them?"
_LARGER = "How does the maximum change if the smaller of two numbers does?"
_forward = define_kind(
    stage="scores", formula="h = {h}, u = X W1 + b1", source=("Lecture 4",), charged=("scores",), about="activation",
    shows_in=("scores", "loss", "gradient", "stability", "labels"), activations=_OTHERS,
)  # fmt: skip
_back = define_kind(
    stage="gradients", formula="dL/dh = dL/dz W2^T, and {du}", source=("Lecture 4",), about="mask", shows_in=("gradient",),
    charged=("gradient_W{hidden}", "gradient_b{hidden}"), activations=_OTHERS,
)  # fmt: skip


MISTAKES = (
    _forward(
        "relu_for_{kind}",
        "The hidden layer uses a ReLU; the assignment asks for the {act}.",
        "Which activation does the assignment name, and what does it return for a negative input?",
        {"activate": relu, "d_activate": d_relu},
        {"activate": relu},
    ),
    _back(
        "slope_left_out",
        "The {act} is missing in the backward pass: the gradient passes as it is.",
        "The chain rule is a product. Where is the derivative of the {act}?",
        {"d_activate": lambda dh, _layer: dh},
    ),
    _back(
        "relu_on_the_way_back",
        "The backward pass stops the gradient where u is not above 0, as a ReLU does; the hidden layer is {an_act}.",
        "For negative u the {act} is no constant. What is its derivative there?",
        {"d_activate": d_relu},
    ),
    _forward(
        "wrong_slope",
        "The leaky ReLU's slope is {c} where u is negative; the assignment asks for {slope}.",
        "What does your activation return for u = -1?",
        number=Number(lambda c: {"activate": leaky(c), "d_activate": leaky_relu(c).backward}, 1e-4, 0.99, (0.01, 0.3), (0.05, 0.5)),
        activations=("leaky_relu",),
    ),
    _forward(
        "wrong_slope_on_the_way_forward",
        "The leaky ReLU's slope is {c} on the way forward; on the way back it is {slope}, as the assignment asks.",
        "What does your activation return for u = -1?",
        number=Number(lambda c: {"activate": leaky(c)}, 1e-4, 0.99, (0.01, 0.3), (0.05, 0.5)),
        activations=("leaky_relu",),
    ),
    _back(
        "wrong_slope_on_the_way_back",
        "The backward pass lets {c} of the gradient through where u is negative; the leaky ReLU's slope there is {slope}.",
        "What is the derivative of your activation at u = -1?",
        number=Number(lambda c: {"d_activate": leaky_relu(c).backward}, 1e-4, 0.99, (0.01, 0.3), (0.05, 0.5)),
        activations=("leaky_relu",),
    ),
    _forward(
        "wrong_alpha",
        "The ELU's alpha is {c}; the assignment asks for {alpha}.",
        "What does your activation tend to where u is far below 0?",
        number=Number(other_alpha, 1e-2, 100.0, (0.5, 3.0), (0.5, 2.0)),
        activations=("elu",),
    ),
    _back(
        "alpha_left_out_of_slope",
        "The ELU's slope where u is negative lacks alpha: it is h + alpha, which is alpha exp(u).",
        _DERIVE,
        {"d_activate": lambda dh, layer: dh * np.where(layer.u > 0, 1.0, layer.h)},
        {"d_activate": lambda dh, layer: dh * np.where(layer.u > 0, 1.0, np.exp(np.minimum(layer.u, 0.0)))},
        activations=("elu",),
    ),
    _back(
        "slope_of_u_for_h",
        "The sigmoid's slope h (1 - h) is taken of u in place of h.",
        "Which array does the derivative of the sigmoid need: the layer's input or its output?",
        {"d_activate": lambda dh, layer: dh * layer.u * (1 - layer.u)},
        activations=("sigmoid",),
    ),
    _back(
        "slope_of_u_for_h",
        "The slope of tanh, 1 - h^2, is taken of u in place of h.",
        "Which array does the derivative of tanh need: the layer's input or its output?",
        {"d_activate": lambda dh, layer: dh * (1 - layer.u**2)},
        activations=("tanh",),
    ),
    *(
        _forward(
            identity,
            title,
            _MAPS,
            {"activate": forward, "d_activate": backward},
            {"activate": forward},
            activations=("maxout",),
        )
        for identity, title, forward, backward in (
            ("one_map_alone", "The maxout layer uses its first affine map alone.", lambda u: u[0], first_map),
            ("maps_added_up", "The maxout layer adds its two affine maps up instead of taking the larger one.",
             lambda u: u[0] + u[1], both_maps),
            ("smaller_map", "The maxout layer takes the smaller of its two affine maps.",
             lambda u: np.minimum(u[0], u[1]), losing_map),
        )
    ),
    *(
        _back(identity, title, _LARGER, {"d_activate": step}, activations=("maxout",))
        for identity, title, step in (
            ("gradient_to_both_maps", "The gradient passes to both affine maps; it belongs to the larger one alone.", both_maps),
            ("gradient_to_the_losing_map", "The gradient passes to the smaller of the two affine maps.", losing_map),
            ("gradient_to_the_first_map", "The gradient passes to the first affine map whichever is larger: the other branch gets none.",
             first_map),
        )
    ),
)  # fmt: skip
