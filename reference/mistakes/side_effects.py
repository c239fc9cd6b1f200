"""Mistakes in how loss() treats what it is given: it may read X, y and the parameters, and change none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reference.mistakes.entry import define_kind

if TYPE_CHECKING:
    from grader.model import Array
    from reference.layers import Layer


def inputs_scaled(du: Array, layer: Layer) -> Any:
    layer.x[:] = layer.x / len(du)
    return layer.x.T @ (du * len(du))


def bias_shrunk(du: Array, layer: Layer) -> Any:
    layer.b[:] = 0.9 * layer.b
    return du.sum(axis=0)


def dropout(u: Array) -> Any:
    return np.maximum(u, 0) * (np.random.rand(*u.shape) < 0.5) / 0.5  # noqa: NPY002 -- as students draw


_PURE = "loss(X, y, reg) is a function of X, y, reg and the parameters"


_mistake = define_kind(
    stage="purity", formula=_PURE, source=("003",), charged=("purity",), about="inputs", shows_in=("purity",)
)

MISTAKES = (
    _mistake(
        "inputs_changed",
        "loss() changes X in place: its caller has different data afterwards.",
        "Look for X[...] = ... and for +=, -=, *=, /= on X or on a view of it.",
        {"d_weights@0": inputs_scaled},
        example="X -= X.mean(axis=0)",
    ),
    _mistake(
        "parameters_changed",
        "loss() changes the parameters, so the next call uses a different network.",
        "Only train() may change the parameters. Look for +=, -=, *= on one of them or on a view.",
        {"d_bias@0": bias_shrunk},
        about="parameters",
        example='self.params["b1"] *= 0.9',
    ),
    _mistake(
        "answers_change",
        "loss() returns something different when it is called again with the same arguments: it is random (dropout, noise).",
        "Look for np.random inside loss(), or for a value that is kept from one call to the next.",
        {"activate": dropout},
        about="hidden",
        shows_in=("purity", "scores", "loss", "gradient", "labels"),
        example="hidden *= (np.random.rand(*hidden.shape) < 0.5) / 0.5",
    ),
)
