"""Judge each layer's gradients by the gradient that reached the layer, and everything by the hidden layer.

Nothing is taken on trust: the incoming values are solved for from the program's own outputs. With fewer rows than hidden
units and inputs, dW2 = h^T d gives d, the gradient of the scores, and dW1 = X^T du gives du, the gradient of the hidden
units before the ReLU (COMS 4732). With fewer hidden units than classes, the scores give h. A solved gradient counts only
with full rank and about the right size: zero, tiny, constant and one-row gradients do not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from grader.checks.context import GradingContext, cached_per_submission, loss_calls, own_gradient, read_loss
from grader.checks.formulas import d_loss_of_scores, loss_of_scores, may_pass, slope_at
from grader.checks.read_losses import expected_factor, loses_digits, loss_tolerance, own_scores
from grader.compare import as_array
from grader.model import Array, Call, Floats, QuestionId
from grader.records import dataclass

# "carried": right given what it was given, which is wrong and charged where it is made. "found": wrong, and what it passes
# on could be solved for. "wrong": wrong, and nothing can be said of what follows from it.
Verdict = Literal["right", "carried", "found", "wrong"]
SMALLEST, LARGEST = 1e-3, 1e3  # of the right gradient's size: outside, a solved one is garbage
RANK = 1e-6  # singular values below this, relative to the largest, are rounding
ENOUGH = 2  # cases that have to say the same


@dataclass(frozen=True)
class GivenGradients:
    """The data's part of the gradients, by name, over all cases; solvable : whether enough cases could tell."""

    verdicts: Mapping[str, Verdict]
    solvable: bool


@cached_per_submission
def judge_given_gradients(context: GradingContext) -> GivenGradients:
    """Return the verdict on each gradient without regulariser, given the gradient that reached its layer."""
    plain = [(call, case) for call, case, reg in loss_calls(context) if not reg and _is_solvable(context, call)]
    if len(plain) < ENOUGH:
        return GivenGradients(dict.fromkeys(context.names, "wrong"), solvable=False)
    cases = [_judge_case(context, call, case) for call, case in plain]
    order: tuple[Verdict, ...] = ("right", "carried", "found", "wrong")
    worst = {name: max((case[name] for case in cases), key=order.index) for name in context.names}
    if hidden_layer_found(context):
        # All follows from a hidden layer that is wrong: plain cases have more units than scores can tell.
        return GivenGradients({n: "right" if v == "right" else "carried" for n, v in worst.items()}, solvable=True)
    return GivenGradients(worst, solvable=True)


def _is_solvable(context: GradingContext, call: Call) -> bool:
    """Return whether a case has fewer rows than inputs and hidden units, with full rank, and a loss that was given."""
    rows = _inputs(context, call)
    return len(rows[0]) <= min(x.shape[1] for x in rows) and read_loss(context, call.id).value is not None


def _inputs(context: GradingContext, call: Call) -> list[Floats]:
    """Return what each layer is given in the right network: X and the hidden layers, (N, D), (N, H)..."""
    expected = context.expected(call.id)
    return [call.steps[-1].arguments["X"], *(expected[f"h{k}"] for k in range(1, context.assignment.variant.depth))]


def _judge_case(context: GradingContext, call: Call, case: str) -> dict[str, Verdict]:
    """Judge the gradients of one case, from the scores down to the first layer."""
    variant, near, inputs = context.assignment.variant, _Near(context), _inputs(context, call)
    given, y = own_scores(context, case), call.steps[0].arguments["y"]
    verdicts: dict[str, Verdict] = {}
    follows = None if given is None else d_loss_of_scores(variant, given, y)
    lost = False  # what reached a layer is known to be no gradient: nothing before it can tell of one
    for k in reversed(range(variant.depth)):
        layer, x, weights = variant.layers[k], inputs[k], call.params[variant.layers[k][0]]
        own = tuple(own_gradient(context, call.id, 0, name, call.params[name].shape) for name in layer)
        right = tuple(context.expected(call.id)[f"data_{name}"] for name in layer)
        found, d = _judge_layer(x, own, right, follows, near, lost=lost)
        verdicts |= dict(zip(layer, found, strict=True))
        if found[0] == "wrong" and d is not None:
            lost, d = True, None
        if k:
            slope = slope_at(variant, x, _affine(context, call, k - 1, inputs[k - 1]))
            follows = None if d is None else _back(d, weights) * slope
    return verdicts


def _judge_layer(
    x: Floats,
    own: tuple[Floats | None, ...],
    right: tuple[Array, ...],
    follows: Floats | None,
    near: _Near,
    *,
    lost: bool,
) -> tuple[tuple[Verdict, Verdict], Floats | None]:
    """Return the verdicts on the gradients of a layer's weights and bias, and the gradient of its output that they are of.

    x : what the layer is given. follows : the gradient of its output that follows from what is after it, None if unknown.
    lost : whether the layer's own gradients are not to be asked. Of "wrong" weights it is what was solved for, if anything.
    """
    d_right = _apart(np.linalg.lstsq(x.T, np.asarray(_side_by_side(right[0])), rcond=None)[0], right[0].shape)
    weights: Verdict
    d: Floats | None
    if near(own[0], right[0]):
        weights, d = "right", d_right
    elif follows is not None and near(own[0], x.T @ follows):
        weights, d = "carried", follows
    else:
        solved = None if lost else _solve_for_gradient(x, _side_by_side(own[0]), near)
        good = solved is not None and is_plausible(solved, np.asarray(_side_by_side(d_right)))
        weights, d = "found" if good else "wrong", None if solved is None else _apart(solved, right[0].shape)
    bias: Verdict = "wrong"
    if near(own[1], right[1]):
        bias = "right"
        if weights == "found" and d is not None and not near(own[1], d.sum(axis=-2)):
            d = d_right  # the bias says that it is right: what is wrong is the product alone, and goes no further
    elif d is not None and near(own[1], d.sum(axis=-2)):
        bias = weights
    elif weights != "right" and follows is not None and near(own[1], follows.sum(axis=-2)):
        bias = "carried"
    return (weights, bias), d


def _back(d: Floats, weights: Floats) -> Floats:
    """Return the gradient of what a layer is given, (N, R): d W^T, added up over the maps of a maxout layer (Lecture 4)."""
    dx = d @ weights.swapaxes(-1, -2)
    return np.asarray(dx if dx.ndim == 2 else dx.sum(axis=0))


def _affine(context: GradingContext, call: Call, k: int, x: Floats) -> Floats:
    """Return u = x W + b of the layer after k others, (N, H), or (2, N, H) of maxout (Lecture 4)."""
    weights, bias = context.assignment.variant.layers[k]
    return np.asarray(x @ call.params[weights] + call.params[bias][..., None, :])


def _side_by_side(maps: Floats | None) -> Floats | None:
    """Return a maxout layer's two maps (2, R, H) as (R, 2 H); what is one map already, or missing, as it is."""
    return maps if maps is None or maps.ndim == 2 else np.asarray(np.concatenate(list(maps), axis=1))


def _apart(wide: Floats, shape: tuple[int, ...]) -> Floats:
    """Return what `_side_by_side` has put together, as many maps as `shape` has."""
    return wide if len(shape) == 2 else np.asarray(np.split(wide, shape[0], axis=1))


class _Near:
    """Whether two arrays agree within the tolerance of gradients."""

    def __init__(self, context: GradingContext) -> None:
        tolerances = context.assignment.tolerances
        self.single = loses_digits(context)
        self.relative = tolerances.single if self.single else tolerances.gradient

    def __call__(self, theirs: Array | None, right: Floats) -> bool:
        if theirs is None or theirs.shape != right.shape or not np.isfinite(right).all():
            return False
        # Relative to the right one's size, so that small garbage is near to nothing.
        return bool((np.abs(theirs - right) <= self.relative * (np.abs(right) + np.abs(right).max() + 1e-12)).all())


def _solve_for_gradient(rows: Floats, product: Floats | None, near: _Near) -> Floats | None:
    """Return d with rows^T d = product; None where there is no such d."""
    if product is None or not np.isfinite(product).all():
        return None
    found: Floats = np.asarray(np.linalg.lstsq(rows.T, product, rcond=None)[0], dtype=np.float64)
    return found if near(product, rows.T @ found) else None


def is_plausible(found: Floats, right: Floats) -> bool:
    """Return whether a solved array has about the size of the right one, and is more than one row or one constant."""
    own, wanted = (np.linalg.svd(one, compute_uv=False) for one in (found, right))
    if not SMALLEST * wanted[0] < own[0] < LARGEST * wanted[0]:
        return False
    return bool((own > RANK * own[0]).sum() >= min(2, int((wanted > RANK * wanted[0]).sum())))


# ---------------------------------------------------------------- the hidden layer


@cached_per_submission
def hidden_layer_found(context: GradingContext) -> bool:
    """Return whether the hidden layer is wrong, and everything after it is right given that layer.

    In networks with fewer hidden units than classes the scores determine the units: h W2 + b2 has only one h. The loss and
    all four gradients are computed from that h.
    """
    calls = context.calls("narrow")
    found = bool(calls) and all(_follows_from_own_units(context, call) for call in calls)
    # What a program does in networks of one shape only proves nothing of the others.
    return found and all(
        _follows_from_own_scores(context, call, case) for call, case, reg in loss_calls(context) if not reg
    )


def _follows_from_own_scores(context: GradingContext, call: Call, case: str) -> bool:
    """Return whether the gradients of a plain case follow from its own scores, which must be wrong.

    The units h are unknown: h W2 + b2 = scores and h^T d = dW2 must have one solution, and the unmasked gradient of the
    units passes exactly where that is above zero. Where these are fewer equations than entries of h, any mask will do.
    """
    W1, b1, W2, b2 = context.names
    X, y, near = call.steps[0].arguments["X"], call.steps[0].arguments["y"], _Near(context)
    results, right = (
        context.reply(QuestionId("scores", case)).results,
        context.expected(QuestionId("scores", case))["scores"],
    )
    scores = as_array(results[0]) if results else None
    own = {name: own_gradient(context, call.id, 0, name, call.params[name].shape) for name in context.names}
    if scores is None or scores.shape != right.shape or near(scores, right) or any(one is None for one in own.values()):
        return False
    variant = context.assignment.variant
    d = d_loss_of_scores(variant, scores.astype(np.float64), y)
    units = _common_units(call.params[W2], d, scores - call.params[b2], np.asarray(own[W2]), near)
    if units is None or not near(own[b2], d.sum(axis=0)):
        return False
    dh = d @ call.params[W2].T
    if np.isfinite(units).all():
        du = dh * slope_at(variant, units, _affine(context, call, 0, X))
    else:
        wide, right_wide = (
            np.asarray(np.linalg.lstsq(X.T, np.asarray(_side_by_side(one)), rcond=None)[0], dtype=np.float64)
            for one in (own[W1], context.expected(call.id)[f"data_{W1}"])
        )
        du = _apart(wide, call.params[W1].shape)
        passes = may_pass(variant, dh, du, 100 * near.relative * float(np.abs(dh).max()))
        if not passes or not is_plausible(wide, right_wide):
            return False
    return near(own[W1], X.T @ du) and near(own[b1], du.sum(axis=-2))


def _common_units(weights: Floats, d: Floats, product: Floats, gradient: Floats, near: _Near) -> Floats | None:
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
    W1, b1, W2, b2 = context.names
    units = solve_for_units(context, call)
    answer, near = read_loss(context, call.id, 1), _Near(context)
    if units is None or answer.value is None:
        return False
    X, y = call.steps[0].arguments["X"], call.steps[1].arguments["y"]
    scores = units @ call.params[W2] + call.params[b2]
    variant = context.assignment.variant
    d = d_loss_of_scores(variant, scores, y)
    # A unit that is off is solved for as 0 but for rounding.
    slope = slope_at(variant, units, _affine(context, call, 0, X), off=RANK * float(np.abs(units).max()))
    du = (d @ call.params[W2].T) * slope
    follows = {W2: units.T @ d, b2: d.sum(axis=0), W1: X.T @ du, b1: du.sum(axis=-2)}
    loss = loss_of_scores(variant, scores, y)
    return abs(answer.value - loss) <= 10 * loss_tolerance(context) * abs(loss) and all(
        near(own_gradient(context, call.id, 1, name, right.shape), right) for name, right in follows.items()
    )


def solve_for_units(context: GradingContext, call: Call) -> Floats | None:
    """Return the program's own hidden units, (N, H), where its scores are h W2 + b2 for an h that is wrong; else None."""
    results, right = context.reply(call.id).results, context.expected(call.id)["h1"]
    scores = as_array(results[0]) if results else None
    weights, bias = (call.params[name] for name in context.names[2:])
    if scores is None or scores.shape != (len(right), len(bias)) or not np.isfinite(scores).all():
        return None
    near, own = _Near(context), scores.astype(np.float64)
    units = np.asarray(np.linalg.lstsq(weights.T, (own - bias).T, rcond=None)[0].T, dtype=np.float64)
    if not near(own, units @ weights + bias) or near(units, right):
        return None
    # Units that do not change from row to row, or most of them 0, are no hidden layer.
    varied = np.ptp(units, axis=0) > SMALLEST * np.abs(right).max()
    return units if is_plausible(units, right) and varied.mean() >= 0.5 else None


# ---------------------------------------------------------------- the regulariser's part


def regulariser_right(context: GradingContext, name: str) -> bool:
    """Return whether the part that reg adds to a gradient is right in every case, whatever the rest is."""
    near, factor = _Near(context), expected_factor(context)
    for call, case, reg in loss_calls(context):
        shape = call.params[name].shape
        whole, bare = (own_gradient(context, one, 0, name, shape) for one in (call.id, QuestionId("loss", case, 0.0)))
        if whole is None or bare is None:
            return False
        added, expected = whole - bare, context.expected(call.id)
        right = factor * reg * expected[f"penalty_{name}"]
        # A difference of two arrays keeps the rounding of both; more than that, and a huge gradient would excuse any.
        rounding = (1e-6 if near.single else 1e-12) * np.abs(bare).max()
        if reg and (np.abs(added - right) > 10 * near.relative * np.abs(right).max() + rounding).any():
            return False
    return True
