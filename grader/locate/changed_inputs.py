"""Lines that change what loss() was given, or give a parameter the name of another one."""

from __future__ import annotations

from grader.locate.loss_recording import Reading
from grader.locate.recorded_values import VARIABLE, Spot


def swapped_names(reading: Reading) -> Spot | None:
    """Return a line that gives a variable called W1 the value of another parameter."""
    for one in reading.made:
        known = reading.right[one.number]
        if known is not None and known.name in reading.case.names and not known.factor:
            for held in one.holders:
                if held.how == VARIABLE and held.name in reading.case.names and held.name != known.name:
                    return held.spot
    return None


def changed_parameter(reading: Reading) -> Spot | None:
    """Return the line that changes a parameter in place, also under another name: what comes after has the wrong one."""
    held_right: set[tuple[int, str]] = set()
    events = [(held, made) for made in reading.made for held in made.holders]
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
    events = sorted(((h, one) for one in reading.made for h in one.holders), key=lambda pair: pair[0].when)
    for held, one in events:
        known = reading.right[one.number]
        now = known is not None and known.name in wanted and not known.factor and not known.detail
        before = holds.get((held.call, held.name), False)
        if before and not now and not reading.statements.binds(*held.spot, held.name):
            return held.spot
        holds[held.call, held.name] = now
    return None
