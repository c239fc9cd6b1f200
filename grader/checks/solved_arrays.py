"""What can be solved for from a program's own outputs, and when that counts.

A solved array counts only with full rank and about the right size: zero, tiny, constant and one-row arrays do not.
"""

import numpy as np

from grader.checks.context import GradingContext
from grader.checks.read_losses import loses_digits
from grader.compare import ratio
from grader.model import Array, Call, Floats

SMALLEST, LARGEST = 1e-3, 1e3  # of the right array's size: outside, a solved one is garbage
RANK = 1e-6  # singular values below this, relative to the largest, are rounding


def inputs_of(context: GradingContext, call: Call) -> list[Floats]:
    """Return what each layer is given in the right network: X and the hidden layers, (N, D), (N, H)..."""
    expected = context.expected(call.id)
    return [call.steps[-1].arguments["X"], *(expected[f"h{k}"] for k in range(1, context.assignment.variant.depth))]


def back(d: Floats, weights: Floats) -> Floats:
    """Return the gradient of what a layer is given, (N, R): d W^T, added up over the maps of a maxout layer (Lecture 4)."""
    dx = d @ weights.swapaxes(-1, -2)
    return np.asarray(dx if dx.ndim == 2 else dx.sum(axis=0))


def affine(context: GradingContext, call: Call, k: int, x: Floats) -> Floats:
    """Return u = x W + b of the layer after k others, (N, H), or (2, N, H) of maxout (Lecture 4)."""
    weights, bias = context.assignment.variant.layers[k]
    return np.asarray(x @ call.params[weights] + call.params[bias][..., None, :])


def side_by_side(maps: Floats | None) -> Floats | None:
    """Return a maxout layer's two maps (2, R, H) as (R, 2 H); what is one map already, or missing, as it is."""
    return maps if maps is None or maps.ndim == 2 else np.asarray(np.concatenate(list(maps), axis=1))


def apart(wide: Floats, shape: tuple[int, ...]) -> Floats:
    """Return what `side_by_side` has put together, as many maps as `shape` has."""
    return wide if len(shape) == 2 else np.asarray(np.split(wide, shape[0], axis=1))


class Near:
    """The tolerance of gradients."""

    def __init__(self, context: GradingContext) -> None:
        self.single = loses_digits(context)
        self.allowed = context.tolerance("single" if self.single else "gradient")

    def __call__(self, theirs: Array | None, right: Floats) -> bool:
        """Return whether two arrays agree."""
        if theirs is None or theirs.shape != right.shape or not np.isfinite(right).all():
            return False
        # Relative to the right one's size, so that small garbage is near to nothing.
        return self.allowed.covers_all(ratio(theirs - right, np.abs(right) + np.abs(right).max() + 1e-12))


def solve_for_gradient(rows: Floats, product: Floats | None, near: Near) -> Floats | None:
    """Return d with rows^T d = product; None where there is no such d."""
    if product is None or not np.isfinite(product).all():
        return None
    found: Floats = np.asarray(np.linalg.lstsq(rows.T, product, rcond=None)[0], dtype=np.float64)
    return found if near(product, rows.T @ found) else None


def is_plausible(found: Floats, right: Floats) -> bool:
    """Return whether a solved array has about the size of the right one, and is more than one row or one constant."""
    return has_right_size(found, right) and has_rank(found, right)


def has_right_size(found: Floats, right: Floats) -> bool:
    """Return whether a solved array has about the size of the right one."""
    own, wanted = (np.linalg.norm(one, 2) for one in (found, right))
    return bool(SMALLEST * wanted < own < LARGEST * wanted)


def has_rank(found: Floats, right: Floats) -> bool:
    """Return whether a solved array is more than one row or one constant, where the right one is."""
    own, wanted = (np.linalg.svd(one, compute_uv=False) for one in (found, right))
    return bool((own > RANK * own[0]).sum() >= min(2, int((wanted > RANK * wanted[0]).sum())))
