"""Steps of the right network replaced by recorded values, until the program's answers follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grader.locate.outputs import Form, Outputs, is_told_by_form, wrong
from grader.locate.recognise import Case, Known, Right, laid_out
from grader.locate.recorded import Made
from grader.records import Floats

# What one wrong value may stand for, in the order of the computation.
STEPS = ("u", "h", "scores", "centred", "e", "p", "p back", "d scores", "d h", "mask", "d u")
MOST_REPLACED = 4


@dataclass(frozen=True, eq=False)
class Replaced:
    """One recorded value that takes the place of a right one, and with which more answers are right."""

    step: str
    made: Made
    value: Floats
    mended: frozenset[str]  # the answers that are right with it


@dataclass(frozen=True, eq=False)
class Explained:
    """The values that explain a program's answers, and what is wrong by the network that has them."""

    replaced: tuple[Replaced, ...]
    network: Right
    wrong: Mapping[str, Form]


def explain(
    case: Case, own: Outputs, made: Sequence[Made], base: Right, labels: Mapping[int, Known | None]
) -> Explained:
    """Return the recorded values with which, one after another, the most answers follow.

    labels : what each value is in the right network.
    """
    found: list[Replaced] = []
    network: Right = base
    bad: Mapping[str, Form] = wrong(case, own, base)
    while len(found) < MOST_REPLACED and _open(case, bad):
        best = _best(case, own, made, labels, {one.step: one.value for one in found}, network, bad)
        if best is None:
            break
        one, network, bad = best
        found.append(one)
    return Explained(tuple(found), network, bad)


def _open(case: Case, bad: Mapping[str, Form]) -> frozenset[str]:
    return frozenset(output for output, form in bad.items() if not is_told_by_form(case, output, form))


def _best(
    case: Case,
    own: Outputs,
    made: Sequence[Made],
    labels: Mapping[int, Known | None],
    taken: Mapping[str, Floats],
    network: Right,
    bad: Mapping[str, Form],
) -> tuple[Replaced, Right, Mapping[str, Form]] | None:
    """Return the value that mends most answers and spoils none; of several the one that is made first."""
    before = _open(case, bad)
    best: tuple[tuple[int, ...], Replaced, Right, Mapping[str, Form]] | None = None
    for step in STEPS:
        for one, value, factor in _candidates(case, step, made, network):
            after_network = case.follow(case.factors[0], {**taken, step: value})
            after_bad = wrong(case, own, after_network)
            after = _open(case, after_bad)
            if after - before or len(after) == len(before):
                continue
            # A value that is nothing right is likelier to be the mistake than one that stands in the wrong place.
            strange = labels[one.number] is None
            rank = len(before) - len(after), -len(after_bad), int(factor == 1), int(strange)
            if best is None or rank > best[0]:
                best = rank, Replaced(step, one, value, before - after), after_network, after_bad
    return best[1:] if best else None


def _candidates(case: Case, step: str, made: Sequence[Made], network: Right) -> Iterator[tuple[Made, Floats, float]]:
    right = network[step]
    factors = (1.0, 1 / case.N, -1.0) if step in {"d scores", "d h", "d u"} else (1.0,)
    for one in made:
        if one.kind == "c" or (step != "mask" and one.kind in "bi") or one.value.size != right.size:
            continue
        value = laid_out(one.value, right.shape)
        # A value that is inf or NaN explains whatever one likes.
        if value is None or not np.isfinite(value).all():
            continue
        for factor in factors:
            if not np.allclose(value * factor, right, rtol=1e-9):
                yield one, value * factor, factor
