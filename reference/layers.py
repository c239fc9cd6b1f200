"""The affine layer and its gradients.

A layer's weights W are (D, H) and its bias b (H,). A maxout layer holds two affine maps, so there W is (2, D, H) and
b (2, H); every function here is written for the last two axes and so serves both.
Sources are lecture documents, cited by file: 000 and 001 are the COMS 4732 notes on back-propagation, 002 the COL 865
notes on K-layer networks, 003 Computer Vision lecture 4, 004 a derivation of SVM, softmax and two-layer gradients.
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
    """Return u = x W + b, of shape (N, H), or (2, N, H) for maxout (001, 003)."""
    u: Array = x @ W + (b if W.ndim == 2 else b[:, None, :])
    return u


def d_weights(du: Array, layer: Layer) -> Array:
    """Return dL/dW = x^T du, in the shape of W (001, 004)."""
    dW: Array = layer.x.T @ du
    return dW


def d_bias(du: Array, _layer: Layer) -> Array:
    """Return dL/db, which is du summed over the rows that b was broadcast to, in the shape of b (001, 004)."""
    db: Array = du.sum(axis=-2)
    return db


def d_input(du: Array, layer: Layer) -> Array:
    """Return dL/dx = du W^T, of shape (N, D); two maps of one input add up (001)."""
    dx: Array = du @ layer.W.swapaxes(-1, -2)
    return dx if dx.ndim == 2 else dx.sum(axis=0)
