"""Whether all goes wrong in the hidden layers: the rest is judged by a program's own units, solved for from its outputs.

Where a network has fewer units in its last hidden layer than classes, h W + b = scores has only one h. Where a gradient d is
known, with as many directions as rows, x^T d = dW has only one x: the units of the layer before. Loss and gradients are
computed from those units.
"""

from itertools import product

import numpy as np

from grader.checks.context import GradingContext, cached_per_submission, loss_calls, own_gradient, read_loss
from grader.checks.formulas import d_loss_of_scores, exceed, loss_of_scores, slope_at
from grader.checks.read_losses import loss_tolerance
from grader.checks.solved_arrays import (
    RANK,
    SMALLEST,
    Near,
    affine,
    apart,
    back,
    inputs_of,
    is_plausible,
    side_by_side,
    solve_for_gradient,
)
from grader.compare import as_array, ratio
from grader.model import Array, Call, Floats, QuestionId, Variant
from grader.records import dataclass

MOST_ROWS = 10  # of a case in which all ways to switch a unit on and off are tried


@cached_per_submission
def hidden_layer_found(context: GradingContext) -> bool:
    """Return whether a hidden layer is wrong, and everything after it is right given that layer."""
    calls = context.calls("narrow")
    found = bool(calls) and all(_follows_from_own_units(context, call) for call in calls)
    # What a program does in networks of one shape only proves nothing of the others.
    return found and all(
        _follows_from_own_scores(context, call, case) for call, case, reg in loss_calls(context) if not reg
    )


@dataclass(frozen=True, eq=False)
class _WayBack:
    """A program's gradients in one step of a call, held against its own units, from one layer down to the first."""

    context: GradingContext
    call: Call
    step: int
    near: Near

    def own(self, name: str) -> Floats | None:
        """Return the program's gradient of a parameter; None where there is none."""
        return own_gradient(self.context, self.call.id, self.step, name, self.call.params[name].shape)

    def is_right(self, k: int, x: Floats, d: Floats) -> bool:
        """Return whether the gradients of layer k are those of its input x and the gradient d of its output (COMS 4732)."""
        weights, bias = self.context.assignment.variant.layers[k]
        return self.near(self.own(weights), x.swapaxes(-1, -2) @ d) and self.near(self.own(bias), d.sum(axis=-2))

    def behind(self, k: int, x: Floats, d: Floats) -> Floats:
        """Return the gradient of what layer k - 1 puts out, by that of layer k and its input x."""
        variant, right = self.context.assignment.variant, inputs_of(self.context, self.call)
        u = affine(self.context, self.call, k - 1, right[k - 1])
        # A unit that is off is solved for as 0 but for rounding.
        slope = slope_at(variant, x, u, off=RANK * float(np.abs(x).max()))
        return back(d, self.call.params[variant.layers[k][0]]) * slope

    def follows(self, k: int, d: Floats, x: Floats | None = None) -> bool:
        """Return whether all gradients from layer k on down are right. d : of its output. x : its input, where that is known."""
        x = self._input(k, d) if x is None else x
        if x is None or not self.is_right(k, x, d):
            return False
        return k == 0 or self.follows(k - 1, self.behind(k, x, d))

    def _input(self, k: int, d: Floats) -> Floats | None:
        """Return what layer k is given: the right values where they fit, else the only ones that do; None where there are none."""
        right = inputs_of(self.context, self.call)[k]
        if k == 0 or self.is_right(k, right, d):
            return right
        own, wide = side_by_side(self.own(self.context.assignment.variant.layers[k][0])), side_by_side(d)
        if own is None or wide is None or np.linalg.matrix_rank(wide, rtol=RANK) < len(wide):
            return None
        found = np.asarray(np.linalg.lstsq(wide.T, own.T, rcond=None)[0].T, dtype=np.float64)
        return found.T if is_plausible(found.T, right) else None


def _follows_from_own_scores(context: GradingContext, call: Call, case: str) -> bool:
    """Return whether the gradients of a plain case follow from its own scores, which must be wrong.

    The units h are unknown: h W + b = scores and h^T d = dW must have one solution, and the unmasked gradient of the
    units passes exactly where that is above zero. Where these are fewer equations than entries of h, any mask will do.
    """
    variant, way = context.assignment.variant, _WayBack(context, call, 0, Near(context))
    near, last, (weights, bias) = way.near, variant.depth - 1, variant.layers[-1]
    right = context.expected(QuestionId("scores", case))["scores"]
    scores, gradient = as_array(context.result(QuestionId("scores", case))), way.own(weights)
    if scores is None or scores.shape != right.shape or near(scores, right) or gradient is None:
        return False
    d = d_loss_of_scores(variant, scores.astype(np.float64), call.steps[0].arguments["y"])
    units = _common_units(call.params[weights], d, scores - call.params[bias], gradient, near)
    if units is None or not near(way.own(bias), d.sum(axis=0)):
        return False
    if last == 0:
        return True
    if np.isfinite(units).all():
        return way.follows(last - 1, way.behind(last, units, d))
    return _may_follow(way, last - 1, back(d, call.params[weights]))


def _may_follow(way: _WayBack, k: int, dh: Floats) -> bool:
    """Return whether the gradients from hidden layer k on down may come from a gradient dh of its units, which are unknown."""
    variant, size, near = way.context.assignment.variant, float(np.abs(dh).max()), way.near.allowed
    x, du, own = inputs_of(way.context, way.call)[k], _solve_for_output(way, k), way.own(variant.layers[k][1])
    passes = du is not None and near.covers_all(ratio(exceed(variant, dh, du), size), times=100)
    if passes and du is not None and way.is_right(k, x, du):
        return k == 0 or way.follows(k - 1, way.behind(k, x, du))
    if k == 0 or own is None:
        return False
    # What the layer is given is wrong, too.
    if variant.activation in {"relu", "leaky_relu", "maxout"}:
        switched = _switch(variant, dh, own)
        if switched is None or not near.covers_all(ratio(switched[1], size), times=100):
            return False
        return way.follows(k, switched[0])
    # Of a bend, only that the units have different slopes, and that something reaches the first layer.
    down = _solve_for_output(way, 0)
    bends = np.ptp(own / dh.sum(axis=0)) > SMALLEST
    return bool(bends) and down is not None and way.is_right(0, inputs_of(way.context, way.call)[0], down)


def _solve_for_output(way: _WayBack, k: int) -> Floats | None:
    """Return the gradient of what layer k puts out, where its input is the right one; None where there is none of its kind."""
    weights, _ = way.context.assignment.variant.layers[k]
    x, wanted = inputs_of(way.context, way.call)[k], way.context.expected(way.call.id)[f"data_{weights}"]
    wide, right = (solve_for_gradient(x, side_by_side(one), way.near) for one in (way.own(weights), wanted))
    fits = wide is not None and right is not None and is_plausible(wide, right)
    return apart(wide, wanted.shape) if fits and wide is not None else None


def _switch(variant: Variant, dh: Floats, own: Floats) -> tuple[Floats, float] | None:
    """Return du = dh times the slopes of units that are on or off, and how far its sum over the rows is from db = own."""
    if len(dh) > MOST_ROWS:
        return None
    low = variant.slope if variant.activation == "leaky_relu" else 0.0
    on = np.array(list(product((0.0, 1.0), repeat=len(dh))))  # each row on or off, (2^N, N)
    off = np.abs((on + low * (1 - on)) @ dh - own.reshape(-1, dh.shape[1])[0])
    chosen = on[off.argmin(axis=0)].T
    slope = np.array([chosen, 1 - chosen]) if own.ndim > 1 else chosen + low * (1 - chosen)
    return np.asarray(dh * slope), float(off.min(axis=0).max())


def _common_units(weights: Floats, d: Floats, product: Floats, gradient: Floats, near: Near) -> Floats | None:
    """Return the h of h W = product and h^T d = gradient; NaN where many h do, None where none does."""
    rows, hidden = len(d), len(weights)
    by_scores = np.kron(np.eye(rows), weights.T)
    by_gradient = np.zeros((hidden, d.shape[1], rows, hidden))
    by_gradient[np.arange(hidden), :, :, np.arange(hidden)] = d.T
    design = np.concatenate([by_scores, by_gradient.reshape(-1, rows * hidden)])
    wanted = np.concatenate([product.reshape(-1), gradient.reshape(-1)])
    found, _, rank, _ = np.linalg.lstsq(design, wanted, rcond=1e-9)
    if not near(wanted, design @ found):
        return None
    return np.asarray(found.reshape(rows, hidden)) if rank == rows * hidden else np.full((rows, hidden), np.nan)


def _follows_from_own_units(context: GradingContext, call: Call) -> bool:
    """Return whether loss and gradients of a narrow network are right given its own last hidden layer, which is wrong."""
    variant, units, answer = context.assignment.variant, solve_for_units(context, call), read_loss(context, call.id, 1)
    if units is None or answer.value is None:
        return False
    y: Array = call.steps[1].arguments["y"]
    scores = affine(context, call, variant.depth - 1, units)
    loss = loss_of_scores(variant, scores, y)
    way = _WayBack(context, call, 1, Near(context))
    return loss_tolerance(context).covers_all(ratio(answer.value - loss, abs(loss)), times=10) and way.follows(
        variant.depth - 1, d_loss_of_scores(variant, scores, y), units
    )


def solve_for_units(context: GradingContext, call: Call) -> Floats | None:
    """Return the program's own last hidden units, (N, H), where its scores are h W + b for an h that is wrong; else None."""
    scores, right = as_array(context.result(call.id)), inputs_of(context, call)[-1]
    weights, bias = (call.params[name] for name in context.names[-2:])
    if scores is None or scores.shape != (len(right), len(bias)) or not np.isfinite(scores).all():
        return None
    near, own = Near(context), scores.astype(np.float64)
    units = np.asarray(np.linalg.lstsq(weights.T, (own - bias).T, rcond=None)[0].T, dtype=np.float64)
    if not near(own, units @ weights + bias) or near(units, right):
        return None
    # Units that do not change from row to row, or most of them 0, are no hidden layer.
    varied = np.ptp(units, axis=0) > SMALLEST * np.abs(right).max()
    return units if is_plausible(units, right) and varied.mean() >= 0.5 else None
