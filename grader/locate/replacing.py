"""Steps of the right network replaced by recorded values, until the program's answers follow."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from grader.locate.outputs import Form, Outputs, comes_of, is_told_by_form, mends_one, wrong
from grader.locate.recognise import Network
from grader.locate.recorded_case import Case, Known, in_layer, laid_out, without_layer
from grader.locate.recorded_values import Made
from grader.model import Floats
from grader.records import dataclass

# What one wrong value may stand for, those of hidden layers in each of them.
FORWARD = frozenset({"u", "h", "scores"})
BACKWARD = frozenset({"centred", "e", "log p", "p", "one-hot", "p back", "d scores", "d h", "mask", "d u"})
MOST_REPLACED = 4
# What the search may cost: a recording can be forged, and thousands of values in the shapes of all steps took four seconds.
# Counted, never timed: one for each value that is held against a step (10 us), more where a network is followed. Of 140
# wrong programs of all kinds the longest search takes 2,042, the tenth longest 752.
MOST_WORK = 8_000
ANSWERS, WHOLE_NETWORK = 10, 100


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


Trial = tuple[tuple[int, ...], Replaced, Network, Mapping[str, Form]]  # a rank, and what is known with a value replaced


@dataclass(eq=False)
class Search:
    """The search for the values that explain one program's answers.

    labels : what each value is in the right network. left : the work that the search may still take; without any it ends.
    """

    case: Case
    own: Outputs
    made: Sequence[Made]
    labels: Mapping[int, Known | None]
    left: int = MOST_WORK

    def explain(self, base: Network) -> Explained:
        """Return the recorded values with which, one after another, the most answers follow. base : the right network."""
        found: list[Replaced] = []
        network = base
        bad: Mapping[str, Form] = wrong(self.case, self.own, base)
        while self.case.replaces and len(found) < MOST_REPLACED and self._open(bad):
            best = self._best({one.step: one.value for one in found}, network, bad)
            if best is None:
                break
            _, one, network, bad = best
            found.append(one)
        return Explained(tuple(found), network, bad)

    def _spend(self, work: int) -> bool:
        self.left -= work
        return self.left >= 0

    def _open(self, bad: Mapping[str, Form]) -> frozenset[str]:
        return frozenset(output for output, form in bad.items() if not is_told_by_form(self.case, output, form))

    def _best(self, taken: Mapping[str, Floats], network: Network, bad: Mapping[str, Form]) -> Trial | None:
        """Return the value that mends most answers and spoils none; of several the one that is made first."""
        before = self._open(bad)
        # What is wrong before the scores mends the scores; what comes after them cannot.
        for steps in (FORWARD, BACKWARD) if "scores" in before else (BACKWARD,):
            best: Trial | None = None
            for step in (name for name in network.right if without_layer(name) in steps):
                for trial in self._trials(step, taken, network, before):
                    best = trial if best is None or trial[0] > best[0] else best
                    # All answers follow from a value as it is that is nothing right.
                    if trial[0] == (len(before), 0, 1, 1):
                        return trial
            if best:
                return best
        return None

    def _trials(
        self, step: str, taken: Mapping[str, Floats], network: Network, before: frozenset[str]
    ) -> Iterator[Trial]:
        """Yield the values that may stand for a step and with which more answers are right, as far as the work allows."""
        case, own = self.case, self.own
        for one, value, factor in self._candidates(step, network):
            replaced = {**taken, step: value}
            if not _may_be(case, own, step, value, network) or not self._spend(ANSWERS):
                continue
            if not mends_one(case, own, case.answers(replaced), before) or not self._spend(WHOLE_NETWORK):
                continue
            after_network = Network.of(case, replaced)
            after_bad = wrong(case, own, after_network)
            after = self._open(after_bad)
            if after < before:
                # A value that is nothing right is likelier to be the mistake than one that stands in the wrong place.
                strange = self.labels[one.number] is None
                rank = len(before) - len(after), -len(after_bad), int(factor == 1), int(strange)
                yield rank, Replaced(step, one, value, before - after), after_network, after_bad

    def _candidates(self, step: str, network: Network) -> Iterator[tuple[Made, Floats, float]]:
        """Yield the values that may stand for a step, each with the factor that it was multiplied by."""
        right, order = network[step], {name: place for place, name in enumerate(network.right)}
        kind = without_layer(step)
        factors = (1.0, 1 / self.case.N, -1.0) if kind in {"d scores", "d h", "d u"} else (1.0,)
        fits = [one for one in self.made if one.value.size == right.size and one.kind != "c"]
        for one in fits:
            if (kind not in {"mask", "one-hot"} and one.kind in "bi") or not self._spend(1):
                continue
            known = self.labels[one.number]
            # What is right as something that comes later stands for no earlier step.
            plain = known is not None and known.kind == "right" and not known.factor
            if known and plain and order.get(known.name, -1) >= order[step]:
                continue
            value = laid_out(one.value, right.shape)
            # A value that is inf or NaN explains whatever one likes.
            if value is None or not np.isfinite(value).all():
                continue
            for factor in factors:
                if np.abs(value * factor - right).max() > 1e-9 * np.abs(right).max():
                    yield one, value * factor, factor


def _may_be(case: Case, own: Outputs, step: str, value: Floats, network: Network) -> bool:
    """Return whether a gradient on the way may be the program's, by those of the layer that it reaches: in a few microseconds."""
    hidden, kind = [name for name in network.right if without_layer(name) == "h"], without_layer(step)
    if kind == "d scores":
        layer, d = len(hidden), value
    elif kind in {"d h", "mask", "d u"}:
        other = {"d h": "mask", "mask": "d h"}.get(kind)
        layer, d = hidden.index(in_layer("h", step)), value * network[in_layer(other, step)] if other else value
    else:
        return True
    rows, (weights, bias) = network[hidden[layer - 1]] if layer else case.X, case.names[2 * layer : 2 * layer + 2]
    of_bias = own.answer(bias)
    if of_bias is not None and of_bias.shape == (summed := d.sum(axis=-2)).shape:
        off = of_bias - summed
        if np.abs(off).max() <= case.fine * np.abs(of_bias).max() or bias in case.covered:
            return True
    return comes_of(case, own.answer(weights), rows.T @ d, weights)
