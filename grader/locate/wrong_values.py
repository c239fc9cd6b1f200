"""The lines behind wrong values of loss(): where a step is missing, a helper is called wrongly, a parameter changes, or it stops."""

import numpy as np

from grader.locate.read_loss import Reading
from grader.locate.recorded_case import Spotted, without_layer
from grader.locate.recorded_values import ARGUMENT, RETURNED, VARIABLE, Made, Spot
from grader.locate.replacing import Replaced


def outside_shared(reading: Reading, made: Made, step: str) -> Spot:
    """Return a value's line; where that line also made a right one for the other layer, the line of the call.

    What one layer gets wrong and the other does not is wrong where the shared function is called.
    """
    wrong = [made, *(one.made for one in reading.explained.replaced)]
    right_too = [
        other
        for other in reading.values
        if other.spot == made.spot and other.call != made.call and other not in wrong and reading.follows[other.number]
    ]
    caller = reading.recorded.caller(made.call) if right_too and step not in {"d h", "d u"} else None
    return caller or made.spot


def given_no_gradient(reading: Reading, made: Made, step: str) -> Spot | None:
    """Return where a function of the way back is called without any gradient: what it makes is wrong by what it is given."""
    if without_layer(step) not in {"d h", "d u"} or reading.recorded.is_method(made.call):
        return None
    given = [one for one in reading.values for held in one.holders if held.call == made.call and held.how == ARGUMENT]
    known = [reading.right[one.number] for one in given if one.value.size > 1]
    if not known or any(of is None or of.name.startswith(("d ", "p")) for of in known):
        return None
    return reading.recorded.caller(made.call)


# A missing step is told at the line that uses the value as it is, where that line is this near; else at the value's own.
NEAR_USE = 2


def behind_replaced(reading: Reading, one: Replaced) -> Spotted:
    """Return the line behind a recorded value that takes the place of a right one."""
    made, known, kind = one.made, reading.right[one.made.number], without_layer(one.step)
    if known is None or known.kind != "right" or known.factor or known.detail:
        unknown = known is None or known.kind == "near" or known.detail
        first = reading.ancestry.first_unknown(made) if unknown else made
        return Spotted(
            one.step, given_no_gradient(reading, first, one.step) or outside_shared(reading, first, one.step), made
        )
    # It is right as an earlier step: what is wrong is that the next one is missing, or does nothing.
    idle = _idle_line(reading, made)
    if idle is not None and kind in {"d u", "h", "mask", "centred", "d scores"}:
        return Spotted(one.step, idle, made, known=known)
    if kind in {"u", "scores"} and not known.name.startswith(kind):  # the bias of a layer is missing
        return Spotted(one.step, made.spot, made, known=known)
    used = _used_as_it_is(reading, made)
    handed_on = _handed_on(made, used.born if used else None)
    if handed_on is not None:
        return Spotted(one.step, handed_on, made, used=used.spot if used else None, known=known)
    if used is None:
        return Spotted(one.step, made.spot, made, known=known)
    if kind == "d u" and reading.statements.compares(*made.spot):  # the mask is there, and lets everything through
        return Spotted(one.step, made.spot, made, known=known)
    at, own = _from_use_to_value(reading, made, used)
    near = kind == "d u" and 0 <= at[1] - own[1] <= NEAR_USE
    return Spotted(one.step, at if near else own, made, used=at, known=known)


def _from_use_to_value(reading: Reading, made: Made, used: Made) -> tuple[Spot, Spot]:
    """Return the line that uses a value as it is, and the one that made it; where a shared function did, those that called it."""
    passed = any(held.how == ARGUMENT and held.call == used.call for held in made.holders)
    if not passed or used.call == made.call:
        return used.spot, made.spot
    caller = reading.recorded.caller(used.call)
    at = (caller[0], reading.statements.start(*caller)) if caller else used.spot
    shared = [name for _, _, name in reading.recorded.calls].count(reading.recorded.function(made.call)) > 1
    received = [held.spot for held in made.holders if held.how == VARIABLE and held.call != made.call]
    return at, received[0] if shared and received else made.spot


def _used_as_it_is(reading: Reading, made: Made) -> Made | None:
    """Return the first unknown array that was made of a value."""
    wrong = [
        reading.values[user]
        for user in made.users
        if reading.values[user].value.size > 1 and reading.right[user] is None
    ]
    return min(wrong, key=lambda one: one.number) if wrong else None


def _idle_line(reading: Reading, made: Made) -> Spot | None:
    """Return a line that ran after a value was made, stores into it, and changed nothing."""
    names = {held.name for held in made.holders}
    changed = {held.spot for one in reading.values for held in one.holders if held.name in names}
    for spot in reading.recorded.ran:
        after = spot[0] == made.spot[0] and spot[1] > made.spot[1]
        if after and spot not in changed and reading.statements.stores_into(*spot, names):
            return spot
    return None


def _handed_on(made: Made, until: int | None) -> Spot | None:
    """Return the line that gives a value another name, as if something had been done to it; None where none does."""
    before = made.holders[0]
    for held in made.holders[1:]:
        if until is not None and held.when >= until:
            break
        received = before.how == RETURNED and held.how == VARIABLE
        given_back = before.how == VARIABLE and held.how == RETURNED and before.call == held.call
        if given_back:
            before = held
            continue
        if held.how != ARGUMENT and not received:
            return held.spot
        before = held
    return None


def swapped_names(reading: Reading) -> Spot | None:
    """Return a line that gives a variable called W1 the value of another parameter."""
    for one in reading.values:
        known = reading.right[one.number]
        if known is not None and known.name in reading.case.names and not known.factor:
            for held in one.holders:
                if held.how == VARIABLE and held.name in reading.case.names and held.name != known.name:
                    return held.spot
    return None


def changed_parameter(reading: Reading) -> Spot | None:
    """Return the line that changes a parameter in place, also under another name: what comes after has the wrong one."""
    held_right: set[tuple[int, str]] = set()
    events = [(held, made) for made in reading.values for held in made.holders]
    for held, one in sorted(events, key=lambda pair: pair[0].when):
        known, key = reading.right[one.number], (held.call, held.name)
        if known is not None and known.name in reading.case.names and not known.factor and known.kind == "right":
            held_right.add(key)
        elif key in held_right and (held.name in reading.case.names or "params[" in held.name):
            if not reading.statements.binds(*held.spot, held.name) and not one.given:
                return one.spot
            held_right.discard(key)
    return None


def changed_in_place(reading: Reading, about: str) -> Spot | None:
    """Return the line that changes, in place, the inputs or the parameters that loss() was given."""
    wanted = {"X", "y"} if about == "inputs" else set(reading.case.names)
    holds: dict[tuple[int, str], bool] = {}
    events = sorted(((h, one) for one in reading.values for h in one.holders), key=lambda pair: pair[0].when)
    for held, one in events:
        known = reading.right[one.number]
        now = known is not None and known.name in wanted and not known.factor and not known.detail
        before = holds.get((held.call, held.name), False)
        if before and not now and not reading.statements.binds(*held.spot, held.name):
            return held.spot
        holds[held.call, held.name] = now
    return None


def first_not_finite(reading: Reading) -> Made | None:
    """Return the first value that is infinite or NaN, where an answer is."""
    own = reading.own
    answers = [own.scores, own.loss, *(own.gradients or {}).values()]
    if all(one is None or np.isfinite(one).all() for one in answers):
        return None
    return next((one for one in reading.values if not one.given and not np.isfinite(one.value).all()), None)


def behind_stop(reading: Reading, stopped: Spot) -> Spot:
    """Return the line that made what the line at which the program stopped could not use, where that is plain."""
    if (caller := reading.recorded.shared_caller()) is not None:
        return caller
    if (other_layer := _of_another_layer(reading, stopped)) is not None:
        return other_layer
    reads = reading.statements.reads(*stopped)
    held = {held.name: one for one in reading.values for held in one.holders}
    used = [one for name, one in held.items() if name in reads.names | reads.parts and one.value.size > 1]
    used += [
        reading.values[number]
        for number in reading.recorded.pending
        if _is_called_from(reading, reading.values[number], stopped)
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
        for one in reading.values
        if (known := reading.right[one.number]) and not known.factor and not known.detail
        for held in one.holders
        if held.name in names and (held.how == VARIABLE or held.call == len(reading.recorded.calls) - 1)
    ]
    names_of = list(zip(reading.case.names[::2], reading.case.names[1::2], strict=True))
    hidden = [name for name in reading.explained.network.right if without_layer(name) == "h"]
    layers = dict(zip(("X", *hidden), names_of, strict=True))
    inputs = {name for _, name in read if name in layers}
    inputs |= {"X"} & {
        known.name
        for one in reading.values
        for h in one.holders
        if h.name in names and (known := reading.right[one.number])
    }
    wanted = layers.get(next(iter(inputs), "")) if len(inputs) == 1 else None
    if wanted is None:
        return None
    params = [(held, name) for held, name in read if name in reading.case.names]
    wrong = [held for held, name in params if name not in wanted]
    twice = [held for held, name in params if sum(name == other for _, other in params) > 1]
    if not wrong and not (twice and len(params) == 2):
        return None
    first = (wrong or twice)[0]
    return (reading.recorded.caller(first.call) if first.how == ARGUMENT else None) or first.spot


def _is_called_from(reading: Reading, made: Made, spot: Spot) -> bool:
    """Return whether an array was made in a function that this line called."""
    callers = reading.recorded.callers(made.call)
    return made.value.size > 1 and any((at[0], reading.statements.start(*at)) == spot for at in callers)
