"""Gradients compared with the reference, and with the gradient that reached the layer, so that one mistake costs once.

A program's own loss excuses nothing: it could make up a loss with any derivative.
"""

from dataclasses import replace

import numpy as np

from grader.checks.context import (
    GradingContext,
    best_array,
    cached_per_submission,
    combine_cases,
    failure_of,
    loss_calls,
    own_gradient,
    read_loss,
    swept_losses,
)
from grader.checks.describe_difference import describe_gradient, with_details
from grader.checks.given_gradients import judge_given_gradients, regulariser_right
from grader.checks.read_losses import difference_from, expected_factor, loss_tolerance, right_gradient
from grader.checks.registry import check
from grader.compare import Difference, compare, number, ratio
from grader.model import Call, Finding, HeatMap, QuestionId
from grader.rubric_values import DEEPEST

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
HINTS = {
    "weights": "Look at the input of this layer, transposed, times the gradient of its output; then at the regulariser's part.",
    "bias": "Look at the gradient of this layer's output, summed over the rows of the batch; a bias has one entry per unit.",
}


def _against_reference(context: GradingContext, position: int) -> Finding:
    name = context.names[position]
    about = f"grads {name}"
    calls = [call for call, _, _ in loss_calls(context)]
    problems = [problem for call in calls if (problem := read_loss(context, call.id).finding)]
    if len(problems) == len(calls):
        return problems[0]
    findings = [gradient_failure(context, call.id, name) for call in calls]
    wrong = [call for call, finding in zip(calls, findings, strict=True) if finding]
    if wrong and judge_given_gradients(context).verdicts[name] == "carried" and regulariser_right(context, name):
        text = "Right for the values that reach this step. Those values are already wrong, and lose points where they are computed."
        return Finding(1.0, text, about=about, carried=True)
    settled = combine_cases(findings, f"Right in all {len(calls)} cases, entry by entry.", about=about)
    return with_details(settled, lambda: describe_gradient(context, name, wrong))


@cached_per_submission
def gradient_failure(context: GradingContext, identity: QuestionId, name: str) -> Finding | None:
    """Return what is wrong with a gradient in one plain call; None where it is right."""
    call = context.call(identity)
    about = f"grads {name}"
    answer = read_loss(context, call.id)
    if answer.finding:
        return answer.finding
    shape = call.params[name].shape
    if name not in answer.grads:
        if answer.surplus and not answer.grads:
            text = f"grads must be a dict with the keys {', '.join(context.names)}; loss(X, y, reg) returned {answer.surplus}."
            return Finding(0.0, text, about=about)
        if not answer.grads:
            text = f"Not started: loss(X, y, reg) returns no gradients, so grads[{name!r}] is missing."
            return Finding(0.0, text, skipped=True, about=about)
        text = f"grads[{name!r}] is missing; the keys are {', '.join(map(str, answer.grads))[:80]}."
        return Finding(0.0, text, about=about)
    if answer.grads[name] is None:
        return Finding(0.0, f"Not started: grads[{name!r}] is None.", skipped=True, about=about)
    array, found = best_array(answer.grads[name], shape)
    if array is None:
        text = f"grads[{name!r}] must have the shape of {name}, {shape}; it is {found}.\n{_hint(context, name)}"
        return Finding(0.0, text, about=about)
    right = right_gradient(context, call.id, name, expected_factor(context))
    difference = difference_from(context, array, right, "gradient")
    return None if difference.within else _wrong_entries(context, call, name, difference)


def _wrong_entries(context: GradingContext, call: Call, name: str, difference: Difference) -> Finding:
    shape, reg = call.params[name].shape, float(context.expected(call.id)["reg"])
    where = f"[{', '.join(map(str, difference.worst))}]"
    error = difference.error.reshape(-1, shape[-1])  # of a maxout layer the maps one below the other
    text = (
        f"grads[{name!r}] of loss(X, y, reg={reg:g}), shape {shape}: {difference.wrong_entries} of"
        f" {difference.error.size} entries are wrong; the worst is {name}{where}: yours {number(difference.theirs)},"
        f" right {number(difference.right)}.\n{_hint(context, name)}"
    )
    row, column = divmod(int(np.ravel_multi_index(difference.worst, shape)), shape[-1])
    allowed = difference.allowed
    figure = HeatMap(f"{name}, reg = {reg:g}", error, (row, column), allowed.value, allowed.name)
    return Finding(0.0, text, (figure,), about=f"grads {name}")


def _hint(context: GradingContext, name: str) -> str:
    return HINTS["weights" if name in context.names[::2] else "bias"]


@cached_per_submission
def has_wrong_gradient(context: GradingContext) -> bool:
    """Return whether a gradient is wrong in most plain calls, even if that is excused, since training uses it."""
    calls = [call for call, _, _ in loss_calls(context)]
    return any(
        2 * sum(gradient_failure(context, call.id, name) is not None for call in calls) > len(calls)
        for name in context.names
    )


@check("gradients")
def numeric_gradient(context: GradingContext) -> Finding:
    """Each gradient matches the central differences of your own loss."""
    call = context.calls("sweep")[0]
    base = read_loss(context, loss_question_of(call))
    problem = base.finding or failure_of(context.reply(call.id), about="loss")
    if problem:
        return problem
    if not base.grads:
        return Finding(0.0, "Not started: loss(X, y, reg) returns no gradients.", skipped=True, about="loss")
    wrong = [name for name in context.names if gradient_failure(context, loss_question_of(call), name)]
    swept = sweep_right(context)
    if swept and not wrong:
        return Finding(1.0, "Each gradient agrees with your own loss.", about="loss")
    follows = any(one in {"right", "carried"} for one in judge_given_gradients(context).verdicts.values())
    if follows and all(is_explained(context, name) for name in context.names):
        text = "No points are lost here: the mistake in the loss or in a gradient loses points in its own check."
        return Finding(1.0, text, about="loss", carried=True)
    if not swept:
        text = "Near the tested parameters your loss is not the assignment's, so its gradients cannot be checked yet."
        return Finding(0.0, text, about="loss")
    names = " and ".join(wrong)
    text = (
        f"Your loss does not change as the gradient of {names} predicts.\n"
        "Look for a term that is in the loss but not in the gradient, or the other way round. A constant factor is a common cause."
    )
    return Finding(1 - len(wrong) / len(context.names), text, about=f"grads {wrong[0]}")


def loss_question_of(call: Call) -> QuestionId:
    """Return the plain loss call at the point that a sweep moves around."""
    return replace(call.id, kind="loss")


@cached_per_submission
def sweep_right(context: GradingContext) -> bool:
    """Return whether every loss of the sweep is right. Nothing else shows the program's loss near a question."""
    call = context.calls("sweep")[0]
    swept, expected, factor = swept_losses(context, call.id), context.expected(call.id), expected_factor(context)
    if swept is None:
        return False
    reg = float(expected["reg"])
    return all(
        loss_tolerance(context).covers_all(ratio(own - right, np.abs(right)))
        for name, own in swept.items()
        for right in (expected[f"data_{name}"] + factor * reg * expected[f"penalty_{name}"],)
    )


@cached_per_submission
def is_explained(context: GradingContext, name: str) -> bool:
    """Return whether a gradient is right, or wrong because of an identified step that is charged, or of its regulariser."""
    if not any(gradient_failure(context, call.id, name) for call, _, _ in loss_calls(context)):
        return True
    found = judge_given_gradients(context)
    return found.solvable and found.verdicts[name] != "wrong"


def own_slopes_agree(context: GradingContext) -> bool:
    """Return whether its sweep says that all gradients are the derivative of the program's own loss; for people only."""
    call = context.calls("sweep")[0]
    swept, step = swept_losses(context, call.id), context.assignment.tolerances.step
    if swept is None:
        return False
    for name, pair in swept.items():
        own = own_gradient(context, loss_question_of(call), 0, name, call.params[name].shape)
        slope = (pair[0].astype(np.float64) - pair[1].astype(np.float64)) / (2 * step)
        if own is None or not np.isfinite(slope).all() or not slope.any():
            return False
        if not compare(own, slope, context.tolerance("numeric", least=1e-5), floor=1.0).within:
            return False
    return True


def gradient_check(position: int) -> str:
    """Return the id of the check of one gradient; position : of its parameter among the names."""
    return f"gradient_{'Wb'[position % 2]}{1 + position // 2}"


def _enter(position: int) -> None:
    identity, what = gradient_check(position), ("weights", "bias")[position % 2]
    name, layer = identity.removeprefix("gradient_"), ORDINALS[position // 2]

    def judge(context: GradingContext) -> Finding:
        return _against_reference(context, position)

    judge.__name__ = identity
    judge.__doc__ = f"grads['{name}'] is the gradient of the loss with respect to the {layer} layer's {what}."
    check("gradients")(judge)


for _position in range(2 * DEEPEST):
    _enter(_position)
