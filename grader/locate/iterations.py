"""What train() was asked, and what it did in each iteration: its question to loss(), and the step that followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.compare import as_array
from grader.locate.recorded_case import laid_out
from grader.locate.recorded_values import Made
from grader.model import Array, Floats
from grader.sandbox.stand_in_replies import StandIn


@dataclass(frozen=True, eq=False)
class Asked:
    """What train() was asked in the recorded question."""

    X: Floats
    y: Array
    rate: float
    decay: float
    reg: float
    iterations: int
    batch: int
    params: Mapping[str, Floats]
    X_val: Floats
    y_val: Array
    stand_in: StandIn  # as the program was answered


@dataclass(frozen=True, eq=False)
class Iteration:
    """One question to the stand-in of loss(), and the step that followed."""

    X: Floats
    y: Floats
    reg: float
    loss: float
    gradients: Mapping[str, Floats]
    moves: Mapping[str, Floats]
    before: Mapping[str, Floats]
    after: Mapping[str, Floats]


def iterations(notes: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> list[Iteration]:
    """Return the questions that the stand-in noted, each with the step after it; [] where the notes are not whole."""
    tables = [
        one for name in ("states", "asked", "gradients", "X", "y") if (one := as_array(notes.get(name))) is not None
    ]
    size = sum(int(np.prod(shape)) for shape in shapes.values())
    if len(tables) < 5:
        return []
    states, asked, gradients, X, y = tables
    if states.ndim != 2 or states.shape[1] != size or asked.ndim != 2 or gradients.shape != (len(asked), size):
        return []
    if asked.shape[1:] != (4,) or not len(states) or not np.isfinite(asked[:, :2]).all() or (asked[:, :2] < 0).any():
        return []
    found, start = [], 0
    for (moment, rows, reg, loss), gradient in zip(asked.tolist(), gradients, strict=True):
        end, at = start + int(rows), int(moment)
        before, after = states[min(at, len(states) - 1)], states[min(at + 1, len(states) - 1)]
        found.append(
            Iteration(
                np.asarray(X[start:end], np.float64), np.asarray(y[start:end], np.float64), reg, loss,
                _apart(gradient, shapes), _apart(after - before, shapes), _apart(before, shapes), _apart(after, shapes),
            )
        )  # fmt: skip
        start = end
    return found


def _apart(row: Array, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Floats]:
    """Return the parameters that a row holds one after another, each in its shape."""
    found, start = {}, 0
    for name, shape in shapes.items():
        end = start + int(np.prod(shape))
        found[name] = np.asarray(row[start:end], np.float64).reshape(shape)
        start = end
    return found


# ---------------------------------------------------------------- small questions


def is_value(made: Made, value: Array, *, laid: bool = False) -> bool:
    """Return whether a recorded value is this one. laid : also transposed, or with other axes of length one."""
    if made.value.size != np.size(value):
        return False
    own = laid_out(made.value, np.shape(value)) if laid or np.ndim(value) == 2 else made.value.reshape(np.shape(value))
    return own is not None and np.array_equal(own, value)


def rate_of(move: Floats, gradient: Floats) -> float | None:
    """Return c where a move is c times the gradient; 0 where nothing moves; None where it is no multiple."""
    if not move.any():
        return 0.0
    square = float((gradient * gradient).sum())
    c = float((move * gradient).sum()) / square if square else 0.0
    return c if np.abs(move - c * gradient).max() <= 1e-7 * np.abs(move).max() else None


def positions(batch: Floats, X: Floats) -> Array | None:
    """Return which rows of X a batch holds, (b,); None where one is no row of it."""
    if batch.ndim != 2 or batch.shape[1] != X.shape[1]:
        return None
    same = (batch[:, None, :] == X[None, :, :]).all(axis=2)
    return same.argmax(axis=1) if same.any(axis=1).all() else None


def same_each_time(drawn: Sequence[Array | None]) -> bool:
    """Return whether every batch holds the same rows, in whatever order."""
    known = [rows for rows in drawn if rows is not None]
    return len(known) > 1 and all(np.array_equal(np.sort(rows), np.sort(known[0])) for rows in known)
