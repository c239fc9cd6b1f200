"""Where the learning rate of train() goes wrong: it should decay once an epoch, by the factor that was asked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from grader.locate.iterations import rate_of
from grader.locate.recorded_values import Spot
from grader.locate.spotted import Spotted
from grader.locate.training_lines import TrainingLines


def wrong_decay(lines: TrainingLines) -> Iterator[Spotted]:
    """Yield the line behind rates that do not decay once an epoch."""
    rates = _rates(lines)
    if rates is None or len(rates) < 2 or not rates[0]:
        return
    seen = [rate / rates[0] for rate in rates[: lines.asked.iterations]]
    d = lines.asked.decay
    # Three iterations an epoch: it decays after the first one of each, or after the last.
    right = ([1.0, d, d, d, d * d], [1.0, 1.0, 1.0, d, d])
    if any(np.allclose(seen, one[: len(seen)], rtol=1e-6) for one in right):
        return
    factors = [after / before for before, after in pairwise(seen) if before]
    line = lines.decay()
    line = lines.from_train(line) if line else None
    test = lines.statements.enclosing(*line, (ast.If,)) if line else []
    if (
        line
        and test
        and any(factor < 1 - 1e-9 for factor in factors)
        and all(np.isclose(f, 1) or np.isclose(f, d) for f in factors)
    ):
        # By the right factor, at the wrong times.
        yield Spotted("decay", length_of_epoch(lines, (line[0], test[0])) or (line[0], test[0]))
        return
    if np.allclose(seen, 1.0) and line and _rate_is_made(lines):  # it decays, and the step does not use it
        spot = lines.update()
        if spot:
            yield Spotted("decay", lines.from_train(spot))
            return
    off = [
        next((i for i, (s, r) in enumerate(zip(seen, one, strict=False)) if not np.isclose(s, r)), 0) for one in right
    ]
    wrong = [seen[max(off)] * lines.asked.rate, *(one * lines.asked.rate for one in seen)]
    for one in lines.made:
        own = not one.given and one.value.size == 1 and one.kind == "f" and float(one.value.ravel()[0])
        if own and any(abs(own - rate) <= 1e-6 * abs(rate) for rate in wrong if abs(rate - lines.asked.rate) > 1e-9):
            yield Spotted("decay", one.spot, one)
            return
    if spot := lines.role("decay"):
        yield Spotted("decay", spot)


def _rates(lines: TrainingLines) -> list[float] | None:
    """Return the rate of each step; None where one is no multiple of its gradient."""
    found = []
    for step in lines.steps:
        known = [rate for name in lines.shapes if (rate := rate_of(step.moves[name], step.gradients[name]))]
        if not known:
            return None
        found.append(-known[0])
    return found


def _rate_is_made(lines: TrainingLines) -> bool:
    """Return whether some line makes the learning rate after its first decay."""
    wanted = lines.asked.rate * lines.asked.decay
    return any(
        one.value.size == 1 and not one.given and abs(float(one.value.ravel()[0]) - wanted) <= 1e-9 * wanted
        for one in lines.made
    )


def length_of_epoch(lines: TrainingLines, test: Spot) -> Spot | None:
    """Return the line that makes the number of iterations an epoch has, where a test reads a wrong one."""
    names, right = lines.statements.reads(*test).names, len(lines.asked.X) // lines.asked.batch
    other = {len(lines.asked.X), lines.asked.batch, lines.asked.iterations}  # right, and read in the wrong place
    for one in lines.made:
        own = one.kind in "if" and one.value.size == 1 and not one.given and lines.recorded.ran.get(one.spot) == 1
        if own and float(one.value.ravel()[0]) not in {right, *other} and any(h.name in names for h in one.holders):
            return one.spot
    return None
