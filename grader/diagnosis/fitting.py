"""The free number of a mistake, fitted to what a submission shows in one part; the other parts must then bear it out."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from grader.compare import Tolerance
from grader.diagnosis.candidates import simulate_fresh_context
from grader.diagnosis.signature import Signature, same, signature_of
from grader.diagnosis.signature_tables import SearchState
from grader.model import Family, Fitted

MOST_PARTS = 2  # that a number is fitted on, where the first one gives none
MOST_STEPS = 12  # of the secant; a straight line needs one
ROUND = 1e-6  # a number this near to a whole one is meant so
NOTHING = 1e-3  # a factor below this leaves nothing of what it multiplies, and what follows from that earns nothing


def fit_number(state: SearchState, family: int, parts: Sequence[tuple[str, Signature, Tolerance]]) -> list[Fitted]:
    """Return the mistake of a family that shows what a submission shows in one of these parts, with its number; else none.

    parts : name, the submission's signature, and the tolerance, of the parts that differ from the right ones.
    """
    for part, own, near in parts[:MOST_PARTS]:
        if own.values.size:
            number = _fit(state, family, part, own, near)
            if number is not None:
                return [Fitted(family, number)]
    return []


def _fit(state: SearchState, index: int, part: str, own: Signature, near: Tolerance) -> float | None:
    family = state.catalogue.families[index]

    def simulate(number: float) -> Signature:
        mistakes = state.base | {Fitted(index, number)}
        return signature_of(simulate_fresh_context(state.assignment, state.questions, mistakes, state.factor), part)

    tried = [(guess, simulate(guess)) for guess in family.guesses]
    for (first, one), (second, other) in pairwise(tried):
        if one.shape != own.shape or other.shape != own.shape:
            continue
        number = _secant(simulate, family, (first, one), (second, other), own)
        for candidate in (round(number), number) if abs(number - round(number)) < ROUND else (number,):
            possible = family.low <= candidate <= family.high and not (family.low < 0 and abs(candidate) < NOTHING)
            if possible and same(own, simulate(float(candidate)), near):
                return float(candidate)
    return None


def _secant(
    simulate: Callable[[float], Signature],
    family: Family,
    before: tuple[float, Signature],
    last: tuple[float, Signature],
    own: Signature,
) -> float:
    """Return the number whose signature is nearest to the submission's along the line between two signatures, again and again."""
    for _ in range(MOST_STEPS):
        (first, one), (second, other) = before, last
        along = other.values - one.values
        size = float(along @ along)
        if not size or second == first:
            break
        number = first + float((own.values - one.values) @ along) / size * (second - first)
        number = float(np.clip(number, family.low, family.high))
        if abs(number - second) <= 1e-12 * max(1.0, abs(number)):
            break
        now = simulate(number)
        before, last = last, (number, now)
        if now.shape != own.shape:
            break
    return last[0]
