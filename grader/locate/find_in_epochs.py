"""Where train() goes wrong once an epoch: the learning rate decays, and losses and accuracies are kept."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from grader.compare import as_array
from grader.locate.recorded_case import Spotted
from grader.locate.recorded_values import Spot
from grader.locate.training_lines import TrainingLines, rate_of
from grader.model import Array, Floats


def wrong_decay(lines: TrainingLines) -> Iterator[Spotted]:
    """Yield the line behind rates that do not decay once an epoch."""
    rates = _rates(lines)
    if rates is None or len(rates) < 2 or not rates[0]:
        return
    seen = [rate / rates[0] for rate in rates[: lines.asked.iterations]]
    d = lines.asked.decay
    # Three iterations an epoch: it decays after the first one of each, or after the last.
    right = ([1.0, d, d, d, d * d], [1.0, 1.0, 1.0, d, d])
    if any(np.allclose(seen, one[: len(seen)], rtol=1e-6) for one in right):
        return
    factors = [after / before for before, after in pairwise(seen) if before]
    line = lines.decay()
    line = lines.from_train(line) if line else None
    test = lines.statements.enclosing(*line, (ast.If,)) if line else []
    if (
        line
        and test
        and any(factor < 1 - 1e-9 for factor in factors)
        and all(np.isclose(f, 1) or np.isclose(f, d) for f in factors)
    ):
        # By the right factor, at the wrong times.
        yield Spotted("decay", length_of_epoch(lines, (line[0], test[0])) or (line[0], test[0]))
        return
    if np.allclose(seen, 1.0) and line and _rate_is_made(lines):  # it decays, and the step does not use it
        spot = lines.update()
        if spot:
            yield Spotted("decay", lines.from_train(spot))
            return
    off = [
        next((i for i, (s, r) in enumerate(zip(seen, one, strict=False)) if not np.isclose(s, r)), 0) for one in right
    ]
    wrong = [seen[max(off)] * lines.asked.rate, *(one * lines.asked.rate for one in seen)]
    for one in lines.values:
        own = one.entry if one.kind == "f" and not one.given else 0.0
        if own and any(abs(own - rate) <= 1e-6 * abs(rate) for rate in wrong if abs(rate - lines.asked.rate) > 1e-9):
            yield Spotted("decay", one.spot, one)
            return
    if spot := lines.role("decay"):
        yield Spotted("decay", spot)


def _rates(lines: TrainingLines) -> list[float] | None:
    """Return the rate of each step; None where one is no multiple of its gradient."""
    found = []
    for step in lines.steps:
        known = [rate for name in lines.shapes if (rate := rate_of(step.moves[name], step.gradients[name]))]
        if not known:
            return None
        found.append(-known[0])
    return found


def _rate_is_made(lines: TrainingLines) -> bool:
    """Return whether some line makes the learning rate after its first decay."""
    wanted = lines.asked.rate * lines.asked.decay
    return any(not one.given and abs(one.entry - wanted) <= 1e-9 * wanted for one in lines.values)


def length_of_epoch(lines: TrainingLines, test: Spot) -> Spot | None:
    """Return the line that makes the number of iterations an epoch has, where a test reads a wrong one."""
    names, right = lines.statements.reads(*test).names, len(lines.asked.X) // lines.asked.batch
    other = {len(lines.asked.X), lines.asked.batch, lines.asked.iterations}  # right, and read in the wrong place
    for one in lines.values:
        own = one.kind in "if" and one.value.size == 1 and not one.given and lines.recorded.ran.get(one.spot) == 1
        if own and one.entry not in {right, *other} and any(h.name in names for h in one.holders):
            return one.spot
    return None


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
            yield Spotted(role, lines.find_history(other) or spot)
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
