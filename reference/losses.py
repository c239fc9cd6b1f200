"""The data losses, their gradients, and how each turns scores into labels.

Scores z are (N, C), labels y (N,) integers in [0, C). Every data loss is the mean over the N examples; its gradient
dL/dz is (N, C). The losses work with complex scores too, for complex-step derivatives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from grader.records import dataclass
from reference.activations import sigmoid

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.model import Array


def centred(z: Array) -> Array:
    """Subtract each row's maximum: softmax is the same, and no exponent overflows (derivations)."""
    shifted: Array = z - z.real.max(axis=1, keepdims=True)
    return shifted


def as_they_are(z: Array) -> Array:
    """Return the scores themselves: margins and single outputs need no centring."""
    return z


def probabilities(z: Array) -> Array:
    """Return p = exp(z) / sum_j exp(z_j) row by row, (N, C), of centred scores (derivations)."""
    e = np.exp(z)
    p: Array = e / e.sum(axis=1, keepdims=True)
    return p


def softmax_loss(z: Array, y: Array) -> Any:
    """Return the mean of -log p[y] (COMS 4732, Lecture 4), as log sum_j exp(z_j) - z_y: there p is never 0 inside the log."""
    return (np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]).sum() / len(y)


def d_softmax_loss(z: Array, y: Array) -> Array:
    """Return dL/dz = (p - onehot(y)) / N (COMS 4732, derivations)."""
    return less_target(probabilities(z), y) / len(y)


def cross_entropy(p: Array, y: Array) -> Any:
    """Return the mean of -log p[y] of probabilities, (N, C), however they were made."""
    return -np.log(p[np.arange(len(y)), y]).mean()


def less_target(p: Array, y: Array) -> Array:
    """Return p - onehot(y), (N, C)."""
    dz: Array = p.copy()
    dz[np.arange(len(y)), y] -= 1.0
    return dz


def margins_of(margin: float) -> Callable[[Array, Array], Array]:
    """Return the function of scores and labels that is s_j - s_y + margin, (N, C); 0 at the true class (Lecture 4, derivations)."""

    def margins(z: Array, y: Array) -> Array:
        rows = np.arange(len(y))
        m: Array = z - z[rows, y][:, None] + margin
        m[rows, y] = 0.0
        return m

    return margins


def svm(margin: float) -> Loss:
    """Return the multiclass SVM's loss, the mean of the sum over j != y of max(0, s_j - s_y + margin) (Lecture 4, derivations)."""
    margins = margins_of(margin)

    def forward(z: Array, y: Array) -> Any:
        m = margins(z, y)
        return np.where(m.real > 0, m, 0.0).sum() / len(y)

    def backward(z: Array, y: Array) -> Array:
        """Return dL/dz = C / N: C is 1 where a margin is positive, and minus their number at the true class (derivations)."""
        dz = (margins(z, y) > 0).astype(np.float64)
        dz[np.arange(len(y)), y] = -dz.sum(axis=1)
        dz /= len(y)
        return dz

    return Loss(as_they_are, forward, backward, largest_score)


def largest_score(z: Array) -> Array:
    """Return the class of the largest score, (N,) int64 (Lecture 4)."""
    labels: Array = np.argmax(z, axis=1).astype(np.int64)
    return labels


def targets(z: Array, y: Array) -> Array:
    """Return what the outputs should be, (N, C): 1 at the true class; a single output is 1 where the label is 1 (COL 865)."""
    classes = np.arange(z.shape[1]) if z.shape[1] > 1 else np.ones(1)
    t: Array = (y[:, None] == classes).astype(np.float64)
    return t


def sigmoid_loss(z: Array, y: Array) -> Any:
    """Return the mean over the rows of the sum over the outputs of -log sigma(z) or, where the target is 0, -log(1 - sigma(z)).

    COL 865 has one output; with C of them each is the likelihood of its class against all others.
    Both are log(1 + exp(t)) with t = -z or z, written so that no exponent overflows.
    """
    t = np.where(targets(z, y) == 1, -z, z)
    positive = t.real > 0
    return (np.where(positive, t, 0.0) + np.log1p(np.exp(np.where(positive, -t, t)))).sum() / len(y)


def d_sigmoid_loss(z: Array, y: Array) -> Array:
    """Return dL/dz = (sigma(z) - target) / N, (N, C) (COL 865)."""
    dz: Array = (sigmoid(z) - targets(z, y)) / len(y)
    return dz


def likeliest(z: Array) -> Array:
    """Return the class of the largest output, (N,) int64; of a single one whether sigma(z) > 1/2 (COL 865)."""
    labels: Array = z.argmax(axis=1) if z.shape[1] > 1 else (z[:, 0] > 0).astype(np.int64)
    return labels


@dataclass(frozen=True)
class Loss:
    """One choice of data loss; `forward` and `backward` are given centred scores."""

    centre: Callable[[Array], Array]
    forward: Callable[[Array, Array], Any]  # a float, or complex where the scores are
    backward: Callable[[Array, Array], Array]
    label: Callable[[Array], Array]


# Each choice, made with the SVM's margin.
LOSSES: dict[str, Callable[[float], Loss]] = {
    "softmax": lambda _margin: Loss(centred, softmax_loss, d_softmax_loss, largest_score),
    "svm": svm,
    "sigmoid": lambda _margin: Loss(as_they_are, sigmoid_loss, d_sigmoid_loss, likeliest),
}
