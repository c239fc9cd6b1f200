"""The affine layer and its gradients.

A layer's weights W are (D, H) and its bias b (H,). A maxout layer holds two affine maps, so there W is (2, D, H) and
b (2, H); every function here is written for the last two axes and so serves both.
Sources are lecture documents: the COMS 4732 notes on back-propagation, the COL 865 notes on K-layer networks, Computer
Vision's Lecture 4, and derivations of the gradients of SVM, softmax and two layers by a student.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.records import dataclass

if TYPE_CHECKING:
    from grader.model import Array


@dataclass(frozen=True)
class Layer:
    """What the forward pass leaves behind for the backward pass, of one layer."""

    k: int  # counted from 0
    x: Array  # (N, D), what came in
    W: Array  # (D, H), or (2, D, H) for maxout
    b: Array  # (H,), or (2, H)
    u: Array  # (N, H), or (2, N, H): before the activation
    h: Array  # (N, H), after it; of the last layer, the scores


def affine(x: Array, W: Array, b: Array, _k: int) -> Array:
    """Return u = x W + b, of shape (N, H), or (2, N, H) for maxout (COMS 4732, Lecture 4)."""
    u: Array = x @ W + (b if W.ndim == 2 else b[:, None, :])
    return u


def d_weights(du: Array, layer: Layer) -> Array:
    """Return dL/dW = x^T du, in the shape of W (COMS 4732, derivations)."""
    dW: Array = layer.x.T @ du
    return dW


def d_bias(du: Array, _layer: Layer) -> Array:
    """Return dL/db, which is du summed over the rows that b was broadcast to, in the shape of b (COMS 4732, derivations)."""
    db: Array = du.sum(axis=-2)
    return db


def d_input(du: Array, layer: Layer) -> Array:
    """Return dL/dx = du W^T, of shape (N, D); two maps of one input add up (COMS 4732)."""
    dx: Array = du @ layer.W.swapaxes(-1, -2)
    return dx if dx.ndim == 2 else dx.sum(axis=0)
