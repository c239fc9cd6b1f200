"""Where train() goes wrong, in the order of one iteration: the batch, the question to loss(), the step, the epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from grader.locate.find_in_epochs import wrong_decay, wrong_histories
from grader.locate.recorded_case import Spotted, laid_out
from grader.locate.recorded_values import ARGUMENT, VARIABLE, Made, Recorded, Spot
from grader.locate.source_statements import Statements
from grader.locate.training_lines import (
    Asked,
    Iteration,
    TrainingLines,
    is_value,
    iterations,
    positions,
    rate_of,
    same_each_time,
)
from grader.model import Array, Floats


def wrong_batch(lines: TrainingLines) -> Iterator[Spotted]:
    """Yield what is wrong with the rows of a batch, or else with their labels."""
    drawn = [positions(step.X, lines.asked.X) for step in lines.steps]
    first, rows = lines.steps[0], drawn[0]
    if (bound := _bound_of_indices(lines, drawn)) is not None:
        yield Spotted("batch", bound)
    elif rows is None or len(rows) != lines.asked.batch or same_each_time(drawn):
        spot = _asked_for_another_size(lines, len(first.y)) or lines.role("batch")
        if spot:
            yield Spotted("batch", spot)
    elif not np.array_equal(first.y, lines.asked.y[rows]):
        own = lines.indices(rows)
        other = [one for one in _index_like(lines) if one not in own]
        made = (other if own else []) or [one for one in lines.values if is_value(one, first.y)]
        if made:
            yield Spotted("labels", made[0].spot, made[0])


def _bound_of_indices(lines: TrainingLines, drawn: Sequence[Array | None]) -> Spot | None:
    """Return the line that makes the number up to which rows are drawn, where that is not their number."""
    known = [rows for rows in drawn if rows is not None and len(rows)]
    highest = max((int(rows.max()) for rows in known), default=0)
    if sum(map(len, known)) < len(lines.asked.X) or 3 * highest > 2 * len(lines.asked.X) or same_each_time(drawn):
        return None
    bounds = [
        one
        for one in lines.values
        if one.kind == "i" and one.value.size == 1 and not one.given and lines.recorded.ran.get(one.spot) == 1
        if highest < int(one.value.ravel()[0]) < len(lines.asked.X)
    ]
    return min(bounds, key=lambda one: int(one.value.ravel()[0])).spot if bounds else None


def _asked_for_another_size(lines: TrainingLines, rows: int) -> Spot | None:
    """Return where a function that draws rows is called with another number than the size of a batch."""
    if rows == lines.asked.batch:
        return None
    for one in lines.values:
        if one.kind == "i" and one.value.size == 1 and int(one.value.ravel()[0]) == rows:
            for held in one.holders:
                if held.how == ARGUMENT and not lines.recorded.is_method(held.call):
                    callers = lines.recorded.callers(held.call)
                    return callers[0] if callers else None
    return None


def _index_like(lines: TrainingLines) -> list[Made]:
    """Return the values that could be numbers of rows."""
    return [
        one for one in lines.values if one.kind == "i" and one.value.ndim == 1 and not one.given and one.value.size > 1
    ]


class TrainFinder:
    """One recording of train(), asked what is wrong in it, and which line does what."""

    def __init__(
        self, asked: Asked, statements: Statements, recorded: Recorded, shapes: Mapping[str, tuple[int, ...]]
    ) -> None:
        self.asked, self.statements, self.recorded, self.shapes = asked, statements, recorded, shapes
        self.made: Sequence[Made] = recorded.made
        self.steps = iterations(recorded.notes, shapes)
        self.lines = TrainingLines(asked, statements, recorded, shapes, self.steps)

    def spotted(self) -> Iterator[Spotted]:
        """Yield all that is wrong, in the order of one iteration."""
        if self.recorded.stopped and self.recorded.error:
            yield Spotted("stopped", self._given_wrongly() or self.recorded.shared_caller() or self.recorded.stopped)
            return
        if not self.steps:
            # Where the labels were not those of the rows, the program's own loss() was asked.
            loops = [spot for spot in self.recorded.ran if self.statements.is_loop(*spot)]
            if call := self.lines.call():
                yield Spotted("loss call", call)
            elif loops:  # whose body never ran
                yield Spotted("iterations", loops[-1])
            return
        if not np.array_equal(_flat(self.steps[0].before), _flat(self.asked.params)) and (spot := self._set_anew()):
            yield Spotted("anew", spot)
        yield from wrong_batch(self.lines)
        yield from self._question()
        yield from self._updates()
        yield from wrong_decay(self.lines)
        if len(self.steps) != self.asked.iterations and (loop := self.lines.returned_early() or self.role("loop")):
            yield Spotted("iterations", loop)
        yield from wrong_histories(self.lines)

    def role(self, about: str) -> Spot | None:
        """Return the line that does one thing of train(): "batch", "loss call", "update W1", "decay", "loop", ..."""
        return self.lines.role(about)

    def _given_wrongly(self) -> Spot | None:
        """Return the line that made what the program's own loss() could not use; the stand-in does not answer for that."""
        call = next((number for number, (_, _, name) in enumerate(self.recorded.calls) if name == "loss"), None)
        if call is None:
            return None
        given = {
            held.name: one for one in self.made for held in one.holders if held.call == call and held.how == ARGUMENT
        }
        rows = [one for one in given.values() if one.value.ndim == 2]
        caller = self.recorded.callers(call)
        for one in given.values():
            a_number = one.value.ndim == 0 and one.kind == "i"
            labels_of_others = one.value.ndim == 1 and (not rows or one.value.size != len(rows[0].value))
            if (a_number or labels_of_others) and not one.given and self.recorded.is_method(one.call):
                return one.spot
        return caller[0] if caller else None

    def _set_anew(self) -> Spot | None:
        """Return the line that gives a parameter another value before the first step."""
        call = self.lines.call()
        for one in self.made:
            held = [
                held
                for held in one.holders
                if held.how == VARIABLE and "param" in held.name and held.name.endswith("']")
            ]
            known = any(is_value(one, value, laid=True) for value in self.asked.params.values())
            if held and not known and held[0].spot != call:
                return held[0].spot
        return None

    def _question(self) -> Iterator[Spotted]:
        """Yield the line that asks for the loss, where it does not hand on reg."""
        if any(abs(step.reg - self.asked.reg) > 1e-9 for step in self.steps) and (spot := self.role("loss call")):
            yield Spotted("loss call", spot)

    def _updates(self) -> Iterator[Spotted]:
        """Yield the lines behind parameters that do not move by -learning_rate times their gradient."""
        first = self.steps[0]
        rates = {name: rate_of(first.moves[name], first.gradients[name]) for name in self.shapes}
        for name, rate in rates.items():
            if rate is not None and abs(rate + self.asked.rate) <= 1e-6 * self.asked.rate:
                continue
            spot = self.role(f"update {name}")
            if spot is not None:
                listed = self.statements.literal_loop(*spot) if rate == 0 else None
                line = (spot[0], listed) if listed else self._origin_of_step(name, first, rate)
                yield Spotted(f"update {name}", line or spot)

    def _origin_of_step(self, name: str, step: Iteration, rate: float | None) -> Spot | None:
        """Return the first value that is the wrong step, or the wrong factor's multiple of the gradient."""
        update = next((one.born for one in self.made if is_value(one, step.after[name], laid=True)), 0)
        for one in self.made:
            number = one.value.size == 1 and one.kind == "f" and not one.given and one.born < update
            if number and rate and abs(abs(float(one.value.ravel()[0])) - abs(rate)) < 1e-9 * abs(rate):
                return one.spot
            value = laid_out(one.value, self.shapes[name])
            if value is None or one.given or not value.any():
                continue
            if np.allclose(np.abs(value), np.abs(step.moves[name]), rtol=1e-9, atol=1e-15) and not np.allclose(
                np.abs(value), np.abs(step.gradients[name])
            ):
                return one.spot
            if (
                rate is not None
                and (c := rate_of(value, step.gradients[name]))
                and abs(abs(c) - abs(rate)) < 1e-9 * abs(rate)
                and abs(c) != 1
            ):
                return one.spot
        return None


def _flat(params: Mapping[str, Floats]) -> Floats:
    return np.concatenate([value.ravel() for value in params.values()])
