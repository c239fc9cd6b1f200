"""What train() returns: one loss an iteration, one accuracy of each kind an epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.checks.candour import BARE, LOSS, PREDICT_ROW, PREDICT_VAL, labels_there, loss_there
from grader.checks.evidence import Evidence, loss_calls, not_started, read_loss
from grader.checks.trainable import blocked
from grader.checks.training import movements
from grader.compare import as_array, describe, number
from grader.records import Finding


def histories(evidence: Evidence) -> Finding:
    """train() returns loss_history for every iteration, and accuracies for every epoch."""
    problem = blocked(evidence, "train/4")
    if problem:
        return problem
    if all(movement.still for movement in movements(evidence).values()):
        # Histories of a training that does not take place are easily kept.
        return Finding(0.0, "Not judged: train() changes no parameter yet.", skipped=True, about="train")
    reply = evidence.reply("train/4")
    answer = reply.results[0]
    if not isinstance(answer, dict):
        text = (
            "train() must return a dict with loss_history, train_acc_history and val_acc_history; it returned"
            f" {describe(answer)}."
        )
        return Finding(0.0, text, skipped=not_started(answer), about="train")
    faults = [
        (0.5, _loss_history_fault(evidence, answer.get("loss_history"))),
        (0.25, _accuracy_fault(evidence, "train_acc_history", answer.get("train_acc_history"), PREDICT_ROW, "y")),
        (0.25, _accuracy_fault(evidence, "val_acc_history", answer.get("val_acc_history"), PREDICT_VAL, "y_val")),
    ]
    wrong = [(share, text) for share, text in faults if text]
    if not wrong:
        return Finding(1.0, "Right: one loss an iteration, one accuracy of each kind an epoch.", about="train")
    return Finding(1 - sum(share for share, _ in wrong), "\n".join(text for _, text in wrong), about="train")


def _loss_history_fault(evidence: Evidence, history: Any) -> str:
    array = as_array(history)
    if array is None:
        return f"loss_history must hold one loss per iteration; it is {describe(history)}."
    if array.size != 4:
        return f"loss_history must hold one loss per iteration: 4 after num_iters=4; it holds {array.size}."
    # A train() that does not pass reg on has paid for that in its update; its losses are those without.
    moved = movements(evidence).values()
    step = BARE if any(movement.without_reg for movement in moved) else LOSS
    own = [loss_there(evidence, index, step) for index in range(4)]
    if any(value is None or not np.isfinite(value) for value in own):
        return _without_losses(evidence)
    values, right = array.reshape(-1).astype(np.float64), np.array(own, dtype=np.float64)
    worst = int(np.nanargmax(np.abs(values - right))) if np.isfinite(values).all() else 0
    # Float32 inside keeps seven digits; a loss of other rows or parameters differs in the first two.
    if np.isfinite(values).all() and (np.abs(values - right) <= 1e-4 * np.abs(right)).all():
        return ""
    return (
        f"loss_history[{worst}] is {number(float(values[worst]))}, but your own loss there, before the step and with reg, is"
        f" {number(float(right[worst]))}."
    )


def _without_losses(evidence: Evidence) -> str:
    """Say what is wrong where loss() gives no number at the parameters that train() reached."""
    plain = [read_loss(evidence, call.id).value for call, _, _ in loss_calls(evidence)]
    if any(value is None or not np.isfinite(value) for value in plain):
        return ""  # a loss that is no number is judged elsewhere
    # A loss that is a number wherever it is judged itself would have made any history right.
    return "loss_history cannot be judged: loss() gives no number for the rows that train() was given."


def _accuracy_fault(evidence: Evidence, key: str, history: Any, step: int, labels: str) -> str:
    array = as_array(history)
    if array is None:
        return f"{key} must hold one accuracy per epoch; it is {describe(history)}."
    if array.size not in {2, 3}:
        return f"{key} must hold one accuracy per epoch: 2 after four iterations, two an epoch; it holds {array.size}."
    values = array.reshape(-1).astype(np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all() and (values <= 1).all()):
        return f"{key} must hold fractions from 0 to 1; it holds {', '.join(number(float(v)) for v in values)}."
    possible = set()
    for index in range(5):
        predicted = labels_there(evidence, index, step)
        truth = evidence.expected("train/0")[labels]
        if predicted is None or predicted.reshape(-1).shape != truth.shape:
            return ""  # predict() is judged elsewhere; without it no accuracy can be held against train()
        possible.add(round(float((predicted.reshape(-1) == truth).mean()), 6))
    strange = [value for value in values if round(float(value), 6) not in possible]
    if strange:
        return f"{key} holds {number(strange[0])}, which is not the accuracy of your own predict() at that time."
    return ""
