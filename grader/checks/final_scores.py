"""The scores at the end of training, computed by the reference from the final parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from grader.checks.context import GradingContext, own_params
from grader.checks.formulas import loss_of_scores
from grader.compare import as_array
from grader.model import LEARNT, Floats, QuestionId


def final_scores(
    context: GradingContext, call: QuestionId, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> Floats | str:
    """Return the scores at the final parameters, or why there are none.

    The reference computes them from the parameters where it is at hand, since scores that the student's side claims
    prove nothing. Frozen questions have only the claim.
    """
    X = context.expected(call)["X"]
    asked = context.call(call)
    position = [step.method for step in asked.steps].index("params")
    params = own_params(context, asked, position, shapes)
    oracle = context.questions.oracle
    if oracle is not None and oracle.scores is not None:
        return "the parameters are missing or not finite afterwards" if params is None else oracle.scores(params, X)
    results = context.reply(call).results
    claimed = as_array(results[position + 1]) if len(results) > position + 1 else None
    # No column more than there are classes: as float64 a claim of 64 MiB of single bytes took half a gibibyte.
    if claimed is None or claimed.shape != (len(X), asked.sizes[-1]) or not np.isfinite(claimed).all():
        return "loss(X) gives no scores afterwards"
    return claimed.astype(np.float64)


def has_learnt(context: GradingContext) -> bool:
    """Return whether training on the toy case ended with parameters that know its five examples."""
    scores, variant = final_scores(context, QuestionId("toy")), context.assignment.variant
    y = context.expected(QuestionId("toy"))["y"]
    return not isinstance(scores, str) and loss_of_scores(variant, scores, y) <= LEARNT[variant.loss]
