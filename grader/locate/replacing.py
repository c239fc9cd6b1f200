"""Steps of the right network replaced by recorded values, until the program's answers follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grader.locate.outputs import Form, Outputs, is_told_by_form, mends_one, wrong
from grader.locate.recognise import Network
from grader.locate.recorded_case import Case, Known, laid_out
from grader.locate.recorded_values import Made
from grader.model import Floats

# What one wrong value may stand for, in the order of the computation.
FORWARD = ("u", "h", "scores")
BACKWARD = ("centred", "e", "log p", "p", "one-hot", "p back", "d scores", "d h", "mask", "d u")
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
    network: Network
    wrong: Mapping[str, Form]


def explain(
    case: Case, own: Outputs, made: Sequence[Made], base: Network, labels: Mapping[int, Known | None]
) -> Explained:
    """Return the recorded values with which, one after another, the most answers follow.

    labels : what each value is in the right network.
    """
    found: list[Replaced] = []
    network = base
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
    network: Network,
    bad: Mapping[str, Form],
) -> tuple[Replaced, Network, Mapping[str, Form]] | None:
    """Return the value that mends most answers and spoils none; of several the one that is made first."""
    before = _open(case, bad)
    # What is wrong before the scores mends the scores; what comes after them cannot.
    for steps in (FORWARD, BACKWARD) if "scores" in before else (BACKWARD,):
        best: tuple[tuple[int, ...], Replaced, Network, Mapping[str, Form]] | None = None
        for step in steps:
            for one, value, factor in _candidates(case, step, made, labels, network):
                replaced = {**taken, step: value}
                if not _may_be(case, own, step, value, network) or not mends_one(
                    case, own, case.answers(replaced), before
                ):
                    continue
                after_network = Network.of(case, replaced)
                after_bad = wrong(case, own, after_network)
                after = _open(case, after_bad)
                if after - before or len(after) == len(before):
                    continue
                # A value that is nothing right is likelier to be the mistake than one that stands in the wrong place.
                strange = labels[one.number] is None
                rank = len(before) - len(after), -len(after_bad), int(factor == 1), int(strange)
                if best is None or rank > best[0]:
                    best = rank, Replaced(step, one, value, before - after), after_network, after_bad
                if rank[0] == len(before) and not after_bad and factor == 1 and strange:
                    return best[1:]
        if best:
            return best[1:]
    return None


def _may_be(case: Case, own: Outputs, step: str, value: Floats, network: Network) -> bool:
    """Return whether a gradient on the way may be the program's, by those of the layer that it reaches: in a few microseconds."""
    if step == "d scores":
        rows, d, (weights, bias) = network["h"], value, case.names[2:]
    elif step in {"d h", "mask", "d u"}:
        other = {"d h": "mask", "mask": "d h"}.get(step)
        rows, d, (weights, bias) = case.X, value * network[other] if other else value, case.names[:2]
    else:
        return True
    gradients = own.gradients or {}
    of_bias, of_weights = gradients.get(bias), gradients.get(weights)
    if of_bias is not None and of_bias.shape == d.shape[1:]:
        off = of_bias - d.sum(axis=0)
        if np.abs(off).max() <= case.fine * np.abs(of_bias).max() or bias in case.covered:
            return True
    if of_weights is None or of_weights.shape != case.params[weights].shape:
        return False
    theta, rest = case.params[weights], of_weights - rows.T @ d
    k = float((rest * theta).sum()) / float((theta * theta).sum())
    return bool(np.abs(rest - k * theta).max() <= case.fine * np.abs(of_weights).max())


def _candidates(
    case: Case, step: str, made: Sequence[Made], labels: Mapping[int, Known | None], network: Network
) -> Iterator[tuple[Made, Floats, float]]:
    right, order = network[step], {name: place for place, name in enumerate(network.right)}
    factors = (1.0, 1 / case.N, -1.0) if step in {"d scores", "d h", "d u"} else (1.0,)
    for one in made:
        if one.kind == "c" or (step not in {"mask", "one-hot"} and one.kind in "bi") or one.value.size != right.size:
            continue
        known = labels[one.number]
        # What is right as something that comes later stands for no earlier step.
        if (
            known is not None
            and known.kind == "right"
            and not known.factor
            and order.get(known.name, -1) >= order[step]
        ):
            continue
        value = laid_out(one.value, right.shape)
        # A value that is inf or NaN explains whatever one likes.
        if value is None or not np.isfinite(value).all():
            continue
        for factor in factors:
            if np.abs(value * factor - right).max() > 1e-9 * np.abs(right).max():
                yield one, value * factor, factor
