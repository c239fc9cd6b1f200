"""What explains a submission's failing checks: known mistakes and what they cost, and causes that are no numbers."""

from collections.abc import Iterable, Mapping

from grader.checks.context import GradingContext
from grader.checks.gradients import gradient_check, own_slopes_agree
from grader.diagnosis.attribute import attribute, charge_at_least_once
from grader.diagnosis.backward_pass import withhold_points
from grader.diagnosis.causes import find_causes, refer_to_cause
from grader.model import Finding, Findings, Submission

LOSS = ("scores", "data_loss", "regularised_loss")


def diagnose(context: GradingContext, submission: Submission, checked: Mapping[str, Finding]) -> Findings:
    """Return what was found with the mistakes and causes that explain it; no line is named yet.

    checked : what each check found, by its id, in the rubric's order.
    """
    found = charge_at_least_once(checked)
    charges, credits_ = attribute(context, found)
    causes = find_causes(context, submission, found, charges)
    findings = Findings(
        {check: refer_to_cause(finding, check, causes) for check, finding in found.items()},
        credits=credits_,
        charges=charges,
        causes=causes,
        review=_of_another_variant(context, found) or (() if charges else review_notes(context, found)),
    )
    return withhold_points(findings, context)


def _is_wrong(findings: Mapping[str, Finding], checks: Iterable[str]) -> bool:
    return any(findings[check].share < 1 for check in checks if check in findings)


def _of_another_variant(context: GradingContext, findings: Mapping[str, Finding]) -> tuple[str, ...]:
    """Return the sentence about a submission that is right for another variant of the class."""
    gradients = map(gradient_check, range(len(context.names)))
    oracle = context.questions.oracle
    if oracle is None or not _is_wrong(findings, (*LOSS, *gradients)):
        return ()
    name = oracle.answers_as(context.run.replies)
    text = f"Its answers are those of {name}, which others of this class have. Look whether the roster gives the right variant."
    return (text,) if name else ()


def review_notes(context: GradingContext, findings: Mapping[str, Finding]) -> tuple[str, ...]:
    """Return sentences for the instructor about a submission whose mistakes have no name.

    A program can make up a loss that has any derivative, so that its gradients are right for its own wrong loss earns
    nothing by itself; a person sees at once whether somebody went astray or played a trick.
    """
    wrong_loss = _is_wrong(findings, LOSS)
    wrong_gradient = _is_wrong(findings, map(gradient_check, range(len(context.names))))
    if not wrong_loss or not wrong_gradient or not own_slopes_agree(context):
        return ()
    text = (
        "The gradients are the derivative of the program's own loss, which is not the assignment's, and no known mistake"
        " explains it. Decide by hand what the gradients are worth."
    )
    return (text,)
