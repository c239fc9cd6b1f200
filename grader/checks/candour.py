"""Whether loss() and predict() answer the questions about train() as they answer elsewhere.

train() is judged on the student's own gradients, losses and labels, which is fair where those are wrong everywhere. A
class that is right where it is judged by itself, and wrong where training is judged by it, can make any training look
right: uphill with the sign turned, momentum with the velocity for a gradient. So what is right elsewhere must be right
here; the reference says what that is, at the parameters that the student's own training reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grader.checks.evidence import Evidence, fact, given, loss_calls, own_gradient, own_params, read_loss
from grader.checks.gradients import fault
from grader.checks.losses import convention, data_loss_right
from grader.compare import as_array
from grader.records import Array, Floats, Oracle, Params

# Steps of a train/K call: train, params, loss with reg, loss without, predict on the validation rows, on the row.
PARAMS, LOSS, BARE, PREDICT_VAL, PREDICT_ROW = 1, 2, 3, 4, 5
NEAR = 1e-3  # single precision inside keeps three digits more; a gradient of something else has not one in common
ROUNDING = 1e-5  # of a gradient's size, where single precision is inside
STEP = 1e-6  # of a difference along a direction of length 1 or 2
CLEAR = 1e-6  # between the two best scores, relative: below that, rounding may decide


def position(index: int, step: int) -> int:
    """Give where a step stands in the call train/`index`: the first has no train step."""
    return step - (index == 0)


@fact
def reached(evidence: Evidence, index: int) -> Params | None:
    """Give the student's parameters after `index` iterations."""
    call = evidence.call(f"train/{index}")
    return call.params if index == 0 else own_params(evidence, call, PARAMS)


@fact
def gradient_there(evidence: Evidence, index: int, step: int, name: str) -> Floats | None:
    """Give the student's own gradient after `index` iterations: with the regulariser at LOSS, without at BARE."""
    shape = evidence.call("train/0").params[name].shape
    return own_gradient(evidence, f"train/{index}", position(index, step), name, shape, spread=True)


# ---------------------------------------------------------------- gradients


@fact
def gradient_as_elsewhere(evidence: Evidence, index: int, name: str) -> bool:
    """Tell whether the gradient after `index` iterations is as right as elsewhere; also where that cannot be told."""
    params, after = reached(evidence, index), reached(evidence, index + 1)
    judged = evidence.probes.oracle is not None and _right_elsewhere(evidence, name)
    if params is None or after is None or not judged:
        return True
    decay = _weight_decay(evidence, name)
    # The one with the regulariser is what the step goes by; where its share is not known, the other is all there is.
    theirs = gradient_there(evidence, index, BARE if decay is None else LOSS, name)
    if theirs is None:
        return False
    direction, right = _right_slopes(evidence)[index, name]
    if decay is not None:
        reg = float(evidence.call(f"train/{index}").steps[position(index, LOSS)].arguments["reg"])
        right += decay * reg * float((params[name] * direction).sum())
    # Parameters that ran away have no slope to be held to; the steps that led there are judged by themselves.
    return not np.isfinite(right) or _near(float((theirs * direction).sum()), right, float(np.linalg.norm(theirs)))


@fact
def rows_reached(evidence: Evidence, index: int) -> Params | None:
    """Give the student's parameters after `index` iterations on the rows that tell its batches."""
    call = [call for call in evidence.calls("rows") if call.id != "rows/0"][max(index - 1, 0)]
    return call.params if index == 0 else own_params(evidence, call, 1)


def row_gradients_as_elsewhere(evidence: Evidence, name: str, columns: Floats, index: int) -> bool:
    """Tell the same of the gradients of single rows, given as columns, along the step of iteration `index` there."""
    if evidence.probes.oracle is None or not _right_elsewhere(evidence, name):
        return True
    direction, right = _row_slopes(evidence, name)[index]
    theirs, sizes = direction.reshape(-1) @ columns, np.linalg.norm(columns, axis=0)
    return bool(_all_near(theirs, right, sizes))


@fact
def _row_slopes(evidence: Evidence, name: str) -> dict[int, tuple[Floats, Floats]]:
    """Give for each step that is whole its direction, and the slope of each row's right loss along it."""
    oracle, steps = evidence.probes.oracle, {}
    for index in range(len(evidence.calls("rows")) - 1):
        before, after = rows_reached(evidence, index), rows_reached(evidence, index + 1)
        if before is not None and after is not None:
            direction = _unit(after[name] - before[name])
            steps[index] = direction, before, {**before, name: before[name] + STEP * direction}
    if oracle is None or not steps:
        return {}
    # All at once: each pass through the reference takes as long for eight sets of parameters as for two.
    points = [params for _, before, moved in steps.values() for params in (moved, before)]
    losses = _row_losses(oracle, points, *_single_rows(evidence))
    slopes = (losses[::2] - losses[1::2]) / STEP
    return {index: (step[0], slope) for (index, step), slope in zip(steps.items(), slopes, strict=True)}


@given
def _single_rows(evidence: Evidence) -> tuple[Floats, Array]:
    X = np.concatenate([step.arguments["X"] for step in evidence.call("rows/0").steps[1:]])
    return X, evidence.expected("rows/0")["y"]


def _near(theirs: float, right: float, size: float) -> bool:
    return abs(theirs - right) <= NEAR * max(abs(theirs), abs(right)) + ROUNDING * (size + NEAR)


def _all_near(theirs: Floats, right: Floats, size: Floats) -> Any:
    allowed = NEAR * np.maximum(np.abs(theirs), np.abs(right)) + ROUNDING * (size + NEAR)
    return (np.abs(theirs - right) <= allowed).all()


@fact
def _right_elsewhere(evidence: Evidence, name: str) -> bool:
    """Tell whether a gradient without regulariser is the right one in half of the plain calls."""
    faults = [fault(evidence, call.id, name) for call, _, reg in loss_calls(evidence) if not reg]
    return 2 * faults.count(None) >= len(faults)


@fact
def _weight_decay(evidence: Evidence, name: str) -> float | None:
    """Give a where a regulariser adds a reg theta to this gradient in every plain call; None where it does not."""
    own = {
        call.id: (call.params[name], reg, own_gradient(evidence, call.id, 0, name, call.params[name].shape))
        for call, _, reg in loss_calls(evidence)
    }
    factors: list[float] = []
    for call, (theta, reg, whole) in own.items():
        bare = own[f"{call.rpartition('/')[0]}/0"][2]
        if not reg or whole is None or bare is None:
            continue
        added, decay = (whole - bare).reshape(-1), reg * theta.reshape(-1)
        if not decay.any():
            return None  # an assignment with zero biases
        factors.append(float(added @ decay) / float(decay @ decay))
        if (np.abs(added - factors[-1] * decay) > NEAR * np.abs(whole).max()).any():
            return None
    # From half of the calls on: where loss() fails on some sizes, the others tell.
    known = 2 * len(factors) >= sum(reg > 0 for _, reg, _ in own.values()) and max(factors) - min(factors) <= 0.01
    return factors[0] if known else None


# ---------------------------------------------------------------- losses and labels


@fact
def loss_there(evidence: Evidence, index: int, step: int) -> float | None:
    """Give the loss after `index` iterations: the right one where theirs is right elsewhere, else their own."""
    params, factor = reached(evidence, index), convention(evidence)
    if (
        evidence.probes.oracle is None
        or params is None
        or not _loss_right_elsewhere(evidence)
        or (step == LOSS and factor is None)
    ):
        return read_loss(evidence, f"train/{index}", position(index, step)).value
    reg = float(evidence.call(f"train/{index}").steps[position(index, step)].arguments["reg"])
    squared = evidence.names if evidence.assignment.variant.regulariser == "every" else evidence.names[::2]
    penalty = sum(float((params[name] ** 2).sum()) for name in squared)
    return _right_data_losses(evidence)[index] + (factor or 0.0) * reg * penalty


@fact
def _loss_right_elsewhere(evidence: Evidence) -> bool:
    cases = [data_loss_right(evidence, case) for _, case, reg in loss_calls(evidence) if not reg]
    return 2 * sum(cases) >= len(cases)


@fact
def labels_there(evidence: Evidence, index: int, step: int) -> Array | None:
    """Give predict()'s labels after `index` iterations: the right ones where it is right elsewhere, else its own."""
    results, place = evidence.reply(f"train/{index}").results, position(index, step)
    own = as_array(results[place]) if len(results) > place else None
    if evidence.probes.oracle is None or reached(evidence, index) is None or not _predict_right_elsewhere(evidence):
        return own
    labels = _right_labels(evidence, step)[index]
    return own if labels is None else labels


@fact
def _right_labels(evidence: Evidence, step: int) -> dict[int, Array | None]:
    """Give the right labels at all parameters that were reached; None where rounding may decide."""
    points, oracle = _points(evidence), evidence.probes.oracle
    if not points or oracle is None:
        return {}
    found: dict[int, Array | None] = {}
    for index, scores in zip(points, _scores(oracle, list(points.values()), _asked(evidence, step)["X"]), strict=True):
        best = np.sort(scores, axis=1)
        clear = (best[:, -1] - best[:, -2] > CLEAR * np.abs(scores).max()).all()
        found[index] = scores.argmax(axis=1) if clear else None
    return found


@fact
def _predict_right_elsewhere(evidence: Evidence) -> bool:
    right = []
    for call in evidence.calls("predict"):
        results = evidence.reply(call.id).results
        own = as_array(results[0]) if results else None
        right.append(own is not None and np.array_equal(own.reshape(-1), evidence.expected(call.id)["labels"]))
    return 2 * sum(right) >= len(right)


# ---------------------------------------------------------------- the reference, where the student's training went


@fact
def _points(evidence: Evidence) -> dict[int, Params]:
    """Give the parameters after each number of iterations, as far as they are whole."""
    found = {index: reached(evidence, index) for index in range(len(evidence.calls("train")))}
    return {index: params for index, params in found.items() if params is not None}


@fact
def _right_data_losses(evidence: Evidence) -> dict[int, float]:
    """Give the right loss without regulariser at all parameters that were reached."""
    points, oracle = _points(evidence), evidence.probes.oracle
    if not points or oracle is None:
        return {}
    asked = _asked(evidence, BARE)
    losses = _row_losses(oracle, list(points.values()), asked["X"], asked["y"]).mean(axis=1)
    return dict(zip(points, losses.tolist(), strict=True))


@fact
def _right_slopes(evidence: Evidence) -> dict[tuple[int, str], tuple[Floats, float]]:
    """Give for each step and each gradient that is right elsewhere a direction, and the right loss's slope along it."""
    oracle, points, losses = evidence.probes.oracle, _points(evidence), _right_data_losses(evidence)
    directions = {
        # Along the step, and along the right gradient at the start: a bias that stays where it is shows nothing by its step.
        (index, name): _unit(points[index + 1][name] - params[name]) + _start(evidence, name)
        for index, params in points.items()
        if index + 1 in points
        for name in evidence.names
        if _right_elsewhere(evidence, name)
    }
    if not directions or oracle is None:
        return {}
    moved = [
        {**points[index], name: points[index][name] + STEP * direction}
        for (index, name), direction in directions.items()
    ]
    asked = _asked(evidence, BARE)
    there = _row_losses(oracle, moved, asked["X"], asked["y"]).mean(axis=1).tolist()
    return {
        (index, name): (direction, (loss - losses[index]) / STEP)
        for ((index, name), direction), loss in zip(directions.items(), there, strict=True)
    }


@given
def _start(evidence: Evidence, name: str) -> Floats:
    return _unit(evidence.expected("train/0")[f"data_{name}"])


@given
def _asked(evidence: Evidence, step: int) -> Mapping[str, Any]:
    """Give what a step of the calls train/K is asked with; all of them end with the same steps."""
    return evidence.call("train/0").steps[position(0, step)].arguments


def _row_losses(oracle: Oracle, many: Sequence[Params], X: Array, y: Array) -> Floats:
    """Give each row's cross-entropy from the reference's scores, (K, N), for each of several sets of parameters."""
    scores = _scores(oracle, many, X)
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.exp(shifted).sum(axis=-1)) - shifted[:, np.arange(len(y)), y])


def _scores(oracle: Oracle, many: Sequence[Params], X: Array) -> Floats:
    """Give the reference's scores (K, N, C) for K sets of parameters: stacked they are one pass instead of K."""
    if any(theta.ndim > 2 for theta in many[0].values()):  # maxout's two maps have that axis already
        return np.array([oracle.scores(params, X) for params in many])
    return oracle.scores({name: np.array([params[name] for params in many]) for name in many[0]}, X)


def _unit(array: Array) -> Floats:
    length = float(np.linalg.norm(array))
    return np.asarray(array / length if length else array, dtype=np.float64)
