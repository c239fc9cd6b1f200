"""The regularisers: which parameters are kept small, and how hard.

The penalty is a sum of squares with coefficient one, so that loss = data loss + coefficient * reg * penalty, whatever
the course. Half or whole is a convention of the assignment: COMS 4732 writes 1/2, Lecture 4 writes 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from grader.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.model import Array, Params

Names = tuple[tuple[str, str], ...]  # weights and bias of each layer, from the input to the scores


def squared_weights(params: Params, names: Names) -> Any:
    """Return the sum of W^2 over the weights of all layers; biases are free (COMS 4732, Lecture 4, derivations)."""
    return sum((params[weights] ** 2).sum() for weights, _bias in names)


def d_squared_weights(params: Params, names: Names) -> dict[str, Array]:
    """Return 2 W for each layer's weights, and zeros for its bias (derivations: "do not miss it")."""
    gradients = {}
    for weights, bias in names:
        gradients[weights] = 2.0 * params[weights]
        gradients[bias] = np.zeros_like(params[bias])
    return gradients


def squared_parameters(params: Params, names: Names) -> Any:
    """Return ||theta||^2 over every parameter, biases too (COL 865)."""
    return sum((params[name] ** 2).sum() for layer in names for name in layer)


def d_squared_parameters(params: Params, names: Names) -> dict[str, Array]:
    """Return 2 theta for every parameter (COL 865)."""
    return {name: 2.0 * params[name] for layer in names for name in layer}


@dataclass(frozen=True)
class Regulariser:
    """One choice of regulariser."""

    coefficient: float
    penalty: Callable[[Params, Names], Any]  # a float, or complex where the parameters are
    backward: Callable[[Params, Names], dict[str, Array]]


REGULARISERS = {
    "half": Regulariser(0.5, squared_weights, d_squared_weights),
    "full": Regulariser(1.0, squared_weights, d_squared_weights),
    "every": Regulariser(1.0, squared_parameters, d_squared_parameters),
}
