"""predict() on given parameters: by itself, and with a stand-in for loss()."""

from dataclasses import replace

import numpy as np

from grader.checks.context import GradingContext, cached_per_submission, combine_cases, failure_of, is_not_started
from grader.checks.describe_difference import describe_labels, with_details
from grader.checks.read_losses import scores_alike
from grader.checks.registry import check
from grader.compare import as_array, describe
from grader.model import Array, Call, Finding, QuestionId
from grader.text.variant_words import in_words_of

WATCHED = QuestionId("watched", "predict")


@check("predict")
def predict(context: GradingContext) -> Finding:
    """predict(X) returns the class with the highest score for each row, as integers."""
    calls = [*context.calls("predict"), *context.calls("labels")]
    found = [_case_failure(context, call) for call in calls]
    settled = combine_cases(found, "Right for every row, on all sets of sizes.", "predict")
    if any(one and not one.share and not one.error and not one.skipped for one in found):
        # A wrong forward pass gives the right label by chance in many rows: half of the cases prove nothing.
        settled = replace(settled, share=0.0)
    if settled.share < 1 and right_given_scores(context):
        return Finding(1.0, "Right: it chooses the largest of the scores that loss() returns.", about="predict")
    return with_details(settled, lambda: describe_labels(context))


@cached_per_submission
def right_given_scores(context: GradingContext) -> bool:
    """Return whether predict() chooses the largest of the scores that it is given, also with its own loss().

    Its labels must follow from the scores of a stand-in for loss(). Where its own loss() answers, they must follow from
    those scores too: a program may behave only while it is watched.
    """
    notes, right = context.result(WATCHED), context.expected(WATCHED)["given"]
    labels = as_array(notes.get("answer")) if isinstance(notes, dict) else None
    if labels is None or labels.shape != right.shape or labels.dtype.kind not in "iu" or (labels != right).any():
        return False
    for call in (*context.calls("predict"), *context.calls("labels")):
        own, given = as_array(context.result(call.id)), _own_plain_scores(context, call)
        if given is None:
            continue  # what stops it is its own loss(), which is charged there
        if own is None or not np.isfinite(given).all() or not np.array_equal(own.reshape(-1), given.argmax(axis=1)):
            return False
    return True


def _own_plain_scores(context: GradingContext, call: Call) -> Array | None:
    """Return the program's own scores for the rows of a question to predict(); None where they are no (N, C) array."""
    where = (call.id, 1) if call.id.kind == "labels" else (QuestionId("scores", call.id.case), 0)
    scores, rows = as_array(context.result(*where)), len(call.steps[0].arguments["X"])
    return scores if scores is not None and scores.ndim == 2 and len(scores) == rows else None


def _case_failure(context: GradingContext, call: Call) -> Finding | None:
    reply = context.reply(call.id)
    problem = failure_of(reply, about="predict")
    if problem:
        return problem
    answer, right = reply.results[0], context.expected(call.id)["labels"]
    if is_not_started(answer):
        return Finding(0.0, f"Not started: predict(X) returned {describe(answer)}.", skipped=True, about="predict")
    array = as_array(answer)
    if array is None or array.size != right.size:
        text = (
            f"predict(X) with {right.size} rows must return {right.size} labels, shape ({right.size},); it returned"
            f" {describe(answer)}.\nLook at the axis of the maximum, and return positions, not scores."
        )
        return Finding(0.0, text, about="predict")
    labels = array.reshape(-1)
    is_right = np.array_equal(labels, right)
    if not is_right and not _follow_from_scores(context, call, labels):
        row = int(np.flatnonzero(labels != right)[0])
        text = (
            f"{int((labels != right).sum())} of {right.size} labels are wrong; row {row}: yours"
            f" {labels[row]:g}, right {right[row]}.\n"
            "Check that predict() computes the same scores as loss(X): both layers, both biases, the ReLU between."
        )
        return Finding(0.0, in_words_of(text, context.assignment.variant), about="predict")
    if array.shape != right.shape:
        text = f"The labels are right, but their shape is {array.shape} instead of {right.shape}: predict(X) == y then compares every label with every other."
        return Finding(0.5, text, about="predict")
    if array.dtype.kind not in "iu":
        return Finding(0.75, f"The labels are right, but they are {array.dtype} instead of integers.", about="predict")
    if is_right:
        return None
    text = "Right for your own scores. The scores are wrong and lose points in their own check; fix them first."
    return Finding(1.0, text, about="predict", carried=True)


def _follow_from_scores(context: GradingContext, call: Call, labels: Array) -> bool:
    """Return whether labels follow from their own scores, where those are wrong but of the right kind."""
    own = _own_plain_scores(context, call) if scores_alike(context) else None
    return own is not None and bool(np.isfinite(own).all()) and np.array_equal(labels, own.argmax(axis=1))
