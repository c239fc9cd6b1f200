"""Scores and losses: what loss() computes on the way forward."""

from dataclasses import replace

import numpy as np

from grader.checks.context import (
    GradingContext,
    cached_per_submission,
    combine_cases,
    failure_of,
    is_not_started,
    loss_calls,
    read_loss,
)
from grader.checks.describe_difference import describe_data_loss, describe_scores, with_details
from grader.checks.read_losses import (
    accepted_factors,
    convention,
    data_loss_right,
    difference_from,
    fitted_factors,
    loss_tolerance,
    resembles_the_loss,
    right_for_own_scores,
    rounds_losses,
)
from grader.checks.registry import check
from grader.compare import as_array, describe, fit, number
from grader.model import Array, Finding, Floats, HeatMap, QuestionId
from grader.text.variant_words import in_words_of

LAYERS = "Look at each layer in turn: X W1 + b1, the ReLU (entry by entry), then h W2 + b2 with nothing after it."
# 1000 + s keeps three digits fewer of s than s does.
SHIFT_TOLERANCE = 1e-5
# In single precision it keeps four: each of two layers rounds 1000 to 6e-5.
SHIFT_SINGLE = 2 * 1000 * float(np.finfo(np.float32).eps)


@check("loss")
def scores(context: GradingContext) -> Finding:
    """loss(X) without labels returns the scores of the last layer."""
    calls = context.calls("scores")
    findings = [
        failure_of(context.reply(call.id), about="loss")
        or _wrong_scores(context, context.reply(call.id).results[0], context.expected(call.id)["scores"])
        for call in calls
    ]
    wrong = [call for call, finding in zip(calls, findings, strict=True) if finding]
    settled = combine_cases(findings, f"Right on all {len(calls)} sets of sizes.", about="loss")
    return with_details(settled, lambda: describe_scores(context, wrong))


def _wrong_scores(context: GradingContext, answer: object, right: Array) -> Finding | None:
    asked = f"loss(X) with {right.shape[0]} rows and {right.shape[1]} classes must return scores of shape {right.shape}"
    if is_not_started(answer):
        return Finding(0.0, f"Not started: loss(X) returned {describe(answer)}.", skipped=True, about="loss")
    array = as_array(answer)
    if array is None or array.shape != right.shape:
        text = f"{asked}; it returned {describe(answer)}.\nLook at what is returned if y is None."
        return Finding(0.0, text, about="loss")
    difference = difference_from(context, array, right, "scores")
    if difference.within:
        return None
    row, column = difference.worst
    text = (
        f"{asked}. {difference.wrong_entries} of {right.size} entries are wrong; the worst is row {row}, class {column}:"
        f" yours {number(difference.theirs)}, right {number(difference.right)}.\n"
    )
    text += in_words_of(LAYERS, context.assignment.variant)
    allowed = difference.allowed
    figure = HeatMap("scores", difference.error, difference.worst, allowed.value, allowed.name)
    return Finding(0.0, text, (figure,), about="loss")


@check("loss")
def data_loss(context: GradingContext) -> Finding:
    """loss(X, y, reg=0) is the mean cross-entropy of the softmax over the examples."""
    cases = [(call.id, case) for call, case, reg in loss_calls(context) if reg == 0]
    findings = [_data_loss_failure(context, identity, case) for identity, case in cases]
    fine = f"Right on all {len(cases)} sets of sizes; in one of them a class is absent."
    return with_details(combine_cases(findings, fine, about="loss"), lambda: describe_data_loss(context))


def _data_loss_failure(context: GradingContext, identity: QuestionId, case: str) -> Finding | None:
    answer = read_loss(context, identity)
    if answer.finding:
        return answer.finding
    if not data_loss_right(context, case):
        if right_for_own_scores(context, case):
            text = "Right for your own scores. The scores are wrong and lose points in their own check; fix them first."
            return Finding(1.0, text, about="loss", carried=True)
        return _wrong_loss(context, identity, answer.value)
    if answer.surplus:
        text = (
            f"The loss is right, but loss(X, y, reg) must return the pair (loss, grads); it returned {answer.surplus}."
        )
        return Finding(0.5, text, about="loss")
    return None


def _wrong_loss(context: GradingContext, identity: QuestionId, value: float | None) -> Finding:
    expected = context.expected(identity)
    right = float(expected["data_loss"])
    call = context.call(identity)
    rows, classes = len(call.steps[0].arguments["y"]), call.sizes[-1]
    theirs = float("nan") if value is None else value
    ratio = theirs / right
    told = ""
    if abs(ratio - rows) < 1e-6 * rows:
        told = f" That is {rows} times as much, and there are {rows} examples: is it a sum instead of the mean?"
    elif np.isfinite(ratio):
        told = f" The ratio is {number(ratio)}."
    absent = sorted(set(range(classes)) - set(call.steps[0].arguments["y"].tolist()))
    if absent:
        told += f" In this case no example has the label {absent[-1]}: do not count classes from y."
    text = (
        f"loss(X, y, reg=0) with {rows} examples and {classes} classes: yours {number(theirs)}, right {number(right)}.{told}\n"
        "Look at the probabilities (each row sums to 1), then at the probability of each row's own class, its -log, and the mean."
    )
    return Finding(0.0, in_words_of(text, context.assignment.variant), about="loss")


@check("loss")
def regularised_loss(context: GradingContext) -> Finding:
    """The regulariser adds reg times the sum of the squared weights to the loss."""
    factors = fitted_factors(context)
    asked = sum(reg > 0 for _, _, reg in loss_calls(context))
    factor = convention(context)
    if len(factors) < asked:
        problem = next(filter(None, (read_loss(context, call.id).finding for call, _, _ in loss_calls(context))))
        # Where loss() fails on some sizes only, the regulariser is judged on the others.
        share = len(factors) / asked if factor is not None and 2 * len(factors) >= asked else 0.0
        told = f"\nRight in {len(factors)} of {asked} cases; in the others loss() returns no loss." if share else ""
        return replace(problem, share=share, message=problem.message + told, skipped=problem.skipped and not share)
    if factor is not None:
        shown = "1/2 reg" if factor == 0.5 else "reg"
        text = f"Right: your loss adds {shown} (sum W1^2 + sum W2^2) for every reg."
        return Finding(1.0, in_words_of(text, context.assignment.variant), about="loss")
    return Finding(0.0, in_words_of(_regulariser_text(context, factors), context.assignment.variant), about="loss")


def _regulariser_text(context: GradingContext, factors: list[float]) -> str:
    accepted = " or ".join("reg" if k == 1 else "1/2 reg" for k in accepted_factors(context.assignment))
    every = context.assignment.variant.regulariser == "every"
    squares = "the squares of all parameters" if every else "sum W1^2 + sum W2^2"
    asked = f"The assignment asks for {accepted} times {squares}."
    values = np.array(factors)
    spread = float(np.ptp(values))
    if np.abs(values).max() < 1e-9:
        return f"{asked} Your loss does not change with reg at all."
    if loss_tolerance(context).covers_all(spread / float(np.abs(values).max()), times=100):
        return f"{asked} Yours adds {number(float(values.mean()))} reg times that. Look at the factor and at the sign."
    return (
        f"{asked} Yours does not add a fixed multiple of that, but between {number(float(values.min()))} and"
        f" {number(float(values.max()))} reg times it.{_which_parameters(context, factors)}\n"
        "Look at which parameters enter (both weight matrices), that they are squared, and that reg enters once."
    )


def _which_parameters(context: GradingContext, factors: list[float]) -> str:
    """Return what was added as k (sum W1^2 + sum b1^2 + ...), where one factor k does."""
    calls = [call for call, _, reg in loss_calls(context) if reg]
    added = np.array(factors) * [float(context.expected(call.id)["penalty"]) for call in calls]
    squares = np.array([[(call.params[name] ** 2).sum() for name in context.names] for call in calls])
    every, biases = range(len(context.names)), range(1, len(context.names), 2)
    single = [[at] for at in every[::2]]
    for pick in (*single, every, *([at for at in every if at != bias] for bias in biases), biases):
        ratio: Floats = added / squares[:, pick].sum(axis=1)
        if np.ptp(ratio) <= 1e-4 * np.abs(ratio).max():
            names = " + ".join(f"sum {context.names[i]}^2" for i in pick)
            return f" It is {number(float(ratio.mean()))} reg times ({names})."
    return ""


@check("loss")
def stability(context: GradingContext) -> Finding:
    """The loss stays finite and correct when the scores are in the thousands."""
    findings = [stability_failure(context, call.id) for call in context.calls("stability")]
    return combine_cases(
        findings, "Right: shifting all rows, or one, by 1000 leaves the loss finite and the same.", about="loss"
    )


@cached_per_submission
def stability_failure(context: GradingContext, identity: QuestionId) -> Finding | None:
    """Return what becomes of the loss in one call with shifted scores; None where it stays."""
    answer = read_loss(context, identity)
    if answer.finding or answer.value is None:
        return answer.finding
    right = float(context.expected(identity)["data_loss"])
    allowed = SHIFT_SINGLE if rounds_losses(context) else 0.0
    if abs(answer.value - right) <= allowed + SHIFT_TOLERANCE * abs(right):
        return None
    # A wrong mean, scores or epsilon is no matter of stability. Their own unshifted loss counts as well; where one row is
    # moved through the network itself, a loss that is wrong anyway must only stay finite.
    call, case = next((call.id, case) for call, case, reg in loss_calls(context) if reg == 0)
    own = read_loss(context, call).value if resembles_the_loss(context) else None
    if own is not None and abs(answer.value - own) <= allowed + SHIFT_TOLERANCE * abs(own):
        return None
    # The sigmoid loss is one that a shift of the scores changes.
    moves = identity.case == "row" or context.assignment.variant.loss == "sigmoid"
    if moves and own is not None and not data_loss_right(context, case) and np.isfinite(answer.value):
        return None
    shift = identity.case
    which = "every score of one row" if shift == "row" else "every score of every row"
    text = (
        f"With {'1000' if shift == 'row' else shift} added to {which} the loss must stay {number(right)};"
        f" yours becomes {number(answer.value)}.\n"
        "exp(1000) is inf and exp(-1000) is 0. Which number can be subtracted from each row of scores before exp"
        " without changing its probabilities?"
    )
    return Finding(0.0, in_words_of(text, context.assignment.variant), about="loss")


@check("loss")
def purity(context: GradingContext) -> Finding:
    """loss() returns the same when it is called twice, and does not change X, y or the parameters."""
    reply, expected = context.reply(QuestionId("purity")), context.expected(QuestionId("purity"))
    first, second = read_loss(context, QuestionId("purity"), 0), read_loss(context, QuestionId("purity"), 1)
    problem = first.finding or second.finding or failure_of(reply, 3, about="loss")
    if problem:
        return problem
    if not resembles_the_loss(context):
        # A class that always answers (0, {}) is pure, too.
        text = "Not judged: loss() does not compute a loss yet."
        return Finding(0.0, text, skipped=True, about="loss")
    # What the worker does not show counts as changed: else a class could make it show nothing.
    params, arguments = (shown if isinstance(shown, dict) else {} for shown in reply.results[2:4])
    faults = [
        f"It changed {name} in place. Look for +=, -= or an assignment to a slice of {name}; copy first."
        for name in ("X", "y")
        if not unchanged(arguments.get(name), expected[name])
    ]
    changed = [name for name in context.names if not unchanged(params.get(name), expected[f"param_{name}"])]
    if changed:
        faults.append(f"It changed the parameters {', '.join(changed)}. loss() only reads them; train() updates them.")
    # Both times it is given the same X and parameters: what it changed shows here, too, and is charged once, shown or not.
    if not faults and (first.value != second.value or not _same_grads(first.grads, second.grads)):
        faults.append(
            f"Called twice with the same X, y and reg, it returns {number(first.value or 0)} and then"
            f" {number(second.value or 0)} (or different gradients). Look for randomness, dropout, or state kept between calls."
        )
    if not faults:
        return Finding(1.0, "Right: it returns the same twice and changes nothing in place.", about="loss")
    return Finding(0.5 if len(faults) == 1 else 0.0, "\n".join(faults), about="loss")


def _same_grads(one: dict[str, object], two: dict[str, object]) -> bool:
    return one.keys() == two.keys() and all(_same(one[key], two[key]) for key in one)


def _same(one: object, two: object) -> bool:
    second = as_array(two)
    return type(one) is type(two) if second is None else unchanged(one, second)


def unchanged(one: object, other: Array) -> bool:
    """Return whether an answer holds the numbers of an array."""
    array = as_array(one)
    # The layout of a parameter may be the student's own, transposed or (1, H).
    fitted = None if array is None else fit(array, other.shape)
    return fitted is not None and np.array_equal(fitted, other)
