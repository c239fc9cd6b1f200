"""The formulas of the assignment's variant that a check needs: its loss, and what its activation passes back.

They take a program's own scores and units, which no right answer is at hand for. Not as the solution has them, which no
file of the wheel may hold.
"""

import numpy as np

from grader.model import Array, Floats, Variant


def loss_of_scores(variant: Variant, scores: Floats, y: Array) -> float:
    """Return the data loss of scores (N, C): the mean over the rows (COMS 4732; SVM: Lecture 4; sigmoid: COL 865)."""
    true = scores[np.arange(len(y)), y]
    match variant.loss:
        case "svm":
            over = np.maximum(scores - true[:, None] + variant.margin, 0.0)
            each = over.sum(axis=1) - variant.margin  # of the true class itself
        case "sigmoid":
            each = np.logaddexp(0.0, scores).sum(axis=1) - true
        case _:
            each = np.logaddexp.reduce(scores, axis=1) - true
    return float(np.mean(each))


def d_loss_of_scores(variant: Variant, scores: Floats, y: Array) -> Floats:
    """Return the gradient of the data loss by the scores, (N, C) (COMS 4732, COL 865)."""
    rows = np.arange(len(y))
    if variant.loss == "svm":
        d = (scores - scores[rows, y][:, None] > -variant.margin).astype(np.float64)
        d[rows, y] -= d.sum(axis=1)
    elif variant.loss == "sigmoid":
        d = np.exp(-np.logaddexp(0.0, -scores))
        d[rows, y] -= 1
    else:
        d = np.exp(scores - scores.max(axis=1, keepdims=True))
        d /= d.sum(axis=1, keepdims=True)
        d[rows, y] -= 1
    return np.asarray(d / len(y))


def slope_at(variant: Variant, h: Floats, u: Floats, off: float = 0.0) -> Floats:
    """Return what the activation multiplies dL/dh by, in the shape of u: (N, H), or (2, N, H) of maxout (Lecture 4).

    h : the units (N, H), perhaps not those of u; all but maxout tell their slope. off : up to it a unit counts as 0.
    """
    match variant.activation:
        case "leaky_relu":
            return np.where(h > off, 1.0, variant.slope)
        case "elu":
            return np.where(h > off, 1.0, h + variant.alpha)
        case "sigmoid":
            return h - h * h
        case "tanh":
            return 1.0 - h * h
        case "maxout":
            first = np.abs(h - u[0]) <= np.abs(h - u[1])
            return np.array([first, ~first], dtype=np.float64)
    return np.asarray(h > off, dtype=np.float64)


def exceed(variant: Variant, dh: Floats, du: Floats) -> Floats:
    """Return by how much du is what no activation makes of dh: two slopes of those with a kink, any up to the steepest of others."""
    kinked = {"relu": 0.0, "maxout": 0.0, "leaky_relu": variant.slope}
    if variant.activation in kinked:
        low = kinked[variant.activation]
        return np.minimum(np.abs(du - dh), np.abs(du - low * dh))
    if variant.activation in {"sigmoid", "tanh"} and np.ptp(du / np.where(dh, dh, 1.0)) <= 1e-3:
        return np.full(1, np.inf)  # one slope everywhere is none of a bend
    steepest = {"sigmoid": 0.25, "tanh": 1.0, "elu": max(variant.alpha, 1.0)}[variant.activation]
    return np.maximum(np.abs(du - steepest * dh / 2) - steepest * np.abs(dh) / 2, 0.0)
