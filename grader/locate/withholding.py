"""What follows from gradients that come from many forward passes: a note, or no points where a backward pass is asked for."""

from __future__ import annotations

from dataclasses import replace

from grader.locate.passes import ManyPasses
from grader.locate.source_statements import statements
from grader.model import Assignment, Cause, Finding, Findings, Place, Submission

OF_EACH = ("gradient_W1", "gradient_b1", "gradient_W2", "gradient_b2")  # in the order of the parameters
OF_ALL = "numeric_gradient"
HINT = (
    "Work the gradients out by the chain rule, from the scores back to the first layer's weights, in one pass; compare a few entries with"
    " differences only to check it."
)


def with_many_passes(findings: Findings, many: ManyPasses, assignment: Assignment, submission: Submission) -> Findings:
    """Return the findings with what is said of a program without a backward pass, and without points where one is required.

    Nothing but the gradients that come from those passes loses anything, and what they lose is charged nowhere else.
    """
    place = statements(submission).place(*many.spot)
    way, passes = _way(many, assignment), _passes(many, place)
    title = f"No backward pass: {way}, {passes}."
    if assignment.rules.backpropagation != "required":
        review = f'{title} Right answers keep their points, unless the rubric says backpropagation = "required".'
        note = f"{title} On a network of real size that takes thousands of times as long as a backward pass."
        return replace(findings, review=(*findings.review, review), notes=(*findings.notes, note))
    concerned = _concerned(findings, many, assignment)
    lost = {check: share for check in concerned if (share := _earned(findings, check)) > 0}
    taken = f"{title} The rubric asks for one, so they earn no points." if lost else title
    checks = {
        check: _without_points(finding, f"{way}, {passes}", place) if check in lost else finding
        for check, finding in findings.checks.items()
    }
    cause = Cause(
        "no_backward_pass", f"No backward pass: {way}.", f"They come {passes}. {HINT}", concerned, lost, place
    )
    return replace(
        findings,
        checks=checks,
        credits={check: credit for check, credit in findings.credits.items() if check not in lost},
        charges=tuple(
            replace(charge, costs={check: cost for check, cost in charge.costs.items() if check not in concerned})
            for charge in findings.charges
        ),
        causes=(*findings.causes, cause),
        review=(*findings.review, taken),
    )


def _way(many: ManyPasses, assignment: Assignment) -> str:
    """Return how the program comes by its gradients, in the same words for all who do the same."""
    some = "" if len(many.names) == len(assignment.variant.names) else f" of {' and '.join(many.names)}"
    return f"loss() works out its gradients{some} by {many.kind}"


def _passes(many: ManyPasses, place: Place | None) -> str:
    where = f" ({place.label}, line {place.line})" if place else ""
    return f"from {'more than ' if many.more else ''}{many.count} forward passes{where}"


def _concerned(findings: Findings, many: ManyPasses, assignment: Assignment) -> tuple[str, ...]:
    """Return the rubric's checks of gradients that come from many passes."""
    each = zip(OF_EACH, assignment.variant.names, strict=True)
    return tuple(
        check for check in (*(check for check, name in each if name in many.names), OF_ALL) if check in findings.checks
    )


def _earned(findings: Findings, check: str) -> float:
    """Return the share of its points that a check has: by itself, or credited."""
    finding, credit = findings.checks[check], findings.credits.get(check)
    if credit is not None:
        return credit.share
    return 1.0 if finding.carried else 0.0 if finding.skipped else finding.share


def _without_points(finding: Finding, what: str, place: Place | None) -> Finding:
    message = f"No points: the rubric asks for a backward pass, and {what}."
    return replace(finding, share=0.0, message=message, places=(place,) if place else (), carried=False, skipped=False)
