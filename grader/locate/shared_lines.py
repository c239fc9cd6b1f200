"""Lines that serve both layers, or both ways: what goes wrong for one of them is wrong where they are called."""

from __future__ import annotations

from grader.locate.loss_recording import Reading
from grader.locate.recorded_values import ARGUMENT, Made, Spot


def outside_shared(reading: Reading, made: Made, step: str) -> Spot:
    """Return a value's line; where that line also made a right one for the other layer, the line of the call.

    What one layer gets wrong and the other does not is wrong where the shared function is called.
    """
    wrong = [made, *(one.made for one in reading.explained.replaced)]
    right_too = [
        other
        for other in reading.made
        if other.spot == made.spot and other.call != made.call and other not in wrong and reading.follows[other.number]
    ]
    callers = reading.recorded.callers(made.call)
    return callers[0] if right_too and callers and step not in {"d h", "d u"} else made.spot


def given_no_gradient(reading: Reading, made: Made, step: str) -> Spot | None:
    """Return where a function of the way back is called without any gradient: what it makes is wrong by what it is given."""
    if step not in {"d h", "d u"} or reading.recorded.is_method(made.call):
        return None
    given = [one for one in reading.made for held in one.holders if held.call == made.call and held.how == ARGUMENT]
    known = [reading.right[one.number] for one in given if one.value.size > 1]
    if not known or any(of is None or of.name.startswith(("d ", "p")) for of in known):
        return None
    callers = reading.recorded.callers(made.call)
    return callers[0] if callers else None
