"""Mistakes between the scores' gradient and the hidden layer's: the way back through W2 and the ReLU."""

from typing import Any

import numpy as np

from grader.model import Array, Variant
from reference.activations import leaky_relu
from reference.layers import Layer
from reference.mistakes.entry import ENTRYWISE, Mistake, Number, define_kind
from reference.network import Network


def all_or_nothing(du: Array, layer: Layer, strength: float) -> Any:
    return du * (strength * (layer.W * layer.W).sum() > 0)


def sigmoid_of_input(dh: Array, layer: Layer) -> Any:
    s = 1 / (1 + np.exp(-layer.u))
    return dh * s * (1 - s)


def upstream_dropped(right: Any) -> Any:
    return lambda dh, layer: right(np.ones_like(dh), layer)


_DU = "dL/dh = dL/dz W2^T, and {du}"
_hidden = define_kind(
    stage="gradients",
    formula=_DU,
    source=("COMS 4732",),
    charged=("gradient_W{hidden}", "gradient_b{hidden}"),
    about="mask",
    shows_in=("gradient",),
)

MISTAKES = (
    _hidden(
        "mask_left_out",
        "The ReLU is missing in the backward pass: the gradient passes where the unit was off.",
        "For negative u the ReLU is always 0. What is its derivative there?",
        {"d_activate": lambda dh, _layer: dh},
        activations=("relu",),
    ),
    _hidden(
        "slope_left_out_in_one_layer",
        "The {act} of the layer of {W} and {b} is missing in the backward pass: the gradient passes as it is.",
        "The chain rule is a product. Where is the derivative of this layer's {act}?",
        {"d_activate": lambda dh, _layer: dh},
        charged=("gradient_W{}", "gradient_b{}"),
        activations=ENTRYWISE,
        layers="hidden",
        fewest_layers=3,
    ),
    _hidden(
        "gradient_cut_off",
        "The gradient itself is cut off at zero. It must be stopped where the hidden unit was off.",
        "Which array decides where the gradient passes: the gradient, or the unit's value in the forward pass?",
        {"d_activate": lambda dh, _layer: dh * (dh > 0)},
        activations=("relu",),
    ),
    _hidden(
        "mask_of_another_variable",
        "The ReLU's mask comes from a variable that has nothing to do with the hidden units: it cuts off everything or nothing.",
        "Which array decides where the gradient passes, and what shape does it have?",
        {"d_activate": lambda dh, _layer: dh, "d_hidden": all_or_nothing},
        {"d_activate": lambda dh, _layer: np.zeros_like(dh)},
        activations=("relu",),
    ),
    _hidden(
        "mask_inverted",
        "The ReLU's mask is upside down: the gradient passes where the unit was off.",
        "Look at the sign of the comparison.",
        {"d_activate": lambda dh, layer: dh * (layer.u < 0)},
        activations=("relu",),
    ),
    _hidden(
        "leaky_relu_on_the_way_back",
        "The backward pass lets {c} of the gradient through where the hidden unit was off, as a leaky ReLU does.",
        "For negative u the ReLU is always 0. What is its derivative there?",
        number=Number(lambda c: {"d_activate": leaky_relu(c).backward}, 1e-4, 0.99, (0.01, 0.1), (0.01, 0.5)),
        activations=("relu",),
    ),
    _hidden(
        "multiplied_by_hidden",
        "The gradient is multiplied by the hidden values themselves instead of by the {act}'s slope.",
        "{slope_is} Which values does your factor have?",
        {"d_activate": lambda dh, layer: dh * layer.h},
        {"d_activate": lambda dh, layer: dh * layer.u},
        activations=ENTRYWISE,
    ),
    _hidden(
        "slope_of_another_activation",
        "The backward pass uses the slope of {another}, though the hidden layer is {an_act}.",
        "Does the slope belong to the activation of your forward pass?",
        {"d_activate": lambda dh, layer: dh * layer.h * (1 - layer.h)},
        {"d_activate": sigmoid_of_input},
        {"d_activate": lambda dh, layer: dh * (1 - layer.h**2)},
        activations=ENTRYWISE,
    ),
    _hidden(
        "mask_above_one",
        "The ReLU's mask begins at 1 instead of at 0.",
        "Where does the ReLU's slope change?",
        {"d_activate": lambda dh, layer: dh * (layer.u > 1)},
        activations=("relu",),
    ),
    _hidden(
        "weights_changed_before_use",
        "W2 is changed before the gradient is passed back through it.",
        "In which order do you compute dL/dh and change W2?",
        {"d_input": lambda du, layer: du @ (layer.W - layer.x.T @ du).T},
        about="dhidden",
    ),
    _hidden(
        "passed_back_with_wrong_sign",
        "The gradient changes its sign on the way to the hidden layer.",
        "Look at the product with W2: is there a minus?",
        {"d_input": lambda du, layer: -du @ layer.W.T},
        charged=("gradient_W{highest}", "gradient_b{highest}"),  # two layers further down the sign is right again
        about="dhidden",
    ),
    _hidden(
        "passed_back_divided",
        "The gradient is divided by N once more on its way to the hidden layer.",
        "Count the divisions by N from the loss to the hidden layer.",
        {"d_input": lambda du, layer: du @ layer.W.T / len(du)},
        about="dhidden",
    ),
)


def list_mistakes(_variant: Variant, network: Network) -> tuple[Mistake, ...]:
    """Return the mistake that is made of the right slope."""
    return (
        _hidden(
            "upstream_gradient_dropped",
            "The {act}'s {mask} replaces the gradient instead of being multiplied with it.",
            "The chain rule is a product. What are its two factors at the hidden layer?",
            {"d_activate": upstream_dropped(network.d_activate)},
        ),
    )
