"""One thing that is wrong in a program: the line, and the value that shows it."""

from __future__ import annotations

from dataclasses import dataclass

from grader.locate.recorded_case import Known
from grader.locate.recorded_values import Made, Spot


@dataclass(frozen=True, eq=False)
class Spotted:
    """One thing that is wrong. step : of the network, or the answer that is wrong: "loss", "dW1", "scores returned"."""

    step: str
    spot: Spot
    made: Made | None = None
    used: Spot | None = None  # of a missing step: the line that uses the value as it is
    known: Known | None = None  # what the value is in the right network
    mends: frozenset[str] = frozenset()  # the answers that are right with it
