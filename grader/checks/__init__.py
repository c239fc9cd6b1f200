"""The checks, registered by `@check`, and the function that runs those of a rubric."""

from grader.checks import (  # noqa: F401 -- each enters its checks when it is imported
    forward,
    gradients,
    histories,
    learning,
    minibatch,
    parameter_updates,
    prediction,
    tuning,
)
from grader.checks.context import GradingContext
from grader.checks.registry import CHECKS, Check
from grader.model import Finding

__all__ = ["CHECKS", "Check", "GradingContext", "run_checks"]


def run_checks(context: GradingContext) -> dict[str, Finding]:
    """Return the finding of each check of the rubric on one submission's replies, by check id, in the rubric's order."""
    return {row.id: CHECKS[row.id].function(context) for row in context.assignment.checks}
