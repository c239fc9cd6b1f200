"""The check of what train() returns: one loss per iteration, one accuracy of each kind per epoch."""

from typing import Any

import numpy as np

from grader.checks.context import GradingContext, cached_per_submission, is_not_started, read_loss
from grader.checks.minibatch import positions
from grader.checks.preconditions import observation, precondition
from grader.checks.registry import check
from grader.checks.watched_training import ROWS, SAME, arguments_of, read_watched_run, stand_in_of
from grader.checks.whole_runs import ASKED, RUNS, changes_parameters
from grader.compare import as_array, describe, number
from grader.model import Array, Call, Finding, Floats, Params, QuestionId

NEAR = 1e-4  # single precision keeps seven digits; a loss of other rows or parameters differs in the first two


@check("train", needs=precondition)
def histories(context: GradingContext) -> Finding:
    """train() returns loss_history for every iteration, and accuracies for every epoch."""
    run = SAME if observation(context) == "watched" else RUNS[-1]
    seen = read_watched_run(context, run)
    answer = seen.answer if seen else None
    if seen and not seen.steps and not changes_parameters(context):
        # Histories of a training that does not take place are easily kept.
        return Finding(0.0, "Not judged: train() changes no parameter yet.", skipped=True, about="train")
    if not isinstance(answer, dict):
        text = (
            "train() must return a dict with loss_history, train_acc_history and val_acc_history; it returned"
            f" {describe(answer)}."
        )
        return Finding(0.0, text, skipped=is_not_started(answer) and not (seen and seen.steps), about="train")
    faults = [
        (0.5, _loss_history_fault(context, run, answer.get("loss_history"))),
        (0.25, _accuracy_fault(context, run, "train_acc_history", answer)),
        (0.25, _accuracy_fault(context, run, "val_acc_history", answer) or _accuracy_fault_on_rows(context, run)),
    ]
    wrong = [(share, text) for share, text in faults if text]
    if not wrong:
        return Finding(1.0, "Right: one loss per iteration, and one accuracy of each kind per epoch.", about="train")
    return Finding(1 - sum(share for share, _ in wrong), "\n".join(text for _, text in wrong), about="train")


@cached_per_submission
def losses_given(context: GradingContext, run: QuestionId) -> list[float | None]:
    """Return the loss that loss() returned for the batch of each iteration; None where it is not known."""
    if run == RUNS[-1]:
        return [read_loss(context, call, place).value for call, place in ASKED]
    seen = read_watched_run(context, run)
    return [step.question.loss if step.question else None for step in seen.steps] if seen else []


def _loss_history_fault(context: GradingContext, run: QuestionId, history: Any) -> str:
    array, asked = as_array(history), int(arguments_of(context.call(run))["num_iters"])
    if array is None:
        return f"loss_history must hold one loss per iteration; it is {describe(history)}."
    if array.size != asked:
        return f"loss_history must hold one loss per iteration: {asked} after num_iters={asked}; it holds {array.size}."
    given = losses_given(context, run)
    if len(given) != asked or any(value is None or not np.isfinite(value) for value in given):
        return ""  # steps that are missing are charged by the update rule, a loss that is no number by loss()
    values, right = array.reshape(-1).astype(np.float64), np.array(given, dtype=np.float64)
    wrong = ~(np.abs(values - right) <= NEAR * np.abs(right))
    if not wrong.any():
        return ""
    worst = int(wrong.argmax())
    return (
        f"loss_history[{worst}] is {number(float(values[worst]))}, but loss() returned {number(float(right[worst]))} for the"
        " batch of that iteration."
    )


def _accuracy_fault(context: GradingContext, run: QuestionId, key: str, answer: dict[str, Any]) -> str:
    history = answer.get(key)
    array = as_array(history)
    if array is None:
        return f"{key} must hold one accuracy per epoch; it is {describe(history)}."
    if array.size not in {2, 3}:
        asked = int(arguments_of(context.call(run))["num_iters"])
        return f"{key} must hold one accuracy per epoch: 2 after {asked} iterations with two an epoch; it holds {array.size}."
    values = array.reshape(-1).astype(np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all() and (values <= 1).all()):
        return f"{key} must hold fractions from 0 to 1; it holds {', '.join(number(float(v)) for v in values)}."
    return _impossible_accuracy(context, run, key, values)


def _accuracy_fault_on_rows(context: GradingContext, run: QuestionId) -> str:
    """Return what is wrong with the accuracies of the run on different rows, where they depend on the rows used."""
    seen = read_watched_run(context, ROWS)
    if run != SAME or not seen or not isinstance(seen.answer, dict):
        return ""
    kept = {key: as_array(seen.answer.get(key)) for key in ("val_acc_history", "train_acc_history")}
    values = {k: v.reshape(-1).astype(np.float64) for k, v in kept.items() if v is not None and 0 < v.size < 10}
    found = (
        _impossible_accuracy(context, ROWS, "val_acc_history", values["val_acc_history"])
        if "val_acc_history" in values
        else ""
    )
    if found or "train_acc_history" not in values:
        return found
    stand_in = stand_in_of(context.call(ROWS))
    given = arguments_of(context.call(ROWS))
    of_batches = {
        float((stand_in.labels(moment, step.question.X) == given["y"][rows]).mean())
        for index, step in enumerate(seen.steps)
        if step.question and (rows := positions(step.question.X, given["X"])) is not None
        for moment in (index, index + 1)
    }
    own = [
        value for value in values["train_acc_history"] if np.abs(np.array([*of_batches]) - value).min(initial=1) > NEAR
    ]
    return _impossible_accuracy(context, ROWS, "train_acc_history", np.array(own)) if own else ""


def _impossible_accuracy(context: GradingContext, run: QuestionId, key: str, values: Floats) -> str:
    call, given = context.call(run), arguments_of(context.call(run))
    X, y = (given["X_val"], given["y_val"]) if "val" in key else (given["X"], given["y"])
    stand_in = stand_in_of(call)
    possible = [float((stand_in.labels(moment, X) == y).mean()) for moment in range(2 + int(given["num_iters"]))]
    strange = [value for value in values if np.abs(np.array(possible) - value).min() > NEAR]
    if strange:
        # A program may run the forward pass for its accuracies itself; frozen questions cannot tell, and take its word.
        right = _right_accuracies(context, call, X, y)
        if right is None:
            return ""
        strange = [value for value in strange if not (np.abs(np.array(right) - value) <= NEAR).any()]
    return (
        f"{key} holds {number(strange[0])}, but predict() never had that accuracy during training." if strange else ""
    )


def _right_accuracies(context: GradingContext, call: Call, X: Array, y: Array) -> list[float] | None:
    """Return the accuracies of the right network at the parameters that training went through; None where nobody knows."""
    oracle, seen = context.questions.oracle, read_watched_run(context, call.id)
    scores = oracle.scores if oracle else None
    if scores is None:
        return None
    if seen is None:
        return []
    points: list[Params] = [call.params]
    for step in seen.steps:
        points.append({name: points[-1][name] + step.moves[name] for name in step.moves})
    return [float((scores(params, X).argmax(axis=1) == y).mean()) for params in points]
