"""What a student's losses and scores show: their convention, their rounding, and whether they make sense."""

from collections.abc import Sequence

import numpy as np

from grader.checks.context import (
    GradingContext,
    cached_per_submission,
    loss_calls,
    own_gradient,
    read_loss,
    swept_losses,
)
from grader.checks.formulas import loss_of_scores
from grader.compare import Difference, Tolerance, as_array, compare, is_single, ratio
from grader.model import Array, Assignment, Call, Floats, QuestionId
from grader.records import replace

# Own losses of twelve single rows against the right ones. A hinge or squared error instead of the cross-entropy
# reaches 0.9; a loss that ignores labels or inputs, which would make "right for your own loss" free, stays near 0.
RESEMBLANCE = 0.7
# Their own scores against the right ones, over all cases: a missing bias leaves 0.8, a sigmoid for the ReLU 0.6, a
# function of something else chance.
OWN_SCORES = 0.5
SLOPES = (0.2, 5.0)  # of theirs over the right ones
# The same of what differs from row to row alone, which biases, or units near 0.5, may hide.
OWN_ROWS, SLOPE_OF_ROWS = 0.3, 0.01


def accepted_factors(assignment: Assignment) -> tuple[float, ...]:
    """Return the factors k that an assignment accepts in loss = data loss + k reg penalty."""
    return {"half": (0.5,), "full": (1.0,), "every": (1.0,), "either": (0.5, 1.0)}[assignment.variant.regulariser]


@cached_per_submission
def fitted_factors(context: GradingContext) -> list[float]:
    """Fit k for each call with a regulariser, on the student's own data loss, so that its mistakes do not count here."""
    factors = []
    for call, case, reg in loss_calls(context):
        own, bare = read_loss(context, call.id).value, read_loss(context, QuestionId("loss", case, 0.0)).value
        if reg and own is not None and bare is not None:
            factors.append((own - bare) / (reg * float(context.expected(call.id)["penalty"])))
    return factors


@cached_per_submission
def convention(context: GradingContext) -> float | None:
    """Return the accepted factor k that all of the student's losses show; None where they show another or none."""
    factors = np.array(fitted_factors(context))
    for factor in accepted_factors(context.assignment):
        # A difference of two losses carries a digit less.
        if factors.size and loss_tolerance(context).covers_all(ratio(factors - factor, factor), times=10):
            return factor
    return None


@cached_per_submission
def loss_tolerance(context: GradingContext) -> Tolerance:
    """Return the tolerance of losses: the wider one where the student computes in float32, or cuts digits off.

    A regulariser that is added in double precision hides what the losses without one show.
    """
    values: dict[bool, list[Array]] = {True: [], False: []}
    for call, _, reg in loss_calls(context):
        answer = context.result(call.id)
        value = as_array(answer[0]) if isinstance(answer, tuple | list) and answer else None
        if value is not None and value.size == 1:
            values[reg == 0].append(value)
    rounds = quantisation_step(values[True] + values[False]) or quantisation_step(values[True])
    return context.tolerance("single" if rounds else "loss")


def rounds_losses(context: GradingContext) -> bool:
    """Return whether the losses are rounded, so that fewer digits can be compared."""
    return loss_tolerance(context).name == "single"


@cached_per_submission
def loses_digits(context: GradingContext) -> bool:
    """Return whether the program uses single precision or rounds somewhere: in the losses, or in how they change."""
    return rounds_losses(context) or any(
        is_rounded(list(swept.values())) for call in context.calls("sweep") if (swept := swept_losses(context, call.id))
    )


def difference_from(context: GradingContext, array: Array, right: Array, what: str) -> Difference:
    """Return how far an array is from the right one; with fewer digits where the program uses single precision.

    what : whose tolerance it is held to, "scores" or "gradient".

    One layer in single precision is enough, and does not show in the type: the rest may be added in double precision.
    """
    strict = compare(array, right, context.tolerance(what), floor=context.assignment.tolerances.floor)
    if strict.within or not (is_single(array) or loses_digits(context)):
        return strict
    return replace(strict, allowed=context.tolerance("single"))


@cached_per_submission
def data_loss_right(context: GradingContext, case: str) -> bool:
    """Return whether the loss without regulariser is right on one case."""
    call = QuestionId("loss", case, 0.0)
    value = read_loss(context, call).value
    if value is None:
        return False
    right = context.expected(call)["data_loss"]
    return compare(np.asarray(value), right, loss_tolerance(context), floor=0.0).within


@cached_per_submission
def resembles_the_loss(context: GradingContext) -> bool:
    """Return whether the student's loss is of the right kind.

    It is right on half of the cases, perhaps for scores of its own, or it rises and falls with the right one over
    single rows.
    """
    cases = [case for _, case, reg in loss_calls(context) if reg == 0]
    right = [data_loss_right(context, case) or right_for_own_scores(context, case) for case in cases]
    if 2 * sum(right) >= len(cases):
        return True
    expected = context.expected(QuestionId("single"))["losses"]
    own = [read_loss(context, QuestionId("single"), index).value for index in range(expected.size)]
    values = np.array([np.nan if value is None else value for value in own])
    if not np.isfinite(values).all() or values.std() == 0:
        return False
    return bool(np.corrcoef(values, expected)[0, 1] >= RESEMBLANCE)


@cached_per_submission
def scores_alike(context: GradingContext) -> bool:
    """Return whether the student's scores are wrong, perhaps, but of the right kind: like the right ones, and of their size.

    For tiny scores the cross-entropy is a constant, and for huge ones it is the largest difference.
    """
    own, right, by_row = [], [], []
    for call in context.calls("scores"):
        array, expected = as_array(context.result(call.id)), context.expected(call.id)["scores"]
        if array is None or array.shape != expected.shape or not np.isfinite(array).all():
            return False
        own.append(array.reshape(-1).astype(np.float64))
        right.append(expected.reshape(-1))
        by_row.append([(one - one.mean(axis=0)).reshape(-1) for one in (array.astype(np.float64), expected)])
    correlation, slope = _line(np.concatenate(own), np.concatenate(right))
    of_rows, slope_of_rows = _line(*map(np.concatenate, zip(*by_row, strict=True)))
    if correlation < OWN_SCORES or of_rows < OWN_ROWS or slope_of_rows < SLOPE_OF_ROWS:
        return False
    return SLOPES[0] <= slope <= SLOPES[1] and all(_of_a_layer(context, call) for call in context.calls("narrow"))


def _line(theirs: Array, wanted: Array) -> tuple[float, float]:
    """Return the correlation, and the slope of theirs over the right ones; zeros where theirs are all the same."""
    if not theirs.std():
        return 0.0, 0.0
    return float(np.corrcoef(theirs, wanted)[0, 1]), float(np.cov(theirs, wanted)[0, 1] / wanted.var(ddof=1))


def _of_a_layer(context: GradingContext, call: Call) -> bool:
    """Return whether scores are h W of the last layer, with or without the bias, for some h; few are if units are fewer than classes."""
    scores = as_array(context.result(call.id))
    weights, bias = (call.params[name] for name in context.names[-2:])
    if scores is None or scores.ndim != 2 or scores.shape[1] != len(bias) or not np.isfinite(scores).all():
        return False
    near, size = context.tolerance("single"), np.abs(scores).max()
    products = (scores - bias, scores.astype(np.float64))
    units = [np.linalg.lstsq(weights.T, product.T, rcond=None)[0] for product in products]
    return any(
        near.covers_all(ratio(weights.T @ one - product.T, size)) for one, product in zip(units, products, strict=True)
    )


def own_scores(context: GradingContext, case: str) -> Floats | None:
    """Return the student's own scores of a case, where they are of the right kind."""
    return np.asarray(context.result(QuestionId("scores", case)), np.float64) if scores_alike(context) else None


@cached_per_submission
def right_for_own_scores(context: GradingContext, case: str) -> bool:
    """Return whether the loss is right for scores that are wrong, but of the right kind."""
    own, value = own_scores(context, case), read_loss(context, QuestionId("loss", case, 0.0)).value
    if own is None or value is None:
        return False
    y = context.call(QuestionId("loss", case, 0.0)).steps[0].arguments["y"]
    mean = loss_of_scores(context.assignment.variant, own, y)
    return compare(np.asarray(value), np.asarray(mean), loss_tolerance(context), floor=0.0).within


@cached_per_submission
def right_gradient(context: GradingContext, call: QuestionId, name: str, factor: float) -> Floats:
    """Return the right gradient in a plain call, with `factor` times the regulariser."""
    expected = context.expected(call)
    return np.asarray(expected[f"data_{name}"] + factor * expected["reg"] * expected[f"penalty_{name}"], np.float64)


@cached_per_submission
def expected_factor(context: GradingContext) -> float:
    """Return the factor of the regulariser that gradients are held to: the loss's own, else the one that more of them show.

    One for all of them: half of it in W1 and the whole in W2 is right under no convention, however unclear the loss.
    """
    fitted, single = convention(context), context.tolerance("single")
    if fitted is not None:
        return fitted

    def agreeing(factor: float) -> int:
        return sum(
            own is not None and compare(own, right_gradient(context, call.id, name, factor), single, floor=1.0).within
            for call, _, reg in loss_calls(context)
            for name in context.names[::2]
            if reg
            for own in (own_gradient(context, call.id, 0, name, call.params[name].shape),)
        )

    # A loss that shows a convention anywhere has chosen.
    near, seen = loss_tolerance(context), fitted_factors(context)
    allowed = accepted_factors(context.assignment)
    chosen = [k for k in allowed if any(near.covers_all(abs(factor - k) / k, times=10) for factor in seen)]
    return max(chosen or allowed, key=agreeing)


# ---------------------------------------------------------------- rounding
# How far losses are rounded is measured, not assumed. Single precision inside leaves steps of 1e-7 in a loss, whatever type
# is returned; round(loss, 6) leaves larger ones. Both are no mistake, but they drown what central differences could show.

DECIMALS = range(4, 9)  # fewer digits than four are another loss; more are as good as all
# Of a swept loss, relative: the middles of its pairs scatter by 6e-12 in double precision, which is curvature (wrong
# losses reach 2e-11), by 8e-10 and more where one layer of two is single, and by 2e-8 where both are.
ROUGH = 2e-10


def quantisation_step(values: Sequence[Array]) -> float:
    """Return the step that all these losses are multiples of; 0 where they are not rounded.

    values : at least three numbers, or nothing can be said.
    """
    if sum(value.size for value in values) < 3:
        return 0.0
    if is_single(*values):
        return float(np.finfo(np.float32).eps) * max(float(np.abs(value).max()) for value in values)
    every = np.concatenate([value.reshape(-1).astype(np.float64) for value in values])
    if not np.isfinite(every).all() or (every == np.round(every)).all():
        return 0.0
    near = 8 * np.finfo(np.float64).eps * np.abs(every)
    return next((10.0**-k for k in DECIMALS if (np.abs(every - np.round(every, k)) <= near).all()), 0.0)


def is_rounded(swept: Sequence[Array]) -> bool:
    """Return whether a sweep shows rounding far above that of double precision.

    The middles of its pairs L(+h), L(-h) are apart by curvature, or by rounding. swept : arrays (2, ...), one a parameter.
    """
    largest = max(float(np.abs(pair.astype(np.float64)).max()) for pair in swept)
    apart = max(float(pair.astype(np.float64).mean(axis=0).std()) for pair in swept)
    return quantisation_step(swept) > 0 or apart > ROUGH * largest
