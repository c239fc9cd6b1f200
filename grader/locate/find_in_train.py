"""Where train() goes wrong, in the order of one iteration: the batch, the question to loss(), the step, the epoch."""

from collections.abc import Iterator, Mapping

import numpy as np

from grader.locate.find_in_epochs import wrong_decay, wrong_histories
from grader.locate.recorded_case import Spotted, laid_out
from grader.locate.recorded_values import ARGUMENT, VARIABLE, Spot
from grader.locate.training_lines import Iteration, TrainingLines, is_value, rate_of, same_each_time
from grader.model import Floats


def spotted(lines: TrainingLines) -> Iterator[Spotted]:
    """Yield all that is wrong in one recording of train(), in the order of one iteration."""
    recorded, steps, asked = lines.recorded, lines.steps, lines.asked
    if recorded.stopped and recorded.error:
        yield Spotted("stopped", _given_wrongly(lines) or recorded.shared_caller() or recorded.stopped)
        return
    if not steps:
        # Where the labels were not those of the rows, the program's own loss() was asked.
        loops = [spot for spot in recorded.ran if lines.statements.is_loop(*spot)]
        if call := lines.call():
            yield Spotted("loss call", call)
        elif loops:  # whose body never ran
            yield Spotted("iterations", loops[-1])
        return
    if not np.array_equal(_flat(steps[0].before), _flat(asked.params)) and (spot := _set_anew(lines)):
        yield Spotted("anew", spot)
    yield from wrong_batch(lines)
    if any(abs(step.reg - asked.reg) > 1e-9 for step in steps) and (call := lines.call()):  # it does not hand on reg
        yield Spotted("loss call", call)
    yield from _updates(lines)
    yield from wrong_decay(lines)
    if len(steps) != asked.iterations and (loop := lines.returned_early() or lines.loop()):
        yield Spotted("iterations", loop)
    yield from wrong_histories(lines)


def wrong_batch(lines: TrainingLines) -> Iterator[Spotted]:
    """Yield what is wrong with the rows of a batch, or else with their labels."""
    first, rows = lines.steps[0], lines.batches[0]
    if (bound := _bound_of_indices(lines)) is not None:
        yield Spotted("batch", bound)
    elif rows is None or len(rows) != lines.asked.batch or same_each_time(lines.batches):
        spot = _asked_for_another_size(lines, len(first.y)) or lines.role("batch")
        if spot:
            yield Spotted("batch", spot)
    elif not np.array_equal(first.y, lines.asked.y[rows]):
        own = lines.indices(rows)
        other = [one for one in lines.values if one.kind == "i" and one.value.ndim == 1 and one.value.size > 1]
        other = [one for one in other if one not in own and not one.given] if own else []
        made = other or [one for one in lines.values if is_value(one, first.y)]
        if made:
            yield Spotted("labels", made[0].spot, made[0])


def _bound_of_indices(lines: TrainingLines) -> Spot | None:
    """Return the line that makes the number up to which rows are drawn, where that is not their number."""
    known = [rows for rows in lines.batches if rows is not None and len(rows)]
    highest = max((int(rows.max()) for rows in known), default=0)
    if (
        sum(map(len, known)) < len(lines.asked.X)
        or 3 * highest > 2 * len(lines.asked.X)
        or same_each_time(lines.batches)
    ):
        return None
    bounds = [
        one
        for one in lines.values
        if one.kind == "i" and not one.given and lines.recorded.ran.get(one.spot) == 1
        if highest < one.entry < len(lines.asked.X)
    ]
    return min(bounds, key=lambda one: one.entry).spot if bounds else None


def _asked_for_another_size(lines: TrainingLines, rows: int) -> Spot | None:
    """Return where a function that draws rows is called with another number than the size of a batch."""
    if rows == lines.asked.batch:
        return None
    for one in lines.values:
        if one.kind == "i" and one.entry == rows:
            for held in one.holders:
                if held.how == ARGUMENT and not lines.recorded.is_method(held.call):
                    return lines.recorded.caller(held.call)
    return None


def _given_wrongly(lines: TrainingLines) -> Spot | None:
    """Return the line that made what the program's own loss() could not use; the stand-in does not answer for that."""
    recorded = lines.recorded
    call = next((number for number, (_, _, name) in enumerate(recorded.calls) if name == "loss"), None)
    if call is None:
        return None
    passed = {
        held.name: one for one in lines.values for held in one.holders if held.call == call and held.how == ARGUMENT
    }
    rows = [one for one in passed.values() if one.value.ndim == 2]
    for one in passed.values():
        a_number = one.value.ndim == 0 and one.kind == "i"
        labels_of_others = one.value.ndim == 1 and (not rows or one.value.size != len(rows[0].value))
        if (a_number or labels_of_others) and not one.given and recorded.is_method(one.call):
            return one.spot
    return recorded.caller(call)


def _set_anew(lines: TrainingLines) -> Spot | None:
    """Return the line that gives a parameter another value before the first step."""
    call = lines.call()
    for one in lines.values:
        held = [h for h in one.holders if h.how == VARIABLE and "param" in h.name and h.name.endswith("']")]
        known = any(is_value(one, value, laid=True) for value in lines.asked.params.values())
        if held and not known and held[0].spot != call:
            return held[0].spot
    return None


def _updates(lines: TrainingLines) -> Iterator[Spotted]:
    """Yield the lines behind parameters that do not move by -learning_rate times their gradient."""
    first = lines.steps[0]
    for name in lines.shapes:
        rate = rate_of(first.moves[name], first.gradients[name])
        if rate is not None and abs(rate + lines.asked.rate) <= 1e-6 * lines.asked.rate:
            continue
        if spot := lines.update(name):
            listed = lines.statements.literal_loop(*spot) if rate == 0 else None
            line = (spot[0], listed) if listed else _origin_of_step(lines, name, first, rate)
            yield Spotted(f"update {name}", line or spot)


def _origin_of_step(lines: TrainingLines, name: str, step: Iteration, rate: float | None) -> Spot | None:
    """Return the first value that is the wrong step, or the wrong factor's multiple of the gradient."""
    move, gradient = step.moves[name], step.gradients[name]
    update = next((one.born for one in lines.values if is_value(one, step.after[name], laid=True)), 0)
    for one in lines.values:
        if one.given:
            continue
        if rate and one.kind == "f" and one.born < update and abs(abs(one.entry) - abs(rate)) < 1e-9 * abs(rate):
            return one.spot
        value = laid_out(one.value, lines.shapes[name])
        if value is None or not value.any():
            continue
        size = np.abs(value)
        if np.allclose(size, np.abs(move), rtol=1e-9, atol=1e-15) and not np.allclose(size, np.abs(gradient)):
            return one.spot
        c = rate_of(value, gradient) if rate is not None else None
        if rate is not None and c and abs(abs(c) - abs(rate)) < 1e-9 * abs(rate) and abs(c) != 1:
            return one.spot
    return None


def _flat(params: Mapping[str, Floats]) -> Floats:
    return np.concatenate([value.ravel() for value in params.values()])
