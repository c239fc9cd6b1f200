"""What a person should look at: the machine neither credits nor charges it."""

from __future__ import annotations

from collections.abc import Mapping

from grader.checks.context import GradingContext
from grader.checks.gradients import own_slopes_agree
from grader.model import Finding

LOSS, GRADIENTS = (
    ("scores", "data_loss", "regularised_loss"),
    ("gradient_W1", "gradient_b1", "gradient_W2", "gradient_b2"),
)


def review_notes(context: GradingContext, findings: Mapping[str, Finding]) -> tuple[str, ...]:
    """Return sentences for the instructor about a submission whose mistakes have no name.

    A program can make up a loss that has any derivative, so that its gradients are right for its own wrong loss earns
    nothing by itself; a person sees at once whether somebody went astray or played a trick.
    """
    wrong_loss = any(findings[check].share < 1 for check in LOSS if check in findings)
    wrong_gradient = any(findings[check].share < 1 for check in GRADIENTS if check in findings)
    if not wrong_loss or not wrong_gradient or not own_slopes_agree(context):
        return ()
    text = (
        "The gradients are the derivative of the program's own loss, which is not the assignment's, and no known mistake"
        " explains it. Decide by hand what the gradients are worth."
    )
    return (text,)
