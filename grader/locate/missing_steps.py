"""The line of a value that takes the place of a right one: it is wrong, or right as it is and the next step is missing."""

from __future__ import annotations

from grader.locate.loss_recording import Reading
from grader.locate.recorded_values import ARGUMENT, RETURNED, VARIABLE, Made, Spot
from grader.locate.replacing import Replaced
from grader.locate.shared_lines import given_no_gradient, outside_shared
from grader.locate.spotted import Spotted

# A missing step is told at the line that uses the value as it is, where that line is this near; else at the value's own.
NEAR_USE = 2


def behind_replaced(reading: Reading, one: Replaced) -> Spotted:
    """Return the line behind a recorded value that takes the place of a right one."""
    made, known = one.made, reading.right[one.made.number]
    if known is None or known.kind != "right" or known.factor or known.detail:
        unknown = known is None or known.kind == "near" or known.detail
        first = reading.ancestry.first_unknown(made) if unknown else made
        return Spotted(
            one.step, given_no_gradient(reading, first, one.step) or outside_shared(reading, first, one.step), made
        )
    # It is right as an earlier step: what is wrong is that the next one is missing, or does nothing.
    idle = _idle_line(reading, made)
    if idle is not None and one.step in {"d u", "h", "mask", "centred", "d scores"}:
        return Spotted(one.step, idle, made, known=known)
    if one.step in {"u", "scores"} and not known.name.startswith(one.step):  # the bias of a layer is missing
        return Spotted(one.step, made.spot, made, known=known)
    used = _used_as_it_is(reading, made)
    handed_on = _handed_on(made, used.born if used else None)
    if handed_on is not None:
        return Spotted(one.step, handed_on, made, used=used.spot if used else None, known=known)
    if used is None:
        return Spotted(one.step, made.spot, made, known=known)
    if one.step == "d u" and reading.statements.compares(*made.spot):  # the mask is there, and lets everything through
        return Spotted(one.step, made.spot, made, known=known)
    at, own = _from_use_to_value(reading, made, used)
    near = one.step == "d u" and 0 <= at[1] - own[1] <= NEAR_USE
    return Spotted(one.step, at if near else own, made, used=at, known=known)


def _from_use_to_value(reading: Reading, made: Made, used: Made) -> tuple[Spot, Spot]:
    """Return the line that uses a value as it is, and the one that made it; where a shared function did, those that called it."""
    passed = any(held.how == ARGUMENT and held.call == used.call for held in made.holders)
    if not passed or used.call == made.call:
        return used.spot, made.spot
    callers = reading.recorded.callers(used.call)
    at = (callers[0][0], reading.statements.start(*callers[0])) if callers else used.spot
    shared = [name for _, _, name in reading.recorded.calls].count(reading.recorded.function(made.call)) > 1
    received = [held.spot for held in made.holders if held.how == VARIABLE and held.call != made.call]
    return at, received[0] if shared and received else made.spot


def _used_as_it_is(reading: Reading, made: Made) -> Made | None:
    """Return the first unknown array that was made of a value."""
    wrong = [
        reading.made[user] for user in made.users if reading.made[user].value.size > 1 and reading.right[user] is None
    ]
    return min(wrong, key=lambda one: one.number) if wrong else None


def _idle_line(reading: Reading, made: Made) -> Spot | None:
    """Return a line that ran after a value was made, stores into it, and changed nothing."""
    names = {held.name for held in made.holders}
    changed = {held.spot for one in reading.made for held in one.holders if held.name in names}
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
