"""Whether a network is the right one after all: a way of a mistake that changes nothing is no mistake of that variant."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.model import Array, Params

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference.network import Network

ROWS, INPUTS, CLASSES, REG = 9, 5, 4, 0.7
LARGE = 1e3  # what is added to scores, as the questions about stability do


def agree(one: Network, other: Network, tolerance: float = 1e-9, *, stable: bool = True) -> bool:
    """Return whether two networks give the same scores, loss, gradients and labels, and leave alone what they are given.

    Random inputs without a gap, whatever an assignment's own settings hide: two of these networks that agree on them to
    nine digits agree everywhere. tolerance : relative to an array's largest entry. stable : with large scores as well.
    """
    mine, theirs = _answers(one), _answers(other)
    pairs = list(zip(mine, theirs, strict=True))
    return all(alike(a, b, tolerance) for a, b in (pairs if stable else pairs[:-2]))


def returns_loss(network: Network) -> bool:
    """Return whether a network answers loss(X, y, reg) in an ordinary case, rather than raising."""
    return not isinstance(_answers(network)[2], str)


@lru_cache(maxsize=64)
def _answers(network: Network) -> list[Any]:
    """Return scores, labels and loss with gradients in an ordinary case; the last two are of scores in the thousands."""
    X, y, params = _case(network)
    weights, bias = network.names[-1]
    low = {**params, bias: params[bias] - 5.0}  # all scores of many rows are below 0
    far, apart = {**params, bias: params[bias] + LARGE}, {**params, weights: params[weights] * LARGE}
    asked: list[Callable[[Params, Array], Any]] = [
        network.scores,
        network.predict,
        lambda theta, x: network.report_loss(*network.evaluate(theta, x, y, REG)),
    ]
    return [
        *(_ask(one, params, X) for one in asked),
        _ask(asked[1], low, np.concatenate([X, 2 * X[::-1], -X])),
        *(_ask(asked[2], theta, X) for theta in (far, apart)),
    ]


def _case(network: Network) -> tuple[Array, Array, Params]:
    """Draw inputs, labels of which the last class has none, and parameters; some pre-activations are on either side of 0."""
    rng = np.random.default_rng(0)
    shapes = network.shapes((INPUTS, *range(7, 6 + network.depth), CLASSES))
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return rng.normal(size=(ROWS, INPUTS)), np.arange(ROWS) % (CLASSES - 1), params


def _ask(ask: Callable[[Params, Array], Any], params: Params, X: Array) -> Any:
    """Return an answer with what became of the parameters and X, or the name of what was raised."""
    theta, x = {name: value.copy() for name, value in params.items()}, X.copy()
    with np.errstate(all="ignore"):
        try:
            return ask(theta, x), theta, x
        except Exception as error:  # noqa: BLE001 -- a wrong step fails in whatever way it likes
            return type(error).__name__


def alike(one: Any, other: Any, tolerance: float = 1e-9) -> bool:
    """Return whether two answers are the same: in kind, in shape, and in numbers relative to the largest."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name], tolerance) for name in one)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(alike(a, b, tolerance) for a, b in zip(one, other, strict=True))
    if isinstance(one, str | dict | tuple | None) or isinstance(other, str | dict | tuple | None):
        return one is other or (isinstance(one, str) and one == other)
    a, b = np.asarray(one), np.asarray(other)
    if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
        return False
    size = np.abs(b[np.isfinite(b)]).max(initial=0.0)
    return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance * size, equal_nan=True))
