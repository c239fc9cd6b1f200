"""Mistakes in how loss() treats what it is given: it may read X, y and the parameters, and change none of them."""

from typing import Any

import numpy as np

from grader.model import Array, Variant
from reference.layers import Layer
from reference.mistakes.entry import Mistake, define_kind
from reference.network import Network


def inputs_scaled(du: Array, layer: Layer) -> Any:
    rows = len(layer.x)
    layer.x[:] = layer.x / rows
    return layer.x.T @ (du * rows)


def bias_shrunk(du: Array, layer: Layer) -> Any:
    layer.b[:] = 0.9 * layer.b
    return du.sum(axis=-2)


def dropout(right: Any) -> Any:
    def activate(u: Array) -> Any:
        h = right(u)
        return h * (np.random.rand(*h.shape) < 0.5) / 0.5  # noqa: NPY002 -- as students draw

    return activate


_PURE = "loss(X, y, reg) is a function of X, y, reg and the parameters"


_mistake = define_kind(
    stage="purity", formula=_PURE, source=("Lecture 4",), charged=("purity",), about="inputs", shows_in=("purity",)
)

MISTAKES = (
    _mistake(
        "inputs_changed",
        "loss() changes X in place: its caller has different data afterwards.",
        "Look for X[...] = ... and for +=, -=, *=, /= on X or on a view of it.",
        {"d_weights@0": inputs_scaled},
    ),
    _mistake(
        "parameters_changed",
        "loss() changes the parameters, so the next call uses a different network.",
        "Only train() may change the parameters. Look for +=, -=, *= on one of them or on a view.",
        {"d_bias@0": bias_shrunk},
        about="parameters",
    ),
)


def list_mistakes(_variant: Variant, network: Network) -> tuple[Mistake, ...]:
    """Return the mistake that is made of the right activation."""
    return (
        _mistake(
            "answers_change",
            "loss() returns something different when it is called again with the same arguments: it is random (dropout, noise).",
            "Look for np.random inside loss(), or for a value that is kept from one call to the next.",
            {"activate": dropout(network.activate)},
            about="hidden",
            shows_in=("purity", "scores", "loss", "gradient", "labels"),
            fewest_layers=2,
        ),
    )
