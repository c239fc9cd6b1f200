"""The rubric: a check is one function, and its docstring's first line is the sentence that the student reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import getdoc

from grader.checks import agreement, forward, gradients, histories, learning, minibatch, prediction, training, tuning
from grader.checks.agreement import Family
from grader.checks.evidence import Evidence
from grader.records import Finding, Group

__all__ = ["CHECKS", "Check", "Evidence"]


@dataclass(frozen=True)
class Check:
    """One question to the replies."""

    id: str
    group: Group
    function: Callable[[Evidence], Finding]
    # All that it reads of the replies; () where chance has its say, and every submission is worked out.
    looks_at: tuple[Family, ...] = ()

    @property
    def title(self) -> str:
        """The sentence that the student reads."""
        return (getdoc(self.function) or "").splitlines()[0]

    def finding(self, evidence: Evidence) -> Finding:
        """Give what it finds: what it found of the right program where the replies agree with that, else worked out."""
        return agreement.finding(evidence, self.function, self.looks_at)


_ALL = (
    Check("scores", "loss", forward.scores, ("scores",)),
    Check("data_loss", "loss", forward.data_loss, ("loss",)),
    Check("regularised_loss", "loss", forward.regularised_loss, ("loss",)),
    Check("stability", "loss", forward.stability),
    Check("purity", "loss", forward.purity),
    Check("gradient_W1", "gradients", gradients.gradient_W1, ("loss",)),
    Check("gradient_b1", "gradients", gradients.gradient_b1, ("loss",)),
    Check("gradient_W2", "gradients", gradients.gradient_W2, ("loss",)),
    Check("gradient_b2", "gradients", gradients.gradient_b2, ("loss",)),
    Check("numeric_gradient", "gradients", gradients.numeric_gradient, ("loss", "sweep")),
    Check("update_rule", "train", training.update_rule, ("train", "loss")),
    Check("decay", "train", training.decay, ("train", "loss")),
    Check("minibatch", "train", minibatch.minibatch),
    Check("histories", "train", histories.histories, ("kept", "train", "loss", "predict")),
    Check("learns_toy", "train", learning.learns_toy),
    Check("learns_digits", "train", learning.learns_digits),
    Check("predict", "predict", prediction.predict, ("predict", "scores")),
    Check("best_hyperparameters", "train", tuning.best_hyperparameters),
)
CHECKS: Mapping[str, Check] = {check.id: check for check in _ALL}
