"""Where an exception or a NaN comes from: the line that made what a later one could not use."""

from __future__ import annotations

import numpy as np

from grader.locate.loss_recording import Reading
from grader.locate.recorded_values import ARGUMENT, VARIABLE, Made, Spot


def first_not_finite(reading: Reading) -> Made | None:
    """Return the first value that is infinite or NaN, where an answer is."""
    own = reading.own
    answers = [own.scores, own.loss, *(own.gradients or {}).values()]
    if all(one is None or np.isfinite(one).all() for one in answers):
        return None
    return next((one for one in reading.made if not one.given and not np.isfinite(one.value).all()), None)


def behind_stop(reading: Reading, stopped: Spot) -> Spot:
    """Return the line that made what the line at which the program stopped could not use, where that is plain."""
    if (caller := reading.recorded.shared_caller()) is not None:
        return caller
    if (other_layer := _of_another_layer(reading, stopped)) is not None:
        return other_layer
    reads = reading.statements.reads(*stopped)
    held = {held.name: one for one in reading.made for held in one.holders}
    used = [one for name, one in held.items() if name in reads.names | reads.parts and one.value.size > 1]
    used += [
        reading.made[number]
        for number in reading.recorded.pending
        if _is_called_from(reading, reading.made[number], stopped)
    ]
    unknown = sorted(
        (one for one in used if reading.right[one.number] is None and not one.given), key=lambda one: one.number
    )
    origins = reading.ancestry.origins(unknown[0].value) if unknown else []
    if origins:
        # Zeros of one shape are one value: the line that set the name last made them for this one.
        named = [h.spot for h in origins[0].holders if h.name in reads.names and h.how == VARIABLE]
        return named[-1] if named and not origins[0].value.any() else origins[0].spot
    # One number of each row, for which an axis of length one should have been kept.
    rows = [one for one in used if one.value.shape == (reading.case.N,) and one.kind == "f" and not one.given]
    return rows[0].spot if rows and len(used) > 1 else stopped


def _of_another_layer(reading: Reading, stopped: Spot) -> Spot | None:
    """Return the line that took a parameter of the other layer, or one twice, for what a line puts together."""
    names = reading.statements.reads(*stopped).names
    read = [
        (held, known.name)
        for one in reading.made
        if (known := reading.right[one.number]) and not known.factor and not known.detail
        for held in one.holders
        if held.name in names and (held.how == VARIABLE or held.call == len(reading.recorded.calls) - 1)
    ]
    w1, b1, w2, b2 = reading.case.names
    inputs = {name for _, name in read if name in {"X", "h"}}
    inputs |= {"X"} & {
        known.name
        for one in reading.made
        for h in one.holders
        if h.name in names and (known := reading.right[one.number])
    }
    wanted = {"X": {w1, b1}, "h": {w2, b2}}.get(next(iter(inputs), "")) if len(inputs) == 1 else None
    if wanted is None:
        return None
    params = [(held, name) for held, name in read if name in reading.case.names]
    wrong = [held for held, name in params if name not in wanted]
    twice = [held for held, name in params if sum(name == other for _, other in params) > 1]
    if not wrong and not (twice and len(params) == 2):
        return None
    first = (wrong or twice)[0]
    callers = reading.recorded.callers(first.call) if first.how == ARGUMENT else []
    return callers[0] if callers else first.spot


def _is_called_from(reading: Reading, made: Made, spot: Spot) -> bool:
    """Return whether an array was made in a function that this line called."""
    callers = reading.recorded.callers(made.call)
    return made.value.size > 1 and any((at[0], reading.statements.start(*at)) == spot for at in callers)
