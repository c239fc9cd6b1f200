"""Where the batches of train() go wrong: which rows are drawn, how many of them, and with which labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from grader.locate.iterations import is_value, positions, same_each_time
from grader.locate.recorded_values import ARGUMENT, Made, Spot
from grader.locate.spotted import Spotted
from grader.locate.training_lines import TrainingLines
from grader.model import Array


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
        made = (other if own else []) or [one for one in lines.made if is_value(one, first.y)]
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
        for one in lines.made
        if one.kind == "i" and one.value.size == 1 and not one.given and lines.recorded.ran.get(one.spot) == 1
        if highest < int(one.value.ravel()[0]) < len(lines.asked.X)
    ]
    return min(bounds, key=lambda one: int(one.value.ravel()[0])).spot if bounds else None


def _asked_for_another_size(lines: TrainingLines, rows: int) -> Spot | None:
    """Return where a function that draws rows is called with another number than the size of a batch."""
    if rows == lines.asked.batch:
        return None
    for one in lines.made:
        if one.kind == "i" and one.value.size == 1 and int(one.value.ravel()[0]) == rows:
            for held in one.holders:
                if held.how == ARGUMENT and not lines.recorded.is_method(held.call):
                    callers = lines.recorded.callers(held.call)
                    return callers[0] if callers else None
    return None


def _index_like(lines: TrainingLines) -> list[Made]:
    """Return the values that could be numbers of rows."""
    return [
        one for one in lines.made if one.kind == "i" and one.value.ndim == 1 and not one.given and one.value.size > 1
    ]
