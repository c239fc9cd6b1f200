"""Where the histories that train() returns go wrong: losses of each iteration, and accuracies of each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from grader.compare import as_array
from grader.locate.find_in_decay import length_of_epoch
from grader.locate.recorded_values import Spot
from grader.locate.spotted import Spotted
from grader.locate.training_lines import TrainingLines
from grader.model import Array, Floats


def wrong_histories(lines: TrainingLines) -> Iterator[Spotted]:
    """Yield the lines behind what is wrong in the histories, losses first."""
    answer = lines.recorded.answer
    if not isinstance(answer, dict):
        if spot := lines.role("returned histories"):
            yield Spotted("returned histories", spot)
        return
    own = as_array(answer.get("loss_history"))
    losses = np.array([step.loss for step in lines.steps])
    if own is None or own.shape != losses.shape or not np.allclose(own, losses, rtol=1e-6):
        pairs = zip(own.ravel().tolist(), losses.tolist(), strict=False) if own is not None else ()
        off = next((place for place, (one, right) in enumerate(pairs) if not np.isclose(one, right)), 0)
        entry = lines.entry("loss_history", off)
        spot = entry[1].spot if entry else lines.role("loss history")
        if spot:
            yield Spotted("loss history", spot)
    yield from _accuracies(lines, answer)


def _accuracies(lines: TrainingLines, answer: Mapping[str, Any]) -> Iterator[Spotted]:
    """Yield the lines of accuracies that nobody could have had at that time, or that are kept too often."""
    asked, labels = lines.asked, lines.asked.stand_in.labels
    strange: dict[str, Spot] = {}

    def shares(X: Floats, y: Array, moments: Sequence[int]) -> set[float]:
        return {float((labels(moment, X) == y).mean()) for moment in moments}

    def possible(key: str, iteration: int) -> set[float]:
        moments, step = (iteration, iteration + 1), lines.steps[min(iteration, len(lines.steps) - 1)]
        if key == "val_acc_history":
            return shares(asked.X_val, asked.y_val, moments)
        of_batch = shares(step.X, step.y, moments) if 0 < len(step.X) == len(step.y) else set[float]()
        return of_batch | shares(asked.X, asked.y, moments)

    for key, role in (("train_acc_history", "train accuracy"), ("val_acc_history", "val accuracy")):
        own = as_array(answer.get(key))
        spot = lines.role(role)
        if spot is None:
            continue
        if own is None or own.dtype.kind not in "fiub" or not own.size:
            other = "val_acc_history" if role == "train accuracy" else "train_acc_history"
            yield Spotted(role, lines.kept(other) or spot)
            continue
        if own.size not in {1, 2}:
            test = lines.epoch(key)
            yield Spotted("epoch", (length_of_epoch(lines, test) if test else None) or test or spot)
            continue
        # After the first iteration of each epoch, which are 0 and 3, or after its last one.
        times = (0, 3) if own.size == 2 else (2,)
        pairs = zip(own.ravel().tolist(), times, strict=True)
        if not all(any(abs(value - one) < 1e-6 for one in possible(key, time)) for value, time in pairs):
            strange[role] = spot
    for role, spot in strange.items():
        # One function serves both: what is wrong with both is wrong there.
        shared = lines.kept_in(f"{role.split()[0]}_acc_history") if len(strange) > 1 else None
        yield Spotted(role, shared or spot)
