"""The data losses, their gradients, and how each turns scores into labels.

Scores z are (N, C), labels y (N,) integers in [0, C). Every data loss is the mean over the N examples; its gradient
dL/dz is (N, C). The losses work with complex scores too, for complex-step derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reference.activations import sigmoid

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.model import Array

DELTA = 1.0  # the SVM's margin (003, 004)


def centred(z: Array) -> Array:
    """Subtract each row's maximum: softmax is the same, and no exponent overflows (004)."""
    shifted: Array = z - z.real.max(axis=1, keepdims=True)
    return shifted


def as_they_are(z: Array) -> Array:
    """Return the scores themselves: margins and single outputs need no centring."""
    return z


def probabilities(z: Array) -> Array:
    """Return p = exp(z) / sum_j exp(z_j) row by row, (N, C), of centred scores (004)."""
    e = np.exp(z)
    p: Array = e / e.sum(axis=1, keepdims=True)
    return p


def softmax_loss(z: Array, y: Array) -> Any:
    """Return the mean of -log p[y] (000, 001, 003), as log sum_j exp(z_j) - z_y: there p is never 0 inside the log."""
    return (np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]).sum() / len(y)


def d_softmax_loss(z: Array, y: Array) -> Array:
    """Return dL/dz = (p - onehot(y)) / N (001, 004)."""
    dz = probabilities(z)
    dz[np.arange(len(y)), y] -= 1.0
    dz /= len(y)
    return dz


def margins(z: Array, y: Array) -> Array:
    """Return s_j - s_y + delta, (N, C); 0 at the true class, which the sum leaves out (003, 004)."""
    rows = np.arange(len(y))
    m: Array = z - z[rows, y][:, None] + DELTA
    m[rows, y] = 0.0
    return m


def svm_loss(z: Array, y: Array) -> Any:
    """Return the mean of the sum over j != y of max(0, s_j - s_y + delta) (003, 004)."""
    m = margins(z, y)
    return np.where(m.real > 0, m, 0.0).sum() / len(y)


def d_svm_loss(z: Array, y: Array) -> Array:
    """Return dL/dz = C / N: C is 1 where a margin is positive, and minus their number at the true class (004)."""
    dz = (margins(z, y) > 0).astype(np.float64)
    dz[np.arange(len(y)), y] = -dz.sum(axis=1)
    dz /= len(y)
    return dz


def largest_score(z: Array) -> Array:
    """Return the class of the largest score, (N,) int64 (003)."""
    labels: Array = np.argmax(z, axis=1).astype(np.int64)
    return labels


def single_output(z: Array) -> Array:
    """Return the one column of z as (N,)."""
    if z.shape[1] != 1:
        raise ValueError(
            f"the sigmoid loss reads one score per example, but the scores have shape {z.shape}: "
            "make the last layer one wide (C = 1), or choose the softmax or svm loss"
        )
    column: Array = z[:, 0]
    return column


def sigmoid_loss(z: Array, y: Array) -> Any:
    """Return the mean of -log sigma(z) where y is 1 and of -log(1 - sigma(z)) where y is 0 (002).

    Both are log(1 + exp(t)) with t = -z or z, written so that no exponent overflows.
    """
    z = single_output(z)
    t = np.where(y == 1, -z, z)
    positive = t.real > 0
    return np.mean(np.where(positive, t, 0.0) + np.log1p(np.exp(np.where(positive, -t, t))))


def d_sigmoid_loss(z: Array, y: Array) -> Array:
    """Return dL/dz = (sigma(z) - y) / N, (N, 1) (002)."""
    dz: Array = (sigmoid(single_output(z)) - y) / len(y)
    return dz[:, None]


def likelier_than_not(z: Array) -> Array:
    """Return 1 where sigma(z) > 1/2, else 0, (N,) int64 (002)."""
    return (single_output(z) > 0).astype(np.int64)


@dataclass(frozen=True)
class Loss:
    """One choice of data loss; `forward` and `backward` are given centred scores."""

    centre: Callable[[Array], Array]
    forward: Callable[[Array, Array], Any]  # a float, or complex where the scores are
    backward: Callable[[Array, Array], Array]
    label: Callable[[Array], Array]


LOSSES = {
    "softmax": Loss(centred, softmax_loss, d_softmax_loss, largest_score),
    "svm": Loss(as_they_are, svm_loss, d_svm_loss, largest_score),
    "sigmoid": Loss(as_they_are, sigmoid_loss, d_sigmoid_loss, likelier_than_not),
}
