"""The activations of hidden layers, and what each passes back.

Forward: u (N, H) to h (N, H). Backward: dL/dh (N, H) to dL/du, in the shape of u. All six are named in Lecture 4.
Forward works with complex u too, whose imaginary part is the tiny step of a complex-step derivative: which branch is
taken is therefore asked of the real part alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from grader.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.model import Array
    from reference.layers import Layer


def relu(u: Array) -> Array:
    """Return max(0, u) (COMS 4732, Lecture 4)."""
    # Training calls this most, and np.where takes twice as long; numpy orders complex numbers by real part.
    h: Array = np.maximum(u, 0.0)
    return h


def d_relu(dh: Array, layer: Layer) -> Array:
    """Pass the gradient where u > 0 and stop it where u <= 0 (COMS 4732)."""
    du: Array = dh * (layer.u > 0)
    return du


def leaky_relu(slope: float) -> Activation:
    """Return the leaky ReLU, u where u > 0 and slope u elsewhere; Lecture 4 has the slope 0.1."""

    def forward(u: Array) -> Array:
        return np.where(u.real > 0, u, slope * u)

    def backward(dh: Array, layer: Layer) -> Array:
        du: Array = dh * np.where(layer.u > 0, 1.0, slope)
        return du

    return Activation(forward, backward)


def sigmoid(u: Array) -> Array:
    """Return s = 1 / (1 + exp(-u)) (Lecture 4), as exp(u) / (1 + exp(u)) left of 0 so that no exponent overflows."""
    right = u.real >= 0
    small = np.exp(np.where(right, -u, u))
    s: Array = np.where(right, 1.0, small) / (1.0 + small)
    return s


def d_sigmoid(dh: Array, layer: Layer) -> Array:
    """Multiply by the local gradient (1 - s) s (Lecture 4)."""
    du: Array = dh * (1.0 - layer.h) * layer.h
    return du


def tanh(u: Array) -> Array:
    """Return tanh(u) (Lecture 4)."""
    h: Array = np.tanh(u)
    return h


def d_tanh(dh: Array, layer: Layer) -> Array:
    """Multiply by the local gradient 1 - tanh(u)^2 (Lecture 4)."""
    du: Array = dh * (1.0 - layer.h**2)
    return du


def elu(alpha: float) -> Activation:
    """Return the ELU, u where u > 0 and alpha (exp(u) - 1) elsewhere (Lecture 4); with alpha = 1 its slope has no jump."""

    def forward(u: Array) -> Array:
        right = u.real > 0
        h: Array = np.where(right, u, alpha * np.expm1(np.where(right, 0.0, u)))
        return h

    def backward(dh: Array, layer: Layer) -> Array:
        du: Array = dh * np.where(layer.u > 0, 1.0, layer.h + alpha)  # alpha exp(u) = h + alpha
        return du

    return Activation(forward, backward)


def maxout(u: Array) -> Array:
    """Return the larger of two affine maps, u (2, N, H) to h (N, H) (Lecture 4)."""
    h: Array = np.where(u[0].real >= u[1].real, u[0], u[1])
    return h


def d_maxout(dh: Array, layer: Layer) -> Array:
    """Pass the gradient to the map that won; du is (2, N, H) (Lecture 4)."""
    first = layer.u[0] >= layer.u[1]
    du: Array = dh * np.stack([first, ~first])
    return du


@dataclass(frozen=True)
class Activation:
    """One choice of hidden activation."""

    forward: Callable[[Array], Array]
    backward: Callable[[Array, Layer], Array]
    maps: int = 1  # affine maps to one hidden layer; where there is more than one, W and b have a leading axis


# Each choice, made with the leaky ReLU's slope and the ELU's alpha.
ACTIVATIONS: dict[str, Callable[[float, float], Activation]] = {
    "relu": lambda _slope, _alpha: Activation(relu, d_relu),
    "leaky_relu": lambda slope, _alpha: leaky_relu(slope),
    "sigmoid": lambda _slope, _alpha: Activation(sigmoid, d_sigmoid),
    "tanh": lambda _slope, _alpha: Activation(tanh, d_tanh),
    "elu": lambda _slope, alpha: elu(alpha),
    "maxout": lambda _slope, _alpha: Activation(maxout, d_maxout, maps=2),
}
