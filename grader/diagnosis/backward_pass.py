"""Whether gradients are differences of losses, by the answers alone, and what follows where a backward pass is required.

Answers are judged here and nothing else: what a program's lines did is recorded in its own process, which can forge it.
"""

from dataclasses import replace

import numpy as np

from grader.checks.context import GradingContext, cached_per_submission, loss_calls, own_gradient, read_loss
from grader.checks.gradients import gradient_check
from grader.checks.read_losses import expected_factor, right_gradient
from grader.model import Assignment, Cause, Findings, Floats

NO_BACKWARD_PASS = "no_backward_pass"  # noqa: S105 -- no password
OF_ALL = "numeric_gradient"
HINT = (
    "Compute the gradients by the chain rule, from the scores back to the first layer's weights, in one pass. Use finite"
    " differences only to check a few entries."
)
EXACT = 2e-14  # a backward pass is as exact as that; differences of losses lose five digits at least
# What a difference of two losses is divided by, h or 2h: a decimal step of one digit. Steps that are powers of two are not
# told from single precision, and not looked for. Multiples of 2^-m, as single precision leaves them, and decimals of a few
# digits, as rounding does, are no whole numbers of ulp(loss) / step, unless 125 divides them.
STEPS = np.array([digit * 10.0**-places for places in range(3, 11) for digit in range(1, 10)])
FEWEST = 8  # different entries, each of which is near a whole number by chance one time in eight
NEAR, MOST = 1 / 16, 2.0**46  # above that, the last digits of a gradient no longer tell a whole number


@cached_per_submission
def exact_gradients(context: GradingContext) -> frozenset[str]:
    """Return the parameters whose gradients are more exact, in a plain question, than differences of losses can be."""
    factor = expected_factor(context)
    return frozenset(
        name
        for call, _, _ in loss_calls(context)
        for name, value in call.params.items()
        if (own := own_gradient(context, call.id, 0, name, value.shape)) is not None
        and _is_exact(own, right_gradient(context, call.id, name, factor))
    )


def _is_exact(own: Floats, right: Floats) -> bool:
    return bool(np.abs(own - right).max() <= EXACT * np.abs(right).max())


def differences_of_losses(context: GradingContext) -> tuple[str, ...]:
    """Return the parameters whose gradients are differences of losses beyond doubt.

    L(w + h) - L(w - h) is a whole number of ulp(L), without rounding. Divided by 2h, each entry of the gradient is a whole
    number of ulp(L) / 2h. No backward pass makes such numbers, in whatever precision.
    """
    exact = exact_gradients(context)
    return tuple(name for name in context.names if name not in exact and _are_differences(context, name))


def _are_differences(context: GradingContext, name: str) -> bool:
    """Return whether all entries of a gradient, in all plain questions, are whole numbers of ulp(loss) / step for one step."""
    found = []
    for call, _, _ in loss_calls(context):
        loss, own = (
            read_loss(context, call.id).value,
            own_gradient(context, call.id, 0, name, call.params[name].shape),
        )
        if loss is None or own is None or not np.isfinite(loss):
            return False
        # The losses beside this one may lie below a power of two that it lies above.
        found.append(own.ravel() / (np.spacing(abs(loss)) / 2))
    entries = np.unique(np.concatenate(found)) if found else np.zeros(0)
    counts = entries[entries != 0] * STEPS[:, None]
    if counts.shape[1] < FEWEST:
        return False
    whole = (np.abs(counts - np.round(counts)) <= NEAR).all(axis=1)
    telling = (np.abs(counts).max(axis=1) <= MOST) & ((np.abs(counts) >= 1).sum(axis=1) >= FEWEST)
    return bool((whole & telling).any())


def withhold_points(findings: Findings, context: GradingContext) -> Findings:
    """Return the findings without points for gradients that are differences of losses, where a backward pass is required.

    Nothing else loses anything, and what they lose is charged nowhere else.
    """
    assignment = context.assignment
    names = differences_of_losses(context) if assignment.rules.backpropagation == "required" else ()
    return _without(findings, names, assignment) if names else findings


def _without(findings: Findings, names: tuple[str, ...], assignment: Assignment) -> Findings:
    some = "" if len(names) == len(assignment.variant.names) else f" of {' and '.join(names)}"
    way = f"loss() works out its gradients{some} by finite differences"
    each = (gradient_check(at) for at, name in enumerate(assignment.variant.names) if name in names)
    concerned = tuple(check for check in (*each, OF_ALL) if check in findings.checks)
    lost = {check: share for check in concerned if (share := _share(findings, check)) > 0}
    told = f"No points: the rubric asks for a backward pass, and {way}."
    charges = (
        replace(charge, costs={check: cost for check, cost in charge.costs.items() if check not in concerned})
        for charge in findings.charges
    )
    review = f"No backward pass: {way}." + (" The rubric asks for one, so they earn no points." if lost else "")
    return replace(
        findings,
        checks={
            check: replace(finding, share=0.0, message=told, places=(), carried=False, skipped=False)
            if check in lost
            else finding
            for check, finding in findings.checks.items()
        },
        credits={check: credit for check, credit in findings.credits.items() if check not in lost},
        charges=tuple(charges),
        causes=(*findings.causes, Cause(NO_BACKWARD_PASS, f"No backward pass: {way}.", HINT, concerned, lost)),
        review=(*findings.review, review),
    )


def _share(findings: Findings, check: str) -> float:
    """Return the share of its points that a check has: by itself, or credited."""
    finding, credit = findings.checks[check], findings.credits.get(check)
    if credit is not None:
        return credit.share
    return 1.0 if finding.carried else 0.0 if finding.skipped else finding.share
