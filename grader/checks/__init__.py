"""The rubric: a check is one function, and its docstring's first line is the sentence that the student reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import getdoc

from grader.checks import forward, gradients, histories, learning, minibatch, parameter_updates, prediction, tuning
from grader.checks.context import GradingContext
from grader.model import Finding, Group

__all__ = ["CHECKS", "Check", "GradingContext", "run_checks"]


@dataclass(frozen=True)
class Check:
    """One question to the replies."""

    id: str
    group: Group
    function: Callable[[GradingContext], Finding]

    @property
    def title(self) -> str:
        """The sentence that the student reads."""
        return (getdoc(self.function) or "").splitlines()[0]


_ALL = (
    Check("scores", "loss", forward.scores),
    Check("data_loss", "loss", forward.data_loss),
    Check("regularised_loss", "loss", forward.regularised_loss),
    Check("stability", "loss", forward.stability),
    Check("purity", "loss", forward.purity),
    Check("gradient_W1", "gradients", gradients.gradient_W1),
    Check("gradient_b1", "gradients", gradients.gradient_b1),
    Check("gradient_W2", "gradients", gradients.gradient_W2),
    Check("gradient_b2", "gradients", gradients.gradient_b2),
    Check("numeric_gradient", "gradients", gradients.numeric_gradient),
    Check("update_rule", "train", parameter_updates.update_rule),
    Check("decay", "train", parameter_updates.decay),
    Check("minibatch", "train", minibatch.minibatch),
    Check("histories", "train", histories.histories),
    Check("learns_toy", "train", learning.learns_toy),
    Check("learns_digits", "train", learning.learns_digits),
    Check("predict", "predict", prediction.predict),
    Check("best_hyperparameters", "train", tuning.best_hyperparameters),
)
CHECKS: Mapping[str, Check] = {check.id: check for check in _ALL}


def run_checks(context: GradingContext) -> dict[str, Finding]:
    """Return what each check of the rubric finds in one submission's replies, by the check's id, in the rubric's order."""
    return {row.id: CHECKS[row.id].function(context) for row in context.assignment.checks}
