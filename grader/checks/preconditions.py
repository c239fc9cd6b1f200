"""Whether train() can be judged, and from which runs."""

from typing import Literal

import numpy as np

from grader.checks.context import GradingContext, cached_per_submission, failure_of, is_not_started, read_loss
from grader.checks.watched_training import SAME, read_watched_run, watched_runs
from grader.checks.whole_runs import ASKED, RUNS, changes_parameters, disagreement, own_loss_answers, whole_rates
from grader.model import Finding, Reply

Observation = Literal["watched", "whole", ""]


@cached_per_submission
def observation(context: GradingContext) -> Observation:
    """Return what train() is judged from: "watched" runs, "whole" ones where those show nothing, "" where none works.

    A program may leave its gradients in an attribute, or call a helper behind loss(). Then it fails with a stand-in for
    loss(), or no answer of the stand-in explains any of its steps.
    """
    seen = read_watched_run(context, SAME)
    whole = context.reply(RUNS[-1]).outcome == "returned"
    if seen is None:
        return "whole" if whole and own_loss_answers(context) else ""
    explained = any(step.explained for step in seen.steps)
    elsewhere = whole and changes_parameters(context) and np.isfinite(list(whole_rates(context).values())).any()
    return "whole" if elsewhere and not explained else "watched"


def precondition(context: GradingContext) -> Finding | None:
    """Return why train() cannot be judged; None where it can."""
    return _failure_to_train(context) or contradiction(context)


@cached_per_submission
def _failure_to_train(context: GradingContext) -> Finding | None:
    """Return why train() cannot be judged by itself; None where it can."""
    judged_from = observation(context)
    if not judged_from:
        return run_failure(context.reply(SAME)) or Finding(
            0.0, "After train() the parameters are missing or have wrong shapes.", about="train"
        )
    seen = read_watched_run(context, SAME)
    if judged_from == "watched" and seen and not seen.steps:
        if is_not_started(seen.answer):
            text = "Not started: train() returns None and changes no parameter."
            return Finding(0.0, text, skipped=True, about="train")
        asked = read_loss(context, *ASKED[0]).finding
        if asked and asked.skipped:  # the template's own lines run, and keep histories of nothing
            text = "Not started: train() changes no parameter, and loss() is not written yet."
            return Finding(0.0, text, skipped=True, about="train")
    return None


@cached_per_submission
def contradiction(context: GradingContext) -> Finding | None:
    """Return why the watched runs do not count: a run with the program's own loss() contradicts them."""
    if observation(context) != "watched" or any(seen.misfit for seen in watched_runs(context)):
        return None  # a call that does not fit loss() is told and charged by the update rule
    found = disagreement(context)
    return Finding(0.0, found, about="train") if found else None


def run_failure(reply: Reply) -> Finding | None:
    """Return why a run of train() did not finish; None where it did."""
    problem, error = (
        failure_of(reply, len(reply.results), about="train") if reply.outcome != "returned" else None,
        reply.error,
    )
    unwritten = error and error.type in {"AttributeError", "TypeError"} and "NoneType" in error.message
    if problem and error and unwritten and error.during == "train":
        # The template's own lines call loss() with the batch that is still to be written.
        text = f"Not started: train() uses None instead of a batch ({error.type}: {error.message})."
        return Finding(0.0, f"{text}\nDo you draw the minibatch yet?", skipped=True, about="train")
    return problem
