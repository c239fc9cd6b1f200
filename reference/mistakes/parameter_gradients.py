"""Mistakes in the gradients of weights and biases, given that of their layer's output."""

from typing import Any

import numpy as np

from grader.model import Array
from reference.layers import Layer
from reference.mistakes.entry import Mistake, Number, define_kind


def weights_times(c: float) -> Any:
    def d_weights(du: Array, layer: Layer) -> Any:
        return c * layer.x.T @ du

    return d_weights


_DW, _DB = "dL/dW = x^T dL/du", "dL/db = dL/du summed over the rows"
_of_weights = define_kind(
    stage="gradients",
    formula=_DW,
    source=("COMS 4732", "derivations"),
    about="grads {W}",
    layers="each",
    shows_in=("gradient",),
)
_of_bias = define_kind(
    stage="gradients",
    formula=_DB,
    source=("COMS 4732", "derivations"),
    about="grads {b}",
    layers="each",
    shows_in=("gradient",),
)


def _weights(identity: str, title: str, hint: str, *steps: Any, **own: Any) -> Mistake:
    forms = ({"d_weights": step} for step in steps)
    return _of_weights(identity, title, hint, *forms, charged=_charged("gradient_W{}", identity), **own)


def _bias(identity: str, title: str, hint: str, *steps: Any, **own: Any) -> Mistake:
    forms = ({"d_bias": step} for step in steps)
    return _of_bias(identity, title, hint, *forms, charged=_charged("gradient_b{}", identity), **own)


def _charged(check: str, identity: str) -> tuple[str, ...]:
    # A gradient that is nothing agrees with no loss: what it should have been the derivative of is charged as well.
    return (check, "numeric_gradient") if identity.endswith("_zero") else (check,)


MISTAKES = (
    _weights(
        "weights_gradient_divided",
        "The gradient of {W} is divided by N once more than the gradient of the scores.",
        "Count the divisions by N from the loss to the gradient of {W}.",
        lambda du, layer: layer.x.T @ du / len(layer.x),
    ),
    _weights(
        "weights_gradient_multiplied",
        "The gradient of {W} is multiplied by N: the division of the scores' gradient is undone.",
        "Count the factors N from the loss to the gradient of {W}.",
        lambda du, layer: layer.x.T @ du * len(layer.x),
    ),
    _weights(
        "weights_gradient_wrong_factor",
        "The data part of the gradient of {W} is {c} times as large as it should be.",
        "Collect the factors from the loss to the gradient of {W}.",
        number=Number(lambda c: {"d_weights": weights_times(c)}, -1e3, 1e3, (2.0, 0.5), (0.5, 2.0)),
    ),
    _weights(
        "weights_gradient_uphill",
        "The data part of the gradient of {W} has the wrong sign.",
        "Look for a minus in front of the product.",
        lambda du, layer: -layer.x.T @ du,
    ),
    _weights(
        "weights_gradient_zero",
        "The gradient of {W} has no data part: it is zero apart from the regulariser.",
        "Is the product of the layer's input with its output's gradient ever assigned?",
        lambda _du, layer: np.zeros_like(layer.W),
    ),
    _weights(
        "weights_gradient_of_mask",
        "The gradient of {W} uses a mask of where the layer's input is positive instead of the input itself.",
        "What is the derivative of x W by W?",
        lambda du, layer: (layer.x > 0).T.astype(float) @ du,
    ),
    _bias(
        "bias_gradient_averaged",
        "The gradient of {b} is the mean over the rows instead of the sum.",
        "The scores' gradient is already divided by N. Is {b} divided again?",
        lambda du, _layer: du.mean(axis=-2),
    ),
    # Before the one number for all: under a loss whose gradient adds up to 0 in each row, that number is 0 in the last layer.
    _bias(
        "bias_gradient_zero",
        "The gradient of {b} is zero.",
        "Is the gradient of {b} ever computed, or only created?",
        lambda _du, layer: np.zeros_like(layer.b),
    ),
    _bias(
        "bias_gradient_scalar",
        "The gradient of {b} is one number for all units, but each unit needs its own.",
        "What shape does the bias have? Over which axis may you sum, and over which not?",
        lambda du, _layer: du.sum(),
        lambda du, _layer: np.full(du.shape[-1], du.sum()),
    ),
    _bias(
        "bias_gradient_not_summed",
        "The gradient of {b} is not summed over the rows.",
        "A bias is added to every row. What shape must its gradient have?",
        lambda du, _layer: du,
    ),
    _bias(
        "bias_gradient_over_units",
        "The gradient of {b} is summed over the units of each row instead of over the rows.",
        "Which axis must remain: the examples or the units?",
        lambda du, _layer: du.sum(axis=-1),
    ),
    _bias(
        "bias_gradient_multiplied",
        "The gradient of {b} is multiplied by N: the division of the scores' gradient is undone.",
        "Count the factors N from the loss to {b}.",
        lambda du, _layer: du.sum(axis=-2) * du.shape[-2],
    ),
    _bias(
        "bias_gradient_wrong_factor",
        "The gradient of {b} is {c} times as large as it should be.",
        "Collect the factors from the loss to {b}.",
        number=Number(lambda c: {"d_bias": lambda du, _layer: c * du.sum(axis=-2)}, -1e3, 1e3, (2.0, 0.5), (0.5, 2.0)),
    ),
    _bias(
        "bias_gradient_missing",
        "The gradient of {b} is missing.",
        "Count the parameters and the keys of grads. A bias has a gradient as well.",
        lambda _du, _layer: None,
    ),
    _bias(
        "bias_gradient_of_first_row",
        "The gradient of {b} uses the first row only.",
        "A bias is added to every row of the batch.",
        lambda du, _layer: du[..., 0, :],
    ),
    _bias(
        "bias_gradient_times_bias",
        "The gradient of {b} is multiplied by the bias itself.",
        "What is the derivative of x W + b by b?",
        lambda du, layer: du.sum(axis=-2) * layer.b,
    ),
    _bias(
        "bias_gradient_uphill",
        "The gradient of {b} has the wrong sign.",
        "Look for a minus in front of the sum.",
        lambda du, _layer: -du.sum(axis=-2),
    ),
)
