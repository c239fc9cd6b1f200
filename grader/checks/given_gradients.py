"""Judge each layer's gradients by the gradient that reached the layer, and everything by the hidden layer.

Nothing is taken on trust: the incoming values are solved for from the program's own outputs. With fewer rows than hidden
units and inputs, dW2 = h^T d gives d, the gradient of the scores, and dW1 = X^T du gives du, the gradient of the hidden
units before the ReLU (COMS 4732). What follows from wrong hidden units is right, too.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import numpy as np

from grader.checks.context import GradingContext, cached_per_submission, loss_calls, own_gradient, read_loss
from grader.checks.formulas import d_loss_of_scores, slope_at
from grader.checks.own_units import hidden_layer_found
from grader.checks.read_losses import expected_factor, own_scores
from grader.checks.solved_arrays import (
    Near,
    affine,
    apart,
    back,
    has_rank,
    has_right_size,
    inputs_of,
    side_by_side,
    solve_for_gradient,
)
from grader.compare import ratio
from grader.model import Array, Call, Floats, QuestionId
from grader.records import dataclass

# "carried": right given what it was given, which is wrong and charged where it is made. "found": wrong, and what it passes
# on could be solved for. "wrong": wrong, and nothing can be said of what follows from it.
Verdict = Literal["right", "carried", "found", "wrong"]
ENOUGH = 2  # cases that have to say the same


@dataclass(frozen=True)
class GivenGradients:
    """The data's part of the gradients, by name, over all cases; solvable : whether enough cases could tell."""

    verdicts: Mapping[str, Verdict]
    solvable: bool


@cached_per_submission
def judge_given_gradients(context: GradingContext) -> GivenGradients:
    """Return the verdict on each gradient without regulariser, given the gradient that reached its layer."""
    plain = _solvable_cases(context)
    if len(plain) < ENOUGH:
        return GivenGradients(dict.fromkeys(context.names, "wrong"), solvable=False)
    cases = [_judge_case(context, call, case) for call, case in plain]
    order: tuple[Verdict, ...] = ("right", "carried", "found", "wrong")
    worst = {name: max((case[name] for case in cases), key=order.index) for name in context.names}
    if hidden_layer_found(context):
        # All follows from a hidden layer that is wrong: plain cases have more units than scores can tell.
        return GivenGradients({n: "right" if v == "right" else "carried" for n, v in worst.items()}, solvable=True)
    return GivenGradients(worst, solvable=True)


@cached_per_submission
def _solvable_cases(context: GradingContext) -> list[tuple[Call, str]]:
    return [(call, case) for call, case, reg in loss_calls(context) if not reg and _is_solvable(context, call)]


def _is_solvable(context: GradingContext, call: Call) -> bool:
    """Return whether a case has fewer rows than inputs and hidden units, with full rank, and a loss that was given."""
    rows = inputs_of(context, call)
    return len(rows[0]) <= min(x.shape[1] for x in rows) and read_loss(context, call.id).value is not None


def _judge_case(context: GradingContext, call: Call, case: str) -> dict[str, Verdict]:
    """Judge the gradients of one case, from the scores down to the first layer."""
    variant, near, inputs = context.assignment.variant, Near(context), inputs_of(context, call)
    given, y = own_scores(context, case), call.steps[0].arguments["y"]
    verdicts: dict[str, Verdict] = {}
    follows = None if given is None else d_loss_of_scores(variant, given, y)
    lost = False  # what reached a layer is known to be no gradient: nothing before it can tell of one
    for k in reversed(range(variant.depth)):
        layer, x, weights = variant.layers[k], inputs[k], call.params[variant.layers[k][0]]
        own = tuple(own_gradient(context, call.id, 0, name, call.params[name].shape) for name in layer)
        right = tuple(context.expected(call.id)[f"data_{name}"] for name in layer)
        found, d = _judge_layer(x, own, right, follows, near, lost=lost, varies=partial(_varies, context, k))
        verdicts |= dict(zip(layer, found, strict=True))
        if found[0] == "wrong" and d is not None:
            lost, d = True, None
        if k:
            slope = slope_at(variant, x, affine(context, call, k - 1, inputs[k - 1]))
            follows = None if d is None else back(d, weights) * slope
    return verdicts


@cached_per_submission
def _varies(context: GradingContext, k: int) -> bool:
    """Return whether the gradient that reached layer k is in some case more than one row or one constant.

    Not in each: a gradient with a wrong mask is one row in some cases of some seeds, and the seed must not decide.
    """
    weights, near = context.assignment.variant.layers[k][0], Near(context)
    for call, _ in _solvable_cases(context):
        own = own_gradient(context, call.id, 0, weights, call.params[weights].shape)
        rows, wanted = inputs_of(context, call)[k], context.expected(call.id)[f"data_{weights}"]
        solved, right = (solve_for_gradient(rows, side_by_side(one), near) for one in (own, wanted))
        if solved is not None and right is not None and has_rank(solved, right):
            return True
    return False


def _judge_layer(
    x: Floats,
    own: tuple[Floats | None, ...],
    right: tuple[Array, ...],
    follows: Floats | None,
    near: Near,
    *,
    lost: bool,
    varies: Callable[[], bool],
) -> tuple[tuple[Verdict, Verdict], Floats | None]:
    """Return the verdicts on the gradients of a layer's weights and bias, and the gradient of its output that they are of.

    x : what the layer is given. follows : the gradient of its output that follows from what is after it, None if unknown.
    lost : whether the layer's own gradients are not to be asked. varies : whether they are of more than one row or constant.
    Of "wrong" weights it is what was solved for, if anything.
    """
    d_right = apart(np.linalg.lstsq(x.T, np.asarray(side_by_side(right[0])), rcond=None)[0], right[0].shape)
    weights: Verdict
    d: Floats | None
    if near(own[0], right[0]):
        weights, d = "right", d_right
    elif follows is not None and near(own[0], x.T @ follows):
        weights, d = "carried", follows
    else:
        solved = None if lost else solve_for_gradient(x, side_by_side(own[0]), near)
        good = solved is not None and has_right_size(solved, np.asarray(side_by_side(d_right))) and varies()
        weights, d = "found" if good else "wrong", None if solved is None else apart(solved, right[0].shape)
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


def regulariser_right(context: GradingContext, name: str) -> bool:
    """Return whether the part that reg adds to a gradient is right in every case, whatever the rest is."""
    near, factor = Near(context), expected_factor(context)
    for call, case, reg in loss_calls(context):
        shape = call.params[name].shape
        whole, bare = (own_gradient(context, one, 0, name, shape) for one in (call.id, QuestionId("loss", case, 0.0)))
        if whole is None or bare is None:
            return False
        added, expected = whole - bare, context.expected(call.id)
        right = factor * reg * expected[f"penalty_{name}"]
        # A difference of two arrays keeps the rounding of both; more than that, and a huge gradient would excuse any.
        rounding = (1e-6 if near.single else 1e-12) * np.abs(bare).max()
        beyond = np.maximum(np.abs(added - right) - rounding, 0.0)
        if reg and not near.allowed.covers_all(ratio(beyond, np.abs(right).max()), times=10):
            return False
    return True
