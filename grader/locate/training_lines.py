"""What train() was asked and did in each iteration, and which of its lines does what."""

import ast
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from grader.checks.minibatch import positions
from grader.checks.watched_training import split_params
from grader.compare import as_array
from grader.locate.recorded_case import laid_out, multiple
from grader.locate.recorded_values import RETURNED, VARIABLE, Holder, Made, Recorded, Spot
from grader.locate.source_statements import Statements
from grader.model import Array, Floats, Params
from grader.records import dataclass
from grader.sandbox.stand_in_replies import StandIn

# How much earlier, in events, the line that makes an accuracy may come than the one that keeps it.
NEAR_EVENTS = 8


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


def iterations(notes: Mapping[str, Any], params: Params) -> list[Iteration]:
    """Return the questions that the stand-in noted, each with the step after it; [] where the notes are not whole."""
    tables = [
        one for name in ("states", "asked", "gradients", "X", "y") if (one := as_array(notes.get(name))) is not None
    ]
    size = sum(value.size for value in params.values())
    if len(tables) < 5 or not tables[3].ndim or not tables[4].ndim:  # forged: a single number has no rows
        return []
    states, asked, gradients, X, y = (np.asarray(one, np.float64) for one in tables)
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
                X[start:end], y[start:end], reg, loss,
                *(split_params(row, params) for row in (gradient, after - before, before, after)),
            )
        )  # fmt: skip
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
    return multiple(move, gradient, 1e-7) if move.any() else 0.0


def same_each_time(drawn: Sequence[Array | None]) -> bool:
    """Return whether every batch holds the same rows, in whatever order."""
    known = [rows for rows in drawn if rows is not None]
    return len(known) > 1 and all(np.array_equal(np.sort(rows), np.sort(known[0])) for rows in known)


@dataclass(frozen=True, eq=False)
class TrainingLines:
    """One recording of train(), asked which line does what. shapes : of the parameters, by name."""

    asked: Asked
    statements: Statements
    recorded: Recorded
    shapes: Mapping[str, tuple[int, ...]]
    steps: Sequence[Iteration]

    @cached_property
    def batches(self) -> list[Array | None]:
        """Return of each step which rows of X its batch holds, (b,); None where one is no row of it."""
        return [positions(step.X, self.asked.X) for step in self.steps]

    @property
    def values(self) -> Sequence[Made]:
        """Return the recorded values, the first made first."""
        return self.recorded.made

    def role(self, about: str) -> Spot | None:
        """Return the line that does one thing of train(): "batch", "loss call", "update W1", "decay", "loop", ..."""
        kind, _, name = about.partition(" ")
        if kind == "update":
            return self.update(name)
        found = {
            "batch": self.batch, "loss call": self.call, "decay": self.decay, "loop": self.loop,
            "loss history": lambda: self.find_history("loss_history"), "train accuracy": lambda: self.find_history("train_acc_history"),
            "val accuracy": lambda: self.find_history("val_acc_history"), "epoch": self.epoch, "returned histories": self.recorded.end,
        }.get(about)  # fmt: skip
        return found() if found is not None else None

    # ---------------------------------------------------------------- one iteration

    def batch(self) -> Spot | None:
        """Return the line that draws the rows of a batch; else the first that holds them under a name, or asks for the loss."""
        if not self.steps:
            return None
        first, rows = self.steps[0], self.batches[0]
        made = (self.indices(rows) if rows is not None else []) or [
            one for one in self.values if is_value(one, first.X)
        ]
        if made and not made[0].given:
            return made[0].spot
        other = [held.spot for one in made[:1] for held in one.holders if held.how == VARIABLE]
        return other[0] if other else self.call()

    def indices(self, rows: Array) -> list[Made]:
        """Return the values that are the numbers of these rows, or a mask of them."""
        mask = np.zeros(len(self.asked.X))
        mask[rows] = 1
        return [
            one
            for one in self.values
            if one.kind in "ib" and (is_value(one, rows) or (one.kind == "b" and is_value(one, mask)))
        ]

    def call(self) -> Spot | None:
        """Return the line that asks for the loss: the first that has the gradients which were answered."""
        if not self.steps:
            calls = [spot for caller, spot, name in self.recorded.calls if name == "loss" and caller >= 0]
            return calls[0] if calls else None
        first = self.steps[0]
        for one in self.values:
            if not one.given and (
                is_value(one, np.asarray(first.loss)) or any(is_value(one, g) for g in first.gradients.values())
            ):
                return one.spot
        return None

    def update(self, name: str = "") -> Spot | None:
        """Return the line that changes a parameter; where none does, the last that changes another one."""
        if not self.steps:
            return None
        lines: dict[str, Spot] = {}
        for one in self.values:
            for parameter, after in self.steps[0].after.items():
                if self.steps[0].moves[parameter].any() and is_value(one, after, laid=True) and not one.given:
                    lines.setdefault(parameter, one.spot)
        if name in lines:
            return lines[name]
        return max(lines.values(), default=None) or self._idle_update()

    def _idle_update(self) -> Spot | None:
        """Return the line that makes the step, where no parameter changes by it."""
        first = self.steps[0]
        for one in self.values:
            for name in self.shapes:
                value = laid_out(one.value, self.shapes[name])
                moved = None if value is None else rate_of(value - first.before[name], first.gradients[name])
                if moved and not one.given:
                    return one.spot
                rate = None if value is None or one.given else rate_of(value, first.gradients[name])
                if rate and abs(abs(rate) - 1) > 1e-9:
                    return one.spot
        return self.call()

    def decay(self) -> Spot | None:
        """Return the line that makes the decayed rate; else one that names the decay, or the test of an epoch."""
        rate, decay = self.asked.rate, self.asked.decay
        for one in self.values:
            own = one.entry if one.kind == "f" and not one.given else 0.0
            if own and any(abs(own - rate * decay**n) <= 1e-9 * rate for n in (1, 2, 3)):
                return one.spot
        where = self.call() or self.recorded.end()
        named = self.statements.naming(*where, "decay", "=") if where else []
        if where and named:
            return where[0], named[-1]
        return self.epoch()

    def loop(self) -> Spot | None:
        """Return the outermost loop around the line that asks for the loss."""
        call = self.call()
        lines = self.statements.enclosing(*call, (ast.For, ast.While)) if call else []
        return (call[0], lines[-1]) if call and lines else None

    def from_train(self, spot: Spot) -> Spot:
        """Return the line of train() itself from which a line of another function runs."""
        for one in self.values:
            if one.spot == spot and not self.recorded.is_method(one.call):
                callers = self.recorded.callers(one.call)
                return callers[-1] if callers else spot
        return spot

    # ---------------------------------------------------------------- the histories

    def find_history(self, key: str) -> Spot | None:
        """Return the line of train() that makes what is kept in a history; else the one that should keep it."""
        found = self.entry(key)
        if found is None:
            return self.call() if key == "loss_history" else self.recorded.end()
        made, entry = found
        just_before = [
            held.spot
            for held in made.holders
            if self.recorded.is_method(held.call)
            and 0 < entry.when - held.when <= NEAR_EVENTS
            and not held.name.endswith("]")
        ]
        return just_before[0] if just_before and key != "loss_history" else entry.spot

    def kept_in(self, key: str) -> Spot | None:
        """Return the line that makes what is kept, in whatever function."""
        found = self.entry(key)
        if found is None:
            return None
        made, entry = found
        inside = [h.spot for h in made.holders if h.how == RETURNED and 0 < entry.when - h.when <= NEAR_EVENTS]
        return inside[0] if inside else entry.spot

    def entry(self, key: str, place: int = 0) -> tuple[Made, Holder] | None:
        """Return the value that is one entry of a history, and the name that holds it there."""
        answer = self.recorded.answer
        own = as_array(answer.get(key)) if isinstance(answer, dict) else None
        if own is None or own.size <= place or own.dtype.kind not in "fiub":
            return None
        words, wanted = [word for word in key.split("_")[:2] if word != "history"], float(own.ravel()[place])
        found = [
            (one, held)
            for one in self.values
            if one.entry == wanted
            for held in one.holders
            if held.how == VARIABLE and held.name.endswith(f"[{place}]")
        ]
        named = [pair for pair in found if all(word in pair[1].name for word in words)]
        begun = [pair for pair in found if any(word in pair[1].name for word in words)]
        return next(iter(named or begun or found), None)

    def epoch(self, key: str = "train_acc_history") -> Spot | None:
        """Return the test behind which a history is kept; without one, the line that keeps it."""
        kept = self.find_history(key)
        inside = self.statements.enclosing(*kept, (ast.If,)) if kept else []
        return (kept[0], inside[0]) if kept and inside else kept

    def returned_early(self) -> Spot | None:
        """Return the line with which train() returned, where it stands inside a loop."""
        end = self.recorded.end()
        return end if end and self.statements.enclosing(*end, (ast.For, ast.While)) else None
