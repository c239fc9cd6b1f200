"""predict() on given parameters."""

from __future__ import annotations

import numpy as np

from grader.checks.clues import of_labels, with_clues
from grader.checks.evidence import Evidence, fact, not_started, obstacle, settle
from grader.checks.losses import own_scores
from grader.compare import as_array, describe
from grader.records import Array, Call, Finding


@fact
def predict(evidence: Evidence) -> Finding:
    """predict(X) returns for each row the class with the highest score, as whole numbers."""
    calls = evidence.calls("predict")
    settled = settle(
        [_of_case(evidence, call) for call in calls], f"Right on all {len(calls)} sets of sizes.", "predict"
    )
    return with_clues(settled, lambda: of_labels(evidence))


def _of_case(evidence: Evidence, call: Call) -> Finding | None:
    reply = evidence.reply(call.id)
    problem = obstacle(reply, about="predict")
    if problem:
        return problem
    answer, right = reply.results[0], evidence.expected(call.id)["labels"]
    if not_started(answer):
        return Finding(0.0, f"Not started: predict(X) returned {describe(answer)}.", skipped=True, about="predict")
    array = as_array(answer)
    if array is None or array.size != right.size:
        text = (
            f"predict(X) with {right.size} rows must return {right.size} labels, shape ({right.size},); it returned"
            f" {describe(answer)}.\nLook at the axis of the maximum, and that positions are returned, not scores."
        )
        return Finding(0.0, text, about="predict")
    accepted = [right]
    own = _own_labels(evidence, call, right)
    if own is not None:
        accepted.append(own)
    if not any(np.array_equal(array.reshape(-1), labels) for labels in accepted):
        row = int(np.flatnonzero(array.reshape(-1) != right)[0])
        text = (
            f"{int((array.reshape(-1) != right).sum())} of {right.size} labels are wrong; row {row}: yours"
            f" {array.reshape(-1)[row]:g}, right {right[row]}.\n"
            "Look at whether predict() computes the same scores as loss(X): both layers, both biases, the ReLU between."
        )
        return Finding(0.0, text, about="predict")
    if array.shape != right.shape:
        text = f"The labels are right, but of shape {array.shape} instead of {right.shape}: (predict(X) == y) then compares all with all."
        return Finding(0.5, text, about="predict")
    if array.dtype.kind not in "iu":
        return Finding(0.75, f"The labels are right, but {array.dtype} instead of whole numbers.", about="predict")
    return None


def _own_labels(evidence: Evidence, call: Call, right: Array) -> Array | None:
    """Give the labels that follow from their own scores, where those are wrong but of the right kind."""
    own = own_scores(evidence, call.id.split("/")[1])
    return None if own is None else own.argmax(axis=1).astype(right.dtype)
