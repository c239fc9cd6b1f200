"""Where train() goes wrong: the lines that draw a batch, ask for the loss, take the step, and let the rate decay."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from grader.compare import as_array
from grader.locate.loss import Spotted
from grader.locate.recognise import laid_out
from grader.locate.recorded import ARGUMENT, RETURNED, VARIABLE, Holder, Made, Recorded, Spot
from grader.locate.statements import Statements
from grader.records import Array, Floats
from grader.student.stand_in import StandIn


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


class TrainFinder:
    """One recording of train()."""

    def __init__(
        self, asked: Asked, statements: Statements, recorded: Recorded, shapes: Mapping[str, tuple[int, ...]]
    ) -> None:
        self.asked, self.statements, self.recorded, self.shapes = asked, statements, recorded, shapes
        self.made: Sequence[Made] = recorded.made
        self.steps = _iterations(recorded.notes, shapes)

    def spotted(self) -> Iterator[Spotted]:
        """Yield all that is wrong, in the order of one iteration."""
        if self.recorded.stopped and self.recorded.error:
            yield Spotted("stopped", self._given_wrongly() or self.recorded.shared_caller() or self.recorded.stopped)
            return
        if not self.steps:
            # Where the labels were not those of the rows, the program's own loss() was asked.
            loops = [spot for spot in self.recorded.ran if self.statements.is_loop(*spot)]
            if call := self._call_line():
                yield Spotted("loss call", call)
            elif loops:  # whose body never ran
                yield Spotted("iterations", loops[-1])
            return
        if not np.array_equal(_flat(self.steps[0].before), _flat(self.asked.params)) and (spot := self._set_anew()):
            yield Spotted("anew", spot)
        yield from self._batch()
        yield from self._question()
        yield from self._updates()
        yield from self._decay()
        if len(self.steps) != self.asked.iterations and (loop := self._returned_early() or self.role("loop")):
            yield Spotted("iterations", loop)
        yield from self._histories()

    # ---------------------------------------------------------------- what is wrong

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
            odd = (
                one.value.ndim == 0
                and one.kind == "i"
                or one.value.ndim == 1
                and (not rows or one.value.size != len(rows[0].value))
            )
            if odd and not one.given and self.recorded.is_method(one.call):
                return one.spot
        return caller[0] if caller else None

    def _set_anew(self) -> Spot | None:
        """Return the line that gives a parameter another value before the first step."""
        call = self._call_line()
        for one in self.made:
            held = [
                held
                for held in one.holders
                if held.how == VARIABLE and "param" in held.name and held.name.endswith("']")
            ]
            known = any(_is(one, value, laid=True) for value in self.asked.params.values())
            if held and not known and held[0].spot != call:
                return held[0].spot
        return None

    def _batch(self) -> Iterator[Spotted]:
        drawn = [_positions(step.X, self.asked.X) for step in self.steps]
        first, rows = self.steps[0], drawn[0]
        if (bound := self._bound_of_indices(drawn)) is not None:
            yield Spotted("batch", bound)
        elif rows is None or len(rows) != self.asked.batch or _same_each_time(drawn):
            spot = self._asked_for_another_size(len(first.y)) or self.role("batch")
            if spot:
                yield Spotted("batch", spot)
        elif not np.array_equal(first.y, self.asked.y[rows]):
            own = self._indices(rows)
            other = [one for one in self._index_like() if one not in own]
            made = (other if own else []) or [one for one in self.made if _is(one, first.y)]
            if made:
                yield Spotted("labels", made[0].spot, made[0])

    def _bound_of_indices(self, drawn: Sequence[Array | None]) -> Spot | None:
        """Return the line that makes the number up to which rows are drawn, where that is not their number."""
        known = [rows for rows in drawn if rows is not None and len(rows)]
        highest = max((int(rows.max()) for rows in known), default=0)
        if sum(map(len, known)) < len(self.asked.X) or 3 * highest > 2 * len(self.asked.X) or _same_each_time(drawn):
            return None
        bounds = [
            one
            for one in self.made
            if one.kind == "i" and one.value.size == 1 and not one.given and self.recorded.ran.get(one.spot) == 1
            if highest < int(one.value.ravel()[0]) < len(self.asked.X)
        ]
        return min(bounds, key=lambda one: int(one.value.ravel()[0])).spot if bounds else None

    def _asked_for_another_size(self, rows: int) -> Spot | None:
        """Return where a function that draws rows is called with another number than the size of a batch."""
        if rows == self.asked.batch:
            return None
        for one in self.made:
            if one.kind == "i" and one.value.size == 1 and int(one.value.ravel()[0]) == rows:
                for held in one.holders:
                    if held.how == ARGUMENT and not self.recorded.is_method(held.call):
                        callers = self.recorded.callers(held.call)
                        return callers[0] if callers else None
        return None

    def _question(self) -> Iterator[Spotted]:
        if any(abs(step.reg - self.asked.reg) > 1e-9 for step in self.steps) and (spot := self.role("loss call")):
            yield Spotted("loss call", spot)

    def _updates(self) -> Iterator[Spotted]:
        first = self.steps[0]
        rates = {name: _rate(first.moves[name], first.gradients[name]) for name in self.shapes}
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
        update = next((one.born for one in self.made if _is(one, step.after[name], laid=True)), 0)
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
                and (c := _rate(value, step.gradients[name]))
                and abs(abs(c) - abs(rate)) < 1e-9 * abs(rate)
                and abs(c) != 1
            ):
                return one.spot
        return None

    def _decay(self) -> Iterator[Spotted]:
        rates = self._rates()
        if rates is None or len(rates) < 2 or not rates[0]:
            return
        seen = [rate / rates[0] for rate in rates[: self.asked.iterations]]
        d = self.asked.decay
        # Three iterations an epoch: it decays after the first one of each, or after the last.
        right = ([1.0, d, d, d, d * d], [1.0, 1.0, 1.0, d, d])
        if any(np.allclose(seen, one[: len(seen)], rtol=1e-6) for one in right):
            return
        factors = [after / before for before, after in pairwise(seen) if before]
        line = self._decay_line()
        line = self._from_train(line) if line else None
        test = self.statements.enclosing(*line, (ast.If,)) if line else []
        if (
            line
            and test
            and any(factor < 1 - 1e-9 for factor in factors)
            and all(np.isclose(f, 1) or np.isclose(f, d) for f in factors)
        ):
            # By the right factor, at the wrong times.
            yield Spotted("decay", self._length_of_epoch((line[0], test[0])) or (line[0], test[0]))
            return
        if np.allclose(seen, 1.0) and line and self._rate_is_made():  # it decays, and the step does not use it
            spot = self._update()
            if spot:
                yield Spotted("decay", self._from_train(spot))
                return
        off = [
            next((i for i, (s, r) in enumerate(zip(seen, one, strict=False)) if not np.isclose(s, r)), 0)
            for one in right
        ]
        wrong = [seen[max(off)] * self.asked.rate, *(one * self.asked.rate for one in seen)]
        for one in self.made:
            own = not one.given and one.value.size == 1 and one.kind == "f" and float(one.value.ravel()[0])
            if own and any(abs(own - rate) <= 1e-6 * abs(rate) for rate in wrong if abs(rate - self.asked.rate) > 1e-9):
                yield Spotted("decay", one.spot, one)
                return
        if spot := self.role("decay"):
            yield Spotted("decay", spot)

    def _length_of_epoch(self, test: Spot) -> Spot | None:
        """Return the line that makes the number of iterations an epoch has, where a test reads a wrong one."""
        names, right = self.statements.reads(*test).names, len(self.asked.X) // self.asked.batch
        other = {len(self.asked.X), self.asked.batch, self.asked.iterations}  # right, and read in the wrong place
        for one in self.made:
            own = one.kind in "if" and one.value.size == 1 and not one.given and self.recorded.ran.get(one.spot) == 1
            if own and float(one.value.ravel()[0]) not in {right, *other} and any(h.name in names for h in one.holders):
                return one.spot
        return None

    def _rate_is_made(self) -> bool:
        wanted = self.asked.rate * self.asked.decay
        return any(
            one.value.size == 1 and not one.given and abs(float(one.value.ravel()[0]) - wanted) <= 1e-9 * wanted
            for one in self.made
        )

    def _from_train(self, spot: Spot) -> Spot:
        """Return the line of train() itself from which a line of another function runs."""
        for one in self.made:
            if one.spot == spot and not self.recorded.is_method(one.call):
                callers = self.recorded.callers(one.call)
                return callers[-1] if callers else spot
        return spot

    def _rates(self) -> list[float] | None:
        """Return the rate of each step; None where one is no multiple of its gradient."""
        found = []
        for step in self.steps:
            known = [rate for name in self.shapes if (rate := _rate(step.moves[name], step.gradients[name]))]
            if not known:
                return None
            found.append(-known[0])
        return found

    def _histories(self) -> Iterator[Spotted]:
        answer = self.recorded.answer
        if not isinstance(answer, dict):
            if spot := self.role("returned histories"):
                yield Spotted("returned histories", spot)
            return
        own = as_array(answer.get("loss_history"))
        losses = np.array([step.loss for step in self.steps])
        if own is None or own.shape != losses.shape or not np.allclose(own, losses, rtol=1e-6):
            pairs = zip(own.ravel().tolist(), losses.tolist(), strict=False) if own is not None else ()
            off = next((place for place, (one, right) in enumerate(pairs) if not np.isclose(one, right)), 0)
            entry = self._entry("loss_history", off)
            spot = entry[1].spot if entry else self.role("loss history")
            if spot:
                yield Spotted("loss history", spot)
        yield from self._accuracies(answer)

    def _accuracies(self, answer: Mapping[str, Any]) -> Iterator[Spotted]:
        asked, labels = self.asked, self.asked.stand_in.labels
        strange: dict[str, Spot] = {}

        def shares(X: Floats, y: Array, moments: Sequence[int]) -> set[float]:
            return {float((labels(moment, X) == y).mean()) for moment in moments}

        def possible(key: str, iteration: int) -> set[float]:
            moments, step = (iteration, iteration + 1), self.steps[min(iteration, len(self.steps) - 1)]
            if key == "val_acc_history":
                return shares(asked.X_val, asked.y_val, moments)
            of_batch = shares(step.X, step.y, moments) if 0 < len(step.X) == len(step.y) else set[float]()
            return of_batch | shares(asked.X, asked.y, moments)

        for key, role in (("train_acc_history", "train accuracy"), ("val_acc_history", "val accuracy")):
            own = as_array(answer.get(key))
            spot = self.role(role)
            if spot is None:
                continue
            if own is None or own.dtype.kind not in "fiub" or not own.size:
                other = "val_acc_history" if role == "train accuracy" else "train_acc_history"
                yield Spotted(role, self._kept(other) or spot)
                continue
            if own.size not in {1, 2}:
                test = self._epoch(key)
                yield Spotted("epoch", (self._length_of_epoch(test) if test else None) or test or spot)
                continue
            # After the first iteration of each epoch, which are 0 and 3, or after its last one.
            times = (0, 3) if own.size == 2 else (2,)
            pairs = zip(own.ravel().tolist(), times, strict=True)
            if not all(any(abs(value - one) < 1e-6 for one in possible(key, time)) for value, time in pairs):
                strange[role] = spot
        for role, spot in strange.items():
            # One function serves both: what is wrong with both is wrong there.
            shared = self._kept_in(f"{role.split()[0]}_acc_history") if len(strange) > 1 else None
            yield Spotted(role, shared or spot)

    # ---------------------------------------------------------------- where each thing is done

    def role(self, about: str) -> Spot | None:
        """Return the line that does one thing of train(): "batch", "loss call", "update W1", "decay", "loop", ..."""
        kind, _, name = about.partition(" ")
        if kind == "update":
            return self._update(name)
        found = {
            "batch": self._batch_line, "loss call": self._call_line, "decay": self._decay_line, "loop": self._loop,
            "loss history": lambda: self._kept("loss_history"), "train accuracy": lambda: self._kept("train_acc_history"),
            "val accuracy": lambda: self._kept("val_acc_history"), "epoch": self._epoch, "returned histories": self._end,
        }.get(about)  # fmt: skip
        return found() if found is not None else None

    def _batch_line(self) -> Spot | None:
        if not self.steps:
            return None
        first = self.steps[0]
        rows = _positions(first.X, self.asked.X)
        drawn = self._indices(rows) if rows is not None else []
        made = drawn or [one for one in self.made if _is(one, first.X)]
        if made and not made[0].given:
            return made[0].spot
        other = [held.spot for one in made[:1] for held in one.holders if held.how == VARIABLE]
        return other[0] if other else self._call_line()

    def _indices(self, rows: Array) -> list[Made]:
        """Return the values that are the numbers of these rows, or a mask of them."""
        mask = np.zeros(len(self.asked.X))
        mask[rows] = 1
        return [
            one for one in self.made if one.kind in "ib" and (_is(one, rows) or (one.kind == "b" and _is(one, mask)))
        ]

    def _index_like(self) -> list[Made]:
        return [
            one for one in self.made if one.kind == "i" and one.value.ndim == 1 and not one.given and one.value.size > 1
        ]

    def _call_line(self) -> Spot | None:
        """Return the line that asks for the loss: the first that has the gradients which were answered."""
        if not self.steps:
            calls = [spot for caller, spot, name in self.recorded.calls if name == "loss" and caller >= 0]
            return calls[0] if calls else None
        first = self.steps[0]
        for one in self.made:
            if not one.given and (
                _is(one, np.asarray(first.loss)) or any(_is(one, g) for g in first.gradients.values())
            ):
                return one.spot
        return None

    def _update(self, name: str = "") -> Spot | None:
        """Return the line that changes a parameter; where none does, the last that changes another one."""
        if not self.steps:
            return None
        lines: dict[str, Spot] = {}
        for one in self.made:
            for parameter, after in self.steps[0].after.items():
                if self.steps[0].moves[parameter].any() and _is(one, after, laid=True) and not one.given:
                    lines.setdefault(parameter, one.spot)
        if name in lines:
            return lines[name]
        return max(lines.values(), default=None) or self._idle_update()

    def _idle_update(self) -> Spot | None:
        """Return the line that makes the step, where no parameter changes by it."""
        first = self.steps[0]
        for one in self.made:
            for name in self.shapes:
                value = laid_out(one.value, self.shapes[name])
                moved = None if value is None else _rate(value - first.before[name], first.gradients[name])
                if moved and not one.given:
                    return one.spot
                rate = None if value is None or one.given else _rate(value, first.gradients[name])
                if rate and abs(abs(rate) - 1) > 1e-9:
                    return one.spot
        return self._call_line()

    def _decay_line(self) -> Spot | None:
        rate, decay = self.asked.rate, self.asked.decay
        for one in self.made:
            own = float(one.value.ravel()[0]) if one.value.size == 1 and one.kind == "f" and not one.given else 0.0
            if own and any(abs(own - rate * decay**n) <= 1e-9 * rate for n in (1, 2, 3)):
                return one.spot
        where = self._call_line() or self._end()
        named = self.statements.naming(*where, "decay", "=") if where else []
        if where and named:
            return where[0], named[-1]
        return self._epoch()

    def _loop(self) -> Spot | None:
        call = self._call_line()
        lines = self.statements.enclosing(*call, (ast.For, ast.While)) if call else []
        return (call[0], lines[-1]) if call and lines else None

    def _kept(self, key: str) -> Spot | None:
        """Return the line of train() that makes what is kept in a history; else the one that should keep it."""
        found = self._entry(key)
        if found is None:
            return self._call_line() if key == "loss_history" else self._end()
        made, entry = found
        just_before = [
            held.spot
            for held in made.holders
            if self.recorded.is_method(held.call)
            and 0 < entry.when - held.when <= NEAR_EVENTS
            and not held.name.endswith("]")
        ]
        return just_before[0] if just_before and key != "loss_history" else entry.spot

    def _kept_in(self, key: str) -> Spot | None:
        """Return the line that makes what is kept, in whatever function."""
        found = self._entry(key)
        if found is None:
            return None
        made, entry = found
        inside = [h.spot for h in made.holders if h.how == RETURNED and 0 < entry.when - h.when <= NEAR_EVENTS]
        return inside[0] if inside else entry.spot

    def _entry(self, key: str, place: int = 0) -> tuple[Made, Holder] | None:
        """Return the value that is one entry of a history, and the name that holds it there."""
        answer = self.recorded.answer
        own = as_array(answer.get(key)) if isinstance(answer, dict) else None
        if own is None or own.size <= place or own.dtype.kind not in "fiub":
            return None
        words, wanted = [word for word in key.split("_")[:2] if word != "history"], float(own.ravel()[place])
        found = [
            (one, held)
            for one in self.made
            if one.value.size == 1 and float(one.value.ravel()[0]) == wanted
            for held in one.holders
            if held.name.endswith(f"[{place}]")
        ]
        named = [pair for pair in found if all(word in pair[1].name for word in words)]
        begun = [pair for pair in found if any(word in pair[1].name for word in words)]
        return next(iter(named or begun or found), None)

    def _epoch(self, key: str = "train_acc_history") -> Spot | None:
        """Return the test behind which a history is kept; without one, the line that keeps it."""
        kept = self._kept(key)
        inside = self.statements.enclosing(*kept, (ast.If,)) if kept else []
        return (kept[0], inside[0]) if kept and inside else kept

    def _returned_early(self) -> Spot | None:
        end = self._end()
        return end if end and self.statements.enclosing(*end, (ast.For, ast.While)) else None

    def _end(self) -> Spot | None:
        return self.recorded.end()


# ---------------------------------------------------------------- small questions

# How much earlier, in events, the line that makes an accuracy may come than the one that keeps it.
NEAR_EVENTS = 8


def _is(made: Made, value: Array, *, laid: bool = False) -> bool:
    if made.value.size != np.size(value):
        return False
    own = laid_out(made.value, np.shape(value)) if laid or np.ndim(value) == 2 else made.value.reshape(np.shape(value))
    return own is not None and np.array_equal(own, value)


def _flat(params: Mapping[str, Floats]) -> Floats:
    return np.concatenate([value.ravel() for value in params.values()])


def _rate(move: Floats, gradient: Floats) -> float | None:
    """Return c where a move is c times the gradient; 0 where nothing moves; None where it is no multiple."""
    if not move.any():
        return 0.0
    square = float((gradient * gradient).sum())
    c = float((move * gradient).sum()) / square if square else 0.0
    return c if np.abs(move - c * gradient).max() <= 1e-7 * np.abs(move).max() else None


def _positions(batch: Floats, X: Floats) -> Array | None:
    """Return which rows of X a batch holds, (b,); None where one is no row of it."""
    if batch.ndim != 2 or batch.shape[1] != X.shape[1]:
        return None
    same = (batch[:, None, :] == X[None, :, :]).all(axis=2)
    return same.argmax(axis=1) if same.any(axis=1).all() else None


def _same_each_time(drawn: Sequence[Array | None]) -> bool:
    known = [rows for rows in drawn if rows is not None]
    return len(known) > 1 and all(np.array_equal(np.sort(rows), np.sort(known[0])) for rows in known)


def _iterations(notes: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> list[Iteration]:
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
    found, start = {}, 0
    for name, shape in shapes.items():
        end = start + int(np.prod(shape))
        found[name] = np.asarray(row[start:end], np.float64).reshape(shape)
        start = end
    return found
